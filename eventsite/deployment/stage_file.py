"""The operator's choices for a stage, and the environment of the Lambda that follows from them.

Each stage has its file, `.env.dev` or `.env.prod`; `.env.example` lists the variables.
"""

import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click import ClickException
from environ import Env

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"
NEEDED = ("AWS_REGION", "S3_BUCKET", "AUTH_MODE")
NEEDED_BY_OIDC = ("OIDC_ISSUER", "OIDC_CLIENT_ID")
TOGETHER = (("COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID"), ("DOMAIN", "CERTIFICATE_ARN"))
TABLES = ("events", "users", "registrations")
SWITCHES = ("ACCESS_LOG", "SIGN_IN_CODES", "SNAP_START")
FOR_ZAPPA = frozenset({"AWS_REGION", "CERTIFICATE_ARN", "DOMAIN", "S3_BUCKET", "SNAP_START"})
ALARMS = frozenset({"ALARM_EMAIL", "ALARM_TOPIC"})
FOR_THE_STACK = ALARMS | {"ACCESS_LOG", "MONTHLY_BUDGET", "SIGN_IN_CODES", "SIGN_IN_SENDER"}
FOR_THE_LAMBDA = frozenset(re.findall(r"^#?([A-Z_0-9]+)=", EXAMPLE.read_text(), re.M)) - FOR_ZAPPA - FOR_THE_STACK
SET_BY_THE_STACK = {  # variables that the file may leave to the outputs of the stack
    "NOTICE_QUEUE_URL": "NoticeQueueUrl",
    "NOTICE_DEAD_LETTER_URL": "DeadLetterQueueUrl",
    "COGNITO_USER_POOL_ID": "UserPoolId",
    "COGNITO_CLIENT_ID": "UserPoolClientId",
    "COGNITO_DOMAIN": "SignInAddress",
    "PUBLIC_URL": "ApiEndpoint",
    "MAIL_CONFIGURATION_SET": "MailConfigurationSet",
}


@dataclass(frozen=True)
class Choices:
    stage: str
    values: dict[str, str]

    @property
    def name(self) -> str:
        """The name of the stack, the function and the API."""
        return f"eventsite-{self.stage}"

    @property
    def region(self) -> str:
        return self.values["AWS_REGION"]

    @property
    def makes_user_pool(self) -> bool:
        """True if the stack makes a user pool, because users sign in and the file names none."""
        return self.values.get("AUTH_MODE") == "cognito" and "COGNITO_USER_POOL_ID" not in self.values

    @property
    def table_prefix(self) -> str:
        return self.values.get("DYNAMODB_TABLE_PREFIX", f"{self.name}-")

    @property
    def tables(self) -> dict[str, str]:
        """The full names of the tables, by app."""
        return {app: self.values.get(f"{app.upper()}_TABLE_NAME", f"{self.table_prefix}{app}") for app in TABLES}

    def session(self) -> Any:
        import boto3

        return boto3.Session(region_name=self.region)

    def zappa_settings(self) -> dict[str, Any]:
        return {
            "aws_region": self.region,
            "s3_bucket": self.values["S3_BUCKET"],
            "domain": self.values.get("DOMAIN"),
            "certificate_arn": self.values.get("CERTIFICATE_ARN"),
            "snap_start": "PublishedVersions" if self.values.get("SNAP_START") == "true" else "None",
        }

    def environment(self, deployed: dict[str, str], outputs: dict[str, str]) -> dict[str, str]:
        """Return the variables of the Lambda, made of its present ones and the outputs of the stack.

        The secret key is kept. A variable that is no longer chosen becomes empty, which counts as unset, because Zappa
        would keep its value otherwise.
        """
        domain = self.values.get("DOMAIN")
        return {
            **dict.fromkeys(deployed.keys() & (FOR_THE_LAMBDA | SET_BY_THE_STACK.keys() | {"BASE_PATH"}), ""),
            "SECRET_KEY": deployed.get("SECRET_KEY") or secrets.token_urlsafe(48),
            "DYNAMODB_TABLE_PREFIX": self.table_prefix,
            "INSTANTIATE_LAMBDA_HANDLER_ON_IMPORT": "1",
            "LOG_LEVEL": "INFO",
            **{name: outputs[output] for name, output in SET_BY_THE_STACK.items() if output in outputs},
            **({"ALLOWED_HOSTS": domain} if domain else {"BASE_PATH": f"/{self.stage}"}),
            **{name: value for name, value in self.values.items() if name in FOR_THE_LAMBDA},
        }


def read(stage: str, directory: Path) -> Choices:
    """Return the choices in a stage's file, or raise a ClickException: one is missing, unknown or not valid."""
    path = directory / f".env.{stage}"
    if not path.exists():
        raise ClickException(f"Stage {stage} is undecided: copy .env.example to {path.name} and fill it in.")
    chosen = _choices(path)
    for problem in (*_problems(chosen.values), *_shared_tables(chosen, path)):
        raise ClickException(f"{path.name} {problem}")
    return chosen


def _choices(path: Path) -> Choices:
    class File(Env):  # type: ignore[misc] # django-environ has no annotations
        ENVIRON: dict[str, str] = {}

    try:
        File.read_env(path, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClickException(f"{path.name} is no text in UTF-8: save it as UTF-8.") from error
    return Choices(path.name.removeprefix(".env."), {name: value for name, value in File.ENVIRON.items() if value})


def _problems(values: dict[str, str]) -> Iterator[str]:
    """Yield the faults of the values, as the end of a sentence that begins with the name of the file."""
    for name in sorted(values.keys() - FOR_ZAPPA - FOR_THE_STACK - FOR_THE_LAMBDA):
        yield f"sets {name}, which means nothing here; .env.example has all there is."
    wanted = (*NEEDED, *(NEEDED_BY_OIDC if values.get("AUTH_MODE") == "oidc" else ()))
    if missing := [name for name in wanted if name not in values]:
        yield f"does not decide yet: {', '.join(missing)}. .env.example explains them."
    for name in SWITCHES:
        if values.get(name, "false") not in ("true", "false"):
            yield f"must set {name} to true or false."
    if values.get("SNAP_START") == "true" and sys.version_info < (3, 12):
        yield "sets SNAP_START, which AWS has from Python 3.12 on."
    for pair in TOGETHER:
        if len(values.keys() & set(pair)) == 1:
            yield f"must set {' and '.join(pair)} together, or neither."
    if values.keys() >= ALARMS:
        yield "must set ALARM_EMAIL or ALARM_TOPIC, not both."
    if "MONTHLY_BUDGET" in values and not values.keys() & ALARMS:
        yield "sets MONTHLY_BUDGET, which needs ALARM_EMAIL or ALARM_TOPIC to report to."


def _shared_tables(chosen: Choices, path: Path) -> Iterator[str]:
    mine = set(chosen.tables.values())
    if len(mine) < len(TABLES):
        yield "gives two tables the same name."
    for other in sorted(set(path.parent.glob(".env.*")) - {path, path.with_name(EXAMPLE.name)}):
        if shared := sorted(mine & set(_choices(other).tables.values())):
            yield f"and {other.name} name the same table, {shared[0]}: stages share none."
