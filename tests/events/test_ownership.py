"""An event changes hands between the look at it and the write: the write is bound to the owner, not the look."""

from collections.abc import Callable
from typing import Any

import pytest

from events import editing, models
from events import guards as event_guards
from events.models import Event, WholeEvent
from registrations import guards, seating
from tests.api import Api
from tests.events.stealing import FIELDS, make, steal_after_the_look

EDITS = pytest.mark.parametrize(
    "edit",
    [
        lambda event: editing.edit(event, {"title": "Mine"}, owner="olivia"),
        lambda event: editing.delete(event, owner="olivia"),
    ],
    ids=["edit", "delete"],
)
# Frank has a seat and, where there is but one, Grace waits.
SEATINGS = pytest.mark.parametrize(
    ("capacity", "change"),
    [
        (2, lambda event: seating.register(event, "erin", owner="olivia")),
        (1, lambda event: seating.register(event, "erin", owner="olivia")),
        (2, lambda event: seating.leave(event, "frank", owner="olivia")),
        (1, lambda event: seating.leave(event, "frank", owner="olivia")),
        (1, lambda event: seating.leave(event, "grace", owner="olivia")),
    ],
    ids=["take a seat", "join the queue", "leave a seat", "hand it on", "leave the queue"],
)
Change = Callable[[str], Any]


def whole(event_id: str) -> WholeEvent:
    whole_event = models.find(event_id)
    assert whole_event
    return whole_event


def counts(event_id: str) -> tuple[int, int]:
    seats = whole(event_id).seats
    return int(seats.registered), int(seats.waiting)


@pytest.fixture
def people(api: Api) -> None:
    for user in ("erin", "frank", "grace"):
        api.user(user)


def occupied(capacity: int) -> str:
    event = make("olivia", capacity)
    for user in ("frank", "grace")[: 3 - capacity]:
        seating.register(event, user)
    return event


@EDITS
def test_an_edit_is_bound_to_the_owner(monkeypatch: pytest.MonkeyPatch, edit: Change) -> None:
    event = make("olivia", 1)
    steal_after_the_look(monkeypatch, editing, event)
    with pytest.raises(editing.EventNotYours):
        edit(event)
    assert whole(event).event.title == FIELDS["title"]


@EDITS
def test_without_the_guard_a_stranger_could_edit(monkeypatch: pytest.MonkeyPatch, edit: Change) -> None:
    event = make("olivia", 1)
    steal_after_the_look(monkeypatch, editing, event)
    monkeypatch.setattr(event_guards, "is_unedited", lambda event: Event.version == event.version)
    edit(event)
    found = models.find(event)
    assert found is None or found.event.title == "Mine"


@SEATINGS
@pytest.mark.usefixtures("people")
def test_a_seat_is_bound_to_the_owner(monkeypatch: pytest.MonkeyPatch, capacity: int, change: Change) -> None:
    event = occupied(capacity)
    before = counts(event)
    steal_after_the_look(monkeypatch, seating, event)
    with pytest.raises(editing.EventNotYours):
        change(event)
    assert counts(event) == before


@SEATINGS
@pytest.mark.usefixtures("people")
def test_without_the_guard_a_stranger_could_seat_people(
    monkeypatch: pytest.MonkeyPatch, capacity: int, change: Change
) -> None:
    event = occupied(capacity)
    before = counts(event)
    steal_after_the_look(monkeypatch, seating, event)
    monkeypatch.setattr(guards, "is_of", lambda owner: guards.event_exists())
    change(event)
    assert counts(event) != before
