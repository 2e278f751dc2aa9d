"""Waiting for the seats of an event that many want: by numbers, and nothing rests on them."""

import pytest

from events.ledger.models import AdmissionQueue, Seats
from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable
from registrations.seating import clearing, turnstile
from registrations.seating.turnstile import Turn
from tests.api import Api
from tests.faults import Clock
from tests.registrations.auditing import audit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.install(monkeypatch)
    return clock


def seats_of(event: str) -> Seats:
    seats = Seats.find(event)
    assert seats
    return seats


def test_who_meets_no_crowd_takes_no_number(api: Api) -> None:
    event = api.event(capacity=3)
    for user in api.users(3):
        api.register(event, user)
    assert seats_of(event).passed == 0


def test_who_comes_into_a_crowd_passes_with_a_number(api: Api, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    event, users = api.event(capacity=3), api.users(3)
    monkeypatch.setattr(turnstile, "CROWD", 0)
    assert [api.register(event, user).status_code for user in users] == [201, 201, 201]
    assert seats_of(event).passed == 3
    assert api.delete(f"/events/{event}/registrations/{users[0]}").status_code == 200
    assert seats_of(event).passed == 4
    assert not clock.waited
    audit(event)


def test_it_waits_while_others_are_ahead_and_goes_when_they_have_passed(api: Api, clock: Clock) -> None:
    event = api.event(capacity=3)
    seats, turn = seats_of(event), Turn()
    turn.number = turnstile.AT_ONCE + 40

    def passes_on(seconds: float) -> None:
        clock.waits.append(seconds)
        Seats.key(event).update([Seats.passed.set(20 * len(clock.waits))])

    clock.sleep = passes_on  # type: ignore[method-assign]
    turn.wait(seats)
    assert len(clock.waits) == 2


def test_the_line_does_not_wait_for_those_who_are_gone(api: Api, clock: Clock) -> None:
    event = api.event(capacity=3)
    turn = Turn()
    turn.number = 100_000
    turn.wait(seats_of(event))
    assert clock.waited < 6


def test_no_request_waits_for_a_deleted_event(api: Api, clock: Clock) -> None:
    event = api.event(capacity=1, waitlistEnabled=False)
    seats = seats_of(event)
    api.register(event, api.user("u"))
    turn = Turn()
    turn.number = 100_000
    turn.wait(seats)
    assert len(clock.waits) == 1


def test_a_request_that_waits_beyond_the_deadline_is_refused(api: Api, clock: Clock) -> None:
    turn = Turn()
    turn.number = 100_000
    with time_limit(1.0), pytest.raises(Unavailable):
        turn.wait(seats_of(api.event(capacity=3)))


def test_the_numbers_of_a_deleted_event_are_forgotten(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = api.event(capacity=3)
    monkeypatch.setattr(turnstile, "CROWD", 0)
    api.register(event, api.user("u"))
    assert list(AdmissionQueue.query(event, AdmissionQueue.item.startswith("tickets#")))
    assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    assert not list(AdmissionQueue.query(event))


def test_the_seats_of_a_crowd_are_shorter_than_a_kilobyte(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve joinings under ids as the service makes them: a write of the seats still costs one unit."""
    from tests.capacity import write_units

    event = api.event(capacity=9_999, waitlistEnabled=True)
    names = [f"{number:010}~{'u' * 36}" for number in range(clearing.MOST)]
    records = [Seats.records[name].set(99_999) for name in names]
    counters = [getattr(Seats, name).set(99_999) for name in ("passed", "tickets", "served", "registered", "left")]
    Seats.key(event).update([*records, *counters])
    assert write_units(None, seats_of(event).to_dynamodb_dict()) == 1
