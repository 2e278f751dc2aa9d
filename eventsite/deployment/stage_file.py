"""What the operator has decided about a stage, and the environment of the Lambda that follows from it.

Each stage has its file, `.env.dev` or `.env.prod`; `.env.example` says what goes into it.
"""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from environ import Env

NEEDED = {
    "AWS_REGION": "the region that everything lives in, such as eu-west-1",
    "S3_BUCKET": "an S3 bucket of yours, for the package on its way to Lambda",
    "AUTH_MODE": "cognito, or open if everybody may do everything",
}
NEEDED_BY_COGNITO = {
    "COGNITO_USER_POOL_ID": "the pool whose tokens count, such as eu-west-1_AbCdEf123",
    "COGNITO_CLIENT_ID": "the pool's app client whose tokens count",
}
TABLES = ("events", "users", "registrations")
TABLE_NAMES = {table: f"{table.upper()}_TABLE_NAME" for table in TABLES}
SWITCH = ("true", "false")
OUTLETS = ("MAIL_FROM", "NOTICE_BUS", "WEBHOOKS")
"""Where notices of what was committed may go."""
FOR_ZAPPA = frozenset(
    {"ACCESS_LOG", "ALARM_TOPIC", "AWS_REGION", "CERTIFICATE_ARN", "DOMAIN", "S3_BUCKET", "SNAP_START"}
)
SNAP_START_SINCE = (3, 12)
"""The first Python whose Lambda runtime can start from a snapshot."""
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
        "PUBLIC_URL",
        "SECRET_KEY",
        "WEBHOOKS",
        "WEBHOOK_SECRET",
        *TABLE_NAMES.values(),
    }
)
SET_BY_THE_DEPLOYMENT = frozenset({"BASE_PATH", "NOTICE_DEAD_LETTER_URL", "NOTICE_QUEUE_URL"})
SECRET_BYTES = 48


class Undecided(Exception):
    """Something has to be decided before the stage can be deployed; the text says what, and where."""


@dataclass(frozen=True)
class Choices:
    """The decisions about one stage."""

    stage: str
    values: dict[str, str]

    @property
    def region(self) -> str:
        """Where everything lives."""
        return self.values["AWS_REGION"]

    @property
    def bucket(self) -> str:
        """Through which the package reaches Lambda."""
        return self.values["S3_BUCKET"]

    @property
    def domain(self) -> str | None:
        """The stage's own domain, if it has one."""
        return self.values.get("DOMAIN")

    @property
    def access_log(self) -> bool:
        """Whether API Gateway writes a line about each request, also about those that never reach the Lambda."""
        return self.values.get("ACCESS_LOG") == "true"

    @property
    def told(self) -> bool:
        """Whether people or systems are told what was committed."""
        return any(self.values.get(name) for name in OUTLETS)

    @property
    def alarm_topic(self) -> str | None:
        """The SNS topic that alarms are told to."""
        return self.values.get("ALARM_TOPIC")

    @property
    def table_prefix(self) -> str:
        """What the names of the stage's tables begin with."""
        return self.values.get("DYNAMODB_TABLE_PREFIX", f"eventsite-{self.stage}-")

    @property
    def tables(self) -> dict[str, str]:
        """The whole names of the stage's tables, by the app."""
        return {table: self.values.get(name, f"{self.table_prefix}{table}") for table, name in TABLE_NAMES.items()}

    @property
    def table_variables(self) -> dict[str, str]:
        """The variables that make the service use the stage's tables."""
        return {TABLE_NAMES[table]: name for table, name in self.tables.items()}

    def zappa_settings(self) -> dict[str, str]:
        """The settings of Zappa's that depend on the choices."""
        chosen = {"aws_region": self.region, "s3_bucket": self.bucket}
        if self.domain:
            chosen |= {"domain": self.domain, "certificate_arn": self.values["CERTIFICATE_ARN"]}
        if self.values.get("SNAP_START") == "true":
            chosen |= {"snap_start": "PublishedVersions"}
        return chosen

    def environment(self, deployed: dict[str, str]) -> dict[str, str]:
        """The variables of the Lambda.

        Takes: those of the Lambda as it is deployed now, if it is. Its secret key stays what it was; what is no
        longer chosen is emptied, which counts as unset, because Zappa would keep it.
        """
        key = deployed.get("SECRET_KEY") or secrets.token_urlsafe(SECRET_BYTES)
        dropped = dict.fromkeys(deployed.keys() & (FOR_THE_LAMBDA | SET_BY_THE_DEPLOYMENT), "")
        served = {"ALLOWED_HOSTS": self.domain} if self.domain else {"BASE_PATH": f"/{self.stage}"}
        chosen = {name: value for name, value in self.values.items() if name in FOR_THE_LAMBDA}
        return {
            **dropped,
            "SECRET_KEY": key,
            "DYNAMODB_TABLE_PREFIX": self.table_prefix,
            "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
            "LOG_LEVEL": "INFO",
            **served,
            **chosen,
        }


def is_setting(name: str) -> bool:
    """Whether a variable of the operator's shell would decide about the service: what is set for a local run."""
    return name in FOR_THE_LAMBDA or name.startswith("DYNAMODB_") or name.endswith("_TABLE_NAME")


def read(stage: str, directory: Path) -> Choices:
    """The choices in a stage's file. Raises `Undecided` when something is missing, or is nothing that we know."""
    path = directory / f".env.{stage}"
    if not path.exists():
        raise Undecided(f"Stage {stage} is undecided: copy .env.example to {path.name} and fill it in.")
    values = {name: value for name, value in _variables(path).items() if value}
    for name in sorted(values.keys() - FOR_ZAPPA - FOR_THE_LAMBDA):
        raise Undecided(f"{path.name} sets {name}, which means nothing here; .env.example has all there is.")
    wanted = NEEDED | (NEEDED_BY_COGNITO if values.get("AUTH_MODE") == "cognito" else {})
    if missing := [f"{name} ({meaning})" for name, meaning in wanted.items() if name not in values]:
        raise Undecided(f"{path.name} does not say yet: {'; '.join(missing)}.")
    for name in ("ACCESS_LOG", "SNAP_START"):
        if values.get(name, "false") not in SWITCH:
            raise Undecided(f"{path.name} must set {name} to true or false.")
    if values.get("SNAP_START") == "true" and sys.version_info < SNAP_START_SINCE:
        raise Undecided(f"{path.name} sets SNAP_START, which AWS has from Python 3.12 on.")
    if ("DOMAIN" in values) != ("CERTIFICATE_ARN" in values):
        raise Undecided(f"{path.name} must set DOMAIN and CERTIFICATE_ARN together, or neither.")
    chosen = Choices(stage, values)
    _share_no_table(chosen, path)
    return chosen


def _share_no_table(chosen: Choices, path: Path) -> None:
    """Two stages never share a table, and one table does not hold two kinds of things."""
    if len(set(chosen.tables.values())) < len(TABLES):
        raise Undecided(f"{path.name} gives two tables the same name.")
    for other in sorted(set(path.parent.glob(".env.*")) - {path, path.with_name(".env.example")}):
        stage = other.name.removeprefix(".env.")
        theirs = Choices(stage, {name: value for name, value in _variables(other).items() if value})
        if shared := sorted(set(chosen.tables.values()) & set(theirs.tables.values())):
            raise Undecided(f"{path.name} and {other.name} name the same table, {shared[0]}: stages share none.")


def _variables(path: Path) -> dict[str, str]:
    class File(Env):  # type: ignore[misc] # django-environ has no annotations
        ENVIRON: dict[str, str] = {}

    File.read_env(path)
    return File.ENVIRON
