"""When the service tries again, for how long, and its answer when it gives up."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.dispatch import Signal

from eventsite.dynamodb import retries, steps
from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.client import Answer
from eventsite.dynamodb.connection import CONNECT_SECONDS, READ_SECONDS
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchWrite, Draw, Steps, retrying, run
from eventsite.errors import Unavailable
from registrations.seating import trim
from tests.api import EVENT, Api, problem
from tests.faults import (
    SECRET,
    Clock,
    Fault,
    Plan,
    Request,
    answered,
    busy,
    cancelled,
    conflict,
    connection_cut,
    counting,
    disturbed,
    failing,
    refused,
    throttled,
)
from users.models import User


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.install(monkeypatch)
    return clock


@pytest.fixture
def count_of() -> Iterator[Callable[[Signal], list[Any]]]:
    """Collects what a signal sends."""
    connected: list[tuple[Signal, Callable[..., None]]] = []

    def count(signal: Signal) -> list[Any]:
        sent: list[Any] = []

        def receive(**more: Any) -> None:
            sent.append(more)

        signal.connect(receive)
        connected.append((signal, receive))
        return sent

    yield count
    for signal, receiver in connected:
        signal.disconnect(receiver)


def at_call(number: int, fault: Fault) -> Plan:
    return lambda call, _: fault if call == number else None


# How long.


def test_the_last_attempt_is_answered_before_the_gateway_gives_up(settings: Any) -> None:
    gateway_seconds = 29
    assert gateway_seconds - 3 > settings.REQUEST_SECONDS + CONNECT_SECONDS + READ_SECONDS


@pytest.mark.parametrize("fault", [conflict, busy, connection_cut])
def test_no_attempt_starts_after_the_deadline(api: Api, clock: Clock, settings: Any, fault: Fault) -> None:
    starts: list[float] = []

    def noted(request: Request) -> Answer:
        starts.append(clock.monotonic())
        return fault(request)

    with failing(noted, lasting=True):
        assert api.post("/users", {"name": "Ann"}).status_code == 503
    assert settings.REQUEST_SECONDS / 2 < starts[-1] - starts[0] < settings.REQUEST_SECONDS
    assert clock.waited < settings.REQUEST_SECONDS


def test_a_request_of_many_slow_calls_stops_at_the_deadline(api: Api, clock: Clock, settings: Any) -> None:
    def slow(request: Request) -> Answer:
        clock.sleep(4)
        return request.send()

    with failing(slow, lasting=True) as calls:
        assert problem(api.get("/events")) == (503, "service_unavailable")
    assert len(calls.made) == settings.REQUEST_SECONDS / 4


def test_a_limit_within_a_limit_cannot_stretch_it(clock: Clock) -> None:
    with retries.time_limit(1), retries.time_limit(5):
        assert retries.time_left() <= 1
        clock.sleep(1)
        with pytest.raises(Unavailable):
            retries.before_deadline()


def test_attempts_are_bounded_even_where_time_is_not(clock: Clock) -> None:
    attempts: list[None] = []

    def unlucky() -> Steps[None]:
        attempts.append(None)
        yield Draw(2)
        raise Conflict

    with pytest.raises(Unavailable):
        run(retrying(unlucky))
    assert len(attempts) == steps.MOST_ATTEMPTS


def test_calls_are_bounded_even_where_time_is_not(clock: Clock) -> None:
    with failing(connection_cut, lasting=True) as calls, pytest.raises(Unavailable):
        User.find("ann")
    assert len(calls.made) == retries.MOST_ATTEMPTS


# How often.


def test_a_lost_race_that_is_over_is_run_again_at_once_and_then_with_patience(clock: Clock) -> None:
    waits: list[int] = []

    def late() -> Steps[None]:
        waits.append(len(clock.waits))
        yield Draw(2)
        raise Conflict(immediate=True)

    with pytest.raises(Unavailable):
        run(retrying(late))
    at_once = steps.IMMEDIATE_ATTEMPTS
    assert waits[: at_once + 2] == [0] * at_once + [1, 2]


def test_waits_for_other_transactions_double_and_are_spread(api: Api, clock: Clock) -> None:
    first, second, *_ = _waits_of_a_user(api, clock)
    assert steps.FIRST_WAIT / 2 <= first <= steps.FIRST_WAIT * 1.5
    assert steps.FIRST_WAIT <= second <= steps.FIRST_WAIT * 3
    late = [wait for _ in range(5) for wait in _waits_of_a_user(api, clock)[20:]]
    assert steps.LONGEST_WAIT / 2 <= min(late) < steps.LONGEST_WAIT * 0.75
    assert steps.LONGEST_WAIT * 1.25 < max(late) <= steps.LONGEST_WAIT * 1.5


def _waits_of_a_user(api: Api, clock: Clock) -> list[float]:
    """Return the waits of a request whose transaction is always in conflict."""
    clock.waits.clear()
    with failing(conflict, lasting=True):
        api.post("/users", {"name": "Ann"})
    return list(clock.waits)


def test_waits_for_dynamodb_double_and_are_spread(clock: Clock) -> None:
    with failing(connection_cut, lasting=True):
        for _ in range(20):
            with pytest.raises(Unavailable):
                User.find("ann")
    each = retries.MOST_ATTEMPTS - 1
    assert max(clock.waits[::each]) <= retries.FIRST_WAIT < max(clock.waits[1::each])
    late = [wait for number, wait in enumerate(clock.waits) if number % each > each // 2]
    assert min(late) < retries.LONGEST_WAIT / 10
    assert retries.LONGEST_WAIT * 0.9 < max(late) <= retries.LONGEST_WAIT


def test_a_transaction_that_met_a_conflict_is_sent_again_as_it_was(api: Api, clock: Clock) -> None:
    sent: list[Any] = []

    def noted(request: Request) -> Answer:
        sent.append(json.loads(request.body))
        return conflict(request) if len(sent) < 4 else request.send()

    with disturbed(lambda _, operation: noted if operation == "TransactWriteItems" else None) as calls:
        assert api.post("/events", EVENT).status_code == 201
    assert calls.made == ["TransactWriteItems"] * 4
    assert all(body == sent[0] for body in sent)


@pytest.mark.parametrize(
    ("is_calm", "write", "made"),
    [
        (True, 1, ["TransactWriteItems", "UpdateItem", "BatchGetItem", "UpdateItem", "TransactWriteItems"]),
        (False, 2, ["BatchGetItem", "UpdateItem", "UpdateItem", "TransactWriteItems"]),
        (False, 3, ["BatchGetItem", "UpdateItem", "TransactWriteItems", "TransactWriteItems"]),
    ],
    ids=["one transaction for all, then by the queue and the log", "the commit", "the apply"],
)
def test_a_write_of_a_registration_that_met_a_transaction_is_sent_again(
    api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch, is_calm: bool, write: int, made: list[str]
) -> None:
    monkeypatch.setattr(trim, "is_calm", lambda *_: is_calm)
    event, user = api.event(capacity=0), api.user()
    with failing(conflict, at=write) as calls:
        assert api.register(event, user).status_code == 201
    assert calls.made == ["BatchGetItem", *made]


def test_a_throttled_transaction_of_a_registration_is_not_sent_again_but_goes_by_the_queue(
    api: Api, clock: Clock
) -> None:
    event, user = api.event(capacity=1), api.user()
    with failing(throttled, at=1) as calls:
        assert api.register(event, user).status_code == 201
    by_log = ["BatchGetItem", "UpdateItem", "TransactWriteItems"]
    assert calls.made == ["BatchGetItem", "TransactWriteItems", "UpdateItem", *by_log]
    assert not clock.waits


# Metrics.


def test_conflicts_and_missed_deadlines_can_be_counted(
    api: Api, clock: Clock, count_of: Callable[[Signal], list[Any]]
) -> None:
    conflicts, misses = count_of(retries.conflict_retried), count_of(retries.deadline_missed)
    with failing(conflict):
        assert api.post("/users", {"name": "Ann"}).status_code == 201
    assert (len(conflicts), len(misses)) == (1, 0)
    with failing(conflict, lasting=True) as calls:
        assert api.post("/users", {"name": "Ann"}).status_code == 503
    assert (len(conflicts), len(misses)) == (1 + len(calls.made), 1)


def test_the_conflicts_of_a_registration_can_be_counted(
    api: Api, clock: Clock, count_of: Callable[[Signal], list[Any]]
) -> None:
    """If its one transaction is in conflict, it goes on by the log without a wait."""
    event, user = api.event(), api.user()
    conflicts = count_of(retries.conflict_retried)
    with failing(conflict, at=1):
        assert api.register(event, user).status_code == 201
    assert len(conflicts) == 1


def test_throttled_calls_can_be_counted(api: Api, clock: Clock, count_of: Callable[[Signal], list[Any]]) -> None:
    counted = count_of(retries.throttled)
    with failing(busy):
        assert api.post("/users", {"name": "Ann"}).status_code == 201
    assert len(counted) == 1


def test_a_counter_that_fails_harms_nobody(api: Api, clock: Clock) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    retries.conflict_retried.connect(broken)
    try:
        with failing(conflict):
            assert api.post("/users", {"name": "Ann"}).status_code == 201
    finally:
        retries.conflict_retried.disconnect(broken)


# Errors that another attempt cannot mend.

HOPELESS = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "ResourceNotFoundException",
    "ItemCollectionSizeLimitExceededException",
]


@pytest.mark.parametrize("code", HOPELESS)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/users?limit=5", None), ("GET", "/users/a", None), ("POST", "/users", {"name": "A"})],
)
def test_what_cannot_get_better_is_answered_at_once(api: Api, code: str, method: str, path: str, body: Any) -> None:
    with failing(lambda request: refused(request, code), lasting=True) as calls:
        answer = api.call(method, path, body)
    assert problem(answer) == (503, "service_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert SECRET not in answer.content.decode()
    assert len(calls.made) == 1


def test_a_missing_table_is_no_defect_of_the_caller(api: Api) -> None:
    for model in table_models():
        model.delete_table()
    assert problem(api.get("/events")) == (503, "service_unavailable")
    assert problem(api.post("/users", {"name": "Ann"})) == (503, "service_unavailable")


# Odd answers.


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_page_of_something_in_between_is_waited_out(api: Api, clock: Clock, status: int) -> None:
    with failing(lambda request: answered(request, status, b"<html>Bad Gateway</html>")) as calls:
        assert api.get("/users?limit=5").status_code == 200
    assert len(calls.made) == 2


def test_a_transaction_still_in_progress_is_asked_for_again(api: Api, clock: Clock) -> None:
    def lost(request: Request) -> Answer:
        request.send()
        return connection_cut(request)

    script = [lost, lambda request: refused(request, "TransactionInProgressException")]
    with disturbed(lambda number, _: script[number] if number < len(script) else None):
        assert api.post("/users", {"userId": "ann", "name": "Ann"}).status_code == 201


def test_a_failed_condition_beside_a_held_item_is_judged_when_the_item_is_free(api: Api, clock: Clock) -> None:
    """The same keyed request twice at once: the first one's user is visible, its marker still held."""
    first = api.post("/users", {"name": "Ann"}, idempotency_key="k")

    def half_visible(request: Request) -> Answer:
        reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "TransactionConflict"}]
        return refused(request, "TransactionCanceledException", CancellationReasons=reasons)

    with disturbed(lambda number, _: half_visible if number == 0 else None):
        second = api.post("/users", {"name": "Ann"}, idempotency_key="k")
    assert (second.status_code, second.json()) == (201, first.json())


