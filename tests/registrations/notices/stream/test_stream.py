"""A batch of the stream on its way to the outlets: order, outages and poisoned records."""

import json
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.test import override_settings

from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import Unavailable
from registrations.notices import aws, outlets
from registrations.notices.occasions import Notice
from registrations.notices.stream import changes
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord
from tests.api import Api
from tests.registrations.notices.streaming import everything, in_words, reported

LAMBDA = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)


class Outlet:
    """Takes notices, until it is made to fail."""

    def __init__(self) -> None:
        self.taken: list[Notice] = []
        self.fails: Callable[[Sequence[Notice]], BaseException | None] = lambda _: None

    def __call__(self, notices: Sequence[Notice]) -> None:
        if error := self.fails(notices):
            raise error
        self.taken.extend(notices)

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.taken]


@pytest.fixture
def outlet(monkeypatch: pytest.MonkeyPatch) -> Outlet:
    outlet = Outlet()
    monkeypatch.setattr(outlets, "publish", outlet)
    return outlet


@pytest.fixture
def batch(api: Api) -> list[StreamRecord]:
    """What a small story left in the stream."""
    event = api.event(capacity=1)
    users = api.users(4)
    for user in users:
        api.register(event, user)
    for user in users:
        api.leave(event, user)
    return everything()


def at(batch: list[StreamRecord]) -> int:
    """The index of a record of the seats amid the others."""
    return [number for number, record in enumerate(batch) if record["dynamodb"]["Keys"]["item"] == {"S": "seats"}][2]


def follow(records: list[StreamRecord]) -> list[StreamRecord]:
    """Deliver a batch as Lambda does. Returns: what must come again."""
    answer = stream.follow({"Records": json.loads(json.dumps(records))}, LAMBDA)
    failed = [one["itemIdentifier"] for one in answer["batchItemFailures"]]
    places = [place for place, record in enumerate(records) if record["dynamodb"]["SequenceNumber"] in failed]
    assert len(places) == len(failed)
    return records[places[0] :] if places else []


def test_a_batch_is_delivered_in_its_order(batch: list[StreamRecord], outlet: Outlet) -> None:
    assert follow(batch) == []
    assert outlet.ids == [one["id"] for one in reported(batch)]


def test_a_replay_has_the_same_notices_under_the_same_ids(batch: list[StreamRecord], outlet: Outlet) -> None:
    follow(batch)
    first = outlet.ids
    follow(batch)
    assert outlet.ids == first + first


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_batch_has_the_same_notices_however_it_is_split(batch: list[StreamRecord], outlet: Outlet, size: int) -> None:
    for start in range(0, len(batch), size):
        assert follow(batch[start : start + size]) == []
    assert outlet.ids == [one["id"] for one in reported(batch)]


