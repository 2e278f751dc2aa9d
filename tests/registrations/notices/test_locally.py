"""Notices in local runs: in the log of `runserver`, and printed live by `manage.py follow`."""

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from events.models import EventItem
from eventsite.dynamodb.connection import connection
from registrations.notices.stream import following
from registrations.notices.stream.following import Following, NoStream
from tests.api import EVENT, Api
from tests.engines import served_by
from tests.eventsite.processes import environment, manage, runserver, watched


@contextmanager
def follow(directory: Path, *arguments: str, **extra: str) -> Iterator["subprocess.Popen[str]"]:
    """`manage.py follow`, once it follows."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "follow", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(directory, **extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process, watched(process):
        assert process.stderr and "Following" in process.stderr.readline()
        yield process


def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


def test_a_server_logs_what_happens_and_follow_prints_it(tmp_path: Path) -> None:
    with runserver(tmp_path, "--noreload") as server, follow(tmp_path, "party", "--json") as printing:
        for event in ("other", "party"):
            server.call("/events", EVENT | {"eventId": event})
        server.call("/users", {"userId": "alice", "name": "Alice"})
        server.call("/events/party/registrations", {"userId": "alice"})
        created, registered = (json.loads(next_line(printing)) for _ in range(2))
        assert (created["type"], created["source"]) == ("event.created", "/events/party")
        assert (registered["specversion"], registered["subject"]) == ("1.0", "alice")
        server.wait_for("alice has a seat of party (1 of 2 seats taken, 0 waiting)")
        printing.send_signal(signal.SIGINT)
        assert printing.wait() == 0
        assert printing.stderr and printing.stderr.read() == ""


@pytest.fixture
def elsewhere(engine: str) -> dict[str, str]:
    """The settings of a process that uses this run's tables."""
    return {"AWS_ENDPOINT_URL_DYNAMODB": engine}


def test_follow_prints_lines_for_people(api: Api, tmp_path: Path, elsewhere: dict[str, str]) -> None:
    event = api.event(eventId="party", capacity=1)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    with follow(tmp_path, "--all", **elsewhere) as printing:
        for _ in range(3):
            next_line(printing)
        api.leave(event, alice)
        api.patch(f"/events/{event}", {"location": "Hall"})
        lines = [next_line(printing).rstrip("\n").partition(" ")[2] for _ in range(3)]
        printing.send_signal(signal.SIGINT)
    assert lines == [
        f"registration.cancelled   {alice} gave up a seat of party (1 of 1 seats taken, 0 waiting)",
        f"registration.promoted    {bob} moved up to a seat of party (1 of 1 seats taken, 0 waiting)",
        "event.changed            party is changed: location was Garden, is Hall",
    ]


@pytest.fixture
def without_stream() -> None:
    """The events table as an earlier release made it."""
    connection()._make_api_call(
        "UpdateTable", {"TableName": EventItem.Meta.table_name, "StreamSpecification": {"StreamEnabled": False}}
    )


@pytest.mark.usefixtures("without_stream")
def test_a_table_without_a_stream_goes_on_working(api: Api, tmp_path: Path, elsewhere: dict[str, str]) -> None:
    assert api.register(api.event(), api.user()).status_code == 201
    with pytest.raises(NoStream):
        Following()
    done = manage(tmp_path, "follow", **elsewhere)
    assert (done.returncode, done.stderr) == (1, f"CommandError: {NoStream.detail}\n")
    with runserver(tmp_path, "--noreload", **elsewhere) as server:
        assert server.call("/health")["status"] == "healthy"
        assert f"No notices: {NoStream.detail}" in server.output


def test_without_a_table_it_names_the_command_that_makes_one(settings: Settings) -> None:
    settings.LOCAL = False  # a local run makes its tables
    EventItem.delete_table()
    with pytest.raises(CommandError, match=f"There is no table {settings.EVENTS_TABLE}.*create_tables"):
        call_command("follow")


def test_the_embedded_engine_gets_the_stream_that_an_earlier_release_did_not_make(tmp_path: Path) -> None:
    turn_off = "{'TableName': settings.EVENTS_TABLE, 'StreamSpecification': {'StreamEnabled': False}}"
    script = f"from django.conf import settings; from eventsite.dynamodb.connection import connection as c; {CALL}"
    with runserver(tmp_path, "--noreload") as server:
        done = manage(tmp_path, "shell", "-c", script.format(turn_off))
        assert done.returncode == 0, done.stderr
        server.call("/events", EVENT | {"eventId": "before"})
        server.end(signal.SIGINT)
    with runserver(tmp_path, "--noreload") as server:
        assert server.call("/events/before")["title"] == "Spring party"
        server.call("/events", EVENT | {"eventId": "after"})
        server.wait_for("after is created")
        assert "No notices" not in server.output