def test_a_failed_condition_beside_a_throttled_item_is_judged_when_it_recovers(api: Api, clock: Clock) -> None:
    def mixed(request: Request) -> Answer:
        reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "ThrottlingError"}]
        return refused(request, "TransactionCanceledException", CancellationReasons=reasons)

    with failing(mixed):
        assert api.post("/users", {"name": "Ann"}, idempotency_key="k").status_code == 201


def test_a_cancelled_transaction_without_a_reason_is_no_answer_to_the_caller(api: Api) -> None:
    with failing(lambda request: cancelled(request, "ValidationError", item=0), lasting=True):
        assert problem(api.post("/users", {"name": "Ann"})) == (503, "service_unavailable")


# Batches.


@pytest.fixture
def guest(api: Api) -> str:
    """Somebody registered for five events, whose list reads them in one batch."""
    user = api.user()
    for _ in range(5):
        api.register(api.event(), user)
    return user


def test_a_batch_that_is_answered_in_parts_is_put_together(api: Api, clock: Clock, guest: str) -> None:
    whole = api.get(f"/users/{guest}/registrations").json()

    def in_part(request: Request) -> Answer:
        answer = json.loads(request.send().body)
        ((table, items),) = answer["Responses"].items()
        rest = [{name: item[name] for name in ("eventId", "item")} for item in items[3:]]
        answer = {"Responses": {table: items[:3]}, "UnprocessedKeys": {table: {"Keys": rest}} if rest else {}}
        return answered(request, 200, json.dumps(answer).encode())

    with disturbed(lambda _, operation: in_part if operation == "BatchGetItem" else None) as calls:
        assert api.get(f"/users/{guest}/registrations").json() == whole
    assert calls.made.count("BatchGetItem") == 4
    assert len(clock.waits) == 3


