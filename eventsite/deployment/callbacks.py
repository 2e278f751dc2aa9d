"""The functions that Zappa calls, in order. Each takes Zappa's command line object.

The stack is applied twice. First without a function, because the function needs the stack's role, queues and user pool;
then with the mappings that call the function, in place of Zappa's own stack, which has only the API.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError
from click import ClickException, echo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Zappa imports this file without the project on its path

from eventsite.deployment import lambda_package, stage_file, stream, template
from eventsite.deployment.stack import Stack

DEPLOYING = ("deploy", "update", "package", "template")
STAGING = ("deploy", "update")
VERBS = {"Add": "Made", "Modify": "Changed", "Remove": "Removed", "Import": "Took over", "Dynamic": "Changed"}
FIRST_ANSWER_SECONDS = 35.0  # seconds; longer than API Gateway waits for a cold start (29 s)
UNPROTECT = "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name"


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Convert errors of AWS to a sentence without a traceback."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ClickException(f"AWS refused, or cannot be asked: {error}") from error


@in_a_sentence()
def choose(cli: Any) -> None:
    """Before every command: set the region, the bucket, the domain and the environment from the stage's file."""
    chosen = stage_file.read(cli.api_stage, Path.cwd())
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = chosen.region
    for name, value in chosen.zappa_settings().items():
        cli.override_stage_config_setting(name, value)
    cli.load_settings(cli.vargs.get("settings_file"))
    if cli.command in DEPLOYING:
        _decide(cli, chosen)
    if cli.command == "undeploy":
        _take_down_too(cli, chosen)


def _decide(cli: Any, chosen: stage_file.Choices) -> None:
    """Set the part of the Lambda's environment that does not depend on the stack, and run Django's checks with it."""
    deployed, outputs = {}, {}
    if cli.command in STAGING:  # Zappa packages without credentials, and a package has no values from AWS
        _refuse_old_stage(cli)
        deployed, outputs = variables(function(cli)), stack(cli).outputs()
    cli.aws_environment_variables = chosen.environment(deployed, outputs)
    if chosen.makes_user_pool:  # the settings are checked before there is one
        outputs = {"UserPoolId": f"{chosen.region}_NotMadeYet", "UserPoolClientId": "notmadeyet"} | outputs
    shell = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "VIRTUAL_ENV")}
    where = {"AWS_LAMBDA_FUNCTION_NAME": cli.lambda_name, "AWS_REGION": chosen.region}
    done = _manage(shell | chosen.environment(deployed, outputs) | where, "check", "--deploy", "--fail-level", "ERROR")
    if done.returncode:
        raise ClickException(done.stderr.strip().removeprefix("Error: "))
    bus = chosen.values.get("NOTICE_BUS", "")
    if cli.command in STAGING and bus and not bus.startswith("arn:"):  # no call of AWS fails if it is missing
        cli.zappa.events_client.describe_event_bus(Name=bus)


def _take_down_too(cli: Any, chosen: stage_file.Choices) -> None:
    """Refuse to undeploy a protected stage. Otherwise turn the stream off in Zappa's last step."""
    if stack(cli).refuses_deletion():
        raise ClickException(f"The stack is protected from deletion. First run `{UNPROTECT} {cli.lambda_name}`.")
    unschedule, table = cli.unschedule, chosen.tables["events"]

    def take_down() -> None:
        unschedule()
        if stream.turn_off(cli.zappa.dynamodb_client, cli.zappa.lambda_client, table):
            echo(f"Turned off the stream of table {table}.")

    cli.unschedule = take_down


def _manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(  # noqa: S603 (no part of it is input)
        command, env=environment, cwd=lambda_package.ROOT, capture_output=True, text=True, check=False
    )


def function(cli: Any) -> dict[str, Any]:
    """Return the configuration of the deployed Lambda, or an empty dictionary."""
    client = cli.zappa.lambda_client
    with suppress(client.exceptions.ResourceNotFoundException):
        return dict(client.get_function_configuration(FunctionName=cli.lambda_name))
    return {}


def variables(found: dict[str, Any]) -> dict[str, str]:
    return dict(found.get("Environment", {}).get("Variables", {}))


def stack(cli: Any) -> Stack:
    """Return the stage's stack, with the name and the tag that Zappa uses."""
    tags = {**cli.tags, "ZappaProject": cli.lambda_name}
    return Stack(cli.zappa.cf_client, cli.lambda_name, tags, bool(cli.stage_config.get("termination_protection")))


