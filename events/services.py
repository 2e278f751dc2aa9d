"""The rules of events: creating, editing and deleting one.

An edit is made under the condition that nobody else edited meanwhile (the version): that is part of the write, not a
look before it. An edit that only changes texts writes the description alone; one that changes the seats is a
transaction over both items, with the promotions that it makes possible in it. Each edit has an id that it leaves in
the description, so one whose answer was lost is recognised when it is sent again.
"""

import uuid
from functools import partial
from typing import Any

from pynamodb.expressions.update import Action

from events import window
from events.ledger import guards, promotions
from events.ledger.models import CheckIns, Seats
from events.models import DRAFT, OPEN_STATUSES, Event, EventItem, PrivatePlace, mark
from events.normalize import normalize
from events.signals import event_deleted, event_edited, settling_wanted
from events.whole import WholeEvent, find, find_event
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb import retries
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.steps import Check, Delete, Get, Now, Put, Steps, Transact, Update, retrying, run
from eventsite.dynamodb.transactions import Transaction
from eventsite.errors import Forbidden, Missing, Refused, Stale

OF_THE_SERVICE = {"version", "settings", "edits", "created_at", "updated_at"}
"""What only the service sets in a description."""
DESCRIPTION = tuple(sorted(Event.get_attributes().keys() - EventItem.get_attributes().keys() - OF_THE_SERVICE))
"""What an organizer sets in it: every other attribute that is its own."""
OF_THE_SEATS = ("capacity", "waitlist_enabled", "status")
"""The fields of an event that its seats hold, and that decide who gets one."""
REMEMBERED_EDITS = 8
"""Edits that an event remembers, so that one of them that is repeated is recognised as done."""


class EventNotFound(Missing):
    """No event has this id, or the caller may not see which has."""

    code = "event_not_found"
    detail = "There is no event with this id."


class EventNotYours(Forbidden):
    """The event is not the caller's own."""

    detail = "This event is not yours: its organizer may do this."


class EventExists(Refused):
    """The id is taken."""

    code = "event_exists"
    detail = "There is already an event with this id."


class EventHasRegistrations(Refused):
    """People hold seats or wait for one."""

    code = "event_has_registrations"
    detail = "People are registered or waiting for this event; it can be deleted once nobody is."


def read(event_id: str, *, scope: Scope) -> WholeEvent:
    """The whole event, strongly consistent. Raises `EventNotFound`, also for a draft that the caller may not see."""
    whole = find_event(event_id)
    if whole is None or not may_be_seen(whole.event, scope):
        raise EventNotFound
    return whole


def may_be_seen(item: EventItem, scope: Scope) -> bool:
    """Return whether an event exists for the caller. Its description or its seats are given."""
    return item.status != DRAFT or scope.sees_draft(item)


def check_access(item: EventItem, scope: Scope) -> None:
    """Make sure that the caller may touch an event. Its description or its seats are given.

    Raises: `EventNotYours`; `EventNotFound` where it is a draft, as if there were none.
    """
    if not scope.reaches(item):
        raise EventNotFound if item.status == DRAFT else EventNotYours


def check_owner(event: Event, scope: Scope) -> None:
    """Make sure that the caller owns an event that they may touch.

    Raises:
        EventNotYours: The caller is a co-organizer.
    """
    if not scope.may_touch(event.organizer_id):
        raise EventNotYours("Only the owner of the event may do this.")


def may_be_changed(event_id: str, *, scope: Scope) -> bool:
    """Return True if the event exists and the caller may change it."""
    try:
        check_access(read(event_id, scope=scope).event, scope)
    except (Forbidden, Missing):
        return False
    return True


