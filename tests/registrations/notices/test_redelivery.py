"""Dead letters that an operator put back: records are delivered again, and lost ones stay."""

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from eventsite.errors import Unavailable
from registrations.notices import attempts, aws, outlets, queue
from registrations.notices.occasions import Notice
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord
from registrations.notices.stream.following import Following
from tests.api import Api
from tests.registrations.notices.streaming import everything, reported


@pytest.fixture
def outlet(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of what was published."""
    published: list[str] = []

    def publish(notices: Sequence[Notice]) -> None:
        published.extend(notice["id"] for notice in notices)

    monkeypatch.setattr(outlets, "publish", publish)
    return published


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the letters of that queue."""
    dead_lettered: list[tuple[str, str]] = []
    monkeypatch.setattr(queue, "dead_letter", lambda body, reason: dead_lettered.append((body, reason)))
    return dead_lettered


@pytest.fixture
def records(api: Api) -> list[StreamRecord]:
    """What a small story left in the stream."""
    event = api.event(capacity=1)
    for user in api.users(3):
        api.register(event, user)
    return everything()


@pytest.fixture
def streams(engine: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The client that reads the suite's stream."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", engine)
    client = Following().client
    monkeypatch.setattr(aws, "client", lambda *_, **__: client)
    return client


def attempt(body: str) -> float | None:
    """Deliver a message for the first time. Returns: in how many seconds it is due again, None where it is over."""
    return attempts.attempt(body, 1)


def note(streams: Any, records: list[StreamRecord], **other: str) -> str:
    """Return Lambda's note about records that failed for too long."""
    arn = Following().arn
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    first, last = (records[place]["dynamodb"]["SequenceNumber"] for place in (0, -1))
    where = {"streamArn": arn, "shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last}
    return json.dumps({"requestContext": {}, "DDBStreamBatchInfo": where | other})


def test_a_poisoned_record_is_delivered_when_it_can_be(records: list[StreamRecord], outlet: list[str]) -> None:
    for record in records:
        assert attempt(stream.message_of(record, ValueError())) is None
    assert outlet == [notice["id"] for notice in reported(records)]


def test_a_record_whose_images_are_gone_stays_set_aside(
    records: list[StreamRecord], outlet: list[str], dead: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_BYTES", 10)
    body = stream.message_of(records[0], ValueError())
    assert attempt(body) is None
    assert (dead, outlet) == ([(body, "its images were too large to be kept")], [])


def test_an_outage_is_waited_out(records: list[StreamRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(_: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(outlets, "publish", publish)
    assert attempt(stream.message_of(records[0], ValueError()))


@pytest.mark.parametrize(("first", "last"), [(0, None), (1, 3), (2, 3)])
def test_records_that_lambda_gave_up_are_fetched_from_the_stream_and_delivered(
    records: list[StreamRecord], streams: Any, outlet: list[str], first: int, last: int | None
) -> None:
    some = records[first:last]
    assert attempt(note(streams, some)) is None
    assert outlet == [notice["id"] for notice in reported(some)]


def failing(code: str) -> Callable[..., Any]:
    def fail(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "GetShardIterator")

    return fail


def out_of_reach(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="https://streams.dynamodb.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(
    ("answer", "is_lost"),
    [
        (failing("TrimmedDataAccessException"), True),
        (failing("ResourceNotFoundException"), True),
        (failing("InternalServerError"), False),
        (out_of_reach, False),
    ],
    ids=["too late", "no stream", "an error of AWS's", "no network"],
)
def test_what_the_stream_has_no_more_is_hopeless_and_an_outage_is_not(
    records: list[StreamRecord],
    streams: Any,
    dead: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
    is_lost: bool,
) -> None:
    body = note(streams, records)
    monkeypatch.setattr(streams, "get_shard_iterator", answer)
    assert (attempt(body) is None) == is_lost
    assert dead == ([(body, "the stream does not have it any more")] if is_lost else [])


def test_a_stream_that_shows_only_some_is_asked_again(
    records: list[StreamRecord], streams: Any, outlet: list[str], dead: list[tuple[str, str]]
) -> None:
    body = note(streams, records, endSequenceNumber=str(10**39))
    assert attempt(body)
    assert attempts.attempt(body, attempts.ATTEMPTS) is None
    assert (outlet, dead) == ([], [(body, "the stream does not show all of it")])


def test_a_batch_of_the_queue_may_hold_both(records: list[StreamRecord], outlet: list[str]) -> None:
    bodies = [
        stream.message_of(records[0], ValueError()),
        '{"outlet": "webhook", "notice": {}, "to": "one that is gone"}',
    ]
    batch = [
        {"messageId": str(place), "receiptHandle": "", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
        for place, body in enumerate(bodies)
    ]
    lambda_ = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
    assert attempts.deliver({"Records": batch}, lambda_) == {"batchItemFailures": []}
    assert outlet == [notice["id"] for notice in reported(records[:1])]
