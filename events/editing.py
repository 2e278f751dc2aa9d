"""Edit events.

The write of an edit has the condition that the version is unchanged, so no edit overwrites another one. An edit of
texts writes the description alone. An edit of the seats is one transaction over both items, with the promotions that it
makes possible. The description keeps the ids of the last edits, so a retry after a lost answer recognises its own edit.
"""

import uuid
from functools import partial
from typing import Any

from pynamodb.expressions.update import Action

from events.ledger import guards, promotions
from events.ledger.models import Seats
from events.models import Event
from events.services import (
    DESCRIPTION,
    SETTINGS,
    EventNotFound,
    check_access,
    check_owner,
    copied,
    followed,
    may_be_seen,
)
from events.signals import event_edited
from events.whole import WholeEvent, find
from events.window import OF_THE_WINDOW, Times, wrong_times
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Check, Delete, Get, Now, Put, Steps, Transact, Update, retrying, run
from eventsite.errors import Stale, WrongValues

OF_THE_SEATS = (*SETTINGS, "status")
"""The fields of an event that are stored in its seats and decide who gets one."""
LISTS = ("organizers", "questions")
REMEMBERED_EDITS = 8  # ids; a retry that comes after more edits than this does not recognise its own


def edit(event_id: str, changes: dict[str, Any], *, scope: Scope, versions: set[int] | None = None) -> WholeEvent:
    """Change some fields of an event, and give seats that this frees to the waitlist in the same write.

    The `changes` have the fields by their Python names; None removes a field. The `versions` are those that the caller
    means to edit; None is any. The answer includes later edits if the seats were edited again before it.

    Raises:
        EventNotFound: There is no such event, or the caller may not see it.
        EventNotYours: The caller may not change it.
        Stale: The event has none of these versions.
        WrongValues: The changes do not fit the other fields.
    """
    edited, promoted = run(edit_in_steps(event_id, changes, scope, versions, uuid.uuid4().hex[:8]))
    if promoted is not None:
        event_edited.send_robust(Event, event_id=event_id, promoted=promoted)
    return edited


Edited = tuple[WholeEvent, int | None]
"""The event after an edit, and the number of people it promoted: None if the seats were not written."""


def edit_in_steps(
    event_id: str, changes: dict[str, Any], scope: Scope, versions: set[int] | None, operation: str
) -> Steps[Edited]:
    """Change some fields of an event, as `edit`, in steps. `operation` is the id of the edit."""
    return (yield from retrying(partial(_edit, event_id, changes, scope, versions, operation)))


def _edit(
    event_id: str, changes: dict[str, Any], scope: Scope, versions: set[int] | None, operation: str
) -> Steps[Edited]:
    before = yield from find(event_id)
    if before is None or not may_be_seen(before.event, scope):
        raise EventNotFound
    check_access(before.event, scope)
    if operation in before.event.edits.split():  # its answer was lost
        return before, None
    if versions is not None and before.event.version not in versions:
        raise Stale
    changes = _normalize(before, changes)
    if "organizers" in changes:
        check_owner(before.event, scope)
    places = before.event.places
    now = yield Now()
    actions = _described(before.event, changes, operation, now)
    seated, moved = _seated(before, changes), followed(places, before.event.places)
    if seated or moved:
        return (yield from _change_both(before, actions, seated, moved, operation, now))
    return (yield from _change_description(before, actions, operation)), None