def test_a_batch_that_never_gets_anywhere_ends_in_patience(api: Api, clock: Clock, guest: str) -> None:
    def nothing(request: Request) -> Answer:
        unread = json.loads(request.body)["RequestItems"]
        return answered(request, 200, json.dumps({"Responses": {}, "UnprocessedKeys": unread}).encode())

    with disturbed(lambda _, operation: nothing if operation == "BatchGetItem" else None) as calls:
        assert problem(api.get(f"/users/{guest}/registrations")) == (503, "service_unavailable")
    assert calls.made.count("BatchGetItem") < 100


def test_a_batch_of_writes_that_is_throttled_is_written_in_the_end(clock: Clock) -> None:
    throttles = iter(range(9))

    def throttled_at_first(request: Request) -> Answer:
        if next(throttles, None) is None:
            return request.send()
        unwritten = json.loads(request.body)["RequestItems"]
        return answered(request, 200, json.dumps({"UnprocessedItems": unwritten}).encode())

    def write() -> Steps[None]:
        yield BatchWrite(puts=[User("ann", name="Ann", created_at="2026-01-01T00:00:00.000000Z")])

    with failing(throttled_at_first, lasting=True):
        run(write())
    assert User.get("ann").name == "Ann"
    assert len(clock.waits) == 9


def test_a_service_that_is_well_waits_for_nothing(api: Api, clock: Clock) -> None:
    with counting() as calls:
        api.register(api.event(), api.user())
    assert clock.waits == []
    assert len(calls.made) == 4
