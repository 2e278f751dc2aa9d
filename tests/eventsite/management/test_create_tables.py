"""`manage.py create_tables`: makes missing tables, reports differences, touches nothing else."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from eventsite.dynamodb import tables
from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.client import Answer
from eventsite.dynamodb.connection import connection
from registrations.models import RegistrationItem
from tests.engines import served_by
from tests.eventsite.processes import manage
from tests.faults import Clock, Request, disturbed
from users.models import User

EVENTS, REGISTRATIONS, USERS = settings.EVENTS_TABLE, settings.REGISTRATIONS_TABLE, settings.USERS_TABLE


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOCAL", True)


@pytest.fixture
def no_tables(tables: None) -> Iterator[None]:
    """An account without tables. At the end no table is protected any more."""
    for model in table_models():
        model.delete_table()
    yield
    for model in table_models():
        if model.exists():
            call("UpdateTable", TableName=model.Meta.table_name, DeletionProtectionEnabled=False)


def call(operation: str, **arguments: Any) -> dict[str, Any]:
    return connection()._make_api_call(operation, arguments)


def describe(table: str) -> dict[str, Any]:
    description: dict[str, Any] = call("DescribeTable", TableName=table)["Table"]
    return description


def run(*options: str) -> tuple[int, str, str]:
    """Run the command here. Returns: its exit status and what it wrote."""
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command("create_tables", *options, stdout=out, stderr=err)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, out.getvalue(), err.getvalue()


# Making


def test_it_makes_the_missing_tables_and_names_them(no_tables: None) -> None:
    status, out, err = run()
    assert (status, err) == (0, "")
    for table in (EVENTS, REGISTRATIONS, USERS):
        assert f"Created {table}." in out
        assert describe(table)["TableStatus"] == "ACTIVE"


@pytest.mark.parametrize(("local", "streamed"), [(True, [EVENTS]), (False, [])])
def test_only_a_local_run_has_a_stream_that_no_deployment_has_decided_on(
    no_tables: None, local: bool, streamed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOCAL", local)
    tables.create_missing(protect=False)
    made = {table: describe(table) for table in (EVENTS, REGISTRATIONS, USERS)}
    assert [table for table, made_as in made.items() if "StreamSpecification" in made_as] == streamed


def test_a_second_run_makes_nothing(no_tables: None) -> None:
    run()
    status, out, err = run()
    assert (status, err) == (0, "")
    assert "Created" not in out
    assert "as the models want them" in out


def test_only_missing_tables_are_made_and_data_stays(no_tables: None) -> None:
    run()
    User("alice", name="Alice", created_at="2026-01-01T00:00:00Z").save()
    RegistrationItem.delete_table()
    assert tables.create_missing() == [REGISTRATIONS]
    assert User.get("alice").name == "Alice"


def test_tables_are_billed_on_demand(no_tables: None) -> None:
    tables.create_missing()
    modes = {describe(model.Meta.table_name)["BillingModeSummary"]["BillingMode"] for model in table_models()}
    assert modes == {"PAY_PER_REQUEST"}


def test_tables_have_their_indexes(no_tables: None) -> None:
    tables.create_missing()
    events, registrations = describe(EVENTS), describe(REGISTRATIONS)
    assert {index["IndexName"] for index in events["GlobalSecondaryIndexes"]} == {"status-date", "organizer-date"}
    assert not {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} & registrations.keys()


def test_keyed_requests_are_forgotten_in_time(no_tables: None) -> None:
    tables.create_missing()
    told = call("DescribeTimeToLive", TableName=EVENTS)["TimeToLiveDescription"]
    assert told == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt"}


@pytest.mark.parametrize("local", [True, False])
def test_tables_are_protected_outside_local_runs(no_tables: None, monkeypatch: Any, local: bool) -> None:
    monkeypatch.setattr(settings, "LOCAL", local)
    assert run()[0] == 0
    for table in (EVENTS, REGISTRATIONS, USERS):
        backups = call("DescribeContinuousBackups", TableName=table)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        assert (describe(table)["DeletionProtectionEnabled"], recovery) == (
            not local,
            "DISABLED" if local else "ENABLED",
        )


@pytest.mark.parametrize("tag", ["stage", "=dev", ""])
def test_a_tag_without_a_name_or_a_value_is_a_sentence(no_tables: None, tag: str) -> None:
    with pytest.raises(CommandError, match="write a name and a value, such as stage=dev, not "):
        run("--tag", tag)
    assert not RegistrationItem.exists()


def test_tables_of_a_stage_are_tagged_and_protected(no_tables: None) -> None:
    status, _, differences = run("--protect", "--tag", "stage=dev")
    assert (status, differences, describe(USERS)["DeletionProtectionEnabled"]) == (0, "", True)
    tags = call("ListTagsOfResource", ResourceArn=describe(USERS)["TableArn"])["Tags"]
    assert tags == [{"Key": "stage", "Value": "dev"}]


def test_a_table_that_somebody_else_makes_meanwhile_is_fine(no_tables: None) -> None:
    def others_first(request: Request) -> Answer:
        assert sorted(tables.create_missing()) == sorted([EVENTS, REGISTRATIONS, USERS])
        return request.send()

    script = iter([others_first])
    with disturbed(lambda _, operation: next(script, None) if operation == "CreateTable" else None):
        assert tables.create_missing() == []
    assert tables.differences() == []


# Comparing


def make(table: str, **changes: Any) -> None:
    """Make a table of its model with changes to the request. None leaves a part out."""
    model = next(model for model in table_models() if model.Meta.table_name == table)
    request = tables.request_for(model, tags={}, protect=False) | changes
    call("CreateTable", **{name: value for name, value in request.items() if value is not None})
    tables.finish(model, protect=False)


def index(name: str, *keys: str, projection: str = "ALL") -> dict[str, Any]:
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": projection}}


def strings(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


BY_STATUS = index("status-date", "status", "sort")
BY_ORGANIZER = index("organizer-date", "organizerStatus", "sort")
CAPACITY = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}

DIFFERENT = {
    "another key": (
        USERS,
        {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "AttributeDefinitions": strings("id")},
        "has the key id (S); the model wants userId (S).",
    ),
    "a key of another type": (
        USERS,
        {"AttributeDefinitions": [{"AttributeName": "userId", "AttributeType": "N"}]},
        "has the key userId (N); the model wants userId (S).",
    ),
    "a missing index": (
        EVENTS,
        {"GlobalSecondaryIndexes": [BY_STATUS], "AttributeDefinitions": strings("eventId", "item", "status", "sort")},
        "lacks the index organizer-date, global on organizerStatus (S), sort (S) with all attributes.",
    ),
    "a local index too many": (
        REGISTRATIONS,
        {
            "LocalSecondaryIndexes": [index("event-standing", "key", "standing")],
            "AttributeDefinitions": strings("key", "item", "standing"),
        },
        "has the index event-standing, local on key (S), standing (S) with all attributes, "
        "which the model does not know.",
    ),
    "an index too many": (
        EVENTS,
        {"GlobalSecondaryIndexes": [BY_STATUS, BY_ORGANIZER, index("more", "sort")]},
        "has the index more, global on sort (S) with all attributes, which the model does not know.",
    ),
    "an index that holds less": (
        EVENTS,
        {"GlobalSecondaryIndexes": [index("status-date", "status", "sort", projection="KEYS_ONLY"), BY_ORGANIZER]},
        "has the index status-date, global on status (S), sort (S) with the keys; "
        "the model wants global on status (S), sort (S) with all attributes.",
    ),
    "provisioned capacity": (
        USERS,
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": CAPACITY},
        "is billed as PROVISIONED; the model wants PAY_PER_REQUEST.",
    ),
}


@pytest.mark.parametrize("table, changes, sentence", DIFFERENT.values(), ids=DIFFERENT)
def test_it_reports_a_difference(no_tables: None, table: str, changes: dict[str, Any], sentence: str) -> None:
    make(table, **changes)
    before = describe(table)
    status, _, err = run()
    assert (status, err) == (1, f"{table} {sentence}\n")
    assert describe(table) == before


def test_items_that_should_expire_and_do_not_are_a_difference(no_tables: None) -> None:
    tables.create_missing()
    ttl = {"Enabled": False, "AttributeName": "expiresAt"}
    call("UpdateTimeToLive", TableName=EVENTS, TimeToLiveSpecification=ttl)
    assert tables.differences() == [f"{EVENTS} expires its items by nothing; the model wants expiresAt."]


def test_items_that_should_not_expire_are_a_difference(no_tables: None) -> None:
    tables.create_missing()
    ttl = {"Enabled": True, "AttributeName": "createdAt"}
    call("UpdateTimeToLive", TableName=USERS, TimeToLiveSpecification=ttl)
    assert tables.differences() == [f"{USERS} expires its items by createdAt; the model wants nothing."]


def test_missing_protection_is_a_difference_outside_local_runs(no_tables: None) -> None:
    tables.create_missing(protect=False)
    assert tables.differences() == []
    assert [sentence for sentence in tables.differences(protect=True) if USERS in sentence] == [
        f"{USERS} is not protected from deletion.",
        f"{USERS} has no point-in-time recovery.",
    ]


def test_a_table_that_is_gone_is_a_difference(no_tables: None) -> None:
    tables.create_missing()
    User.delete_table()
    assert tables.differences() == [f"{USERS} does not exist."]


# As a process


def test_it_works_with_the_embedded_engine(tmp_path: Path) -> None:
    first, second = manage(tmp_path, "create_tables"), manage(tmp_path, "create_tables")
    assert (first.returncode, first.stderr) == (0, "")
    assert "Created eventsite-local-events." in first.stdout
    assert (second.returncode, second.stderr) == (0, "")
    assert "Created" not in second.stdout


def test_the_embedded_engine_is_the_same_whatever_account_is_configured(tmp_path: Path) -> None:
    manage(tmp_path, "create_tables")
    again = manage(tmp_path, "create_tables", AWS_ACCESS_KEY_ID="123456789012", AWS_SECRET_ACCESS_KEY="x")
    assert (again.returncode, again.stderr) == (0, "")
    assert "Created" not in again.stdout


def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path) -> None:
    ended = manage(tmp_path, "create_tables", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert ended.stderr == "CommandError: DynamoDB at http://127.0.0.1:1 does not answer.\n"


@pytest.mark.parametrize("options", [[], ["--migrate"]], ids=["made", "migrated"])
def test_a_table_with_other_keys_is_left_alone_and_the_way_out_is_shown(
    no_tables: None, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    make(USERS, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=strings("id"))
    with pytest.raises((SystemExit, CommandError)) as refused:
        call_command("create_tables", *options)
    printed = capsys.readouterr()
    told = f"{refused.value}{printed.out}{printed.err}"
    assert USERS in told and 'docs/coming-from.md tells it step by step ("Your data").' in told
    assert [key["AttributeName"] for key in describe(USERS)["KeySchema"]] == ["id"]


def test_tables_with_the_right_keys_have_nothing_to_migrate(
    no_tables: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_tables", "--migrate")
    assert "are as the models want them" in capsys.readouterr().out


def test_an_engine_that_starts_slowly_is_waited_for(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    clock.install(monkeypatch)
    started: list[str] = []

    def start() -> str:
        clock.waited += 0 if started else 60  # seconds
        started.append(engine)
        return engine

    with served_by(""):
        monkeypatch.setattr(settings, "DYNAMODB_ENGINE", "any")
        monkeypatch.setattr("eventsite.dynamodb.connection.import_string", lambda _: start)
        assert len(tables.existing()) == len(table_models())
    assert started
