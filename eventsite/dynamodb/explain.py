"""Sentences for an operator: why a call of DynamoDB failed, and the remedy where there is one."""

from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import DomainError, Unavailable

SILENCE = (HTTPClientError, BotocoreConnectionError)
# Codes come with or without "Exception" at their end, which is left out here.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
NO_TABLE = frozenset({"ResourceNotFound", "TableNotFound"})
NO_ACCESS = frozenset(
    {
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignature",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClient",
    }
)
NOT_SAVED = "NotSaved"  # the embedded engine cannot save (`eventsite.local.host`)


def sentence(error: BaseException) -> str:
    """Return the reason of a failure and its remedy."""
    if isinstance(error, DomainError) and error.sentence != Unavailable.detail:
        return error.sentence
    causes = list(_chain(error))
    if any(isinstance(cause, UnreadableItem) for cause in causes):
        return f"An item in DynamoDB at {endpoint()} is not as this release writes it, and cannot be read."
    refusal = next((cause for cause in causes if isinstance(cause, ClientError)), None)
    if refusal:
        return _refused(refusal.response["Error"].get("Code", ""), refusal.response["Error"].get("Message", ""))
    if any(isinstance(cause, NoCredentialsError | PartialCredentialsError) for cause in causes):
        return "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
    if isinstance(error, Unavailable) or any(isinstance(cause, SILENCE) for cause in causes):
        return f"DynamoDB at {endpoint()} does not answer."
    return f"DynamoDB at {endpoint()} cannot be used: {causes[-1]}"


def endpoint() -> str:
    return str(connection().client.meta.endpoint_url)


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and what caused it. PynamoDB keeps the cause in an attribute of its own."""
    chain: list[BaseException] = []
    while error and error not in chain:
        chain.append(error)
        error = error.__cause__ or getattr(error, "cause", None)
    return chain


def _refused(code: str, message: str) -> str:
    kind = code.removesuffix("Exception")
    if kind in NO_TABLE:
        return _no_table()
    if kind in NO_ACCESS:
        return f"DynamoDB at {endpoint()} does not accept the credentials: {message or code}"
    if kind == "AccessDenied":
        return f"These credentials do not allow it: {message or code}"
    if code in retries.TRANSIENT_CODES or code.startswith("5"):
        return f"DynamoDB at {endpoint()} was busy for too long ({code}). Try again later."
    return message if code == NOT_SAVED else f"DynamoDB at {endpoint()} refused: {message or code}"


def _no_table() -> str:
    names = [model.Meta.table_name for model in table_models()]
    missing = [name for name in names if not _exists(name)] or names
    return f"There is no table {' and no table '.join(missing)}: run `manage.py create_tables`."


def _exists(table: str) -> bool:
    try:
        connection().dispatch("DescribeTable", {"TableName": table})
    except retries.FAILURES:
        return False
    return True
