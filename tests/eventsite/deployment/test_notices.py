"""What a stage tells notices by, on an emulated AWS: made where an outlet is chosen, taken away where none is."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from ministack.services.lambda_svc import _match_esm_filter

from events.ledger.models import CancellationOutbox, ExitTombstones, Seats
from events.models import Event, EventItem
from eventsite.deployment import iam_policy, notices, parts, steps
from eventsite.deployment.notices import Notices, Place
from eventsite.deployment.stage_file import Choices
from eventsite.deployment.steps import CHANGE, LEAVE, MAKE, REMOVE, STOP, Unchangeable
from eventsite.dynamodb.idempotency import Marker

REGION, FUNCTION, TABLE = "eu-west-1", "eventsite-told", "eventsite-told-events"
ACCOUNT = iam_policy.Account("aws", REGION, "000000000000")
PLACE = Place(ACCOUNT, FUNCTION)
NOTHING = Choices("told", {})
BUS = Choices("told", {"NOTICE_BUS": "happenings"})
MAIL = Choices("told", {"MAIL_FROM": "Events <events@mail.example.org>"})
ALL = Choices("told", BUS.values | MAIL.values | {"WEBHOOKS": "https://example.org/hook", "ALARM_TOPIC": "arn:topic"})
EVERY_PART = [
    "queue eventsite-told-dead-letters",
    "queue eventsite-told-notices",
    "stream of table eventsite-told-events",
    "mapping of the stream of eventsite-told-events",
    "mapping of queue eventsite-told-notices",
    "alarm eventsite-told-dead-letters",
    "alarm eventsite-told-notices-late",
]


@pytest.fixture(scope="module")
def client(engine: str) -> Any:
    """A maker of clients of the suite's engine, which is more than a DynamoDB."""
    session: Any = boto3.Session("test", "test", region_name=REGION)
    return cache(lambda service: session.client(service, endpoint_url=engine))


def packed() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("main.py", "def handler(event, context):\n    return {'batchItemFailures': []}\n")
    return archive.getvalue()


@pytest.fixture
def stage(client: Any) -> Iterator[Any]:
    """A stage that is deployed, without anything to tell notices by."""
    function = client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.12",
        Role=f"arn:aws:iam::{ACCOUNT.number}:role/told",
        Handler="main.handler",
        Code={"ZipFile": packed()},
        Publish=True,
    )
    client("lambda").create_alias(FunctionName=FUNCTION, Name="snapstart", FunctionVersion=function["Version"])
    keys = [("eventId", "HASH"), ("item", "RANGE")]
    client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    yield client
    told(client, NOTHING)
    client("lambda").delete_function(FunctionName=FUNCTION)
    client("dynamodb").delete_table(TableName=TABLE)


def of(client: Any, chosen: Choices, place: Place = PLACE) -> Notices:
    return Notices(client, place, TABLE, chosen, {"service": "eventsite"})


def told(client: Any, chosen: Choices, place: Place = PLACE) -> list[steps.Step]:
    """Deploy: all steps that were taken."""
    before = list(of(client, chosen, place).prepare())
    return before + list(of(client, chosen, place).finish())


def planned(client: Any, chosen: Choices, place: Place = PLACE) -> dict[str, str]:
    return {each.what: each.verb for each in of(client, chosen, place).plan()}


def mappings(client: Any) -> dict[str, Any]:
    """The mappings of the function, by the service that they read."""
    found = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {each["EventSourceArn"].split(":")[2]: each for each in found if FUNCTION in each["FunctionArn"]}


def test_a_stage_without_outlets_has_nothing_of_it(stage: Any) -> None:
    assert (planned(stage, NOTHING), told(stage, NOTHING)) == ({}, [])
    assert "StreamSpecification" not in stage("dynamodb").describe_table(TableName=TABLE)["Table"]


def test_a_plan_says_what_a_deployment_then_does_and_a_second_one_leaves(stage: Any) -> None:
    assert planned(stage, ALL) == dict.fromkeys(EVERY_PART, MAKE)
    assert [each.what for each in told(stage, ALL)] == EVERY_PART
    assert planned(stage, ALL) == dict.fromkeys(EVERY_PART, LEAVE)
    assert told(stage, ALL) == []


