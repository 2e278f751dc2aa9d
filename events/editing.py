"""The rules of events: creating, editing and deleting one, its description and its seats together.

An edit is made under the condition that nobody else edited meanwhile (the version), and under the condition that
the event belongs to the editor where that matters: both are part of the write, not a look before it.
"""

import uuid
from typing import Any

from pynamodb.expressions.update import Action

from events import guards, models
from events.intent import meant
from events.models import DRAFT, OPEN_STATUSES, Event, EventItem, Seats, WholeEvent
from events.signals import event_deleted, seats_freed
from eventsite import clock
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.retries import LostRace, retry_lost_race
from eventsite.dynamodb.transactions import Transaction
from eventsite.errors import Forbidden, Missing, Refused, Stale

OF_THE_SERVICE = {"version", "created_at", "updated_at"}
"""What only the service sets in a description."""
DESCRIPTION = tuple(sorted(Event.get_attributes().keys() - EventItem.get_attributes().keys() - OF_THE_SERVICE))
"""What an organizer sets in it: every other attribute that is its own."""


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


def read(event_id: str, *, drafts_of: str | None = None) -> WholeEvent:
    """The whole event, strongly consistent.

    Takes: the id; whose drafts may be seen (None: everybody's).
    Raises: `EventNotFound`.
    """
    whole_event = models.find(event_id)
    if whole_event is None:
        raise EventNotFound
    check_access(whole_event.event, drafts_of=drafts_of)
    return whole_event


def may_be_seen(half: EventItem, drafts_of: str | None) -> bool:
    """Whether an event may be seen by somebody who may see these drafts (None: everybody's)."""
    return half.status != DRAFT or drafts_of is None or half.organizer_id == drafts_of


def check_access(half: EventItem, *, owner: str | None = None, drafts_of: str | None = None) -> None:
    """Make sure that an event, of which one half is enough, may be touched.

    Takes: the id of the organizer who must own it (None: anybody's); whose drafts may be seen (None: everybody's).
    Raises: `EventNotFound` where it is a draft that may not be seen, as if there were none; `EventNotYours`.
    """
    if not (may_be_seen(half, drafts_of) and may_be_seen(half, owner)):
        raise EventNotFound
    if owner is not None and half.organizer_id != owner:
        raise EventNotYours


@retry_lost_race
def create(
    fields: dict[str, Any], *, organizer_id: str | None = None, keyed: IdempotentRequest | None = None
) -> WholeEvent:
    """Create an event.

    Takes: the validated fields by their Python names, `event_id` among them if the client chose one; the owner's
    id; the caller's idempotency key, if any.
    Returns: the event; the one created before, if the same request was carried out already.
    Raises: `EventExists`; `idempotency.KeyReused`.
    """
    whole_event = compose(fields, organizer_id)
    transaction = Transaction()
    transaction.put("event", whole_event.event, guards.is_new())
    transaction.put("seats", whole_event.seats)
    if keyed:
        keyed.remember(transaction, [half.to_dynamodb_dict() for half in whole_event])
    failures = transaction.commit()
    if keyed and (earlier := keyed.found(failures)):
        return WholeEvent(Event.parse(earlier[0]), Seats.parse(earlier[1]))
    if failures:
        raise EventExists
    return whole_event


def compose(fields: dict[str, Any], organizer_id: str | None) -> WholeEvent:
    """Both halves of a new event, not yet written."""
    event_id = fields.get("event_id") or str(uuid.uuid4())
    created_at = clock.now()
    event = Event(event_id, Event.ITEM, version=1, created_at=created_at, updated_at=created_at)
    for name in DESCRIPTION:
        setattr(event, name, fields.get(name))
    seats = Seats(
        event_id,
        Seats.ITEM,
        capacity=fields["capacity"],
        waitlist_enabled=fields.get("waitlist_enabled", False),
        open=fields["status"] in OPEN_STATUSES,
    )
    for half in (event, seats):
        half.set_index_keys(date=fields["date"], status=fields["status"], organizer_id=organizer_id)
    return WholeEvent(event, seats)


@retry_lost_race
def edit(
    event_id: str, changes: dict[str, Any], *, versions: set[int] | None = None, owner: str | None = None
) -> WholeEvent:
    """Change some fields of an event, and let the queue move up if that frees seats.

    Takes: the changed fields by their Python names; the versions the caller means to edit (None: any); the id of
    the organizer who must own the event (None: anybody's).
    Returns: the event after the edit and the promotions.
    Raises: `EventNotFound`; `EventNotYours`; `Stale` when the event is of none of these versions; `WrongValues`.
    """
    before = read(event_id)
    _check(before.event, versions, owner)
    if before.seats.queue_can_move:  # an earlier edit was cut off before the queue had moved
        seats_freed.send(Event, event_id=event_id)
    changes = meant(before, changes)
    _write(before, changes)
    if "capacity" in changes or "status" in changes:
        seats_freed.send(Event, event_id=event_id)
    return read(event_id)


def _check(event: Event, versions: set[int] | None, owner: str | None) -> None:
    check_access(event, owner=owner)
    if versions is not None and event.version not in versions:
        raise Stale


def _write(before: WholeEvent, changes: dict[str, Any]) -> None:
    event, seats = before
    placed = {"date": event.date, "status": event.status} | changes
    for half in before:
        half.set_index_keys(date=placed["date"], status=placed["status"], organizer_id=event.organizer_id)
    described: list[Action] = [_changed(name, changes[name]) for name in DESCRIPTION if name in changes]
    counted = [getattr(Seats, name).set(changes[name]) for name in ("capacity", "waitlist_enabled") if name in changes]
    counted.append(Seats.open.set(placed["status"] in OPEN_STATUSES))
    described += [Event.version.set(event.version + 1), Event.updated_at.set(clock.now())]
    transaction = Transaction()
    transaction.update("event", event, event.index_key_updates() + described, guards.is_unedited(event))
    transaction.update("seats", seats, seats.index_key_updates() + counted)
    if transaction.commit():
        raise LostRace(at_once=True)


def _changed(name: str, value: Any) -> Action:
    """The action that gives a field of the description a value; None takes it away."""
    attribute = getattr(Event, name)
    action: Action = attribute.remove() if value is None else attribute.set(value)
    return action


@retry_lost_race
def delete(event_id: str, *, versions: set[int] | None = None, owner: str | None = None) -> None:
    """Delete an event that nobody is registered for or waiting for.

    Takes: as `edit`.
    Raises: `EventNotFound`; `EventNotYours`; `Stale`; `EventHasRegistrations`.
    """
    before, at = read(event_id), clock.now()
    _check(before.event, versions, owner)
    transaction = Transaction()
    transaction.delete("event", before.event, guards.is_unedited(before.event))
    transaction.delete("seats", before.seats, guards.has_nobody())
    failures = transaction.commit()
    if failures.get("seats"):
        raise EventHasRegistrations
    if failures:
        raise LostRace(at_once=True)
    event_deleted.send(Event, event_id=event_id, at=at)
