"""Create, read and delete events. `events.editing` edits them."""

import uuid
from functools import partial
from typing import Any

from events import commands, window
from events.ledger import guards
from events.ledger.models import CancellationOutbox, CheckIns, Seats
from events.models import DRAFT, OPEN_STATUSES, Event, EventItem, mark
from events.signals import event_deleted
from events.whole import WholeEvent, find, find_event
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.idempotency import IdempotentRequest, write_once
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchWrite, Delete, Put, Query, Steps, Transact, retrying, run
from eventsite.dynamodb.writes import Failures
from eventsite.errors import Forbidden, Missing, Refused, Stale
from eventsite.ids import is_id

OF_THE_SERVICE = {"version", "settings", "edits", "created_at", "updated_at"}
"""The attributes of a description that only the service sets."""
DESCRIPTION = tuple(sorted(Event.get_attributes().keys() - EventItem.get_attributes().keys() - OF_THE_SERVICE))
"""The attributes of a description that an organizer sets."""
SETTINGS = ("capacity", "waitlist_enabled")
"""The attributes of the seats that an organizer sets."""


class EventNotFound(Missing):
    """There is no event of this id, or the caller may not see it."""

    code = "event_not_found"
    detail = "There is no event with this id."


class EventNotYours(Forbidden):
    detail = "This event is not yours: its organizer may do this."


class EventExists(Refused):
    code = "event_exists"
    detail = "There is already an event with this id."


class EventHasRegistrations(Refused):
    code = "event_has_registrations"
    detail = "People are registered or waiting for this event; it can be deleted once nobody is."


def read(event_id: str, *, scope: Scope) -> WholeEvent:
    """Return an event, read strongly consistently.

    Raises:
        EventNotFound: There is none, or it is a draft that the caller may not see.
    """
    whole = find_event(event_id)
    if whole is None or not may_be_seen(whole.event, scope):
        raise EventNotFound
    return whole


def may_be_seen(item: Event | Seats, scope: Scope) -> bool:
    """Return False if the event, of which one half is given, is a draft that the caller may not see."""
    return item.status != DRAFT or scope.sees_draft(item)


def check_access(item: Event | Seats, scope: Scope) -> None:
    """Check that the caller may change an event, of which one half is given.

    Raises:
        EventNotYours: The caller may not change it.
        EventNotFound: The caller may not change it, and it is a draft, whose existence is hidden.
    """
    if not scope.reaches(item):
        raise EventNotFound if item.status == DRAFT else EventNotYours


def check_owner(event: Event, scope: Scope) -> None:
    """Check that the caller, who may change the event, is its owner.

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
    """Create an event, and return it, or the one that an earlier copy of the same request created.

    Raises:
        EventExists: Another event has this id.
        KeyReused: The key belongs to a different request.
    """
    whole = compose(fields, organizer_id)
    parts = {"event": Put(whole.event, guards.is_new()), "seats": Put(whole.seats), **followed({}, whole.event.places)}

    def refusal(failures: Failures) -> EventExists | None:
        raw = failures.get("event")
        is_lost_answer = raw and Event.parse(raw).incarnation == whole.event.incarnation
        return EventExists() if "event" in failures and not is_lost_answer else None

    kept = write_once(parts, keyed, refusal=refusal, outcome=lambda: [item.to_dynamodb_dict() for item in whole])
    return WholeEvent.of(map(EventItem.parse, kept or ())) or whole


def compose(fields: dict[str, Any], organizer_id: str | None) -> WholeEvent:
    """Return the items of a new event without writing them."""
    event_id = fields.get("event_id") or str(uuid.uuid4())
    shared = {"incarnation": uuid.uuid4().hex[:12], "status": fields["status"], "organizer_id": organizer_id}
    created_at = clock.now()
    described = shared | {name: fields[name] for name in DESCRIPTION if fields.get(name) is not None}
    event = Event(event_id, Event.ITEM, version=1, created_at=created_at, updated_at=created_at, **described)
    event.set_index_keys()
    event.checked_in = 0
    chosen = {"capacity": fields["capacity"], "waitlist_enabled": fields.get("waitlist_enabled", False)}
    seats = Seats(event_id, Seats.ITEM, **chosen, **copied(event))
    return WholeEvent(event, seats)


def followed(old: dict[str, EventItem], new: dict[str, EventItem]) -> dict[str, Put | Delete]:
    """Return the parts of a transaction that replace an event's old places in private lists by its new ones."""
    parts: dict[str, Put | Delete] = {name: Delete(old[name]) for name in old.keys() - new.keys()}
    for name, place in new.items():
        if name not in old or place.serialize() != old[name].serialize():
            parts[name] = Put(place)
    return parts


