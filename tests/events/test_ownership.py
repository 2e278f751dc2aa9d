"""An event changes hands between the read and the write: the write is bound to the owner."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from events import editing, services
from events.ledger import guards as event_guards
from events.models import Event
from events.whole import WholeEvent, find_event
from eventsite.auth.scope import EVERYTHING, NOTHING, Scope
from eventsite.errors import Unavailable
from registrations import seating
from registrations.models import RegistrationItem
from registrations.seating import ends, guards, trim
from tests.api import Api
from tests.events.stealing import FIELDS, OLIVIAS, THIEF, make, stolen_before, stolen_before_step
from tests.registrations.interleaving import AT_ONCE, COMMIT

Change = Callable[[str], Any]

EDITS = pytest.mark.parametrize(
    ("write", "edit"),
    [
        ("TransactWriteItems", lambda event: editing.edit(event, {"title": "Mine"}, scope=OLIVIAS)),
        ("TransactWriteItems", lambda event: editing.edit(event, {"title": "Mine", "capacity": 3}, scope=OLIVIAS)),
        ("TransactWriteItems", lambda event: services.delete(event, scope=OLIVIAS)),
    ],
    ids=["edit a text", "edit the seats", "delete"],
)
# Frank has a seat and, where there is but one, Grace waits.
SEATINGS: dict[str, tuple[int, Change]] = {
    "take a seat": (2, lambda event: seating.register(event, "erin", scope=OLIVIAS)),
    "join the queue": (1, lambda event: seating.register(event, "erin", scope=OLIVIAS)),
    "leave a seat": (2, lambda event: seating.leave(event, "frank", scope=OLIVIAS)),
    "leave the queue": (1, lambda event: seating.leave(event, "grace", scope=OLIVIAS)),
    "hand it on": (1, lambda event: seating.leave(event, "frank", scope=OLIVIAS)),
}


def whole(event_id: str) -> WholeEvent:
    whole_event = find_event(event_id)
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
        seating.register(event, user, scope=EVERYTHING)
    return event


@EDITS
def test_an_edit_is_bound_to_the_owner(write: str, edit: Change) -> None:
    event = make("olivia", 1)
    with stolen_before(write, event), pytest.raises(services.EventNotYours):
        edit(event)
    assert whole(event).event.title == FIELDS["title"]


@EDITS
def test_without_the_guard_a_stranger_could_edit(monkeypatch: pytest.MonkeyPatch, write: str, edit: Change) -> None:
    event = make("olivia", 1)
    monkeypatch.setattr(event_guards, "is_unedited", lambda event: Event.version == event.version)
    with stolen_before(write, event):
        edit(event)
    found = find_event(event)
    assert found is None or found.event.title == "Mine"


EITHER_WAY = pytest.mark.parametrize("step", [AT_ONCE, COMMIT])


@pytest.mark.parametrize(
    ("change", "step"),
    [
        *((change, COMMIT) for change in SEATINGS),
        *((change, AT_ONCE) for change in ("take a seat", "join the queue")),  # a leaving is always logged first
    ],
)
@pytest.mark.usefixtures("people")
def test_a_seat_is_bound_to_the_owner(change: str, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    capacity, act = SEATINGS[change]
    event = occupied(capacity)
    monkeypatch.setattr(trim, "is_calm", lambda *_: step == AT_ONCE)
    with stolen_before_step(step, event), pytest.raises(services.EventNotYours):
        act(event)
    assert (whole(event).event.organizer_id, counts(event)) == (THIEF, (0, 0))


@EITHER_WAY
@pytest.mark.usefixtures("people")
def test_without_the_guard_a_stranger_could_seat_people(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    capacity, act = SEATINGS["take a seat"]
    event = occupied(capacity)
    monkeypatch.setattr(guards, "is_incarnation", lambda incarnation: guards.is_open())
    monkeypatch.setattr(trim, "is_calm", lambda *_: step == AT_ONCE)
    with stolen_before_step(step, event):
        act(event)
    assert counts(event) != (0, 0)


@pytest.mark.usefixtures("people")
def test_only_the_owner_continues_a_deletion_that_was_cut_off() -> None:
    event = occupied(1)
    with patch.object(ends, "_first_lines", side_effect=Unavailable):
        services.delete(event, scope=OLIVIAS, with_people=True)
    for scope, with_people in ((Scope(touches=THIEF, drafts_of=THIEF), True), (NOTHING, True), (OLIVIAS, False)):
        with pytest.raises(services.EventNotFound):
            services.delete(event, scope=scope, with_people=with_people)
        assert list(RegistrationItem.scan())
    services.delete(event, scope=OLIVIAS, with_people=True)
    assert not list(RegistrationItem.scan())
