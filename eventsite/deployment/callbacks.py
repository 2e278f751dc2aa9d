"""The functions that Zappa calls, in the order in which it calls them. Each takes Zappa's command line.

choose     before every command: the stage's file decides where and with what it works
prepare    after Zappa has made its zip, before it is uploaded: tables, logs, queues, the package
finish     when everything is deployed: throttling, tracing and the access log; what hands notices on, and its alarms

Zappa calls nobody when it takes a stage down: `choose` then lets its step that removes the schedule remove more.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import botocore.exceptions
import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Zappa loads this file without the project on its path

from eventsite.deployment import aws_extras, iam_policy, lambda_package, notices, stage_file, steps, touch

DEPLOYING = ("deploy", "update", "package", "template")
ASKING = ("deploy", "update", "template")
"""The commands that ask AWS. Zappa packages without credentials, and nothing that AWS knows is in a package."""
STAGING = ("deploy", "update")
DONE = {steps.MAKE: "Made", steps.CHANGE: "Changed", steps.REMOVE: "Removed"}
NO_LOG_ROLE = (
    "ACCESS_LOG=true needs a role in whose name API Gateway writes logs, and this account has none in this region: "
    "docs/deployment.md says how to make it."
)
NO_BUS = (
    "There is no bus {bus} in {region}, which NOTICE_BUS names: `aws events create-event-bus --name {bus}` makes it."
)


def choose(cli: Any) -> None:
    """Let the stage's file decide about region, bucket and domain, and the Lambda's environment and permissions."""
    try:
        chosen = stage_file.read(cli.api_stage, Path.cwd())
    except stage_file.Undecided as undecided:
        raise click.ClickException(str(undecided)) from None
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = chosen.region
    for name, value in chosen.zappa_settings().items():
        cli.override_stage_config_setting(name, value)
    if cli.command in DEPLOYING:
        _decide(cli, chosen)
    cli.load_settings(cli.vargs.get("settings_file"))
    if cli.command in ASKING:
        cli.zappa.attach_policy = policy(cli, chosen)
    if cli.command in STAGING:
        _need(cli, chosen)
        touch.tolerate_unreachable(cli)
    if cli.command == "undeploy":
        _take_down_too(cli, chosen)


def _need(cli: Any, chosen: stage_file.Choices) -> None:
    """Stop where something is chosen that is the operator's to make, and is not there."""
    if chosen.access_log and not aws_extras.may_write_logs(cli.zappa.apigateway_client):
        raise click.ClickException(NO_LOG_ROLE)
    bus = chosen.values.get("NOTICE_BUS", "")
    if bus and not bus.startswith("arn:") and not aws_extras.has_bus(cli.zappa.events_client, bus):
        raise click.ClickException(NO_BUS.format(bus=bus, region=chosen.region))


def _decide(cli: Any, chosen: stage_file.Choices) -> None:
    environment = chosen.environment({})
    if cli.command in ASKING:
        environment = _environment_on_aws(cli, chosen)
    cli.override_stage_config_setting("aws_environment_variables", environment)
    _check(environment | {"AWS_LAMBDA_FUNCTION_NAME": cli.lambda_name, "AWS_REGION": chosen.region})


def _environment_on_aws(cli: Any, chosen: stage_file.Choices) -> dict[str, str]:
    """The variables of the Lambda, with what AWS knows: those it has, and where its queues are."""
    import boto3

    session: Any = boto3.Session(region_name=chosen.region)
    found = deployed(session.client("lambda"), cli.lambda_name)
    environment = chosen.environment(variables(found))
    if not chosen.told:
        return environment
    where = notices.Place(_account(session.client("sts"), chosen.region), cli.lambda_name)
    queues = notices.variables(where, chosen, session.client("sqs").meta.endpoint_url)
    api = aws_extras.api_id(session.client("apigateway"), cli.lambda_name)
    return environment | queues | public_url(chosen, api)


def public_url(chosen: stage_file.Choices, api: str | None) -> dict[str, str]:
    """The variable by which links in mails lead to the API's own address, where no other is chosen.

    Takes: the API's id, which is not known before the first deployment.
    """
    if api is None or not chosen.values.get("MAIL_FROM") or chosen.domain or chosen.values.get("PUBLIC_URL"):
        return {}
    return {"PUBLIC_URL": aws_extras.address(api, chosen.region, chosen.stage)}


def deployed(client: Any, function: str) -> dict[str, Any]:
    """The Lambda as it is deployed now; empty where it is not."""
    try:
        found: dict[str, Any] = client.get_function_configuration(FunctionName=function)
    except client.exceptions.ResourceNotFoundException:
        return {}
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise click.ClickException(f"AWS cannot be asked about {function}: {error}") from None
    return found


def variables(found: dict[str, Any]) -> dict[str, str]:
    """The environment of a Lambda."""
    return dict(found.get("Environment", {}).get("Variables", {}))