def create(fields: dict[str, Any], *, organizer_id: str | None, keyed: IdempotentRequest | None = None) -> WholeEvent:
    """Create an event.

    Takes: the validated fields by their Python names, `event_id` among them if the client chose one; the owner's
    id; the caller's idempotency key, if any.
    Returns: the event, or the one that an earlier copy of the same request created.
    Raises: `EventExists`; `idempotency.KeyReused`.
    """
    whole = compose(fields, organizer_id)
    transaction = Transaction()
    transaction.put("event", whole.event, guards.is_new())
    transaction.put("seats", whole.seats)
    follow(transaction, {}, whole.event.private_places)
    if keyed:
        keyed.remember(transaction, [item.to_dynamodb_dict() for item in whole])
    failures = transaction.commit()
    if keyed and (earlier := keyed.found(failures)):
        return _as_created(earlier)
    if "event" in failures and not _is_made(failures["event"], whole.event):
        error = EventExists()
        if keyed and (earlier := keyed.refuse(error)):
            return _as_created(earlier)
        raise error
    return whole


def _as_created(kept: list[RawItem]) -> WholeEvent:
    """Return an event from the items that the idempotency key keeps."""
    whole = WholeEvent(Event.parse(kept[0]), Seats.parse(kept[1]))
    whole.event.checked_in = 0
    return whole


def _is_made(raw: RawItem | None, event: Event) -> bool:
    """Return whether an event with this id was created by this very request, whose answer was lost."""
    return raw is not None and Event.parse(raw).incarnation == event.incarnation


def compose(fields: dict[str, Any], organizer_id: str | None) -> WholeEvent:
    """Both items of a new event, not yet written."""
    event_id = fields.get("event_id") or str(uuid.uuid4())
    shared = {"incarnation": uuid.uuid4().hex[:12], "status": fields["status"], "organizer_id": organizer_id}
    created_at = clock.now()
    described = shared | {name: fields[name] for name in DESCRIPTION if fields.get(name) is not None}
    event = Event(event_id, Event.ITEM, version=1, created_at=created_at, updated_at=created_at, **described)
    event.set_index_keys()
    event.checked_in = 0
    seats = Seats(
        event_id,
        Seats.ITEM,
        capacity=fields["capacity"],
        waitlist_enabled=fields.get("waitlist_enabled", False),
        open=fields["status"] in OPEN_STATUSES,
        **shared,
    )
    for name, value in _derived(event).items():
        setattr(seats, name, value)
    return WholeEvent(event, seats)


def items(whole: WholeEvent) -> list[EventItem]:
    """Return all items of a new event."""
    return [*whole, *whole.event.private_places.values()]


def edit(event_id: str, changes: dict[str, Any], *, scope: Scope, versions: set[int] | None = None) -> WholeEvent:
    """Change some fields of an event. Seats that this frees go to the queue in the same write.

    Takes: the changed fields by their Python names, None for one that is taken away; who asks; the versions the caller
    means to edit (None: any).
    Returns: the event after the edit; with the next edits in it, if the seats were edited again before the answer.
    Raises: `EventNotFound`; `EventNotYours`; `Stale` when the event is of none of these versions; `WrongValues`.
    """
    edited, promoted = run(edit_in_steps(event_id, changes, scope, versions, uuid.uuid4().hex[:8]))
    if promoted is not None:
        event_edited.send_robust(Event, event_id=event_id, promoted=promoted)
    return edited


Edited = tuple[WholeEvent, int | None]
"""The event after an edit; how many people it promoted, None where the seats were not written."""


def edit_in_steps(
    event_id: str, changes: dict[str, Any], scope: Scope, versions: set[int] | None, operation: str
) -> Steps[Edited]:
    """Change some fields of an event, as `edit`, in steps. Args: as there; the id of the edit."""
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
    changes = {
        name: value for name, value in normalize(before, changes).items() if not _is_already(before, name, value)
    }
    if "organizers" in changes:
        check_owner(before.event, scope)
    places = before.event.private_places
    now = yield Now()
    actions = _described(before.event, changes, operation, now)
    seated = _seated(before, changes)
    if seated or _keys(places) != _keys(before.event.private_places):
        return (yield from _change_both(before, actions, seated, places, operation, now))
    return (yield from _change_description(before, actions, operation)), None


