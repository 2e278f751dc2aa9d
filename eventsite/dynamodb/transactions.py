"""Transactions: writes of several items that report which condition failed, and reads of a single point in time."""

from collections.abc import Mapping
from typing import Any

from pynamodb.exceptions import TransactGetError, TransactWriteError, VerboseClientError

from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection

Failures = dict[str, RawItem | None]
"""The failed conditions by label, each with the item that failed it; None if there was none."""

FAILED_CONDITION = "ConditionalCheckFailed"


def transact_get(*keys: tuple[type[BaseModel], *tuple[str, ...]]) -> list[Any]:
    """Read several items as of a single point in time.

    Args:
        keys: The model and the parts of the key of each.

    Returns:
        The records in the order of the keys, None for an item that does not exist.

    Raises:
        Conflict: A transaction is writing one of them.
        Unavailable: DynamoDB did not answer in time.
    """
    parts = [{"Get": model.target_of(*key)} for model, *key in keys]
    try:
        answer = connection().dispatch("TransactGetItems", {"TransactItems": parts})
    except VerboseClientError as error:
        if any(reason and reason.code == retries.CONFLICT_REASON for reason in error.cancellation_reasons):
            raise retries.Conflict from error
        raise TransactGetError(f"Failed to read items: {error}", error) from error
    found = [one.get("Item") for one in answer["Responses"]]
    return [model.parse(item) if item else None for (model, *_), item in zip(keys, found, strict=True)]


def transact_write(parts: Mapping[str, dict[str, Any]], token: str) -> Failures:
    """Write several items or none.

    Args:
        parts: The parts as DynamoDB takes them, each with a label that names it when its condition fails.
        token: The client request token. DynamoDB executes a transaction once, however often it is sent with its token.

    Returns:
        The failed conditions. An empty dict means that everything was written.

    Raises:
        Conflict: Other transactions hold some of the items. Or DynamoDB throttles the transaction, under
            `retries.impatience`.
        Unavailable: DynamoDB did not answer in time.
    """
    arguments = {"TransactItems": list(parts.values()), "ClientRequestToken": token}
    try:
        connection().dispatch("TransactWriteItems", arguments)
    except VerboseClientError as error:
        return _failures(parts, error)
    return {}


def _failures(labels: Mapping[str, Any], error: VerboseClientError) -> Failures:
    """Return the failed conditions, or raise `Conflict` while other transactions hold some of the items.

    A condition may fail because of the transaction that holds another item, perhaps this very request sent twice with
    half of the first one visible. The conditions are evaluated again after that transaction has ended.
    """
    reasons = [(label, one) for label, one in zip(labels, error.cancellation_reasons, strict=False) if one]
    if {one.code for _, one in reasons} & {retries.CONFLICT_REASON, *retries.TRANSIENT_REASONS}:
        raise retries.Conflict from error
    failures = {label: one.raw_item for label, one in reasons if one.code == FAILED_CONDITION}
    if not failures:
        raise TransactWriteError(f"Failed to write items: {error}", error) from error
    return failures
