"""A dry run of `zappa deploy` and `zappa update`: the steps of Zappa and the changes of the stack."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click
from zappa.cli import ZappaCLI

from eventsite.deployment import callbacks, gateway, lambda_package, stage_file, stream

MAKE, CHANGE, REPLACE, REMOVE, LEAVE, STOP = "make", "change", "replace", "remove", "leave", "stop"
VERBS = {"Add": MAKE, "Import": MAKE, "Modify": CHANGE, "Dynamic": CHANGE, "Remove": REMOVE}
SECRETS = ("SECRET_KEY", "WEBHOOKS", "WEBHOOK_SECRET")  # not printed: the URL of a webhook may hold a key


class Step(NamedTuple):
    """One step of a deployment: a resource, and its change."""

    verb: str
    what: str
    how: str = ""


class Undeployable(Exception):
    """The deployment would stop before it makes anything. The text is the reason."""


def steps(chosen: stage_file.Choices) -> list[Step]:
    """Return the steps of a deployment: tables, function, variables, schedules, log, API, stack.

    Raises:
        Undeployable: The deployment would stop.
    """
    cli: Any = ZappaCLI()
    cli.api_stage, cli.command, cli.vargs = chosen.stage, "update", {}
    try:
        cli.load_settings()
        callbacks.choose(cli)  # as Zappa does first
        with callbacks.in_a_sentence():
            found = callbacks.function(cli.zappa.lambda_client, cli.lambda_name)
            return [
                *_tables(cli, chosen),
                *_function(cli, found),
                *_variables(cli, callbacks.variables(found)),
                *_schedules(cli, found),
                *_log(cli),
                *_api(cli, chosen),
                *_stack(cli, chosen),
            ]
    except click.ClickException as refusal:
        raise Undeployable(refusal.message) from refusal


def _tables(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    differences = _differences(cli, chosen)
    for table in chosen.tables.values():
        found = [line.removeprefix(f"{table} ") for line in differences if line.startswith(f"{table} ")]
        verb = LEAVE if not found else MAKE if "does not exist." in found else STOP
        yield Step(verb, f"table {table}", " ".join(found) if verb == STOP else "")


def _differences(cli: Any, chosen: stage_file.Choices) -> list[str]:
    """Return the differences of the tables, found by a process with the settings of the stage."""
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
    yield Step(CHANGE, what, ", ".join(["its code, which every update sends", *changed]))


def _variables(cli: Any, found: dict[str, str]) -> Iterator[Step]:
    wanted: dict[str, str] = cli.aws_environment_variables
    for name in sorted(wanted.keys() | found.keys()):
        before, after = found.get(name, ""), wanted.get(name, found.get(name, ""))
        if before or after:
            step = _compared(f"variable {name}", before, after)
            yield step._replace(how="") if name in SECRETS else step


def _compared(what: str, before: str, after: str) -> Step:
    verb = LEAVE if before == after else MAKE if not before else REMOVE if not after else CHANGE
    return Step(verb, what, {MAKE: after, CHANGE: f"{before} → {after}"}.get(verb, before))


def _schedules(cli: Any, found: dict[str, Any]) -> Iterator[Step]:
    wanted = {
        cli.zappa.get_scheduled_event_name(event, event["function"], cli.lambda_name): event["expression"]
        for event in cli.stage_config.get("events", [])
    }
    rules = cli.zappa.get_event_rules_for_lambda(lambda_arn=found["FunctionArn"]) if found else []
    had = {rule["Name"]: rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule}
    for name in sorted(wanted.keys() | had.keys()):
        yield _compared(f"schedule {name}", had.get(name, ""), wanted.get(name, ""))


def _log(cli: Any) -> Iterator[Step]:
    group, days = f"/aws/lambda/{cli.lambda_name}", cli.stage_config["log_retention_days"]
    kept = gateway.kept_for(cli.zappa.logs_client, group)
    before = "" if kept is None else f"kept for {kept} days" if kept else "kept for ever"
    yield _compared(f"log group {group}", before, f"kept for {days} days")


def _api(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    api, what = callbacks.stack(cli).outputs().get("ApiId"), f"API stage {cli.api_stage}"
    if api is None:
        yield Step(MAKE, what)
        return
    found = cli.zappa.apigateway_client.get_stage(restApiId=api, stageName=cli.api_stage)
    changes = callbacks.gateway_settings(cli, chosen).changes(found)
    yield Step(CHANGE if changes else LEAVE, what, ", ".join(f"{each['op']} {each['path']}" for each in changes))


def _stack(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    """Compare by a change set, with placeholders for a stream and a function that do not exist yet."""
    known = callbacks.facts(cli)
    table = chosen.tables["events"]
    on = stream.find(cli.zappa.dynamodb_client, table)
    yield Step(LEAVE if on else MAKE, f"stream of table {table}")
    known = known._replace(
        stream=on or f"arn:{known.partition}:dynamodb:::table/{table}/stream/to-be-made",
        target=callbacks.target(cli, known),
    )
    for change in callbacks.stack(cli).preview(*callbacks.wanted(cli, chosen, known)):
        how = "made and the old one removed" if change.replaces else ""
        yield Step(REPLACE if change.replaces else VERBS[change.action], f"stack: {change.name}", how)
