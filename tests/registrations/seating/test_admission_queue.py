"""Waiting for the seats of an event that many want: by numbers, and nothing rests on them."""

import pytest

from events.ledger.models import AdmissionQueue, Seats
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.retries import time_limit
from eventsite.dynamodb.steps import run
from eventsite.errors import Unavailable
from registrations.seating import admission_queue
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request
from tests.api import Api
from tests.faults import Clock
from tests.registrations.auditing import audit


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    found.install(monkeypatch)
    return found


def seats_of(event: str) -> Seats:
    seats = Seats.find(event)
    assert seats
    return seats


def turn_with(event: str, ticket: int) -> Turn:
    """The turn of a request that has drawn a ticket."""
    return Turn(Request(event, "u", EVERYTHING, ticket=ticket))


def test_who_meets_no_crowd_takes_no_number(api: Api) -> None:
    event = api.event(capacity=3)
    for user in api.users(3):
        api.register(event, user)
    assert seats_of(event).now_serving == 0


def test_who_comes_into_a_crowd_passes_with_a_number(api: Api, waits: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    event, users = api.event(capacity=3), api.users(3)
    monkeypatch.setattr(admission_queue, "CONTENTION", 0)
    assert [api.register(event, user).status_code for user in users] == [201, 201, 201]
    assert seats_of(event).now_serving == 3
    assert api.delete(f"/events/{event}/registrations/{users[0]}").status_code == 200
    assert seats_of(event).now_serving == 4
    assert not waits.waited
    audit(event)


def test_it_waits_while_others_are_ahead_and_goes_when_they_have_passed(api: Api, waits: Clock) -> None:
    event = api.event(capacity=3)
    seats, turn = seats_of(event), turn_with(event, admission_queue.TOGETHER + 40)

    def passes_on(seconds: float) -> None:
        waits.waits.append(seconds)
        Seats.key(event).update([Seats.now_serving.set(20 * len(waits.waits))])

    waits.sleep = passes_on  # type: ignore[method-assign]
    run(turn.wait(seats))
    assert len(waits.waits) == 2


def test_the_line_does_not_wait_for_those_who_are_gone(api: Api, waits: Clock) -> None:
    event = api.event(capacity=3)
    run(turn_with(event, 100_000).wait(seats_of(event)))
    assert waits.waited < 6


def test_no_request_waits_for_a_deleted_event(api: Api, waits: Clock) -> None:
    event = api.event(capacity=1, waitlistEnabled=False)
    seats = seats_of(event)
    api.register(event, api.user("u"))
    run(turn_with(event, 100_000).wait(seats))
    assert len(waits.waits) == 1


def test_a_request_that_waits_beyond_the_deadline_is_refused(api: Api, waits: Clock) -> None:
    event = api.event(capacity=3)
    with time_limit(1.0), pytest.raises(Unavailable):
        run(turn_with(event, 100_000).wait(seats_of(event)))


def test_the_queue_has_a_partition_of_its_own_and_expires(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = api.event(capacity=3)
    monkeypatch.setattr(admission_queue, "CONTENTION", 0)
    api.register(event, api.user("u"))
    key, item = AdmissionQueue.key_of(seats_of(event))
    queue = AdmissionQueue.get(key, item)
    assert key != event
    assert queue.expires_at > clock.seconds()
