"""What `zappa deploy` or `zappa update` of a stage would make, change, remove and leave. It only looks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from zappa.cli import ZappaCLI

from eventsite.deployment import aws_extras, callbacks, lambda_package, stage_file
from eventsite.deployment.steps import CHANGE, LEAVE, MAKE, REMOVE, STOP, Step

POLICY = "zappa-permissions"
"""What Zappa calls the policy of the role."""
SECRETS = ("SECRET_KEY", "WEBHOOKS", "WEBHOOK_SECRET")
"""Variables that are not printed: the URL of a webhook may have a key in it."""


class Undeployable(Exception):
    """The deployment would stop before it made anything; the text says why."""


def steps(stage: str) -> list[Step]:
    """All that a deployment of the stage would do.

    In groups: tables, function, variables, role, schedule, logs, API, and what notices are told by.
    Raises: `Undeployable`; botocore's errors when AWS refuses or is out of reach.
    """
    cli: Any = ZappaCLI()
    cli.api_stage, cli.command, cli.vargs = stage, "update", {}
    try:
        cli.load_settings()
        callbacks.choose(cli)  # as Zappa does first of all
    except click.ClickException as refusal:
        raise Undeployable(refusal.message) from refusal
    chosen = stage_file.read(stage, Path.cwd())
    found = callbacks.deployed(cli.zappa.lambda_client, cli.lambda_name)
    return [
        *_tables(cli, chosen),
        *_function(cli, found),
        *_variables(cli, callbacks.variables(found)),
        *_role(cli, chosen),
        *_schedule(cli, found),
        *_logs(cli, chosen),
        *_api(cli, chosen),
        *callbacks.telling(cli, chosen).plan(),
    ]


def _tables(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    told = _told_about(cli, chosen)
    for table in chosen.tables.values():
        said = [line.removeprefix(f"{table} ") for line in told if line.startswith(f"{table} ")]
        if "does not exist." in said:
            yield Step(MAKE, f"table {table}")
        elif said:
            yield Step(STOP, f"table {table}", " ".join(said))
        else:
            yield Step(LEAVE, f"table {table}")


def _told_about(cli: Any, chosen: stage_file.Choices) -> list[str]:
    """What differs at the tables, in a process whose settings are those of the stage."""
    done = subprocess.run(
        [sys.executable, "manage.py", "create_tables", "--dry-run"],
        env=callbacks.environment(cli, chosen),
        cwd=lambda_package.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.splitlines()
    if any(line.startswith(("CommandError", "Error")) for line in lines):
        raise Undeployable(lines[-1])
    return lines


def _function(cli: Any, found: dict[str, Any]) -> Iterator[Step]:
    what = f"function {cli.lambda_name}"
    if not found:
        yield Step(MAKE, what)
        return
    wanted = {"Runtime": cli.runtime, "MemorySize": cli.memory_size, "Timeout": cli.timeout_seconds}
    changed = [f"{name} {found.get(name)} → {value}" for name, value in wanted.items() if found.get(name) != value]
    yield Step(CHANGE, what, ", ".join(["its code, which every update sends anew", *changed]))


def _variables(cli: Any, found: dict[str, str]) -> Iterator[Step]:
    wanted: dict[str, str] = cli.aws_environment_variables
    for name in sorted(wanted.keys() | found.keys()):
        before, after = found.get(name, ""), wanted.get(name, found.get(name, ""))
        if before or after:
            yield _variable(name, before, after)


def _variable(name: str, before: str, after: str) -> Step:
    verb = LEAVE if before == after else MAKE if not before else REMOVE if not after else CHANGE
    values = {MAKE: after, CHANGE: f"{before} → {after}", REMOVE: before, LEAVE: before}
    return Step(verb, f"variable {name}", "" if name in SECRETS else values[verb])


def _role(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    iam, what = cli.zappa.iam_client, f"role {cli.zappa.role_name}"
    try:
        iam.get_role(RoleName=cli.zappa.role_name)
        found = iam.get_role_policy(RoleName=cli.zappa.role_name, PolicyName=POLICY)["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        yield Step(MAKE, what)
        return
    had, wanted = _permissions(found), _permissions(json.loads(callbacks.policy(cli, chosen)))
    changes = [f"+ {permission}" for permission in sorted(wanted - had)]
    changes += [f"- {permission}" for permission in sorted(had - wanted)]
    yield Step(CHANGE if changes else LEAVE, what, ", ".join(changes))


def _permissions(policy: dict[str, Any]) -> set[str]:
    """Every action of a policy with every resource that it is for."""
    return {
        f"{action} on {resource.rpartition(':')[2]}"
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _schedule(cli: Any, found: dict[str, Any]) -> Iterator[Step]:
    wanted = dict(_rule(cli, event) for event in cli.stage_config.get("events", []))
    rules = cli.zappa.get_event_rules_for_lambda(lambda_arn=found["FunctionArn"]) if found else []
    had = {rule["Name"]: rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule}
    for name in sorted(wanted.keys() | had.keys()):
        step = _variable(name, had.get(name, ""), wanted.get(name, ""))
        yield step._replace(what=f"schedule {name}")


def _rule(cli: Any, event: dict[str, str]) -> tuple[str, str]:
    """The name of a schedule's rule, as Zappa makes it, and when it fires."""
    name = cli.zappa.get_scheduled_event_name(event, event["function"], cli.lambda_name)
    return name, event["expression"]


def _logs(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    days = cli.stage_config["log_retention_days"]
    for group in aws_extras.log_groups(cli.lambda_name, access_log=chosen.access_log):
        kept = aws_extras.kept_for(cli.zappa.logs_client, group)
        if kept is None:
            yield Step(MAKE, f"log group {group}", f"kept for {days} days")
        else:
            verb = LEAVE if kept == days else CHANGE
            yield Step(verb, f"log group {group}", "" if verb == LEAVE else f"kept for {kept or 'ever'} → {days} days")


def _api(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    gateway, what = cli.zappa.apigateway_client, f"API {cli.lambda_name}"
    api = aws_extras.api_id(gateway, cli.lambda_name)
    if api is None:
        yield Step(MAKE, what)
        return
    stage = gateway.get_stage(restApiId=api, stageName=cli.api_stage)
    changes = callbacks.gateway(cli, chosen).changes(stage)
    yield Step(CHANGE if changes else LEAVE, what, ", ".join(f"{each['op']} {each['path']}" for each in changes))