def test_the_stream_has_both_images_and_is_read_from_its_start(stage: Any) -> None:
    told(stage, BUS)
    table = stage("dynamodb").describe_table(TableName=TABLE)["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    reading = mappings(stage)["dynamodb"]
    assert (reading["EventSourceArn"], reading["StartingPosition"]) == (table["LatestStreamArn"], "TRIM_HORIZON")
    assert reading["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert reading["DestinationConfig"] == {"OnFailure": {"Destination": PLACE.queue(PLACE.dead_letters)}}
    assert (reading["BisectBatchOnFunctionError"], reading["MaximumRetryAttempts"]) == (True, -1)


def wakes(item: EventItem, name: str = "MODIFY") -> bool:
    """Whether a record about an item passes the filters of the mapping, as the emulator reads them."""
    image = item.serialize()
    keys = {key: image[key] for key in ("eventId", "item")}
    record = {"eventName": name, "dynamodb": {"Keys": keys, "NewImage": image}}
    patterns = [json.loads(each["Pattern"]) for each in notices.STREAM["FilterCriteria"]["Filters"]]
    return any(_match_esm_filter(record, pattern) for pattern in patterns)


def test_only_what_tells_something_wakes_the_function() -> None:
    farewell = CancellationOutbox("party", CancellationOutbox.name("i", 1), people="1:alice")
    assert wakes(EventItem("party", Event.ITEM)) and wakes(EventItem("party", Seats.ITEM))
    assert wakes(farewell, "INSERT") and not wakes(farewell, "REMOVE")
    assert not wakes(ExitTombstones("party", "tickets#i#gone#1", tickets={1}), "INSERT")
    assert not wakes(EventItem("key#1", Marker.ITEM), "INSERT")


def test_what_cannot_be_told_is_kept_encrypted_and_alarmed(stage: Any) -> None:
    told(stage, ALL)
    sqs = stage("sqs")
    queues = {name: sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (PLACE.notices, PLACE.dead_letters)}
    attributes = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for name, url in queues.items()
    }
    assert {each["SqsManagedSseEnabled"] for each in attributes.values()} == {"true"}
    policy = json.loads(attributes[PLACE.notices]["RedrivePolicy"])
    assert policy["deadLetterTargetArn"] == PLACE.queue(PLACE.dead_letters)
    assert int(attributes[PLACE.notices]["VisibilityTimeout"]) >= 6 * PLACE.timeout
    alarms = stage("cloudwatch").describe_alarms(AlarmNamePrefix=FUNCTION)["MetricAlarms"]
    watched = {alarm["MetricName"]: alarm for alarm in alarms}
    assert watched.keys() == {"ApproximateNumberOfMessagesVisible", "IteratorAge"}
    assert {alarm["AlarmActions"][0] for alarm in alarms} == {"arn:topic"}
    assert watched["ApproximateNumberOfMessagesVisible"]["Dimensions"] == [
        {"Name": "QueueName", "Value": PLACE.dead_letters}
    ]


@pytest.mark.parametrize("chosen", [BUS, MAIL, Choices("told", {"WEBHOOKS": "https://example.org"})])
def test_any_outlet_has_all_of_it(stage: Any, chosen: Choices) -> None:
    assert planned(stage, chosen) == dict.fromkeys(EVERY_PART, MAKE)


def test_what_is_no_longer_chosen_goes_and_comes_back(stage: Any) -> None:
    told(stage, ALL)
    assert {each.what: each.verb for each in told(stage, BUS)} == {
        "alarm eventsite-told-dead-letters": CHANGE,  # nobody is to be told any more
        "alarm eventsite-told-notices-late": CHANGE,
    }
    assert {each.verb for each in told(stage, NOTHING)} == {REMOVE}
    assert planned(stage, NOTHING) == {}
    assert (
        not stage("dynamodb")
        .describe_table(TableName=TABLE)["Table"]
        .get("StreamSpecification", {})
        .get("StreamEnabled")
    )
    assert [each.what for each in told(stage, ALL)] == EVERY_PART


def test_the_mappings_call_what_the_api_calls(stage: Any) -> None:
    told(stage, ALL)
    snapped = Place(ACCOUNT, FUNCTION, "snapstart")
    assert {each.verb for each in told(stage, ALL, snapped)} == {CHANGE}
    assert {each["FunctionArn"] for each in mappings(stage).values()} == {snapped.target}
    assert snapped.target.endswith(":eventsite-told:snapstart")
    told(stage, ALL)
    assert {each["FunctionArn"] for each in mappings(stage).values()} == {PLACE.target}


def test_a_stream_that_was_turned_off_and_on_is_read_again(stage: Any) -> None:
    told(stage, BUS)
    before = mappings(stage)["dynamodb"]["EventSourceArn"]
    stream = parts.Stream(stage("dynamodb"), TABLE, None)
    stream.remove()
    assert planned(stage, BUS)["mapping of the stream of eventsite-told-events"] == CHANGE
    told(stage, BUS)
    assert [mappings(stage)["dynamodb"]["EventSourceArn"]] == [stream.arn]
    assert stream.arn != before


def test_a_stage_that_gets_another_table_reads_that_one_and_the_old_one_no_more(stage: Any) -> None:
    told(stage, BUS)
    restored = "restored-events"
    key = {"KeySchema": [{"AttributeName": "eventId", "KeyType": "HASH"}]}
    types = {"AttributeDefinitions": [{"AttributeName": "eventId", "AttributeType": "S"}]}
    stage("dynamodb").create_table(TableName=restored, BillingMode="PAY_PER_REQUEST", **key, **types)
    moved = Notices(stage, PLACE, restored, BUS)
    assert [each.what for each in moved.prepare()] == ["stream of table restored-events"]
    assert [(each.verb, each.what) for each in moved.finish()] == [(CHANGE, "mapping of the stream of restored-events")]
    found = stage("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [each["EventSourceArn"].split("/")[1] for each in found if ":dynamodb:" in each["EventSourceArn"]] == [
        restored
    ]
    list(Notices(stage, PLACE, restored).finish())
    stage("dynamodb").delete_table(TableName=restored)
    parts.Stream(stage("dynamodb"), TABLE, None).remove()


def test_a_stream_that_others_read_stays_on(stage: Any) -> None:
    told(stage, BUS)
    stage("lambda").create_function(
        FunctionName="others",
        Runtime="python3.12",
        Role=f"arn:aws:iam::{ACCOUNT.number}:role/told",
        Handler="main.handler",
        Code={"ZipFile": packed()},
    )
    arn = parts.Stream(stage("dynamodb"), TABLE, None).arn
    theirs = stage("lambda").create_event_source_mapping(
        FunctionName="others", EventSourceArn=arn, StartingPosition="LATEST"
    )
    told(stage, NOTHING)
    assert mappings(stage) == {}
    assert parts.Stream(stage("dynamodb"), TABLE, None).arn == arn
    stage("lambda").delete_event_source_mapping(UUID=theirs["UUID"])
    stage("lambda").delete_function(FunctionName="others")


def test_a_stream_of_other_images_stops_the_deployment_before_anything_is_made(stage: Any) -> None:
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    stage("dynamodb").update_table(TableName=TABLE, StreamSpecification=specification)
    assert planned(stage, BUS)["stream of table eventsite-told-events"] == STOP
    with pytest.raises(Unchangeable, match="KEYS_ONLY → NEW_AND_OLD_IMAGES"):
        told(stage, BUS)
    assert parts.Queue(stage("sqs"), PLACE.dead_letters, None).url is None
    stage("dynamodb").update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": False})


def allowed(chosen: Choices) -> dict[str, dict[str, Any]]:
    document = json.loads(
        iam_policy.document(ACCOUNT, function=FUNCTION, tables=[TABLE], telling=notices.telling(PLACE, chosen))
    )
    return {statement["Sid"]: statement for statement in document["Statement"]}


@pytest.mark.parametrize(
    ("chosen", "more"),
    [
        (BUS, {"Bus"}),
        (MAIL, {"Mail"}),
        (Choices("told", {"WEBHOOKS": "https://example.org"}), set()),
        (ALL, {"Bus", "Mail"}),
    ],
    ids=["bus", "mail", "webhooks", "all"],
)
def test_each_outlet_allows_what_it_needs_and_no_more(chosen: Choices, more: set[str]) -> None:
    statements = allowed(chosen)
    added = statements.keys() - allowed(NOTHING).keys()
    assert added == {"Stream", "Notices", "DeadLetters"} | more
    assert "*" not in [resource for name in added for resource in statements[name]["Resource"]]


def test_the_gateway_may_call_the_alias_that_it_calls() -> None:
    named = json.loads(iam_policy.document(ACCOUNT, function=FUNCTION, tables=[TABLE], qualifier="snapstart"))
    (gateway,) = (each for each in named["Statement"] if each["Sid"] == "Gateway")
    assert gateway["Resource"] == [Place(ACCOUNT, FUNCTION, "snapstart").target]
    assert allowed(NOTHING)["Gateway"]["Resource"] == [PLACE.target]


def test_a_bus_of_another_account_is_named_by_its_arn() -> None:
    arn = "arn:aws:events:eu-west-1:111122223333:event-bus/central"
    assert allowed(Choices("told", {"NOTICE_BUS": arn}))["Bus"]["Resource"] == [arn]
    assert allowed(BUS)["Bus"]["Resource"] == ["arn:aws:events:eu-west-1:000000000000:event-bus/happenings"]


def test_mails_are_sent_from_the_one_address_whatever_of_it_is_verified() -> None:
    mail = allowed(MAIL)["Mail"]
    assert mail["Condition"] == {"StringEquals": {"ses:FromAddress": "events@mail.example.org"}}
    named = [resource.rpartition(":")[2] for resource in mail["Resource"]]
    assert named == [
        "identity/events@mail.example.org",
        "identity/mail.example.org",
        "identity/example.org",
        "configuration-set/*",
    ]


def test_the_function_learns_where_its_queues_are() -> None:
    url = "https://sqs.eu-west-1.amazonaws.com"
    assert notices.variables(PLACE, NOTHING, url) == {}
    assert notices.variables(PLACE, BUS, url) == {
        "NOTICE_DEAD_LETTER_URL": f"{url}/000000000000/eventsite-told-dead-letters",
        "NOTICE_QUEUE_URL": f"{url}/000000000000/eventsite-told-notices",
    }
