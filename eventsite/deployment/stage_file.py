"""The operator's choices for a stage, and the environment of the Lambda that follows from them.

Each stage has its file, `.env.dev` or `.env.prod`; `.env.example` lists the variables.
"""

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from environ import Env

NEEDED = {
    "AWS_REGION": "the region that everything lives in, such as eu-west-1",
    "S3_BUCKET": "an S3 bucket of yours, for the package on its way to Lambda",
    "AUTH_MODE": "cognito or oidc; or open, if everybody may do everything",
}
NEEDED_BY_OIDC = {
    "OIDC_ISSUER": "the provider's issuer URL, as its tokens name it",
    "OIDC_CLIENT_ID": "the client that people sign in to",
}
TOGETHER = (("COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"), ("DOMAIN", "CERTIFICATE_ARN"))
TABLES = ("events", "users", "registrations")
TABLE_NAMES = {table: f"{table.upper()}_TABLE_NAME" for table in TABLES}
SWITCHES = ("ACCESS_LOG", "SIGN_IN_CODES", "SNAP_START")
FOR_ZAPPA = frozenset({"AWS_REGION", "CERTIFICATE_ARN", "DOMAIN", "S3_BUCKET", "SNAP_START"})
FOR_THE_STACK = frozenset(
    {"ACCESS_LOG", "ALARM_EMAIL", "ALARM_TOPIC", "MONTHLY_BUDGET", "SIGN_IN_CODES", "SIGN_IN_SENDER"}
)
SNAP_START_SINCE = (3, 12)  # the first Python with SnapStart in Lambda
FOR_THE_LAMBDA = frozenset(
    {
        "ALLOWED_HOSTS",
        "AUTH_MODE",
        "CALLER_BURST",
        "CALLER_RATE",
        "COGNITO_CLIENT_ID",
        "COGNITO_DOMAIN",
        "COGNITO_JWKS_URL",
        "COGNITO_USER_POOL_ID",
        "CORS_ALLOWED_ORIGINS",
        "DYNAMODB_CLIENT",
        "DYNAMODB_TABLE_PREFIX",
        "LOG_LEVEL",
        "MAIL_CONFIGURATION_SET",
        "MAIL_FROM",
        "NOTICE_BUS",
        "OIDC_AUDIENCE",
        "OIDC_CLIENT_ID",
        "OIDC_GROUPS_CLAIM",
        "OIDC_ISSUER",
        "PUBLIC_URL",
        "SECRET_KEY",
        "WEBHOOKS",
        "WEBHOOK_SECRET",
        *TABLE_NAMES.values(),
    }
)
SET_BY_THE_STACK = {
    "NOTICE_QUEUE_URL": "NoticeQueueUrl",
    "NOTICE_DEAD_LETTER_URL": "DeadLetterQueueUrl",
    "COGNITO_USER_POOL_ID": "UserPoolId",
    "COGNITO_CLIENT_ID": "UserPoolClientId",
    "COGNITO_DOMAIN": "SignInAddress",
    "PUBLIC_URL": "ApiEndpoint",
    "MAIL_CONFIGURATION_SET": "MailConfigurationSet",
}
"""Variables that the file may leave to the outputs of the stack."""
SECRET_BYTES = 48


class Undecided(Exception):
    """A choice is missing or not valid. The text has the variable and the file."""