def _is_already(whole: WholeEvent, name: str, value: Any) -> bool:
    """Return whether the event has this value: then its seats, or its places in lists, need not be written."""
    if name in OF_THE_SEATS:
        return bool(getattr(whole.seats, name) == value)
    return name == "organizers" and list(value or ()) == list(whole.event.organizers or ())


def _keys(places: dict[str, PrivatePlace]) -> dict[str, RawItem]:
    return {name: place.serialize() for name, place in places.items()}


def followed(old: dict[str, PrivatePlace], new: dict[str, PrivatePlace]) -> dict[str, Put | Delete]:
    """Return the parts of a transaction that make the private places of an event follow it."""
    parts: dict[str, Put | Delete] = {name: Delete(old[name]) for name in old.keys() - new.keys()}
    for name, place in new.items():
        if name not in old or place.serialize() != old[name].serialize():
            parts[name] = Put(place)
    return parts


def follow(transaction: Transaction, old: dict[str, PrivatePlace], new: dict[str, PrivatePlace]) -> None:
    """Make a transaction that writes an event write its private places too."""
    for name, part in followed(old, new).items():
        if isinstance(part, Put):
            transaction.put(name, part.record)
        else:
            transaction.delete(name, part.record)


def _change_description(edited: WholeEvent, actions: list[Action], operation: str) -> Steps[WholeEvent]:
    """Change texts. The answer's counts are those of the moment of the edit: the transaction makes sure of them."""
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
    if "event" not in outcome.failures:  # people come and go
        return (yield from _change_description_alone(event, actions, operation))
    if operation not in _edits(outcome.failures["event"]):
        raise Conflict(immediate=True)
    return (yield from find(event.event_id)) or edited


def _change_description_alone(event: Event, actions: list[Action], operation: str) -> Steps[WholeEvent]:
    written = yield Update(Event.key(event.event_id), actions, guards.is_unedited(event))
    if written.image is None or not (written.done or operation in _edits(written.image)):
        raise Conflict(immediate=True)
    whole = yield from find(event.event_id)
    if whole is None:
        raise EventNotFound
    return whole


def _described(event: Event, changes: dict[str, Any], operation: str, now: str) -> list[Action]:
    """Change the record of an event, and say by which actions the stored one follows."""
    actions: list[Action] = []
    for name in DESCRIPTION:
        if name in changes:
            setattr(event, name, changes[name])
            attribute = getattr(Event, name)
            actions.append(attribute.remove() if _is_empty(changes[name]) else attribute.set(changes[name]))
    event.status = changes.get("status", event.status)
    event.set_index_keys()
    edits = " ".join([*event.edits.split(), operation][-REMEMBERED_EDITS:])
    event.updated_at = now
    actions += [Event.version.set(event.version + 1), Event.updated_at.set(event.updated_at), Event.edits.set(edits)]
    return actions + event.index_key_updates()


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == []


def _seated(edited: WholeEvent, changes: dict[str, Any]) -> dict[str, Any]:
    """Return what an edit changes of the seats: its own fields of them, and what follows from the description."""
    event, seats = edited
    values = {name: changes[name] for name in OF_THE_SEATS if name in changes}
    values |= {"open": event.status in OPEN_STATUSES} | _derived(event)
    return {name: value for name, value in values.items() if getattr(seats, name) != value}


def _derived(event: Event) -> dict[str, Any]:
    """Return what the seats know of the description: the window, the co-organizers, and whether it asks questions."""
    marks = " ".join(map(mark, event.organizers or ())) or None
    return window.of_seats(event) | {"organizer_marks": marks, "asks": bool(event.questions) or None}


