"""A dry run of `zappa deploy` and `zappa update`: the steps of Zappa and the changes of the stack."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from click import ClickException
from zappa.cli import ZappaCLI

from eventsite.deployment import callbacks, stage_file, stream, template

MAKE, CHANGE, REPLACE, REMOVE, LEAVE, STOP = "make", "change", "replace", "remove", "leave", "stop"
VERBS = {"Add": MAKE, "Import": MAKE, "Modify": CHANGE, "Dynamic": CHANGE, "Remove": REMOVE}
SECRETS = ("variable SECRET_KEY", "variable WEBHOOKS", "variable WEBHOOK_SECRET")  # a webhook's URL may hold a key


class Step(NamedTuple):
    verb: str
    what: str
    how: str = ""


def steps(chosen: stage_file.Choices) -> list[Step]:
    """Return the steps of a deployment, or raise a ClickException with the reason why it would stop."""
    cli: Any = ZappaCLI()
    cli.api_stage, cli.command, cli.vargs = chosen.stage, "update", {}
    cli.load_settings()
    callbacks.choose(cli)  # as Zappa does first
    found = callbacks.function(cli)
    before, after = _present(cli, found), _wanted(cli, found)
    compared = [_compared(what, before.get(what, ""), after.get(what, "")) for what in sorted(before | after)]
    code = Step(CHANGE if found else MAKE, f"code of {cli.lambda_name}", "sent by every update" if found else "")
    return [*_tables(cli, chosen), code, *compared, *_stack(cli, chosen)]


def _tables(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    lines = callbacks.create_tables(cli, chosen, "--dry-run").stderr.splitlines()
    if any(line.startswith(("CommandError", "Error")) for line in lines):
        raise ClickException(lines[-1])
    for table in chosen.tables.values():
        found = " ".join(line.removeprefix(f"{table} ") for line in lines if line.startswith(f"{table} "))
        yield Step(LEAVE if not found else MAKE if found == "does not exist." else STOP, f"table {table}", found)


def _present(cli: Any, found: dict[str, Any]) -> dict[str, str]:
    """Return what there is of a function, its variables and schedules, and its log."""
    rules = cli.zappa.get_event_rules_for_lambda(lambda_arn=found["FunctionArn"]) if found else []
    name = f"/aws/lambda/{cli.lambda_name}"
    groups = cli.zappa.logs_client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {
        **{f"function's {each}": str(found[each]) for each in ("MemorySize", "Runtime", "Timeout") if each in found},
        **{f"log group {name}": _kept(each.get("retentionInDays")) for each in groups if each["logGroupName"] == name},
        **{f"schedule {rule['Name']}": rule.get("ScheduleExpression", "") for rule in rules},
        **{f"variable {name}": value for name, value in callbacks.variables(found).items() if value},
    }


def _wanted(cli: Any, found: dict[str, Any]) -> dict[str, str]:
    """Return the same after a deployment. Zappa keeps variables that it does not set."""
    function = {"MemorySize": cli.memory_size, "Runtime": cli.runtime, "Timeout": cli.timeout_seconds}
    values = callbacks.variables(found) | cli.aws_environment_variables
    name_of, events = cli.zappa.get_scheduled_event_name, cli.stage_config["events"]
    schedules = {name_of(each, each["function"], cli.lambda_name): each["expression"] for each in events}
    return {
        **{f"function's {name}": str(value) for name, value in function.items()},
        f"log group /aws/lambda/{cli.lambda_name}": _kept(cli.stage_config["log_retention_days"]),
        **{f"schedule {name}": expression for name, expression in schedules.items()},
        **{f"variable {name}": value for name, value in values.items() if value},
    }


def _kept(days: int | None) -> str:
    return f"kept for {days} days" if days else "kept for ever"


def _compared(what: str, before: str, after: str) -> Step:
    verb = LEAVE if before == after else MAKE if not before else REMOVE if not after else CHANGE
    return Step(verb, what, "" if what in SECRETS else f"{before} → {after}" if verb == CHANGE else after or before)


def _stack(cli: Any, chosen: stage_file.Choices) -> Iterator[Step]:
    """Compare by a change set, with placeholders for a stream and a function that do not exist yet."""
    table = chosen.tables["events"]
    arn = stream.find(cli.zappa.dynamodb_client, table)
    yield Step(LEAVE if arn else MAKE, f"stream of table {table}")
    to_be_made = f"arn:aws:dynamodb:::table/{table}/stream/to-be-made"
    wanted = template.parameters(chosen, cli.stage_config, stream=arn or to_be_made, called=callbacks.target(cli))
    for change in callbacks.stack(cli).preview(template.TEXT, wanted):
        how = "made and the old one removed" if change.replaces else ""
        yield Step(REPLACE if change.replaces else VERBS[change.action], f"stack: {change.name}", how)
