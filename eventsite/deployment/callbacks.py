"""The functions that Zappa calls, in order. Each takes Zappa's command line object.

choose     before every command: apply the choices in the stage's file
prepare    after Zappa has made its zip, before the upload: tables, stack, package
finish     after the deployment: throttling, tracing and the access log

The stack is applied twice. First without a function, because the function needs the stack's role, queues and user pool;
then by Zappa with the mappings that call the function, in place of Zappa's own stack, which has only the API.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.exceptions
import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Zappa imports this file without the project on its path

from eventsite.deployment import gateway, lambda_package, stage_file, stream, template, touch
from eventsite.deployment.stack import Change, Stack, StackFailed
from eventsite.deployment.template import Facts

DEPLOYING = ("deploy", "update", "package", "template")
STAGING = ("deploy", "update")
VERBS = {"Add": "Made", "Modify": "Changed", "Remove": "Removed", "Import": "Took over", "Dynamic": "Changed"}
NO_LOG_ROLE = (
    "ACCESS_LOG=true needs a role for API Gateway to write logs with, and this account has none in this region: "
    "docs/deployment.md shows how to make it."
)
NO_BUS = (
    "There is no bus {bus} in {region}, which NOTICE_BUS names: `aws events create-event-bus --name {bus}` makes it."
)
PROTECTED = (
    "Stack {name} is protected from deletion. If you mean it, run `aws cloudformation update-termination-protection "
    "--no-enable-termination-protection --stack-name {name}` first."
)
NO_POOL_YET = {"UserPoolId": "{region}_NotMadeYet", "UserPoolClientId": "notmadeyet"}
"""Values for the check of the settings before the stack has a user pool."""


def choose(cli: Any) -> None:
    """Set the region, the bucket, the domain and the Lambda's environment from the stage's file."""
    try:
        chosen = stage_file.read(cli.api_stage, Path.cwd())
    except stage_file.Undecided as undecided:
        raise click.ClickException(str(undecided)) from None
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = chosen.region
    for name, value in chosen.zappa_settings().items():
        cli.override_stage_config_setting(name, value)
    with in_a_sentence():
        if cli.command in DEPLOYING:
            _decide(cli, chosen)
        cli.load_settings(cli.vargs.get("settings_file"))
        if cli.command in STAGING:
            _need(cli, chosen)
            touch.tolerate_unreachable(cli)
        if cli.command == "undeploy":
            _take_down_too(cli, chosen)


@contextmanager
def in_a_sentence() -> Iterator[None]:
    """Convert errors of AWS to a sentence without a traceback."""
    try:
        yield
    except (StackFailed, stream.OtherImages) as error:
        raise click.ClickException(str(error)) from error
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise click.ClickException(f"AWS refused, or cannot be asked: {error}") from error


def _need(cli: Any, chosen: stage_file.Choices) -> None:
    """Stop if a choice needs a resource that the operator has to make first."""
    if chosen.access_log and not gateway.may_write_logs(cli.zappa.apigateway_client):
        raise click.ClickException(NO_LOG_ROLE)
    bus, events = chosen.values.get("NOTICE_BUS", ""), cli.zappa.events_client
    if bus and not bus.startswith("arn:"):
        try:
            events.describe_event_bus(Name=bus)
        except events.exceptions.ResourceNotFoundException:
            raise click.ClickException(NO_BUS.format(bus=bus, region=chosen.region)) from None


def _decide(cli: Any, chosen: stage_file.Choices) -> None:
    """Set the part of the Lambda's environment that does not depend on the stack, and check the settings."""
    deployed, outputs = {}, {}
    if cli.command in STAGING:  # Zappa packages without credentials, and a package has no values from AWS
        import boto3

        session: Any = boto3.Session(region_name=chosen.region)
        deployed = variables(function(session.client("lambda"), cli.lambda_name))
        outputs = Stack(session.client("cloudformation"), cli.lambda_name).outputs()
    cli.override_stage_config_setting("aws_environment_variables", chosen.environment(deployed, outputs))
    if chosen.makes_user_pool:
        outputs = {name: value.format(region=chosen.region) for name, value in NO_POOL_YET.items()} | outputs
    where = {"AWS_LAMBDA_FUNCTION_NAME": cli.lambda_name, "AWS_REGION": chosen.region}
    _check(chosen.environment(deployed, outputs) | where)


def function(client: Any, name: str) -> dict[str, Any]:
    """Return the configuration of the deployed Lambda, or an empty dictionary."""
    try:
        found: dict[str, Any] = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return {}
    return found