@pytest.mark.parametrize("error", [Unavailable(), ConnectionError()])
def test_what_an_outage_kept_back_comes_again_and_nothing_else(
    batch: list[StreamRecord], outlet: Outlet, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(stream, "GROUP", 2)
    outlet.fails = lambda _: error if len(outlet.taken) >= 4 else None
    rest = follow(batch)
    assert 0 < len(rest) < len(batch)
    outlet.fails = lambda _: None
    assert follow(rest) == []
    assert outlet.ids == [one["id"] for one in reported(batch)]


def test_when_tickets_cannot_be_looked_up_earlier_notices_are_delivered(
    batch: list[StreamRecord], outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = changes.read

    def sometimes(record: StreamRecord) -> changes.Change:
        if record is third:
            raise Unavailable
        return real(record)

    third = batch[3]
    monkeypatch.setattr(changes, "read", sometimes)
    assert stream.publish_records(batch, outlet) is third
    assert outlet.ids == [one["id"] for one in reported(batch[:3])]


NONSENSE: list[dict[str, Any]] = [
    {"records": {"M": {"x~y": {"S": "nonsense"}}}},
    {"capacity": {"S": "many"}},
    {"capacity": {"N": "many"}},
    {"registered": {"L": []}},
]
"""Attributes of the seats that cannot be read: of another type than the model's, or not as our code writes them."""


def spoiled(record: StreamRecord, nonsense: dict[str, Any] = NONSENSE[0]) -> StreamRecord:
    """A record that nobody can make sense of."""
    poisoned: StreamRecord = json.loads(json.dumps(record))
    poisoned["dynamodb"]["NewImage"] |= nonsense
    return poisoned


@pytest.fixture
def dead_letters(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Any]]]:
    """Yield a function that returns the letters of a dead-letter queue."""
    keys: Any = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    sqs = boto3.client("sqs", endpoint_url=engine, **keys)
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    monkeypatch.setattr(aws, "client", lambda _: sqs)

    def read() -> list[Any]:
        reported = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(one["Body"]) for one in reported.get("Messages", [])]

    with override_settings(NOTICE_DEAD_LETTER_URL=url, LOCAL=False):
        yield read
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_a_poisoned_record_is_dead_lettered_and_the_rest_goes_on(
    batch: list[StreamRecord],
    outlet: Outlet,
    dead_letters: Callable[[], list[Any]],
    counted: dict[str, float],
    nonsense: dict[str, Any],
) -> None:
    number = at(batch)
    poisoned = spoiled(batch[number], nonsense)
    assert follow([*batch[:number], poisoned, *batch[number + 1 :]]) == []
    assert outlet.ids == [one["id"] for one in reported([*batch[:number], *batch[number + 1 :]])]
    (letter,) = dead_letters()
    assert letter["record"]["dynamodb"]["SequenceNumber"] == poisoned["dynamodb"]["SequenceNumber"]
    assert counted["NoticesPoisoned"] == 1 and counted["Notices"] == len(outlet.taken)


@pytest.mark.parametrize("reason", [ValueError(), UnreadableItem("an item")], ids=repr)
def test_a_notice_that_no_outlet_can_take_is_dead_lettered_alone(
    batch: list[StreamRecord], outlet: Outlet, dead_letters: Callable[[], list[Any]], reason: Exception
) -> None:
    bad = reported(batch)[2]["id"]
    outlet.fails = lambda notices: reason if bad in [one["id"] for one in notices] else None
    assert follow(batch) == []
    assert outlet.ids == [one["id"] for one in reported(batch) if one["id"] != bad]
    assert len(dead_letters()) == 1


