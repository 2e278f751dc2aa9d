"""The template: valid, no wider than it must be, and as the service and the operator's choices need it."""

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from ministack.services.cloudformation.engine import _evaluate_conditions, _parse_template, _resolve_parameters
from ministack.services.lambda_svc import _match_esm_filter

from events.ledger.models import CancellationOutbox, ExitTombstones, Seats
from events.models import Event, EventItem
from eventsite.deployment import template
from eventsite.deployment.lambda_package import ROOT
from eventsite.deployment.stage_file import TABLES, Choices
from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.idempotency import Marker
from tests import variables

MAX_BYTES = 51_200  # of a template that is sent as it is
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/eventsite-dev-events/stream/2026-11-29T00:00:00.000"
SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())["dev"]
REGION = {"AWS_REGION": "eu-west-1"}
NOTHING = Choices("dev", REGION | {"AUTH_MODE": "open"})
BUS = Choices("dev", REGION | {"NOTICE_BUS": "happenings"})
MAIL = Choices("dev", REGION | {"MAIL_FROM": "events@mail.example.org"})
HOOK = Choices("dev", REGION | {"WEBHOOKS": "https://example.org/hook"})
POOL = Choices("dev", REGION | {"AUTH_MODE": "cognito"})
ALARMED = Choices("dev", NOTHING.values | {"ALARM_TOPIC": "arn:aws:sns:eu-west-1:123456789012:alarms"})
SPENDING = Choices("dev", ALARMED.values | {"MONTHLY_BUDGET": "20"})
DOMAIN = Choices("dev", POOL.values | {"DOMAIN": "events.example.org", "CERTIFICATE_ARN": "arn:aws:acm:us-east-1:1:c"})
ALL = Choices(
    "dev",
    BUS.values | MAIL.values | POOL.values | {"ACCESS_LOG": "true", "ALARM_EMAIL": "a@b.org", "MONTHLY_BUDGET": "20"},
)
SHAPES = {
    "nothing": NOTHING,
    "bus": BUS,
    "mail": MAIL,
    "webhooks": HOOK,
    "pool": POOL,
    "pool with passwords": Choices("dev", POOL.values | {"SIGN_IN_CODES": "false"}),
    "domain": DOMAIN,
    "alarms": ALARMED,
    "budget": SPENDING,
    "all": ALL,
}
NO_VALUE = {"Ref": "AWS::NoValue"}


def parameters(chosen: Choices, called: str = "eventsite-dev", **settings: Any) -> dict[str, str]:
    return template.parameters(chosen, SETTINGS | settings, stream=STREAM, called=called)


