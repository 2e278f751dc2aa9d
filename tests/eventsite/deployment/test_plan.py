"""`manage.py plan`: what a deployment would do, told without doing it."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.management import CommandError, call_command

from eventsite.deployment import plan, stage_file
from eventsite.deployment.lambda_package import ROOT
from eventsite.deployment.steps import CHANGE, LEAVE, MAKE, REMOVE, STOP, Step
from tests.engines import running_engine

REGION = "eu-west-1"
KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["lambda.amazonaws.com"]}},
    ],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """An emulated AWS of this module's own: others deploy into theirs."""
    with running_engine() as url:
        yield url


@pytest.fixture
def stage(cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's directory and shell, with the stage `dev` decided."""
    for name in filter(stage_file.is_setting, list(os.environ)):
        monkeypatch.delenv(name)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # which a deployment sets
        monkeypatch.setenv(name, REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "zappa_settings.json", "zappa_settings.json")
    choose()
    return tmp_path


def choose(**choices: str) -> None:
    decided = {"AWS_REGION": REGION, "S3_BUCKET": "packages", "AUTH_MODE": "open", "SECRET_KEY": KEY} | choices
    Path(".env.dev").write_text("".join(f"{name}={value}\n" for name, value in decided.items()))


def client(service: str) -> Any:
    session: Any = boto3
    return session.client(service, region_name=REGION)


def verbs(kind: str) -> dict[str, str]:
    """What becomes of the things of a kind."""
    return {step.what.removeprefix(f"{kind} "): step.verb for step in plan.steps("dev") if step.what.startswith(kind)}


def test_on_an_empty_account_everything_is_made_and_nothing_is_touched(stage: Path) -> None:
    steps = plan.steps("dev")
    assert {step.verb for step in steps} == {MAKE}
    assert [step.what for step in steps if not step.what.startswith("variable")] == [
        "table eventsite-dev-events",
        "table eventsite-dev-users",
        "table eventsite-dev-registrations",
        "function eventsite-dev",
        "role eventsite-dev-ZappaLambdaExecutionRole",
        "schedule eventsite-dev-registrations.nightly.audit",
        "log group /aws/lambda/eventsite-dev",
        "API eventsite-dev",
    ]
    assert {"variable AUTH_MODE", "variable BASE_PATH"} <= {step.what for step in steps}
    assert client("dynamodb").list_tables()["TableNames"] == []
    assert client("lambda").list_functions()["Functions"] == []
    assert client("logs").describe_log_groups()["logGroups"] == []
    assert client("apigateway").get_rest_apis()["items"] == []


@pytest.mark.slow
def test_with_an_outlet_all_that_notices_are_told_by_is_made(stage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client("events").create_event_bus(Name="happenings")
    secret = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    choose(NOTICE_BUS="happenings", WEBHOOKS="https://example.org/hook?key=1", WEBHOOK_SECRET=secret)
    call_command("plan", "dev")
    printed = capsys.readouterr().out
    for made in ("queue", "stream", "mapping", "alarm", "variable NOTICE_QUEUE_URL", "variable WEBHOOK_SECRET\n"):
        assert f"make    {made}" in printed
    assert secret not in printed and "key=1" not in printed
    assert not client("sqs").list_queues().get("QueueUrls")


@pytest.mark.slow
def test_the_secret_key_is_never_printed(stage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("plan", "dev")
    printed = capsys.readouterr().out
    assert "variable SECRET_KEY\n" in printed and KEY not in printed
    assert printed.endswith("0 to leave. Nothing was touched.\n")


def test_what_is_there_is_compared(stage: Path) -> None:
    iam, role = client("iam"), "eventsite-dev-ZappaLambdaExecutionRole"
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    narrow = {"Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": ["arn:aws:dynamodb:eu-west-1:1:table/old"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [narrow]})
    iam.put_role_policy(RoleName=role, PolicyName=plan.POLICY, PolicyDocument=policy)
    client("lambda").create_function(
        FunctionName="eventsite-dev",
        Runtime="python3.12",
        Role=arn,
        Handler="eventsite.aws_lambda.lambda_handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        MemorySize=256,
        Timeout=30,
        Environment={"Variables": {"AUTH_MODE": "open", "LOG_LEVEL": "DEBUG", "CORS_ALLOWED_ORIGINS": "https://a.b"}},
    )
    client("logs").create_log_group(logGroupName="/aws/lambda/eventsite-dev")
    told = {step.what: step for step in plan.steps("dev")}
    assert told["function eventsite-dev"].how.endswith("MemorySize 256 → 512")
    assert told["variable AUTH_MODE"] == Step(LEAVE, "variable AUTH_MODE", "open")
    assert told["variable LOG_LEVEL"] == Step(CHANGE, "variable LOG_LEVEL", "DEBUG → INFO")
    assert told["variable CORS_ALLOWED_ORIGINS"].verb == REMOVE
    assert told[f"role {role}"].verb == CHANGE
    assert "- dynamodb:Scan on table/old" in told[f"role {role}"].how
    assert told["log group /aws/lambda/eventsite-dev"].how == "kept for ever → 14 days"


@pytest.mark.slow
def test_a_table_that_the_service_could_not_use_stops_the_deployment(
    stage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    choose(DYNAMODB_TABLE_PREFIX="club-")
    key = {"KeySchema": [{"AttributeName": "eventId", "KeyType": "HASH"}]}
    types = {"AttributeDefinitions": [{"AttributeName": "eventId", "AttributeType": "S"}]}
    client("dynamodb").create_table(TableName="club-events", BillingMode="PAY_PER_REQUEST", **key, **types)
    assert verbs("table") == {"club-events": STOP, "club-users": MAKE, "club-registrations": MAKE}
    with pytest.raises(CommandError, match="would stop"):
        call_command("plan", "dev")
    assert "stop    table club-events: has the key eventId (S); the model wants" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"AUTH_MODE": ""}, "does not say yet: AUTH_MODE"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of"),
        ({"ACCESS_LOG": "true"}, "needs a role in whose name API Gateway writes logs"),
        ({"NOTICE_BUS": "nowhere"}, "There is no bus nowhere in eu-west-1"),
        ({"WEBHOOKS": "https://example.org"}, "WEBHOOKS needs WEBHOOK_SECRET"),
    ],
)
def test_what_would_stop_the_deployment_is_said(stage: Path, choices: dict[str, str], sentence: str) -> None:
    choose(**choices)
    with pytest.raises(CommandError, match=sentence):
        call_command("plan", "dev")


@pytest.mark.slow
def test_a_stage_that_is_not_there_is_named(stage: Path) -> None:
    with pytest.raises(CommandError, match="stage 'qa'"):
        call_command("plan", "qa")


@pytest.mark.slow
def test_an_aws_that_cannot_be_asked_is_a_sentence(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CommandError, match="AWS cannot be asked about eventsite-dev"):
        call_command("plan", "dev")
