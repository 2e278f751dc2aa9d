"""`manage.py plan`: what a deployment would do, shown without doing it."""

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from django.core.management import CommandError, call_command

from eventsite.deployment import plan, stage_file
from eventsite.deployment.lambda_package import ROOT
from eventsite.deployment.plan import CHANGE, LEAVE, MAKE, REMOVE, STOP, Step
from eventsite.deployment.stack import PATIENCE

REGION = "eu-west-1"
KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def stage(operator: Path) -> Path:
    """An operator's directory and shell, with the stage `dev` decided."""
    shutil.copyfile(ROOT / "zappa_settings.json", "zappa_settings.json")
    choose()
    return operator


def choose(**choices: str) -> None:
    decided = {"AWS_REGION": REGION, "S3_BUCKET": "packages", "AUTH_MODE": "open", "SECRET_KEY": KEY} | choices
    Path(".env.dev").write_text("".join(f"{name}={value}\n" for name, value in decided.items()))


def steps() -> list[Step]:
    return plan.steps(stage_file.read("dev", Path.cwd()))


def verbs(kind: str) -> dict[str, str]:
    """What becomes of the things of a kind."""
    return {step.what.removeprefix(f"{kind} "): step.verb for step in steps() if step.what.startswith(kind)}


def test_an_undecided_stage_is_refused_without_loading_aws(tmp_path: Path) -> None:
    look = "print(sorted({'boto3', 'zappa', 'troposphere', 'moto'} & set(sys.modules)))"
    run = "from django.core.management import CommandError, call_command"
    script = f"""if True:
        import os, sys, django
        {run}
        django.setup()
        os.chdir({str(tmp_path)!r})
        try:
            call_command("plan", "dev")
        except CommandError as refusal:
            print(refusal)
        {look}
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "Stage dev is undecided: copy .env.example to .env.dev and fill it in.",
        "[]",
    ]


def test_on_an_empty_account_everything_is_made_and_nothing_is_touched(stage: Path, aws: Any) -> None:
    planned = steps()
    made = {step.what for step in planned}
    assert {step.verb for step in planned} == {MAKE}
    assert made >= {
        "table eventsite-dev-events",
        "code of eventsite-dev",
        "function's MemorySize",
        "variable AUTH_MODE",
        "variable BASE_PATH",
        "schedule eventsite-dev-registrations.nightly.audit",
        "log group /aws/lambda/eventsite-dev",
        "stack: ApiStage (ApiGateway::Stage)",
        "stack: Role (IAM::Role)",
        "stack: Dashboard (CloudWatch::Dashboard)",
        "stack: Api (ApiGateway::RestApi)",
    }
    there = {
        *(each["StackName"] for each in aws("cloudformation").describe_stacks()["Stacks"]),
        *aws("dynamodb").list_tables()["TableNames"],
        *(each["FunctionName"] for each in aws("lambda").list_functions()["Functions"]),
        *(each["logGroupName"] for each in aws("logs").describe_log_groups()["logGroups"]),
        *(each["name"] for each in aws("apigateway").get_rest_apis()["items"]),
    }
    assert not [name for name in there if "eventsite-dev" in name]


@pytest.mark.slow
def test_no_secret_of_an_outlet_is_printed(stage: Path, aws: Any, capsys: pytest.CaptureFixture[str]) -> None:
    aws("events").create_event_bus(Name="happenings")
    secret = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    choose(NOTICE_BUS="happenings", WEBHOOKS="https://example.org/hook?key=1", WEBHOOK_SECRET=secret)
    call_command("plan", "dev")
    printed = capsys.readouterr().out
    for made in ("stream of table", "stack: Notices", "stack: Following", "stack: DeadLettersAlarm"):
        assert f"make     {made}" in printed
    assert secret not in printed and "key=1" not in printed
    assert not aws("sqs").list_queues(QueueNamePrefix="eventsite-dev").get("QueueUrls")


@pytest.mark.slow
def test_the_secret_key_is_never_printed(stage: Path, aws: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("plan", "dev")
    printed = capsys.readouterr().out
    assert "variable SECRET_KEY\n" in printed and KEY not in printed
    assert printed.endswith("0 to leave. Nothing was executed.\n")


@pytest.mark.slow
def test_a_deployed_function_is_compared(stage: Path, aws: Any) -> None:
    aws("lambda").create_function(
        FunctionName="eventsite-dev",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/old",
        Handler="eventsite.aws_lambda.lambda_handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        MemorySize=256,
        Timeout=30,
        Environment={"Variables": {"AUTH_MODE": "open", "LOG_LEVEL": "DEBUG", "CORS_ALLOWED_ORIGINS": "https://a.b"}},
    )
    aws("logs").create_log_group(logGroupName="/aws/lambda/eventsite-dev")
    planned = {step.what: step for step in steps()}
    assert planned["code of eventsite-dev"] == Step(CHANGE, "code of eventsite-dev", "sent by every update")
    assert planned["function's MemorySize"].how == "256 → 512"
    assert planned["function's Timeout"].verb == LEAVE
    assert planned["variable AUTH_MODE"] == Step(LEAVE, "variable AUTH_MODE", "open")
    assert planned["variable LOG_LEVEL"] == Step(CHANGE, "variable LOG_LEVEL", "DEBUG → INFO")
    assert planned["variable CORS_ALLOWED_ORIGINS"].verb == REMOVE
    assert planned["log group /aws/lambda/eventsite-dev"].how == "kept for ever → kept for 14 days"
    aws("lambda").delete_function(FunctionName="eventsite-dev")
    aws("logs").delete_log_group(logGroupName="/aws/lambda/eventsite-dev")


def test_the_stage_of_an_earlier_release_stops_it_with_the_command_that_deletes_it(stage: Path, aws: Any) -> None:
    api = {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "eventsite-dev"}}}
    aws("cloudformation").create_stack(StackName="eventsite-dev", TemplateBody=json.dumps({"Resources": api}))
    aws("cloudformation").get_waiter("stack_create_complete").wait(StackName="eventsite-dev", WaiterConfig=PATIENCE)
    (found,) = (each["id"] for each in aws("apigateway").get_rest_apis()["items"] if each["name"] == "eventsite-dev")
    aws("apigateway").create_deployment(restApiId=found, stageName="dev")  # as Zappa did, beside the stack
    with pytest.raises(ClickException, match=f"`aws apigateway delete-stage --rest-api-id {found} --stage-name dev`"):
        steps()
    aws("apigateway").delete_stage(restApiId=found, stageName="dev")
    assert verbs("stack:")["ApiStage (ApiGateway::Stage)"] == MAKE
    aws("cloudformation").delete_stack(StackName="eventsite-dev")
    aws("cloudformation").get_waiter("stack_delete_complete").wait(StackName="eventsite-dev", WaiterConfig=PATIENCE)


@pytest.mark.slow
def test_a_table_that_the_service_could_not_use_stops_the_deployment(
    stage: Path, aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    choose(DYNAMODB_TABLE_PREFIX="club-")
    key = {"KeySchema": [{"AttributeName": "eventId", "KeyType": "HASH"}]}
    types = {"AttributeDefinitions": [{"AttributeName": "eventId", "AttributeType": "S"}]}
    aws("dynamodb").create_table(TableName="club-events", BillingMode="PAY_PER_REQUEST", **key, **types)
    assert verbs("table") == {"club-events": STOP, "club-users": MAKE, "club-registrations": MAKE}
    with pytest.raises(CommandError, match="would stop"):
        call_command("plan", "dev")
    assert re.search(r"stop +table club-events +has the key eventId \(S\); the model wants", capsys.readouterr().out)
    aws("dynamodb").delete_table(TableName="club-events")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"AUTH_MODE": ""}, "does not decide yet: AUTH_MODE"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of"),
        ({"NOTICE_BUS": "nowhere"}, "Event bus nowhere"),
        ({"WEBHOOKS": "https://example.org"}, "WEBHOOKS needs WEBHOOK_SECRET"),
    ],
)
def test_what_would_stop_the_deployment_is_said(stage: Path, choices: dict[str, str], sentence: str) -> None:
    choose(**choices)
    with pytest.raises(CommandError, match=sentence):
        call_command("plan", "dev")


@pytest.mark.slow
def test_a_stage_that_is_not_there_is_named(stage: Path) -> None:
    Path(".env.qa").write_text(Path(".env.dev").read_text() + "DYNAMODB_TABLE_PREFIX=qa-\n")
    with pytest.raises(CommandError, match="stage 'qa'"):
        call_command("plan", "qa")


@pytest.mark.slow
def test_an_aws_that_cannot_be_asked_is_a_sentence(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CommandError, match="AWS refused, or cannot be asked"):
        call_command("plan", "dev")