def variables(found: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a Lambda."""
    return dict(found.get("Environment", {}).get("Variables", {}))


def _check(environment: dict[str, str]) -> None:
    """Run Django's deployment checks with the Lambda's environment, and stop if they fail."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "VIRTUAL_ENV")}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
    done = subprocess.run(  # noqa: S603 (no part of it is input)
        command, env=inherited | environment, cwd=lambda_package.ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(done.stderr.strip().removeprefix("Error: "))


def stack(cli: Any) -> Stack:
    """Return the stage's stack, with the name and the tag that Zappa uses."""
    tags = {**cli.tags, "ZappaProject": cli.lambda_name}
    protected = bool(cli.stage_config.get("termination_protection"))
    return Stack(cli.zappa.cf_client, cli.lambda_name, tags, protected)


def facts(cli: Any) -> Facts:
    """Read the facts about the stage from AWS, except the stream and the function."""
    identity = cli.zappa.sts_client.get_caller_identity()
    return Facts(identity["Account"], identity["Arn"].split(":")[1])


def target(cli: Any, known: Facts) -> str:
    """Return the ARN that the mappings call: the alias of the API, or else the function."""
    called = ":".join(filter(None, ["function", cli.lambda_name, cli.apigateway_lambda_qualifier]))
    return f"arn:{known.partition}:lambda:{cli.aws_region}:{known.account}:{called}"


def wanted(cli: Any, chosen: stage_file.Choices, known: Facts) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the stage's template and its parameters."""
    function_arn = f"arn:{known.partition}:lambda:{cli.aws_region}:{known.account}:function:{cli.lambda_name}"
    days = cli.stage_config["log_retention_days"]
    parameters = template.parameters(chosen, known, timeout=cli.timeout_seconds, log_days=days)
    return template.whole(cli, function_arn, parameters), parameters


def prepare(cli: Any) -> None:
    """Make the stage's tables and its stack, and fill the package."""
    if cli.command in STAGING:
        chosen = stage_file.read(cli.api_stage, Path.cwd())
        with in_a_sentence():
            _make_tables(cli, chosen)
            gateway.keep_logs(
                cli.zappa.logs_client, f"/aws/lambda/{cli.lambda_name}", days=cli.stage_config["log_retention_days"]
            )
            _make_stack(cli, chosen)
    click.echo("Packaging the service..")
    try:
        lambda_package.fill(Path(cli.zip_path), architecture=cli.architecture)
    except subprocess.CalledProcessError:
        raise click.ClickException("pip could not install the requirements; the reason is above.") from None


def _make_stack(cli: Any, chosen: stage_file.Choices) -> None:
    """Make the resources that the function needs. Zappa's own step makes those that need the function."""
    made, known = stack(cli), facts(cli)
    known = known._replace(stream=stream.turn_on(cli.zappa.dynamodb_client, chosen.tables["events"]))
    before = made.parameters().get("FunctionTarget", "")  # a new alias does not exist yet
    _report(made.apply(*wanted(cli, chosen, known._replace(target=before))))
    outputs = made.outputs()
    cli.zappa.credentials_arn = outputs["RoleArn"]
    cli.aws_environment_variables = chosen.environment(cli.aws_environment_variables, outputs)

    def update_stack(*_: Any, **__: Any) -> None:
        with in_a_sentence():
            _report(made.apply(*wanted(cli, chosen, known._replace(target=target(cli, known)))))

    cli.zappa.update_stack = update_stack


def _report(changes: list[Change]) -> None:
    for change in changes:
        click.echo(f"{VERBS[change.action]} {change.name}.")


def environment(cli: Any, chosen: stage_file.Choices) -> dict[str, str]:
    """Return the operator's environment with the stage's tables, for a process that reads them."""
    inherited = {name: value for name, value in os.environ.items() if not stage_file.is_setting(name)}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "eventsite.settings",
        "SECRET_KEY": cli.aws_environment_variables["SECRET_KEY"],
        "AWS_ENDPOINT_URL_DYNAMODB": cli.zappa.dynamodb_client.meta.endpoint_url,
        **chosen.table_variables,
    }


def _make_tables(cli: Any, chosen: stage_file.Choices) -> None:
    import django

    of_the_stage = environment(cli, chosen)
    os.environ.clear()
    os.environ |= of_the_stage
    django.setup()
    from eventsite.dynamodb import tables
    from eventsite.errors import Unavailable

    try:
        for table in tables.create_missing(tags=cli.tags, protect=True, streams=False):
            click.echo(f"Created table {table}.")
        differences = tables.differences(protect=True)
    except Unavailable as failure:
        raise click.ClickException(failure.sentence) from failure
    if differences:
        raise click.ClickException("The tables are not as the service needs them:\n" + "\n".join(differences))


def finish(cli: Any) -> None:
    """Set throttling, tracing and the access log of the API, which neither Zappa nor the stack can."""
    chosen = stage_file.read(cli.api_stage, Path.cwd())
    api = cli.zappa.get_api_id(cli.lambda_name)
    with in_a_sentence():
        gateway.set_up(cli.zappa.apigateway_client, api, cli.api_stage, gateway_settings(cli, chosen))


def gateway_settings(cli: Any, chosen: stage_file.Choices) -> gateway.Gateway:
    """Return the wanted settings of the stage's API."""
    known = facts(cli)
    group = f"log-group:/aws/apigateway/{cli.lambda_name}/access"
    arn = f"arn:{known.partition}:logs:{cli.aws_region}:{known.account}:{group}"
    return gateway.Gateway(**cli.stage_config["throttling"], access_log=arn if chosen.access_log else None)


def _take_down_too(cli: Any, chosen: stage_file.Choices) -> None:
    """Refuse to undeploy a protected stage. Otherwise turn the stream off in Zappa's last step."""
    if stack(cli).refuses_deletion():
        raise click.ClickException(PROTECTED.format(name=cli.lambda_name))
    unschedule, table = cli.unschedule, chosen.tables["events"]

    def take_down() -> None:
        unschedule()
        if stream.turn_off(cli.zappa.dynamodb_client, cli.zappa.lambda_client, table):
            click.echo(f"Turned off the stream of table {table}.")

    cli.unschedule = take_down