@dataclass(frozen=True)
class Choices:
    """The choices for one stage."""

    stage: str
    values: dict[str, str]

    @property
    def name(self) -> str:
        """The name of the stack, the function and the API."""
        return f"eventsite-{self.stage}"

    @property
    def region(self) -> str:
        """The region of all resources except the certificate."""
        return self.values["AWS_REGION"]

    @property
    def domain(self) -> str | None:
        """The custom domain of the stage, or None."""
        return self.values.get("DOMAIN")

    @property
    def access_log(self) -> bool:
        """True if API Gateway logs each request, including those that do not reach the Lambda."""
        return self.values.get("ACCESS_LOG") == "true"

    @property
    def makes_user_pool(self) -> bool:
        """True if the stack makes a user pool, because users sign in and the file names none."""
        return self.values.get("AUTH_MODE") == "cognito" and "COGNITO_USER_POOL_ID" not in self.values

    @property
    def table_prefix(self) -> str:
        """The prefix of the names of the tables."""
        return self.values.get("DYNAMODB_TABLE_PREFIX", f"eventsite-{self.stage}-")

    @property
    def tables(self) -> dict[str, str]:
        """The full names of the tables, by app."""
        return {table: self.values.get(name, f"{self.table_prefix}{table}") for table, name in TABLE_NAMES.items()}

    @property
    def table_variables(self) -> dict[str, str]:
        """The environment variables with the names of the tables."""
        return {TABLE_NAMES[table]: name for table, name in self.tables.items()}

    def zappa_settings(self) -> dict[str, str | bool]:
        """Return the settings of Zappa that depend on the choices. The stack makes the role."""
        chosen: dict[str, str | bool] = {
            "aws_region": self.region,
            "s3_bucket": self.values["S3_BUCKET"],
            "manage_roles": False,
        }
        if self.domain:
            chosen |= {"domain": self.domain, "certificate_arn": self.values["CERTIFICATE_ARN"]}
        if self.values.get("SNAP_START") == "true":
            chosen |= {"snap_start": "PublishedVersions"}
        return chosen

    def environment(self, deployed: dict[str, str], outputs: dict[str, str]) -> dict[str, str]:
        """Return the variables of the Lambda.

        The secret key is kept. A variable that is no longer chosen becomes empty, which counts as unset, because Zappa
        would keep its value otherwise.

        Args:
            deployed: The present variables of the Lambda, if it is deployed.
            outputs: The outputs of the stack.
        """
        key = deployed.get("SECRET_KEY") or secrets.token_urlsafe(SECRET_BYTES)
        dropped = dict.fromkeys(deployed.keys() & (FOR_THE_LAMBDA | SET_BY_THE_STACK.keys() | {"BASE_PATH"}), "")
        served = {"ALLOWED_HOSTS": self.domain} if self.domain else {"BASE_PATH": f"/{self.stage}"}
        return {
            **dropped,
            "SECRET_KEY": key,
            "DYNAMODB_TABLE_PREFIX": self.table_prefix,
            "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
            "LOG_LEVEL": "INFO",
            **{name: outputs[output] for name, output in SET_BY_THE_STACK.items() if output in outputs},
            **served,
            **{name: value for name, value in self.values.items() if name in FOR_THE_LAMBDA},
        }


def is_setting(name: str) -> bool:
    """Return True if a variable of the operator's shell is a setting of the service."""
    return name in FOR_THE_LAMBDA or name.startswith("DYNAMODB_") or name.endswith("_TABLE_NAME")


def read(stage: str, directory: Path) -> Choices:
    """Return the choices in a stage's file.

    Raises:
        Undecided: A choice is missing, unknown or not valid.
    """
    path = directory / f".env.{stage}"
    if not path.exists():
        raise Undecided(f"Stage {stage} is undecided: copy .env.example to {path.name} and fill it in.")
    chosen = Choices(stage, {name: value for name, value in _variables(path).items() if value})
    if problem := _problem(chosen.values) or _shared_table(chosen, path):
        raise Undecided(f"{path.name} {problem}")
    return chosen


def _problem(values: dict[str, str]) -> str:
    """Return the first fault of the values, for a sentence that begins with the name of the file."""
    return next(_problems(values), "")


def _problems(values: dict[str, str]) -> Iterator[str]:
    for name in sorted(values.keys() - FOR_ZAPPA - FOR_THE_STACK - FOR_THE_LAMBDA):
        yield f"sets {name}, which means nothing here; .env.example has all there is."
    wanted = NEEDED | (NEEDED_BY_OIDC if values.get("AUTH_MODE") == "oidc" else {})
    if missing := [f"{name} ({meaning})" for name, meaning in wanted.items() if name not in values]:
        yield f"does not decide yet: {'; '.join(missing)}."
    for name in SWITCHES:
        if values.get(name, "false") not in ("true", "false"):
            yield f"must set {name} to true or false."
    if values.get("SNAP_START") == "true" and sys.version_info < SNAP_START_SINCE:
        yield "sets SNAP_START, which AWS has from Python 3.12 on."
    for pair in TOGETHER:
        if len(values.keys() & set(pair)) == 1:
            yield f"must set {' and '.join(pair)} together, or neither."
    reports = values.keys() & {"ALARM_EMAIL", "ALARM_TOPIC"}
    if len(reports) > 1:
        yield "must set ALARM_EMAIL or ALARM_TOPIC, not both."
    if "MONTHLY_BUDGET" in values and not reports:
        yield "sets MONTHLY_BUDGET, which needs ALARM_EMAIL or ALARM_TOPIC to report to."


def _shared_table(chosen: Choices, path: Path) -> str:
    """Return the fault if two models or two stages would share a table."""
    if len(set(chosen.tables.values())) < len(TABLES):
        return "gives two tables the same name."
    for other in sorted(set(path.parent.glob(".env.*")) - {path, path.with_name(".env.example")}):
        stage = other.name.removeprefix(".env.")
        theirs = Choices(stage, {name: value for name, value in _variables(other).items() if value})
        if shared := sorted(set(chosen.tables.values()) & set(theirs.tables.values())):
            return f"and {other.name} name the same table, {shared[0]}: stages share none."
    return ""


def _variables(path: Path) -> dict[str, str]:
    class File(Env):  # type: ignore[misc] # django-environ has no annotations
        ENVIRON: dict[str, str] = {}

    File.read_env(path)
    return File.ENVIRON