def _change_both(
    edited: WholeEvent,
    described: list[Action],
    seated: dict[str, Any],
    places: dict[str, PrivatePlace],
    operation: str,
    now: str,
) -> Steps[Edited]:
    event, seats = edited
    counted = _counted(seats, seated)
    promotes = seats.promotes(clock.in_seconds(now))
    move = yield from promotions.plan(seats, capacity=int(seats.capacity), open_=promotes, at=now)
    described = [*described, Event.settings.set(event.settings + 1)]
    parts: dict[str, Any] = {"event": Update(Event.key(event.event_id), described, guards.is_unedited(event))}
    parts["seats"] = Update(Seats.key(event.event_id), [*counted, *move.actions], move.condition)
    if move.move:
        parts["move"] = Put(move.move)
    outcome = yield Transact(parts | followed(places, event.private_places))
    if outcome.in_conflict or (outcome.failures and operation not in _edits(outcome.failures.get("event"))):
        raise Conflict(immediate=not outcome.in_conflict)
    move.applied_to(seats)
    return (yield from _as_it_is(WholeEvent(event, seats))), move.people


def _edits(raw: RawItem | None) -> list[str]:
    return Event.parse(raw).edits.split() if raw else []


def _counted(seats: Seats, values: dict[str, Any]) -> list[Action]:
    """Change the record of the seats, and return the actions by which the stored ones follow."""
    values = values | {"settings": seats.settings + 1}
    actions: list[Action] = []
    for name, value in values.items():
        setattr(seats, name, value)
        attribute = getattr(Seats, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions


def _as_it_is(written: WholeEvent) -> Steps[WholeEvent]:
    """Return an edited event with its present counts, or all of it as it is, if it was edited since.

    The counts of the plan were never true at once, because people come between the plan and the write. If the event has
    been deleted since, they are all that is known.
    """
    event, seats = written
    event.version, event.settings = event.version + 1, event.settings + 1
    latest = yield Get((Seats, event.event_id, Seats.ITEM))
    now = WholeEvent(event, latest or seats)
    return now if now.fits else (yield from find(event.event_id)) or written


def delete(event_id: str, *, scope: Scope, versions: set[int] | None = None, with_people: bool = False) -> None:
    """Delete an event without registrations, or on request with all of them.

    Takes: as `edit`; whether the registrations that there are end with the event.
    Raises: `EventNotFound`; `EventNotYours`; `Stale`; `EventHasRegistrations`.
    """
    planned: list[Event] = []
    with retries.unanswered_calls() as unanswered:
        try:
            _delete(event_id, scope, versions, with_people, planned, unanswered)
        except EventNotFound:
            if not (planned and unanswered):
                raise  # else it is this very request that deleted the event, and the answer was lost
    event_deleted.send_robust(Event, event_id=event_id, incarnation=planned[-1].incarnation, event=planned[-1])


@retry_on_conflict
def _delete(
    event_id: str,
    scope: Scope,
    versions: set[int] | None,
    with_people: bool,
    planned: list[Event],
    unanswered: list[BaseException],
) -> None:
    event, seats = read(event_id, scope=scope)
    if unanswered and planned and planned[-1].incarnation != event.incarnation:
        raise EventNotFound  # it is gone, and somebody made another one meanwhile
    check_access(event, scope)
    check_owner(event, scope)
    if versions is not None and event.version not in versions:
        raise Stale
    if not with_people and (seats.registered or seats.waiting):
        raise EventHasRegistrations
    if not with_people and seats.committed:
        settling_wanted.send(Seats, seats=seats)
    planned.append(event)
    transaction = Transaction()
    transaction.delete("event", Event.key(event_id), guards.is_unedited(event))
    transaction.delete("seats", Seats.key(event_id), None if with_people else guards.has_nobody())
    follow(transaction, event.private_places, {})
    transaction.delete("check-ins", CheckIns(event_id, CheckIns.name(event.incarnation)))
    if transaction.commit():
        raise Conflict(immediate=True)


def forget_tickets(event_id: str, incarnation: str) -> None:
    """Remove what a deleted event leaves of its queue, which is shown nowhere."""
    prefix = EventItem.item.startswith(f"tickets#{incarnation}#")
    with EventItem.batch_write() as batch:
        for item in EventItem.query(event_id, prefix, consistent_read=True):
            batch.delete(item)