def target(cli: Any) -> str:
    """Return what the mappings call: the function, with the alias of the API if there is one."""
    return ":".join(filter(None, [cli.lambda_name, cli.apigateway_lambda_qualifier]))


def _refuse_old_stage(cli: Any) -> None:
    """Refuse to go on while the API has the stage of an earlier release, because the stack makes its own."""
    made, gateway = stack(cli), cli.zappa.apigateway_client
    resources = made.client.describe_stack_resources(StackName=made.name)["StackResources"] if made.describe() else []
    ids = {each["LogicalResourceId"]: each.get("PhysicalResourceId") for each in resources}
    stages = gateway.get_stages(restApiId=ids["Api"])["item"] if "Api" in ids and "ApiStage" not in ids else []
    if cli.api_stage in {each["stageName"] for each in stages}:
        command = f"aws apigateway delete-stage --rest-api-id {ids['Api']} --stage-name {cli.api_stage}"
        raise ClickException(f"An earlier release made the stage of the API. First run `{command}`.")


def create_tables(cli: Any, chosen: stage_file.Choices, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run `manage.py create_tables` for the stage, with the credentials of the operator's shell."""
    shell = {name: value for name, value in os.environ.items() if name not in stage_file.FOR_THE_LAMBDA}
    shell |= {f"{app.upper()}_TABLE_NAME": table for app, table in chosen.tables.items()}
    endpoint = cli.zappa.dynamodb_client.meta.endpoint_url
    shell |= {"SECRET_KEY": cli.aws_environment_variables["SECRET_KEY"], "AWS_ENDPOINT_URL_DYNAMODB": endpoint}
    return _manage(shell, "create_tables", "--protect", *options)


@in_a_sentence()
def prepare(cli: Any) -> None:
    """Before the upload: make the stage's tables and its stack, and fill Zappa's package."""
    if cli.command in STAGING:
        chosen = stage_file.read(cli.api_stage, Path.cwd())
        made = create_tables(cli, chosen, *(f"--tag={name}={value}" for name, value in cli.tags.items()))
        if made.returncode:
            raise ClickException(f"The tables are not as the service needs them:\n{made.stderr}")
        echo(made.stdout, nl=False)
        _keep_log(cli)
        _make_stack(cli, chosen)
    echo("Packaging the service..")
    lambda_package.fill(Path(cli.zip_path), architecture=cli.architecture)


def _keep_log(cli: Any) -> None:
    """Make the log group of the function. It outlives the stack, so that the log of a removed stage can be read."""
    logs, group = cli.zappa.logs_client, f"/aws/lambda/{cli.lambda_name}"
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.put_retention_policy(logGroupName=group, retentionInDays=cli.stage_config["log_retention_days"])


def _make_stack(cli: Any, chosen: stage_file.Choices) -> None:
    """Make the resources that the function needs. Zappa's own step makes those that need the function."""
    made, arn = stack(cli), stream.turn_on(cli.zappa.dynamodb_client, chosen.tables["events"])

    @in_a_sentence()
    def apply(called: str) -> None:
        wanted = template.parameters(chosen, cli.stage_config, stream=arn, called=called)
        for change in made.apply(template.TEXT, wanted):
            echo(f"{VERBS[change.action]} {change.name}.")

    apply(made.parameters().get("Called", ""))  # a new alias does not exist yet
    outputs = made.outputs()
    cli.zappa.credentials_arn = outputs["RoleArn"]
    cli.aws_environment_variables = chosen.environment(cli.aws_environment_variables, outputs)
    cli.zappa.update_stack = lambda *_, **__: apply(target(cli))


@in_a_sentence()
def finish(cli: Any) -> None:
    """At the end: check that the service answers. Zappa's own check has no time limit, and ends in a traceback."""
    cli.zappa.wait_until_lambda_function_is_updated(function_name=cli.lambda_name)
    address = f"{stack(cli).outputs()['ApiEndpoint']}/health"
    try:
        if (status := requests.get(address, timeout=FIRST_ANSWER_SECONDS).status_code) >= requests.codes.server_error:
            raise ClickException(f"Everything is deployed, but {address} answers {status}: `zappa tail` shows why.")
    except requests.RequestException:  # behind a firewall, before DNS has it, or an emulator
        echo(f"Everything is deployed, but {address} cannot be reached from here: nothing has checked it.")