def test_a_poisoned_record_that_cannot_be_dead_lettered_comes_again(
    batch: list[StreamRecord], outlet: Outlet, dead_letters: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(service: str) -> Any:
        raise ConnectionError

    monkeypatch.setattr(aws, "client", refuses)
    number = at(batch)
    records = [*batch[:number], spoiled(batch[number]), *batch[number + 1 :]]
    assert follow(records) == records[number:]
    assert outlet.ids == [one["id"] for one in reported(batch[:number])]


def test_a_large_poisoned_record_is_dead_lettered_without_its_images(
    batch: list[StreamRecord], outlet: Outlet, dead_letters: Callable[[], list[Any]]
) -> None:
    poisoned = spoiled(batch[at(batch)])
    poisoned["dynamodb"]["NewImage"]["filler"] = {"S": "x" * 300_000}
    assert follow([poisoned]) == []
    (letter,) = dead_letters()
    assert "NewImage" not in letter["record"]["dynamodb"] and letter["record"]["dynamodb"]["Keys"]


def test_what_the_lambdas_time_does_not_suffice_for_comes_again(
    batch: list[StreamRecord], outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "GROUP", 3)
    left = iter([30.0, 30.0, 1.0])
    monkeypatch.setattr(stream, "time_left", lambda: next(left))
    rest = stream.publish_records(batch, outlet)
    assert rest is not None and len(outlet.taken) >= 6
    left_over = reported(batch[batch.index(rest) :])
    assert outlet.ids + [one["id"] for one in left_over] == [one["id"] for one in reported(batch)]


@pytest.fixture
def crowd(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[StreamRecord]:
    """One person leaves, then nine move up in one write, three of them in one part."""
    monkeypatch.setattr(changes, "PART", 3)
    event, (first, *others) = api.event(capacity=1), api.users(10)
    for user in (first, *others):
        api.register(event, user)
    api.leave(event, others[4])
    api.patch(f"/events/{event}", {"capacity": 10})
    api.leave(event, first)
    return everything()


def no_longer(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Set the remaining time of the Lambda at each look. After the last one it is unlimited."""
    left = iter(seconds)
    monkeypatch.setattr(stream, "time_left", lambda: next(left, 30.0))


def test_very_many_promotions_are_delivered_in_parts_from_where_the_time_ran_out(
    crowd: list[StreamRecord], outlet: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_longer(monkeypatch, 30.0, 30.0, 1.0)
    rest = follow(crowd)
    assert rest and [one["type"] for one in outlet.taken[-4:]] == ["event.changed", *["registration.promoted"] * 3]
    no_longer(monkeypatch, 30.0, 1.0)
    assert follow(rest) == rest
    assert follow(rest) == []
    assert outlet.ids == [one["id"] for one in reported(crowd)]
    sequences = [str(one["sequence"]) for one in outlet.taken]
    assert sequences == sorted(sequences)
    before = len(outlet.taken)
    assert follow(rest) == []
    assert outlet.ids[before:] == [one["id"] for one in reported(rest)], "a batch that is repeated is repeated whole"


def test_an_outage_in_the_midst_of_a_crowd_repeats_no_more_than_a_part(
    crowd: list[StreamRecord], outlet: Outlet
) -> None:
    whole = reported(crowd)
    outlet.fails = lambda _: ConnectionError() if len(outlet.taken) > len(whole) // 2 else None
    rest = follow(crowd)
    outlet.fails = lambda _: None
    assert rest and follow(rest) == []
    assert outlet.ids == [one["id"] for one in whole]


def test_promotions_that_no_outlet_can_take_are_dead_lettered_once(
    crowd: list[StreamRecord], outlet: Outlet, dead_letters: Callable[[], list[Any]]
) -> None:
    outlet.fails = lambda notices: ValueError() if "registration.promoted" in [n["type"] for n in notices] else None
    assert follow(crowd) == []
    assert len(dead_letters()) == 1
    assert outlet.taken[-1]["type"] == "registration.cancelled"


def test_the_age_of_the_oldest_change_is_measured(
    batch: list[StreamRecord], outlet: Outlet, counted: dict[str, float]
) -> None:
    batch[0]["dynamodb"]["ApproximateCreationDateTime"] -= 3600
    follow(batch)
    assert 3600 <= counted["NoticeAgeSeconds"] < 3700


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What was counted, as on Lambda."""
    sums: dict[str, float] = {}

    def count(metric: str, value: float = 1, *, unit: str = "Count") -> None:
        sums[metric] = sums.get(metric, 0) + value

    monkeypatch.setattr("eventsite.web.observability.count", count)
    return sums


def test_promotions_are_known_from_the_batch_if_it_holds_them(batch: list[StreamRecord], meter: Any) -> None:
    outlet = Outlet()
    meter.reset()
    stream.publish_records(batch, outlet)
    assert meter.calls == []
    assert "registration.promoted" in {one["type"] for one in outlet.taken}
    assert in_words(outlet.taken) == in_words(reported(batch))


def test_why_notices_wait_is_in_the_log(
    batch: list[StreamRecord], outlet: Outlet, caplog: pytest.LogCaptureFixture
) -> None:
    outlet.fails = lambda _: ClientError({"Error": {"Code": "AccessDenied", "Message": "to alice"}}, "PutEvents")
    assert follow(batch) == batch
    assert "notices wait: ClientError from AccessDenied at " in caplog.text
    assert "alice" not in caplog.text
