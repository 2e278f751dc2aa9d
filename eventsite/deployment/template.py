"""The template of a stage: template.yaml with the API that Zappa describes, and its parameters."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import cfn_flip
import troposphere

from eventsite.deployment.stage_file import Choices

FILE = Path(__file__).with_name("template.yaml")
VISIBILITY_FACTOR = 6  # times the function's timeout, as the manual of Lambda recommends
SLOW = 0.9  # share of the timeout


class Facts(NamedTuple):
    """The facts about a stage that are read from AWS."""

    account: str
    partition: str = "aws"
    stream: str = ""
    """The ARN of the stream of the events table."""
    target: str = ""
    """The ARN that the mappings call; empty if there is no function yet."""


NO_VALUE = {"Ref": "AWS::NoValue"}
_PREDICATES = {
    "Fn::Equals": lambda values: values[0] == values[1],
    "Fn::Not": lambda values: not values[0],
    "Fn::And": all,
    "Fn::Or": any,
}


def read() -> dict[str, Any]:
    """Return template.yaml with the short forms of functions expanded."""
    found: dict[str, Any] = json.loads(cfn_flip.to_json(FILE.read_text()))
    return found


def decided(template: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """Evaluate the conditions of a template, and remove the resources that they exclude.

    So a change set lists only real resources, also with an emulator of AWS that ignores conditions.

    Args:
        template: The template, with expanded functions.
        values: The parameters, and the pseudo parameters that the conditions use.
    """

    def holds(condition: Any) -> Any:
        if not isinstance(condition, dict):
            return condition
        (name, operands) = next(iter(condition.items()))
        if name == "Ref":
            return values[operands]
        if name == "Condition":
            return holds(template["Conditions"][operands])
        return _PREDICATES[name]([holds(operand) for operand in operands])

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(resolve, node) if value != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            condition, if_true, if_false = node["Fn::If"]
            return resolve(if_true if holds({"Condition": condition}) else if_false)
        resolved = {name: resolve(value) for name, value in node.items()}
        return {name: value for name, value in resolved.items() if value != NO_VALUE}

    sections = {
        section: {
            name: {key: resolve(value) for key, value in entry.items() if key != "Condition"}
            for name, entry in template[section].items()
            if "Condition" not in entry or holds({"Condition": entry["Condition"]})
        }
        for section in ("Resources", "Outputs")
    }
    return {name: value for name, value in template.items() if name != "Conditions"} | sections


def whole(cli: Any, function_arn: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the template for these parameters, with the API that Zappa describes.

    The API calls the function with the role of the stack.
    """
    before, cli.zappa.credentials_arn = cli.zappa.credentials_arn, troposphere.GetAtt("Role", "Arn")
    api = cli.zappa.create_stack_template(
        lambda_arn=function_arn,
        lambda_name=cli.lambda_name,
        api_key_required=cli.api_key_required,
        iam_authorization=cli.iam_authorization,
        authorizer=cli.authorizer,
        description=cli.apigateway_description,
        endpoint_configuration=cli.endpoint_configuration,
        stage_name=cli.api_stage,
        lambda_qualifier=cli.apigateway_lambda_qualifier,
    )
    cli.zappa.credentials_arn = before
    partition = function_arn.split(":")[1]
    template = decided(read(), parameters | {"AWS::Partition": partition})
    template["Resources"] |= json.loads(api.to_json())["Resources"]
    return template


def parameters(chosen: Choices, facts: Facts, *, timeout: int, log_days: int) -> dict[str, str]:
    """Return the parameters of a stage.

    Args:
        chosen: The choices of its file.
        facts: The facts from AWS.
        timeout: The timeout of the function, in seconds.
        log_days: The retention of the access log, in days.
    """
    values = chosen.values
    return {
        "Stage": chosen.stage,
        "EventsTable": chosen.tables["events"],
        "UsersTable": chosen.tables["users"],
        "RegistrationsTable": chosen.tables["registrations"],
        "EventsStream": facts.stream,
        "FunctionTarget": facts.target,
        "Bus": _bus(chosen, facts),
        "MailFrom": values.get("MAIL_FROM", ""),
        "MailSet": values.get("MAIL_CONFIGURATION_SET", ""),
        "VisibilitySeconds": str(VISIBILITY_FACTOR * timeout),
        "SlowMilliseconds": str(round(SLOW * 1000 * timeout)),
        "LogDays": str(log_days),
        "AccessLog": _switch(chosen.access_log),
        "AlarmTopic": values.get("ALARM_TOPIC", ""),
        "AlarmEmail": values.get("ALARM_EMAIL", ""),
        "MonthlyBudget": values.get("MONTHLY_BUDGET", ""),
        "UserPool": _switch(chosen.makes_user_pool),
        "SignInCodes": values.get("SIGN_IN_CODES", "true"),
        "SignInSender": values.get("SIGN_IN_SENDER", ""),
        "Address": f"https://{chosen.domain}" if chosen.domain else "",
    }


def _switch(value: bool) -> str:
    return "true" if value else "false"


def _bus(chosen: Choices, facts: Facts) -> str:
    """Return the ARN of the event bus for notices, or an empty string if none is chosen."""
    bus = chosen.values.get("NOTICE_BUS", "")
    if not bus or bus.startswith("arn:"):
        return bus
    return f"arn:{facts.partition}:events:{chosen.region}:{facts.account}:event-bus/{bus}"
