"""The functions that Zappa calls, in the order in which it calls them. Each takes Zappa's command line.

choose     before every command: the stage's file decides where and with what it works
prepare    after Zappa has made its zip, before it is uploaded: tables, logs, the package
finish     when everything is deployed: throttling, tracing and the access log
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.exceptions
import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # Zappa loads this file without the project on its path

from eventsite.deployment import aws_extras, iam_policy, lambda_package, stage_file

DEPLOYING = ("deploy", "update", "package", "template")
ASKING = ("deploy", "update", "template")
"""The commands that ask AWS. Zappa packages without credentials, and nothing that AWS knows is in a package."""
STAGING = ("deploy", "update")
NO_LOG_ROLE = (
    "ACCESS_LOG=true needs a role in whose name API Gateway writes logs, and this account has none in this region: "
    "docs/deployment.md says how to make it."
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
    if cli.command in STAGING and chosen.access_log and not aws_extras.may_write_logs(cli.zappa.apigateway_client):
        raise click.ClickException(NO_LOG_ROLE)


def _decide(cli: Any, chosen: stage_file.Choices) -> None:
    import boto3

    found: dict[str, Any] = {}
    if cli.command in ASKING:
        found = deployed(boto3.client("lambda", region_name=chosen.region), cli.lambda_name)
    environment = chosen.environment(variables(found))
    cli.override_stage_config_setting("aws_environment_variables", environment)
    _check(environment | {"AWS_LAMBDA_FUNCTION_NAME": cli.lambda_name, "AWS_REGION": chosen.region})


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
    identity = cli.zappa.sts_client.get_caller_identity()
    return iam_policy.Account(identity["Arn"].split(":")[1], cli.aws_region, identity["Account"])


def policy(cli: Any, chosen: stage_file.Choices) -> str:
    """What the stage's Lambda may do, as JSON."""
    return iam_policy.document(account(cli), function=cli.lambda_name, tables=chosen.tables.values())


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
        for table in tables.create_missing(tags=cli.tags, protect=True):
            click.echo(f"Created table {table}.")
        differences = tables.differences(protect=True)
    except Unavailable as failure:
        raise click.ClickException(failure.sentence) from failure
    if differences:
        raise click.ClickException("The tables are not as the service needs them:\n" + "\n".join(differences))


def finish(cli: Any) -> None:
    """Set what Zappa cannot: throttling, tracing and the access log at the gateway."""
    chosen = stage_file.read(cli.api_stage, Path.cwd())
    api = cli.zappa.get_api_id(cli.lambda_name)
    aws_extras.set_up_gateway(cli.zappa.apigateway_client, api, cli.api_stage, gateway(cli, chosen))


def gateway(cli: Any, chosen: stage_file.Choices) -> aws_extras.Gateway:
    """What the stage's API shall be like."""
    group = aws_extras.access_log_group(cli.lambda_name)
    access_log = account(cli).arn("logs", f"log-group:{group}") if chosen.access_log else None
    return aws_extras.Gateway(**cli.stage_config["throttling"], access_log=access_log)