def _normalize(before: WholeEvent, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with one waitlist switch, and without values of the seats that the event has already.

    Clients send back everything that they have read, with a part of it changed. If the two names of the switch were
    sent with different values, the one that differs from the stored value counts.

    Raises:
        WrongValues: The times of the event would not be valid.
    """
    changes = {name: [] if value is None and name in LISTS else value for name, value in changes.items()}
    if changes.pop("has_waitlist", None) is not None:
        changes["waitlist_enabled"] = not before.seats.waitlist_enabled
    if wrong := wrong_together(before.event, changes):
        raise WrongValues(wrong)
    return {name: value for name, value in changes.items() if not _is_already(before, name, value)}


def wrong_together(event: Event, changes: dict[str, Any]) -> dict[str, str]:
    """Return a sentence for each time that a change would make wrong, by its name in JSON."""
    after = {name: changes.get(name, getattr(event, name)) for name in (*Times._fields, *OF_THE_WINDOW)}
    return wrong_times(after) if after.keys() & changes.keys() else {}


def _is_already(whole: WholeEvent, name: str, value: Any) -> bool:
    """Return True if the event has this value, so that there is nothing to write for it."""
    if name in OF_THE_SEATS:
        return bool(getattr(whole.seats, name) == value)
    return name == "organizers" and list(value or ()) == list(whole.event.organizers or ())


def _change_description(edited: WholeEvent, actions: list[Action], operation: str) -> Steps[WholeEvent]:
    """Change texts only. A check of the seats gives the answer the counts of the moment of the edit."""
    event, seats = edited
    outcome = yield Transact(
        {
            "event": Update(Event.key(event.event_id), actions, guards.is_unedited(event)),
            "seats": Check(Seats.key(event.event_id), guards.counts_are(seats)),
        }
    )
    if outcome.done:
        event.version += 1
        return edited
    if "event" not in outcome.failures:  # only the check of the seats failed: people registered or left meanwhile
        return (yield from _change_description_alone(edited, actions, operation))
    if operation not in _edits(outcome.failures["event"]):
        raise Conflict(immediate=True)
    return (yield from _present(edited))


def _change_description_alone(edited: WholeEvent, actions: list[Action], operation: str) -> Steps[WholeEvent]:
    event = edited.event
    written = yield Update(Event.key(event.event_id), actions, guards.is_unedited(event))
    if written.image is None or not (written.done or operation in _edits(written.image)):
        raise Conflict(immediate=True)
    return (yield from _present(WholeEvent(Event.parse(written.image), edited.seats)))


def _described(event: Event, changes: dict[str, Any], operation: str, now: str) -> list[Action]:
    """Change the description in memory, and return the updates that make the stored one equal to it."""
    described = {name: changes[name] for name in ("status", *DESCRIPTION) if name in changes}
    for name, value in described.items():
        setattr(event, name, value)
    event.updated_at = now
    edits = " ".join([*event.edits.split(), operation][-REMEMBERED_EDITS:])
    of_the_edit = {"version": event.version + 1, "updated_at": now, "edits": edits}
    return Event.updates(described | event.set_index_keys() | of_the_edit)


def _seated(edited: WholeEvent, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of the seats that an edit changes, with those that are copies of the description."""
    event, seats = edited
    values = {name: changes[name] for name in OF_THE_SEATS if name in changes}
    values |= copied(event)
    return {name: value for name, value in values.items() if getattr(seats, name) != value}


def _change_both(
    edited: WholeEvent,
    described: list[Action],
    seated: dict[str, Any],
    moved: dict[str, Put | Delete],
    operation: str,
    now: str,
) -> Steps[Edited]:
    event, seats = edited
    counted = _counted(seats, seated, now)
    promotes = seats.promotes(clock.in_seconds(now))
    move = yield from promotions.plan(seats, capacity=int(seats.capacity), open_=promotes, at=now)
    described = [*described, Event.settings.set(event.settings + 1)]
    parts: dict[str, Any] = {"event": Update(Event.key(event.event_id), described, guards.is_unedited(event))}
    parts["seats"] = Update(Seats.key(event.event_id), [*counted, *move.actions], move.condition)
    if move.move:
        parts["move"] = Put(move.move)
    outcome = yield Transact(parts | moved)
    if outcome.in_conflict or (outcome.failures and operation not in _edits(outcome.failures.get("event"))):
        raise Conflict(immediate=not outcome.in_conflict)
    move.applied_to(seats)
    return (yield from _as_it_is(WholeEvent(event, seats))), move.people


def _edits(raw: RawItem | None) -> list[str]:
    return Event.parse(raw).edits.split() if raw else []


def _counted(seats: Seats, values: dict[str, Any], now: str) -> list[Action]:
    """Change the seats in memory, and return the updates that make the stored ones equal to them."""
    values = values | {"settings": seats.settings + 1, "edited_at": clock.in_microseconds(now)}
    for name, value in values.items():
        setattr(seats, name, value)
    return Seats.updates(values)


def _as_it_is(written: WholeEvent) -> Steps[WholeEvent]:
    """Return an edited event with its present counts, or the present event if it was edited again.

    The counts of the plan may have been true at no moment, because people can register between the plan and the write.
    They are returned only if the event was deleted since.
    """
    event, seats = written
    event.version, event.settings = event.version + 1, event.settings + 1
    latest = yield Get((Seats, event.event_id, Seats.ITEM))
    now = WholeEvent(event, latest or seats)
    return now if now.fits else (yield from _present(written))


def _present(written: WholeEvent) -> Steps[WholeEvent]:
    """Return the event as it is, or as written if it was deleted since, even if created again."""
    found = yield from find(written.event.event_id)
    return found if found and found.event.incarnation == written.event.incarnation else written
