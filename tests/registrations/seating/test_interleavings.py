"""What may happen between two reads of one request, and after a process died: no answer that was never true."""

from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from events.ledger.models import Seats
from events.signals import event_deleted
from eventsite.dynamodb.steps import EXECUTORS, BatchGet
from registrations import seating
from registrations.models import RegistrationItem
from registrations.seating import forget_event, trim
from tests.api import EVENT, Api, problem
from tests.metering import Meter
from tests.registrations.auditing import audit
from tests.registrations.interleaving import (
    APPLY,
    AT_ONCE,
    COMMIT,
    READ,
    READ_BATCH,
    READ_MANY,
    WRITE,
    right_before,
    right_before_step,
)


def test_the_same_request_sent_twice_at_once_is_not_refused_for_its_own_success(api: Api) -> None:
    """One of the two takes the last seat, and the other one finds the event full."""
    event, alice = api.event(capacity=1, waitlistEnabled=False), api.user()
    first = []
    with right_before(WRITE, lambda: first.append(api.register(event, alice, idempotency_key="k"))):
        second = api.register(event, alice, idempotency_key="k")
    assert (second.status_code, second.json()) == (201, first[0].json())


@pytest.mark.parametrize("step", [AT_ONCE, COMMIT])
def test_a_conflict_is_planned_again_from_the_image_in_the_failure(
    api: Api, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    monkeypatch.setattr(trim, "is_calm", lambda *_: step == AT_ONCE)
    with right_before_step(step, lambda: api.register(event, bob)):
        assert api.register(event, alice).json()["waitlistPosition"] == 1
    assert audit(event) == []


def test_a_request_that_read_a_lagging_replica_reads_consistently_from_then_on(api: Api) -> None:
    event, alice, bob = api.event(capacity=1), *api.users(2)
    before, read = Seats.get(event, Seats.ITEM), EXECUTORS[BatchGet]

    def read_lagging(step: BatchGet) -> list[Any]:
        is_stale = step.consistent is not True
        return [before if is_stale and isinstance(item, Seats) else item for item in read(step)]

    api.register(event, alice)
    with patch.dict(EXECUTORS, {BatchGet: read_lagging}), Meter() as meter:
        assert problem(api.register(event, alice)) == (409, "already_registered")
        assert api.register(event, bob).json()["waitlistPosition"] == 1
    assert len(meter.calls) <= 10
    assert audit(event) == []


def test_an_event_made_twice_by_the_same_request_at_once_is_one_event(api: Api) -> None:
    first = []
    with right_before(WRITE, lambda: first.append(api.post("/events", EVENT, idempotency_key="k"))):
        second = api.post("/events", EVENT, idempotency_key="k")
    assert second.json() == first[0].json()
    assert len(api.get("/events").json()) == 1


@pytest.mark.parametrize("keyed", [True, False])
def test_a_user_made_twice_at_once_is_the_first_one(api: Api, keyed: bool) -> None:
    first = []
    key = {"idempotency_key": "k"} if keyed else {}
    body = {"name": "Alice"} if keyed else {"userId": "alice", "name": "Alice"}
    with right_before(WRITE, lambda: first.append(api.post("/users", body, **key))):
        second = api.post("/users", body if keyed else body | {"name": "Alicia"}, **key)
    assert second.json() == first[0].json() if keyed else problem(second) == (409, "user_exists")
    assert api.get("/users").json() == [first[0].json()]


@pytest.mark.parametrize("step", [AT_ONCE, COMMIT])
def test_who_came_and_left_again_while_asking_is_not_registered_and_cancelled_at_once(
    api: Api, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No log entry shows it any more when it is committed: another request has trimmed it."""
    event, (alice, bob) = api.event(), api.users(2)
    monkeypatch.setattr(trim, "is_calm", lambda *_: step == AT_ONCE)

    def come_and_go() -> None:
        api.register(event, alice)
        api.leave(event, alice)
        api.register(event, bob)

    with right_before_step(step, come_and_go):
        assert api.register(event, alice).json()["status"] == "registered"
    assert api.get(f"/events/{event}/registrations?status=cancelled").json() == []
    assert audit(event) == []


@pytest.mark.parametrize("step", [COMMIT, APPLY])
def test_the_cleanup_of_a_deleted_event_takes_no_registration_from_the_next_one(
    api: Api, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It deletes the row of the earlier registration, on which the new one was to follow."""
    event, (alice, bob) = api.event(eventId="party", capacity=1), api.users(2)
    api.register(event, alice)
    api.leave(event, alice)
    cleanup: list[Any] = []
    with monkeypatch.context() as delayed:
        delayed.setattr(seating, "forget_event", lambda *what: cleanup.append(partial(forget_event, *what)))
        assert api.delete(f"/events/{event}").status_code == 204
    api.event(eventId="party", capacity=1)
    monkeypatch.setattr(trim, "is_calm", lambda *_: False)
    with right_before_step(step, cleanup.pop()):
        assert api.register(event, alice).json()["status"] == "registered"
    assert api.register(event, bob).json()["status"] == "waitlisted"  # which trims the log
    assert problem(api.register(event, alice)) == (409, "already_registered")
    assert audit(event) == []


def test_who_is_refused_by_a_full_event_reads_its_seats_once(api: Api, meter: Meter) -> None:
    event = api.event(capacity=1, waitlistEnabled=False)
    *users, late = api.users(4)
    for user in users:
        api.register(event, user)
    meter.reset()
    assert problem(api.register(event, users[-1])) == (409, "event_full")
    assert (meter.calls, meter.units) == ([READ_BATCH, READ], 3)
    api.leave(event, users[0])
    assert api.register(event, late).status_code == 201
    assert problem(api.register(event, late)) == (409, "already_registered")


def test_a_user_who_gives_up_the_last_seat_while_asking_for_one_is_not_refused(api: Api) -> None:
    event, alice = api.event(capacity=1, waitlistEnabled=False), api.user()
    api.register(event, alice)
    with right_before(READ_BATCH, lambda: api.leave(event, alice), nth=2):
        assert api.register(event, alice).json()["status"] == "registered"


@pytest.mark.parametrize("later", [{"capacity": 1}, {"capacity": 3}, {"waitlistEnabled": False}, {"status": "draft"}])
def test_an_edit_that_others_joined_and_edited_meanwhile_is_answered_with_what_was_true(api: Api, later: Any) -> None:
    """Somebody joins between its plan and its write, and the seats change between its write and its answer."""
    event, (alice, bob) = api.event(capacity=0, waitlistEnabled=True), api.users(2)
    api.register(event, alice)
    with (
        right_before(WRITE, lambda: api.register(event, bob)),
        right_before(READ, lambda: api.patch(f"/events/{event}", later)),
    ):
        answer = api.patch(f"/events/{event}", {"capacity": 2})
    now = api.get(f"/events/{event}")
    assert (answer.json(), answer["ETag"]) == (now.json(), now["ETag"])
    assert answer.json()["registeredCount"] == 2


@pytest.mark.parametrize("gone", [1, 2])
def test_the_position_of_somebody_who_is_promoted_meanwhile_is_not_made_up(api: Api, gone: int) -> None:
    event = api.event(capacity=1)
    users = api.users(5)
    for user in users:
        api.register(event, user)
    api.leave(event, users.pop(1))
    last = users[-1]
    path = f"/events/{event}/registrations/{last}"
    with right_before("TransactGetItems", lambda: api.patch(f"/events/{event}", {"capacity": 1 + gone})):
        answer = api.get(path).json()
    assert (answer["status"], answer["waitlistPosition"]) == ("waitlisted", 3 - gone)
    with right_before("TransactGetItems", lambda: api.patch(f"/events/{event}", {"capacity": 9})):
        answer = api.get(path).json()
    assert (answer["status"], answer["waitlistPosition"]) == ("registered", None)


def test_the_history_of_a_deleted_event_is_not_that_of_the_next_one_with_its_id(api: Api) -> None:
    """The process dies between the deletion and the sweep."""
    event = api.event(eventId="party")
    alice, bob = api.users(2)
    api.register(event, alice)
    api.leave(event, alice)
    with patch.object(event_deleted, "send_robust"):
        api.delete(f"/events/{event}")
    assert problem(api.get(f"/events/{event}/registrations/{alice}")) == (404, "registration_not_found")
    api.event(eventId="party")
    api.register(event, bob)
    api.leave(event, bob)
    assert problem(api.get(f"/events/{event}/registrations/{alice}")) == (404, "registration_not_found")
    assert [row["userId"] for row in api.get(f"/events/{event}/registrations?status=cancelled").json()] == [bob]
    assert api.get(f"/users/{alice}/registrations?status=cancelled").json() == []
    assert len(api.get(f"/users/{bob}/registrations?status=cancelled").json()) == 1
    assert api.register(event, alice).status_code == 201


def test_the_sweep_of_a_deleted_event_spares_the_history_of_the_next_one(api: Api) -> None:
    event, alice = api.event(eventId="party"), api.user()
    api.register(event, alice)
    api.leave(event, alice)  # a deletion looks for lines only if a user has joined

    def come_and_go() -> None:
        api.event(eventId="party")
        api.register(event, alice)
        api.leave(event, alice)

    with right_before(READ_MANY, come_and_go, nth=2):  # the first one reads the event that is to be deleted
        assert api.delete(f"/events/{event}").status_code == 204
    assert api.get(f"/events/{event}/registrations/{alice}").json()["status"] == "cancelled"
    api.delete(f"/events/{event}")
    assert list(RegistrationItem.scan()) == []


def test_the_sweep_spares_who_came_and_went_again_meanwhile(api: Api) -> None:
    event, alice = api.event(eventId="party"), api.user()
    api.register(event, alice)
    api.leave(event, alice)

    def come_and_go() -> None:
        api.event(eventId="party")
        api.register(event, alice)
        api.leave(event, alice)

    with right_before(WRITE, come_and_go, nth=2):  # the first one deletes the event
        assert api.delete(f"/events/{event}").status_code == 204
    assert api.get(f"/events/{event}/registrations/{alice}").json()["status"] == "cancelled"
