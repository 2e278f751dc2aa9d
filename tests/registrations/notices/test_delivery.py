"""Executing the tasks of the queue: each by itself, after growing waits, or dead-lettered."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from django.conf import settings as configured
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.exceptions import GetError
from pytest_django.fixtures import Settings

from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable
from registrations.notices import attempts, aws, bus, outlets, queue
from registrations.notices.mail import delivery as mail
from registrations.notices.mail import ses as sending
from registrations.notices.mail.sent_markers import MailMarker
from registrations.notices.queue import PermanentFailure, RetryLater, Task
from tests.api import Api
from tests.children import SECONDS
from tests.registrations.notices import streaming as stream
from tests.registrations.notices.carrying import Carried
from tests.registrations.notices.cloud import SENDER, Cloud, stage
from tests.registrations.notices.receiving import Receiver, receiving
from users.models import User

NOTICE = {"specversion": "1.0", "id": "party.i1.2.promoted", "source": "/events/party", "type": "registration.promoted"}
REFUSED = ClientError({"Error": {"Code": "MessageRejected"}}, "SendEmail")
LAMBDA = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)


@pytest.fixture
def cloud(engine: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return stage(engine, settings, monkeypatch)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as server:
        settings.WEBHOOKS, settings.WEBHOOK_SECRETS = [server.url], [b"s" * 32]
        yield server


@pytest.fixture
def promoted(api: Api) -> str:
    """An event whose second guest moved up."""
    for name in ("alice", "bob"):
        api.post("/users", {"userId": name, "name": name.title(), "email": f"{name}@example.com"})
    event = api.event(eventId="party", capacity=1)
    api.register(event, "alice")
    api.register(event, "bob")
    api.leave(event, "alice")
    return event


def deliver(records: list[dict[str, Any]]) -> list[str]:
    """Return the messages of a batch that come back. The rest leaves the queue, as on Lambda."""
    back = [one["itemIdentifier"] for one in attempts.deliver({"Records": records}, LAMBDA)["batchItemFailures"]]
    for record in records:
        if record["messageId"] not in back:
            aws.client("sqs").delete_message(
                QueueUrl=configured.NOTICE_QUEUE_URL, ReceiptHandle=record["receiptHandle"]
            )
    return back


def test_everything_arrives_everywhere(promoted: str, cloud: Cloud, receiver: Receiver) -> None:
    notices = stream.reported()
    outlets.publish(notices)
    records = cloud.receive()
    assert len(records) == 8, "five posts, and mails about a seat, a place in the queue, and moving up"
    assert deliver(records) == []
    assert cloud.receive() == []
    ids = sorted(notice["id"] for notice in notices)
    assert sorted(json.loads(post.body)["id"] for post in receiver.posts) == ids
    on_the_bus = cloud.reported()
    assert sorted(one["detail"]["id"] for one in on_the_bus) == ids
    assert {(one["source"], one["detail-type"] == one["detail"]["type"]) for one in on_the_bus} == {("eventsite", True)}
    (sent,) = cloud.mails()  # Alice has left, and Bob waits no more
    assert (sent["Source"], sent["To"], sent["Subject"]) == (
        SENDER,
        ["bob@example.com"],
        "You have a seat: Spring party",
    )


def test_one_that_is_down_neither_holds_up_nor_repeats_the_others(
    promoted: str, cloud: Cloud, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(bus, "_put", lambda notices: notices)
    settings.WEBHOOKS = [receiver.url, "http://127.0.0.1:1/"]
    outlets.publish(stream.reported())
    back: list[str] = []
    while records := cloud.receive():
        back += deliver(records)
    assert len(back) == 10, "five posts to the webhook that is down, and five to the bus"
    assert len(receiver.posts) == 5
    assert len(cloud.mails()) == 1
    assert cloud.dead_lettered() == []


def test_a_postponed_task_comes_back_after_its_wait_and_nonsense_never(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "put", lambda notices: notices)
    postponed: list[float] = []
    monkeypatch.setattr(queue, "postpone", lambda _, seconds: postponed.append(seconds))
    bodies = [Task("bus", NOTICE).body, "nonsense", '{"outlet": "pigeon", "notice": {}}']
    queue.send_bodies(bodies)
    records = cloud.receive()
    assert deliver(records) == [record["messageId"] for record in records if "bus" in record["body"]]
    assert len(postponed) == 1 and 5 <= postponed[0] <= 5.5
    assert sorted(cloud.dead_lettered()) == [("nonsense", "JSONDecodeError"), (bodies[2], "KeyError")]


def test_a_wait_is_kept_by_the_queue(cloud: Cloud) -> None:
    queue.send_bodies(["one"])
    (record,) = cloud.receive()
    queue.postpone(record["receiptHandle"], 0)
    (record,) = cloud.receive()
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    queue.postpone(record["receiptHandle"], 60.7)
    assert cloud.receive() == []


def test_who_hangs_holds_up_nobody(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(task: Task) -> list[Task]:
        over.wait(SECONDS)
        return []

    monkeypatch.setitem(attempts.CARRIERS, "bus", hang)
    monkeypatch.setitem(attempts.CARRIERS, "mail", lambda _: [])
    queue.send([Task("bus", {"id": "1"}), Task("mail", {"id": "2"})])
    records = cloud.receive()
    soon = SimpleNamespace(get_remaining_time_in_millis=lambda: 8_000)
    try:
        back = attempts.deliver({"Records": records}, soon)["batchItemFailures"]
    finally:
        over.set()
    assert [one["itemIdentifier"] for one in back] == [one["messageId"] for one in records if "bus" in one["body"]]


def test_what_was_tried_for_a_day_is_laid_aside(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: Task) -> list[Task]:
        raise RetryLater("the other side is down")

    monkeypatch.setitem(attempts.CARRIERS, "bus", fail)
    body = Task("bus", {"id": "1"}).body
    waits = [attempts.attempt(body, number) for number in range(1, attempts.ATTEMPTS + 1)]
    assert waits[-1] is None and None not in waits[:-1]
    assert cloud.dead_lettered() == [(body, "the other side is down")]


def test_a_permanent_failure_is_dead_lettered_at_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(task: Task) -> list[Task]:
        raise PermanentFailure("410")

    monkeypatch.setitem(attempts.CARRIERS, "bus", refuse)
    assert attempts.attempt(Task("bus", NOTICE).body, 1) is None
    assert [reason for _, reason in cloud.dead_lettered()] == ["410"]


def test_what_cannot_even_be_laid_aside_comes_back(settings: Settings, cloud: Cloud) -> None:
    settings.NOTICE_DEAD_LETTER_URL = f"{cloud.dead}-gone"
    assert attempts.attempt("nonsense", 20) is not None


@pytest.mark.parametrize("error", [Unavailable(), GetError(), ConnectionResetError(), REFUSED], ids=repr)
def test_an_outage_is_waited_out(carried: Carried, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def out(task: Task) -> list[Task]:
        raise error

    monkeypatch.setitem(attempts.CARRIERS, "mail", out)
    assert attempts.attempt(Task("mail", NOTICE).body, 1) is not None


def test_the_waits_grow_over_a_day_and_are_none_that_the_queue_cannot_keep() -> None:
    assert list(attempts.WAITS) == sorted(attempts.WAITS)
    assert 24 * 3600 < sum(attempts.WAITS) < 2 * 24 * 3600
    assert all(after > before * (1 + attempts.JITTER) for before, after in pairwise(attempts.WAITS))


@given(number=st.integers(1, 100), asked=st.floats(0, 10**9))
def test_each_wait_is_longer_than_the_one_before_and_at_least_what_was_asked_for(number: int, asked: float) -> None:
    seconds = attempts.wait_after(number, asked)
    assert min(asked, attempts.LONGEST) <= seconds <= attempts.LONGEST
    assert seconds >= attempts.WAITS[min(number, len(attempts.WAITS)) - 1]
    if number < len(attempts.WAITS):
        assert attempts.wait_after(number) < attempts.wait_after(number + 1)


def test_when_the_queue_is_down_nothing_is_delivered_and_all_comes_again(
    promoted: str, cloud: Cloud, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    settings.NOTICE_QUEUE_URL = f"{cloud.queue}-gone"
    with pytest.raises(Unavailable):
        outlets.publish(stream.reported())
    assert cloud.reported() == []


def test_what_a_batch_did_not_take_is_sent_again(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.LOCAL, settings.NOTICE_QUEUE_URL = False, "https://queue"
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    taken: list[str] = []

    class Reluctant:
        """A queue that takes one message of each call."""

        def send_message_batch(self, **call: Any) -> Any:
            first, *others = call["Entries"]
            taken.append(first["MessageBody"])
            return {"Failed": [{"Id": entry["Id"]} for entry in others]}

    monkeypatch.setattr(aws, "client", lambda _: Reluctant())
    queue.send_bodies(["a", "b", "c"])
    assert taken == ["a", "b", "c"]
    with pytest.raises(Unavailable):
        queue.send_bodies(["a", "b", "c", "d"])


@given(sizes=st.lists(st.integers(1, 200_000), max_size=60))
def test_batches_fit_into_a_call_and_lose_nothing(sizes: list[int]) -> None:
    bodies = ["x" * size for size in sizes]
    batches = list(queue.in_batches(bodies))
    assert [body for batch in batches for body in batch] == bodies
    assert all(len(batch) <= 10 and sum(map(len, batch)) <= 256_000 for batch in batches)


@pytest.mark.parametrize("refused", [set(), set(range(0, 100, 9))], ids=["willing", "throttled"])
def test_the_bus_gets_the_notices_of_a_person_in_order_and_refused_ones_again(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, refused: set[int]
) -> None:
    settings.NOTICE_BUS = "told"
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    put: list[int] = []

    class Bus:
        """One that refuses some when they come first."""

        def put_events(self, **call: Any) -> Any:
            return {"Entries": [self._put(json.loads(entry["Detail"])["n"]) for entry in call["Entries"]]}

        def _put(self, number: int) -> dict[str, str]:
            if number in refused:
                refused.remove(number)
                return {"ErrorCode": "ThrottlingException"}
            put.append(number)
            return {}

    monkeypatch.setattr(aws, "client", lambda _: Bus())
    throttled = bool(refused)
    notices = [
        {"source": "/events/e", "subject": f"u{n % 7}", "n": n, "type": "t", "time": "2026-01-01T00:00:00Z"}
        for n in range(100)
    ]
    assert bus.put(notices) == []
    assert sorted(put) == list(range(100))
    for subject in range(7):
        about_one = [n for n in put if n % 7 == subject]
        assert throttled or about_one == sorted(about_one)


def test_once_the_bus_is_down_the_rest_is_not_even_tried(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.NOTICE_BUS = "told"
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    calls: list[int] = []

    class Down:
        def put_events(self, **call: Any) -> Any:
            calls.append(len(call["Entries"]))
            raise EndpointConnectionError(endpoint_url="https://events")

    monkeypatch.setattr(aws, "client", lambda _: Down())
    notices = [{"source": "/events/e", "type": "t", "time": "2026-01-01T00:00:00Z", "n": n} for n in range(95)]
    assert bus.put(notices) == notices
    assert calls == [10] * aws.TRIES


# Mails: at most once


THROTTLED = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "SendEmail")
UNREACHED = ConnectTimeoutError(endpoint_url="https://email")
UNANSWERED = ReadTimeoutError(endpoint_url="https://email")


class Killed(BaseException):
    """The Lambda ended."""


class Ses:
    """SES with chosen answers: what it returns, and whether it sent the mail before."""

    def __init__(self, fates: list[tuple[bool, BaseException | None]]) -> None:
        self.fates = fates
        self.sent = 0

    def send_email(self, **_: Any) -> None:
        is_sent, error = self.fates.pop(0) if self.fates else (True, None)
        self.sent += is_sent
        if error:
            raise error


FATES = st.sampled_from(
    [
        (True, None), (False, REFUSED), (False, THROTTLED), (False, UNREACHED),
        (False, UNANSWERED), (True, UNANSWERED), (False, Killed()), (True, Killed()),
    ]
)  # fmt: skip


@pytest.fixture
def notice(promoted: str) -> dict[str, Any]:
    """That Bob moved up."""
    return next(reported for reported in stream.reported() if reported["type"] == "registration.promoted")


@given(fates=st.lists(FATES, max_size=5), pauses=st.lists(st.integers(0, 300), min_size=7, max_size=7))
def test_a_person_is_mailed_at_most_once_and_once_if_ses_answers(
    notice: dict[str, Any], fates: list[Any], pauses: list[int]
) -> None:
    ses, in_doubt = Ses(list(fates)), any(isinstance(error, Killed) or error is UNANSWERED for _, error in fates)
    change = f"{notice['id']}.{time.monotonic_ns()}"  # a new change: the tables are shared by all examples
    now = time.time()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(configured, "LOCAL", False)
        patched.setattr(aws, "client", lambda _: ses)
        patched.setattr(sending, "TURN_SECONDS", 0)
        for pause in pauses:
            now += pause
            patched.setattr(time, "time", lambda now=now: now)
            try:
                mail.deliver(Task("mail", notice | {"id": change}))
            except (RetryLater, Killed):
                continue
    assert ses.sent <= 1
    if not in_doubt:
        assert ses.sent == 1
    assert ses.sent or in_doubt


def test_when_ses_takes_no_more_each_waits_for_its_turn(
    notice: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    ses = Ses([(False, THROTTLED)] * 5)
    settings.LOCAL = False
    monkeypatch.setattr(sending, "TURN_SECONDS", 0)
    monkeypatch.setattr(aws, "client", lambda _: ses)
    assert mail.deliver(Task("mail", notice)) == []
    assert ses.sent == 1


def test_nobody_waits_for_a_turn_beyond_the_time_that_is_left(
    notice: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    ses = Ses([(False, THROTTLED)] * 5)
    settings.LOCAL = False
    monkeypatch.setattr(aws, "client", lambda _: ses)
    with time_limit(sending.ONE_SECONDS + 1), pytest.raises(RetryLater):
        mail.deliver(Task("mail", notice))
    assert len(ses.fates) == 4


@pytest.mark.parametrize(("fate", "again"), [(REFUSED, True), (UNREACHED, True), (UNANSWERED, False)], ids=str)
def test_a_mail_that_was_not_taken_is_tried_again(
    notice: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Settings, fate: BaseException, again: bool
) -> None:
    ses = Ses([(False, fate)])
    settings.LOCAL = False
    monkeypatch.setattr(aws, "client", lambda _: ses)
    if again:
        with pytest.raises(RetryLater):
            mail.deliver(Task("mail", notice))
    assert mail.deliver(Task("mail", notice)) == []
    assert ses.sent == again


def test_the_marker_of_a_mail_that_was_not_taken_is_left_to_dynamodb(
    notice: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """DynamoDB removes no item that expired more than five years ago."""
    settings.LOCAL = False
    monkeypatch.setattr(aws, "client", lambda _: Ses([(False, REFUSED)]))
    with pytest.raises(RetryLater):
        mail.deliver(Task("mail", notice))
    (marker,) = [item for item in MailMarker.scan() if item.item == MailMarker.ITEM]
    assert time.time() - 60 < marker.expires_at <= time.time()


def test_one_who_cannot_be_mailed_does_not_hold_up_a_page(
    notice: dict[str, Any], api: Api, promoted: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    api.register(promoted, "alice")
    api.patch(f"/events/{promoted}", {"location": "Hall"})
    moved = stream.reported()[-1]
    ses = Ses([(False, REFUSED)])
    settings.LOCAL = False
    monkeypatch.setattr(aws, "client", lambda _: ses)
    (page,) = mail.deliver(Task("mail", moved))
    assert page.people == ("bob", "alice")
    assert mail.deliver(page) == [Task("mail", moved, people=("bob",))]
    assert ses.sent == 1


def test_one_whose_mail_cannot_even_be_written_does_not_hold_up_a_page(
    notice: dict[str, Any], api: Api, promoted: str, carried: Carried
) -> None:
    User("bob").update([User.email.set("not an address")])
    api.register(promoted, "alice")
    api.patch(f"/events/{promoted}", {"location": "Hall"})
    (mailed,) = carried.publish(stream.reported()[-1:])
    assert mailed["To"] == "Alice <alice@example.com>"
    assert carried.bodies == [], "it was laid aside"


def test_who_there_is_no_time_for_is_mailed_next_time(
    notice: dict[str, Any], api: Api, promoted: str, carried: Carried
) -> None:
    api.register(promoted, "alice")
    api.patch(f"/events/{promoted}", {"location": "Hall"})
    page = Task("mail", stream.reported()[-1], people=("bob", "alice"))
    for task in (page, Task("mail", notice)):
        with time_limit(sending.ONE_SECONDS - 1), pytest.raises(RetryLater):
            mail.deliver(task)
    assert carried.new_mails() == []
    assert mail.deliver(page) == []
    assert len(carried.new_mails()) == 2


def test_nobodys_seat_is_affected(promoted: str, cloud: Cloud, settings: Settings, api: Api) -> None:
    settings.NOTICE_BUS, settings.WEBHOOKS, settings.WEBHOOK_SECRETS = "gone", ["http://127.0.0.1:1/"], [b"s" * 32]
    settings.MAIL_FROM = "unverified@example.org"
    outlets.publish(stream.reported())
    before = api.get(f"/events/{promoted}/registrations").json()
    deliver(cloud.receive())
    assert api.get(f"/events/{promoted}/registrations").json() == before


def test_what_becomes_of_notices_is_counted(
    promoted: str, cloud: Cloud, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: Counter[str] = Counter()
    monkeypatch.setattr("eventsite.web.observability.count", lambda metric, value=1: counted.update({metric: value}))
    monkeypatch.setattr(aws, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(bus, "_put", lambda notices: notices)
    receiver.answers = [(500, {}), (410, {}), (204, {})]
    outlets.publish(stream.reported())
    assert counted == {"BusFailed": 5}
    while records := cloud.receive():
        deliver(records)
    assert counted == {
        "BusFailed": 10, "WebhooksSent": 3, "WebhooksFailed": 2, "NoticesGivenUp": 1, "MailsSent": 1,
    }  # fmt: skip


def test_the_queue_of_a_local_run_executes_due_tasks_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done, tried = threading.Event(), []

    def attempt(body: str, number: int) -> float | None:
        tried.append((body, number))
        if len(tried) == 4:
            done.set()
        return 0.01 if (body, number) == ("a", 1) else None

    local = queue.LocalQueue()
    threading.Thread(target=local.execute, args=(attempt,), daemon=True).start()
    local.put(["a", "b"])
    local.put(["c"], seconds=0.05)
    assert done.wait(SECONDS)
    assert tried[0] == ("a", 1) and sorted(tried) == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