def _check(environment: dict[str, str]) -> None:
    """Run Django's deployment checks as the Lambda would; what they refuse is not deployed."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "VIRTUAL_ENV")}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
    done = subprocess.run(  # noqa: S603 (nothing in it comes from outside)
        command, env=inherited | environment, cwd=lambda_package.ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(done.stderr.strip().removeprefix("Error: "))


def account(cli: Any) -> iam_policy.Account:
    """The account that the operator works in."""
    return _account(cli.zappa.sts_client, cli.aws_region)


def _account(sts: Any, region: str) -> iam_policy.Account:
    identity = sts.get_caller_identity()
    return iam_policy.Account(identity["Arn"].split(":")[1], region, identity["Account"])


def policy(cli: Any, chosen: stage_file.Choices) -> str:
    """What the stage's Lambda may do, as JSON."""
    where = place(cli)
    return iam_policy.document(
        where.account,
        function=where.function,
        tables=chosen.tables.values(),
        telling=notices.telling(where, chosen),
        qualifier=where.qualifier,
    )


def place(cli: Any) -> notices.Place:
    """Where the stage's things are."""
    return notices.Place(account(cli), cli.lambda_name, cli.apigateway_lambda_qualifier, cli.timeout_seconds)


def telling(cli: Any, chosen: stage_file.Choices, *, at_all: bool = True) -> notices.Notices:
    """What the stage tells notices by; without `at_all`, what is to be left of it."""
    outlets = chosen if at_all else notices.NO_OUTLETS
    return notices.Notices(cli.zappa.boto_client, place(cli), chosen.tables["events"], outlets, cli.tags)


def _carry_out(taking: Iterable[steps.Step]) -> None:
    """Take steps, and say which."""
    try:
        for step in taking:
            click.echo(f"{DONE[step.verb]} {step.what}.")
    except steps.Unchangeable as obstacle:
        raise click.ClickException(f"{obstacle}. It is not ours to change.") from obstacle
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise click.ClickException(f"AWS refused: {error}") from error


def _take_down_too(cli: Any, chosen: stage_file.Choices) -> None:
    """Let Zappa, when it removes the schedule of a stage, first take away what the stage tells notices by."""
    unschedule = cli.unschedule

    def take_down() -> None:
        _carry_out(telling(cli, chosen, at_all=False).finish())
        unschedule()

    cli.unschedule = take_down


def prepare(cli: Any) -> None:
    """Put into the package what belongs there, and make the stage's tables and log group."""
    click.echo("Packaging the service..")
    try:
        lambda_package.fill(Path(cli.zip_path), architecture=cli.architecture)
    except subprocess.CalledProcessError:
        raise click.ClickException("pip could not install requirements.txt; it says why above.") from None
    if cli.command in STAGING:
        chosen = stage_file.read(cli.api_stage, Path.cwd())
        _make_tables(cli, chosen)
        _carry_out(telling(cli, chosen).prepare())
        for group in aws_extras.log_groups(cli.lambda_name, access_log=chosen.access_log):
            aws_extras.keep_logs(cli.zappa.logs_client, group, days=cli.stage_config["log_retention_days"])


def environment(cli: Any, chosen: stage_file.Choices) -> dict[str, str]:
    """The operator's environment, but with what decides which tables a process of the service uses as in the stage."""
    inherited = {name: value for name, value in os.environ.items() if not stage_file.is_setting(name)}
    return inherited | {
        "DJANGO_SETTINGS_MODULE": "eventsite.settings",
        "SECRET_KEY": cli.aws_environment_variables["SECRET_KEY"],
        "AWS_ENDPOINT_URL_DYNAMODB": cli.zappa.dynamodb_client.meta.endpoint_url,
        **chosen.table_variables,
    }


def _make_tables(cli: Any, chosen: stage_file.Choices) -> None:
    import django

    wanted = environment(cli, chosen)
    os.environ.clear()
    os.environ |= wanted
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
    """Set what Zappa cannot: throttling, tracing and the access log at the gateway; what notices are told by."""
    chosen = stage_file.read(cli.api_stage, Path.cwd())
    api = cli.zappa.get_api_id(cli.lambda_name)
    _let_mails_link(cli, public_url(chosen, api))
    _carry_out(telling(cli, chosen).finish())
    aws_extras.set_up_gateway(cli.zappa.apigateway_client, api, cli.api_stage, gateway(cli, chosen))


def _let_mails_link(cli: Any, wanted: dict[str, str]) -> None:
    """Tell the Lambda its API's address, after a first deployment; a version that is published keeps its variables."""
    if wanted.items() <= cli.aws_environment_variables.items() or cli.apigateway_lambda_qualifier:
        return
    cli.zappa.lambda_client.update_function_configuration(
        FunctionName=cli.lambda_name, Environment={"Variables": cli.aws_environment_variables | wanted}
    )
    cli.zappa.wait_until_lambda_function_is_updated(function_name=cli.lambda_name)


def gateway(cli: Any, chosen: stage_file.Choices) -> aws_extras.Gateway:
    """What the stage's API shall be like."""
    group = aws_extras.access_log_group(cli.lambda_name)
    access_log = account(cli).arn("logs", f"log-group:{group}") if chosen.access_log else None
    return aws_extras.Gateway(**cli.stage_config["throttling"], access_log=access_log)