def copied(event: Event) -> dict[str, Any]:
    """Return the attributes of the seats that are copies of the description, or follow from it."""
    same = {name: getattr(event, name) for name in ("incarnation", "settings", "status", "organizer_id")}
    marks = " ".join(map(mark, event.organizers or ())) or None
    derived = {"open": event.status in OPEN_STATUSES, "organizer_marks": marks, "asks": bool(event.questions) or None}
    return same | derived | window.of_seats(event)


def delete(event_id: str, *, scope: Scope, versions: set[int] | None = None, with_people: bool = False) -> None:
    """Delete an event without registrations, or on request with all of them.

    A deletion with registrations that was cut off can be repeated until nothing is left. The `versions` are those that
    the caller means to delete; None is any.

    Raises:
        EventNotFound: There is no such event, or the caller may not see it.
        EventNotYours: The caller does not own it.
        Stale: The event has none of these versions.
        EventHasRegistrations: People are registered or waiting, and `with_people` is False.
    """
    try:
        event, seats = run(delete_in_steps(event_id, scope, versions, with_people=with_people))
        incarnation, was_used = event.incarnation, _was_used(seats, with_people)
    except EventNotFound:
        left = interrupted_deletion(event_id, scope=scope) if with_people else None
        if left is None:
            raise
        incarnation, was_used = left.incarnation, True
    event_deleted.send_robust(Event, event_id=event_id, incarnation=incarnation, was_used=was_used)


def interrupted_deletion(event_id: str, *, scope: Scope) -> EventItem | None:
    """Return what a deletion with registrations that was cut off has left, if the caller owned the event."""
    if not is_id(event_id):
        return None
    found = EventItem.query(event_id, EventItem.item.startswith("tickets#"), consistent_read=True)
    left = (item for item in found if item.item == CancellationOutbox.name(item.incarnation, 0))
    return next((item for item in left if scope.may_touch(item.organizer_id)), None)


def delete_in_steps(
    event_id: str, scope: Scope, versions: set[int] | None = None, *, with_people: bool = False
) -> Steps[WholeEvent]:
    """Delete an event, as `delete`, in steps, and return it. Its registrations are left."""
    in_doubt: list[WholeEvent] = []
    return (yield from retrying(partial(_delete, event_id, scope, versions, with_people, in_doubt)))


def _delete(
    event_id: str, scope: Scope, versions: set[int] | None, with_people: bool, in_doubt: list[WholeEvent]
) -> Steps[WholeEvent]:
    whole = yield from find(event_id)
    if in_doubt and (whole is None or whole.event.incarnation != in_doubt[-1].event.incarnation):
        return in_doubt[-1]  # this request has deleted it, and the answer was lost
    if whole is None or not may_be_seen(whole.event, scope):
        raise EventNotFound
    event, seats = whole
    check_access(event, scope)
    check_owner(event, scope)
    if versions is not None and event.version not in versions:
        raise Stale
    if not with_people and (seats.registered or seats.waiting):
        raise EventHasRegistrations
    if not with_people and seats.committed:
        yield from commands.drain(seats)
    outcome = yield Transact(_deleting(whole, with_people))
    if outcome.in_doubt:
        in_doubt.append(whole)
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)
    return whole


def _deleting(whole: WholeEvent, with_people: bool) -> dict[str, Put | Delete]:
    event, seats = whole
    parts: dict[str, Put | Delete] = {
        "event": Delete(Event.key(event.event_id), guards.is_unedited(event)),
        "seats": Delete(Seats.key(event.event_id), None if with_people else guards.has_nobody(seats)),
        **followed(event.places, {}),
    }
    if with_people:
        parts["outbox"] = Put(CancellationOutbox.of(event))
    if _was_used(seats, with_people):
        parts["check-ins"] = Delete(CheckIns.named(event.event_id, CheckIns.name(event.incarnation)))
    return parts


def _was_used(seats: Seats, with_people: bool) -> bool:
    """Return False if no user has ever joined a deleted event. `guards.has_nobody` requires that for the deletion."""
    return with_people or seats.tickets > 0


def forget_tickets(event_id: str, incarnation: str) -> Steps[None]:
    """Delete the exit tombstones, promotions and outbox of a deleted event."""
    prefix = f"tickets#{incarnation}#"
    left = yield Query(EventItem, event_id, (prefix, f"{prefix}~"))
    yield BatchWrite(deletes=left)