def made(chosen: Choices, called: str = "eventsite-dev") -> Any:
    """The template as CloudFormation reads it for these choices: without the resources that they exclude."""
    whole: Any = _parse_template(template.TEXT)
    given = parameters(chosen, called)
    assert given.keys() <= whole["Parameters"].keys()
    for name, value in given.items():
        whole["Parameters"][name]["Default"] = value
    holds = _evaluate_conditions(whole, _resolve_parameters(whole, []) | {"AWS::Partition": {"Value": "aws"}})

    def decided(node: Any) -> Any:
        if isinstance(node, list):
            return [each for each in map(decided, node) if each != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if "Fn::If" in node:
            condition, if_true, if_false = node["Fn::If"]
            return decided(if_true if holds[condition] else if_false)
        return {name: each for name, each in zip(node, map(decided, node.values()), strict=True) if each != NO_VALUE}

    for section in ("Resources", "Outputs"):
        entries = {name: each for name, each in whole[section].items() if holds.get(each.pop("Condition", None), True)}
        whole[section] = decided(entries)
    del whole["Conditions"]
    return whole


def resources(chosen: Choices, called: str = "eventsite-dev") -> set[str]:
    return set(made(chosen, called)["Resources"])


def found_by_cfn_lint(text: str) -> list[Any]:
    return lint(text, config=ManualArgs(ignore_checks=["W2001", "W8001"]))  # parameters that these choices do not use


def test_cfn_lint_finds_nothing_in_the_file() -> None:
    assert found_by_cfn_lint(template.TEXT) == []


@pytest.mark.slow
@pytest.mark.parametrize("chosen", SHAPES.values(), ids=SHAPES)
def test_cfn_lint_finds_nothing_in_any_shape_of_the_template(chosen: Choices) -> None:
    assert found_by_cfn_lint(json.dumps(made(chosen))) == []


@pytest.mark.slow
def test_cfn_lint_finds_a_wrong_value_and_a_wrong_name() -> None:
    assert found_by_cfn_lint(template.TEXT.replace("StartingPosition: TRIM_HORIZON", "StartingPosition: SOMEWHERE"))
    assert found_by_cfn_lint(template.TEXT.replace("!GetAtt Role.Arn", "!GetAtt Nobody.Arn"))


def test_it_is_sent_as_it_is() -> None:
    assert len(template.TEXT.encode()) < MAX_BYTES


def statements(chosen: Choices) -> dict[str, dict[str, Any]]:
    policies = [each for each in made(chosen)["Resources"].values() if each["Type"] == "AWS::IAM::Policy"]
    return {each["Sid"]: each for one in policies for each in one["Properties"]["PolicyDocument"]["Statement"]}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_action_is_a_pattern_and_only_tracing_is_for_everything() -> None:
    for name, statement in statements(ALL).items():
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        assert ("*" in listed(statement["Resource"])) == (name == "Tracing")


def test_every_wildcard_of_a_resource_has_its_reason_beside_it() -> None:
    lines = template.TEXT.splitlines()
    bare = [number for number, line in enumerate(lines) if re.search(r'Resource: "\*"', line)]
    assert len(bare) == 1
    assert "`*`:" in "".join(lines[bare[0] - 3 : bare[0]])


def test_the_tables_are_those_of_the_models() -> None:
    assert {model.Meta.table_name.rpartition("-")[2] for model in table_models()} == set(TABLES)
    given = parameters(NOTHING)
    assert [given[f"{table.title()}Table"] for table in TABLES] == [f"eventsite-dev-{name}" for name in TABLES]


def test_tables_are_neither_made_nor_dropped_nor_described() -> None:
    actions = {action for statement in statements(ALL).values() for action in listed(statement["Action"])}
    assert not [action for action in actions if action.startswith("dynamodb:") and action.endswith("Table")]


@pytest.mark.parametrize(
    ("chosen", "more"),
    [(NOTHING, set()), (BUS, {"Bus"}), (MAIL, {"Mail"}), (HOOK, set())],
    ids=["nothing", "bus", "mail", "webhooks"],
)
def test_each_outlet_allows_what_it_needs_and_no_more(chosen: Choices, more: set[str]) -> None:
    always = {"Tables", "Indexes", "Logs", "Tracing", "Gateway", "Stream", "Notices", "DeadLetters"}
    assert statements(chosen).keys() == always | more


def test_a_bus_of_another_account_is_named_by_its_arn() -> None:
    arn = "arn:aws:events:eu-west-1:111122223333:event-bus/central"
    given = Choices("dev", REGION | {"NOTICE_BUS": arn})
    assert (parameters(given)["BusArn"], parameters(given)["BusName"]) == (arn, "")
    assert statements(given)["Bus"]["Resource"] == {"Ref": "BusArn"}
    assert statements(BUS)["Bus"]["Resource"]["Fn::Sub"].endswith(":event-bus/${BusName}")


def test_mails_are_sent_from_the_one_address() -> None:
    assert statements(MAIL)["Mail"]["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}


NOTICES = {"DeadLetters", "Notices", "NoticesPolicy", "Following", "Delivering", "DeadLettersAlarm", "NoticesLateAlarm"}
SIGN_IN = {"People", "PeopleClient", "PeopleDomain", "PeopleBranding", "Organizers", "Admins"}


@pytest.mark.parametrize("chosen", [NOTHING, BUS, MAIL, HOOK])
def test_changes_are_followed_whatever_is_chosen_as_the_history_is_made_of_them(chosen: Choices) -> None:
    assert resources(chosen) >= NOTICES


def test_what_becomes_of_mails_comes_back_unless_a_set_is_given() -> None:
    reports = {"MailReports", "MailReportsToBus", "MailReportsToQueue", "NoticesTakeMailReports"}
    assert resources(MAIL) >= reports
    given = Choices("dev", MAIL.values | {"MAIL_CONFIGURATION_SET": "ours"})
    assert not (resources(given) | resources(NOTHING)) & reports
    assert made(MAIL)["Outputs"]["MailConfigurationSet"] == {"Value": {"Ref": "MailReports"}}


def test_what_calls_the_function_waits_for_it() -> None:
    assert not resources(ALL, called="") & {"Following", "Delivering"}
    assert resources(ALL, called="eventsite-dev:current") >= {"Following", "Delivering"}


def test_the_api_calls_the_function_by_its_alias_once_there_is_one() -> None:
    def called(name: str) -> Any:
        return [made(NOTHING, name)["Resources"][each]["Properties"]["Integration"]["Uri"] for each in ("ANY0", "ANY1")]

    first, again = called("eventsite-dev:current")
    assert first == again and {"Ref": "Called"} in first["Fn::Sub"][1]["Function"]["Fn::Sub"][1].values()
    assert {"Ref": "AWS::StackName"} in called("")[0]["Fn::Sub"][1]["Function"]["Fn::Sub"][1].values()


def test_the_api_is_throttled_and_traced() -> None:
    stage = made(NOTHING)["Resources"]["ApiStage"]["Properties"]
    (methods,) = stage["MethodSettings"]
    assert (methods["ThrottlingRateLimit"], methods["ThrottlingBurstLimit"]) == (
        {"Ref": "ThrottlingRate"},
        {"Ref": "ThrottlingBurst"},
    )
    given = parameters(NOTHING, throttling={"rate": 7, "burst": 9})
    assert (given["ThrottlingRate"], given["ThrottlingBurst"], stage["TracingEnabled"]) == ("7", "9", True)


def test_a_line_of_the_access_log_is_json_with_the_id_that_the_service_logs_too() -> None:
    assert "AccessLogSetting" not in made(NOTHING)["Resources"]["ApiStage"]["Properties"]
    setting = made(ALL)["Resources"]["ApiStage"]["Properties"]["AccessLogSetting"]
    assert json.loads(setting["Format"])["correlation_id"] == "$context.requestId"
    assert not re.search(r"(?i)path|sourceIp|identity|authorizer|userAgent", setting["Format"])
    assert setting["DestinationArn"]["Fn::Sub"].endswith(":log-group:${AccessLogGroup}")
    assert "AccessLogGroup" in resources(ALL) and "AccessLogGroup" not in resources(NOTHING)


def test_a_user_pool_is_made_where_people_sign_in_and_none_is_given() -> None:
    assert resources(POOL) >= SIGN_IN
    given = Choices("dev", POOL.values | {"COGNITO_USER_POOL_ID": "eu-west-1_A", "COGNITO_CLIENT_ID": "client"})
    assert not (resources(given) | resources(NOTHING)) & SIGN_IN
    without_codes = made(Choices("dev", POOL.values | {"SIGN_IN_CODES": "false"}))["Resources"]
    assert "SignInPolicy" not in without_codes["People"]["Properties"]["Policies"]
    assert "PeopleBranding" not in without_codes


def test_people_outlive_the_stack() -> None:
    kept = {"People", "PeopleClient", "Organizers", "Admins"}
    found = made(POOL)["Resources"]
    assert {name for name, each in found.items() if each.get("DeletionPolicy") == "Retain"} == kept
    assert found["People"]["Properties"]["DeletionProtection"] == "ACTIVE"


def test_a_login_outlives_a_form() -> None:
    client = made(POOL)["Resources"]["PeopleClient"]["Properties"]
    assert (client["IdTokenValidity"], client["TokenValidityUnits"]["IdToken"]) == (24, "hours")


def test_a_queued_notice_is_hidden_for_six_of_the_timeouts() -> None:
    assert parameters(BUS, timeout_seconds=60)["VisibilitySeconds"] == "360"


def alarms(chosen: Choices) -> dict[str, Any]:
    found = made(chosen)["Resources"].items()
    return {name: each["Properties"] for name, each in found if each["Type"] == "AWS::CloudWatch::Alarm"}


def test_everything_worth_an_alarm_has_one() -> None:
    watched = {each["MetricName"] for each in alarms(ALL).values()}
    assert watched >= {"ServerErrors", "AuditFindings", "DeadlineMisses", "Throttles", "Errors", "Duration"}
    assert watched >= {"ApproximateNumberOfMessagesVisible", "IteratorAge", "5XXError", "Reputation.BounceRate"}
    assert {each["TreatMissingData"] for each in alarms(ALL).values()} == {"notBreaching"}


def test_alarms_are_sent_where_the_file_names_and_nowhere_else() -> None:
    assert all("AlarmActions" not in each for each in alarms(NOTHING).values())
    assert all(each["AlarmActions"] == [{"Ref": "AlarmTopic"}] for each in alarms(ALARMED).values())
    assert all(each["AlarmActions"] == [{"Ref": "Alarms"}] for each in alarms(ALL).values())
    assert "Spend" in resources(ALL) & resources(SPENDING) and "Spend" not in resources(ALARMED)


def test_alarms_and_dashboard_know_only_metrics_that_the_service_counts() -> None:
    text = json.dumps(made(ALL))
    named = set(re.findall(r'\[\\"eventsite\\", \\"(\w+)\\"', text))
    named |= {each["MetricName"] for each in alarms(ALL).values() if each["Namespace"] == "eventsite"}
    assert named and named <= variables.documented_metrics()


def wakes(item: EventItem, name: str = "MODIFY") -> bool:
    """Whether a record about an item passes the filters of the mapping, as the emulator reads them."""
    image = item.serialize()
    keys = {key: image[key] for key in ("eventId", "item")}
    record = {"eventName": name, "dynamodb": {"Keys": keys, "NewImage": image}}
    filters = made(BUS)["Resources"]["Following"]["Properties"]["FilterCriteria"]["Filters"]
    return any(_match_esm_filter(record, json.loads(each["Pattern"])) for each in filters)


def test_only_what_leads_to_a_notice_wakes_the_function() -> None:
    outbox = CancellationOutbox("party", CancellationOutbox.name("i", 1), people="1:alice")
    assert wakes(EventItem("party", Event.ITEM)) and wakes(EventItem("party", Seats.ITEM))
    assert wakes(outbox, "INSERT") and not wakes(outbox, "REMOVE")
    assert not wakes(ExitTombstones("party", "tickets#i#gone#1"), "INSERT")
    assert not wakes(EventItem("key#1", Marker.ITEM), "INSERT")


def test_the_stream_is_read_in_order_and_an_outage_waited_out() -> None:
    following = made(BUS)["Resources"]["Following"]["Properties"]
    assert (following["StartingPosition"], following["ParallelizationFactor"]) == ("TRIM_HORIZON", 1)
    assert (following["MaximumRetryAttempts"], following["FunctionResponseTypes"]) == (-1, ["ReportBatchItemFailures"])
    assert following["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
