"""The window: when an event admits people, and that nobody is promoted after its end (CONTRACT, "The window")."""

from datetime import UTC, datetime
from typing import Any

import pytest

from events import editing
from events.ledger.models import Seats
from eventsite import clock
from eventsite.auth.scope import EVERYTHING, NOTHING
from registrations.errors import AlreadyRegistered, RegistrationClosed, RegistrationNotOpen
from registrations.reading import one as reading
from registrations.seating import services as seating
from tests.api import Api
from tests.metering import Meter
from users.services import UserNotFound

NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def it_is(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Set the clock."""
    monkeypatch.setattr(clock, "seconds", lambda: seconds)
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(seconds, UTC).strftime(clock.FORMAT))


def opening(event_id: str, **window: int | None) -> None:
    """Give an event's seats a window."""
    Seats.key(event_id).update([getattr(Seats, name).set(value) for name, value in window.items()])


def register(event_id: str, user_id: str, **options: Any) -> str:
    return seating.register(event_id, user_id, scope=EVERYTHING, **options).status


def test_it_admits_from_the_opening_second_until_the_closing_second(api: Api) -> None:
    event = api.event(capacity=3)
    alice, bob, cleo = api.users(3)
    opening(event, opens_at=NOW + 1)
    with pytest.raises(RegistrationNotOpen) as refusal:
        register(event, alice)
    assert refusal.value.members == {"opensAt": "2027-01-15T08:00:01Z"}
    opening(event, opens_at=NOW, closes_at=NOW + 1)
    assert register(event, alice) == "registered"
    opening(event, closes_at=NOW)
    with pytest.raises(RegistrationClosed):
        register(event, bob)
    opening(event, closes_at=NOW + 9, ends_at=NOW)
    with pytest.raises(RegistrationClosed):
        register(event, cleo)


@pytest.mark.parametrize("times", [1, 2])
def test_before_the_opening_every_other_refusal_comes_first(api: Api, times: int, meter: Meter) -> None:
    """As many clients ask again and again then, the refusal takes one call, or two at first."""
    event = api.event(capacity=3)
    alice, bob = api.users(2)
    opening(event, opens_at=NOW + 1)
    register(event, alice, organizes=EVERYTHING)
    for _ in range(times):
        with pytest.raises(AlreadyRegistered):
            register(event, alice)
        with pytest.raises(UserNotFound):
            register(event, "stranger")
        meter.reset()
        with pytest.raises(RegistrationNotOpen):
            register(event, bob)
        assert meter.calls == ["BatchGetItem"]


def test_its_organizers_add_people_until_the_end(api: Api) -> None:
    event = api.event(capacity=3)
    alice, bob = api.users(2)
    opening(event, opens_at=NOW + 1, ends_at=NOW + 1)
    with pytest.raises(RegistrationNotOpen):
        register(event, alice, organizes=NOTHING)
    assert register(event, alice, organizes=EVERYTHING) == "registered"
    opening(event, ends_at=NOW)
    with pytest.raises(RegistrationClosed):
        register(event, bob, organizes=EVERYTHING)


@pytest.mark.parametrize("ends_at", [NOW, NOW + 1], ids=["over", "not over"])
def test_a_seat_freed_after_the_end_goes_to_nobody(api: Api, ends_at: int) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    register(event, alice)
    register(event, bob)
    opening(event, ends_at=ends_at)
    promoted = seating.leave(event, alice, scope=EVERYTHING)
    status = reading.read(event, bob, scope=EVERYTHING).status
    assert (promoted, status) == ((None, "waitlisted") if ends_at <= NOW else (bob, "registered"))


def test_raising_the_capacity_after_the_end_promotes_nobody_and_a_later_day_does(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = api.event(capacity=0, date="2027-01-15", startTime="08:00", endTime="09:00", timeZone="UTC")
    alice = api.user()
    register(event, alice)
    it_is(monkeypatch, NOW + 3600)
    editing.edit(event, {"capacity": 1}, scope=EVERYTHING)
    assert reading.read(event, alice, scope=EVERYTHING).status == "waitlisted"
    editing.edit(event, {"date": "2027-01-16"}, scope=EVERYTHING)
    assert reading.read(event, alice, scope=EVERYTHING).status == "registered"


def test_answers_are_kept_with_the_registration_when_it_is_given_up_too(api: Api) -> None:
    event = api.event(capacity=1)
    alice = api.user()
    reported = seating.register(event, alice, scope=EVERYTHING, answers={"q1": "vegan"})
    assert reported.answers == {"q1": "vegan"}
    assert reading.read(event, alice, scope=EVERYTHING).answers == {"q1": "vegan"}
    seating.leave(event, alice, scope=EVERYTHING)
    assert reading.read(event, alice, scope=EVERYTHING).answers == {"q1": "vegan"}