CALL = "c()._make_api_call('UpdateTable', {})"


@pytest.mark.parametrize(
    ("tables", "streams"),
    [
        ("http://127.0.0.1:4566", "http://127.0.0.1:4566"),
        ("https://dynamodb.us-east-1.amazonaws.com", "https://streams.dynamodb.us-east-1.amazonaws.com"),
    ],
)
def test_streams_are_read_where_the_tables_are_or_where_aws_has_them(tables: str, streams: str) -> None:
    with served_by(tables):
        assert following.streams_client().meta.endpoint_url == streams


class Shards:
    """A stream whose shard was split: it is closed, and two children go on."""

    def __init__(self) -> None:
        self.parts: dict[str, list[list[str]]] = {"parent": [["1"], ["2"]], "left": [["3"]], "right": [["4"]]}
        self.closed = {"parent"}
        self.lost, self.night = "", 0
        self.exceptions = Expired

    def describe_stream(self, StreamArn: str, ExclusiveStartShardId: str = "") -> Any:  # noqa: N803
        parent = {"ParentShardId": "parent"}
        shards = [{"ShardId": "parent"}, {"ShardId": "left"} | parent, {"ShardId": "right"} | parent]
        if not ExclusiveStartShardId:
            return {"StreamDescription": {"Shards": shards[:2], "LastEvaluatedShardId": "left"}}
        return {"StreamDescription": {"Shards": shards[2:]}}

    def get_shard_iterator(self, **where: str) -> Any:
        shard, number = where["ShardId"], where.get("SequenceNumber", "")
        if number and number <= self.lost:
            raise self.exceptions.TrimmedDataAccessException
        places = {number: place for place, part in enumerate(self.parts[shard], start=1) for number in part}
        start = len(self.parts[shard]) if where["ShardIteratorType"] == following.LATEST else places.get(number, 0)
        return {"ShardIterator": f"{shard} {start} {self.night}"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803
        shard, place, night = ShardIterator.split()
        if int(night) < self.night:
            raise self.exceptions.ExpiredIteratorException
        parts = self.parts[shard][int(place) :][:1]
        numbers = [number for part in parts for number in part]
        records = [{"dynamodb": {"SequenceNumber": one, "ApproximateCreationDateTime": MOMENT}} for one in numbers]
        more = {"NextShardIterator": f"{shard} {int(place) + len(parts)} {night}"}
        return {"Records": records} | (more if parts or shard not in self.closed else {})


MOMENT = datetime(2083, 4, 1)


class Expired:
    """The errors of a client of the streams."""

    class ExpiredIteratorException(Exception):
        pass

    class TrimmedDataAccessException(Exception):
        pass


@pytest.fixture
def shards(monkeypatch: pytest.MonkeyPatch) -> Shards:
    shards = Shards()
    monkeypatch.setattr(following, "streams_client", lambda: shards)
    return shards


def numbers(reader: Following) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in reader.new_records()]


def test_children_of_a_shard_are_read_after_it(shards: Shards) -> None:
    reader = Following(since=following.OLDEST)
    assert numbers(reader) == ["1", "2"]
    assert sorted(numbers(reader)) == ["3", "4"]
    shards.parts["left"].append(["5"])
    assert numbers(reader) == ["5"]


def test_an_outage_loses_no_record_that_was_read_before_it(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Following(since=following.OLDEST)
    real, calls = shards.get_records, itertools.count()

    def sometimes(**call: str) -> Any:
        if next(calls) == 1:
            raise ConnectionError
        return real(**call)

    monkeypatch.setattr(shards, "get_records", sometimes)
    with pytest.raises(ConnectionError):
        reader.new_records()
    assert numbers(reader) == ["1", "2"]


@pytest.mark.parametrize(("lost", "left"), [("", ["6"]), ("5", ["3", "5", "6"])])
def test_after_a_night_reading_goes_on_where_it_ended_or_where_the_stream_begins(
    shards: Shards, lost: str, left: list[str]
) -> None:
    reader = Following(since=following.OLDEST)
    assert [*numbers(reader), *numbers(reader)] == ["1", "2", "3", "4"]
    shards.parts["left"].append(["5"])
    assert numbers(reader) == ["5"]
    shards.night, shards.lost = 1, lost
    shards.parts["left"].append(["6"])
    assert [*numbers(reader), *numbers(reader)] == left + (["4"] if lost else [])


def test_who_begins_now_reads_nothing_of_before(shards: Shards) -> None:
    reader = Following()
    assert numbers(reader) == []
    shards.parts["right"].append(["6"])
    assert numbers(reader) == ["6"]
