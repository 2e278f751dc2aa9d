"""Mending: each cure is one write, or one operation like a request's, and is made only if what was seen is still so.

A cure that comes too late does nothing. It says nothing of that either: another look tells what is left.
"""

import random
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards as event_guards
from events.ledger import promotions, queue
from events.ledger.models import ExitTombstones, Promotion, Seats
from events.models import OPEN_STATUSES, Event
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb import writes
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.transactions import Transaction, transact_get
from registrations import seating
from registrations.audit.snapshot import Person, Snapshot
from registrations.audit.totals import Figures, stored_gone
from registrations.errors import RegistrationNotFound
from registrations.models import ActiveItem, EventTicket, PastItem, Registration
from registrations.seating import closing, guards, locking
from registrations.signals import seats_changed
from users.models import User

Cure = Callable[[], object]
LOST = "(lost)"
"""What a description says that had to be made up."""
CHUNKS_AT_ONCE = 50
RECORDS_AT_ONCE = 100

# Conditions.


def _same(attribute: Attribute[Any], value: Any) -> Condition:
    """The attribute is what it was read as. One that is missing is read as its default."""
    if value is None:
        return attribute.does_not_exist()
    same: Condition = attribute == value
    return same | attribute.does_not_exist() if value == attribute.default else same


def _all_same(record: BaseModel, *names: str) -> Condition:
    first, *rest = (_same(getattr(type(record), name), getattr(record, name)) for name in names)
    condition = first
    for one in rest:
        condition &= one
    return condition


def _stands(seats: Seats) -> Condition:
    """Nobody came, went or moved up since the seats were read, no edit was made, and no lock was broken."""
    figures = ("incarnation", "generation", "settings", "tickets", "served", "registered", "waiting", "quits", "left")
    return _all_same(seats, *figures)


def _is_there(item: ActiveItem | PastItem) -> Condition:
    """The registration is the one that was read."""
    return _all_same(item, "ticket", "incarnation", "registration_id")


# Counters.


def recount(seen: Snapshot, seats: Seats, right: Figures) -> Cure:
    """Make the counters what they must be."""
    wanted = {"tickets": right.tickets, "served": right.served}
    wanted |= {"registered": right.registered, "waiting": right.waiting}
    actions: list[Action] = [getattr(Seats, name).set(value) for name, value in wanted.items()]
    actions += [Seats.gone.set(right.counts), Seats.quits.set(seats.quits + 1)]
    transaction = Transaction()
    transaction.update("seats", Seats.key(seen.event_id), actions, _stands(seats))
    stored = stored_gone(seen, seats, right.served)
    changed = [chunk for chunk in stored.keys() | right.gone.keys() if stored.get(chunk) != right.gone.get(chunk)]
    for chunk in sorted(changed)[:CHUNKS_AT_ONCE]:
        item = ExitTombstones(*queue.gone_key(seats, str(chunk)))
        if left := right.gone.get(chunk):
            item.incarnation, item.tickets = seats.incarnation, set(left)
            transaction.put(f"gone {chunk}", item)
        else:
            transaction.delete(f"gone {chunk}", item)
    return transaction.commit


def promote(seats: Seats) -> Cure:
    """Let as many move up as there are free seats, as an edit does."""

    def cure() -> None:
        at = clock.now()
        move = promotions.plan(seats, capacity=int(seats.capacity), open_=seats.promotes(clock.seconds()), at=at)
        if move.log is None or move.condition is None:
            return
        transaction = Transaction()
        unchanged = _is_same(seats) & (Seats.settings == seats.settings)
        transaction.update("seats", Seats.key(seats.event_id), move.actions, unchanged & move.condition)
        transaction.put("log", move.log)
        if not transaction.commit():
            seats_changed.send_robust(Registration, promoted=move.people)

    return cure


def log_move(seats: Seats, first: int) -> Cure:
    """Take down that the queue moved from a ticket on. When it did is lost, so it is now."""
    transaction = Transaction()
    transaction.check("seats", Seats, seats.event_id, _is_same(seats), Seats.ITEM)
    key = queue.promotion_key(seats, first)
    log = Promotion(*key, incarnation=seats.incarnation, first=first, at=clock.now())
    transaction.put("log", log, Promotion.item.does_not_exist())
    return transaction.commit


def clear_records(seats: Seats, names: list[str]) -> Cure:
    """Remove records of operations that are settled."""

    def cure() -> None:
        some = names[:RECORDS_AT_ONCE]
        keys = [(ActiveItem, *ActiveItem.key_of(seats.event_id, name.partition("~")[2])) for name in some]
        items = batch_get(*dict.fromkeys(keys), consistent=True)
        held = {item.record for item in items if item is not None and item.lock}
        removed: list[Action] = [Seats.records[name].remove() for name in some if name not in held]
        if removed:
            writes.conditional_update(Seats.key(seats.event_id), removed, _is_same(seats))

    return cure


# People and their lines.


def break_lock(item: ActiveItem) -> Cure:
    """Settle what the holder of a lock has committed, or take the lock away."""

    def cure() -> None:
        now = ActiveItem.find(str(item.key), str(item.item))
        if now is not None and now.lock == item.lock:
            locking.make_way(now)

    return cure


def leave(event_id: str, user_id: str) -> Cure:
    """Give up the registration of a user who does not exist any more."""

    def cure() -> None:
        if User.find(user_id) is None:
            with suppress(RegistrationNotFound):
                seating.leave(event_id, user_id, scope=EVERYTHING)

    return cure


def line_of(item: ActiveItem | PastItem, ticket: int, **known: Any) -> EventTicket:
    """The event's line of a registration."""
    cancelled = isinstance(item, PastItem)
    names = ("waited", "registration_id", "registered_at", "promoted_at", "cancelled_at", "incarnation")
    fields = {name: getattr(item, name) for name in names} | known
    key = EventTicket.key_of(item.event_id, item.incarnation, ticket, cancelled=cancelled)
    return EventTicket(*key, user_id=item.user_id, ticket=ticket, **fields)


def write_line(item: ActiveItem | PastItem, ticket: int, **known: Any) -> Cure:
    """Write a registration's line anew; and into the registration, what is `known` better by now."""
    transaction = Transaction()
    actions: list[Action] = [getattr(type(item), name).set(value) for name, value in known.items()]
    key = type(item)(item.key, item.item)
    if actions:
        transaction.update("registration", key, actions, _is_there(item))
    else:
        transaction.check("registration", type(item), str(item.key), _is_there(item), str(item.item))
    transaction.put("line", line_of(item, ticket, **known))
    return transaction.commit


def restore(line: EventTicket, key: tuple[str, str], *, cancelled: bool, ticket: int) -> Cure:
    """Write a registration anew from its line, if the user has none for the event."""
    model: type[ActiveItem | PastItem] = PastItem if cancelled else ActiveItem
    other: type[ActiveItem | PastItem] = ActiveItem if cancelled else PastItem
    names = ("waited", "registered_at", "promoted_at", "cancelled_at", "incarnation")
    fields = {name: getattr(line, name) for name in names} | {"ticket": ticket}
    item = model(*key, registration_id=line.registration_id or str(uuid.uuid4()), **fields)
    transaction = Transaction()
    transaction.check("line", EventTicket, str(line.key), _same(EventTicket.user_id, line.user_id), str(line.item))
    transaction.put("registration", item, model.item.does_not_exist())
    _, range_key = other.key_of(item.event_id, item.user_id)
    transaction.check("other", other, item.user_id, other.item.does_not_exist(), range_key)
    return transaction.commit


def remove_line(line: EventTicket, owner: ActiveItem | PastItem | None) -> Cure:
    """Remove a line that is nobody's, if its user's registration is still what it was."""
    transaction = Transaction()
    transaction.delete("line", EventTicket(line.key, line.item), _same(EventTicket.user_id, line.user_id))
    if owner is not None:
        transaction.check("owner", type(owner), str(owner.key), _is_there(owner), str(owner.item))
    return transaction.commit


def remove_past(past: PastItem, line: EventTicket | None) -> Cure:
    """Forget that somebody left, with the line of it, if that is not another one's."""
    transaction = Transaction()
    transaction.delete("past", PastItem(past.key, past.item), _is_there(past))
    if line is not None and line.user_id == past.user_id:
        transaction.delete("line", EventTicket(line.key, line.item), EventTicket.user_id == past.user_id)
    return transaction.commit


def remove_empty(item: ActiveItem) -> Cure:
    """Remove a registration that is none: no ticket, and no lock."""
    return partial(_delete, ActiveItem(item.key, item.item), guards.is_vacant() & guards.is_unlocked())


def give_ticket(seats: Seats, one: Person, ticket: int) -> Cure:
    """Give somebody a ticket of their own."""
    item = one.item
    transaction = Transaction()
    unchanged = _is_there(item) & guards.is_unlocked()
    waited = one.waited or ticket > seats.served
    actions: list[Action] = [ActiveItem.ticket.set(ticket), ActiveItem.waited.set(waited)]
    transaction.update("registration", ActiveItem(item.key, item.item), actions, unchanged)
    free = EventTicket.item.does_not_exist() | (EventTicket.user_id == item.user_id)
    transaction.put("line", line_of(item, ticket, waited=waited), free)
    given: list[Action] = [Seats.tickets.set(max(ticket, int(seats.tickets)))]
    transaction.update("seats", Seats.key(seats.event_id), given, _stands(seats))
    return transaction.commit


# Whole events.


def fit(event: Event, seats: Seats, incarnation: str, capacity: int, waitlist_enabled: bool) -> Cure:
    """Make description and seats one event again: the description says what it is, the seats how many there are."""
    settings = max(int(event.settings), int(seats.settings)) + 1
    right = Event(event.event_id, Event.ITEM, date=event.date, status=event.status, organizer_id=event.organizer_id)
    right.set_index_keys()
    described = [*right.index_key_updates(), Event.settings.set(settings), Event.version.set(event.version + 1)]
    transaction = Transaction()
    described.append(Event.incarnation.set(incarnation))
    transaction.update("event", Event.key(event.event_id), described, event_guards.is_unedited(event))
    counted: list[Action] = [
        Seats.settings.set(settings),
        Seats.status.set(event.status),
        Seats.open.set(event.status in OPEN_STATUSES),
        Seats.capacity.set(capacity),
        Seats.waitlist_enabled.set(waitlist_enabled),
        Seats.incarnation.set(incarnation),
        Seats.sort.remove(),
        Seats.organizer_status.remove(),
        Seats.organizer_id.set(event.organizer_id) if event.organizer_id else Seats.organizer_id.remove(),
    ]
    transaction.update("seats", Seats.key(event.event_id), counted, _stands(seats))
    return transaction.commit


def seats_again(seen: Snapshot, event: Event) -> Cure:
    """Make up the seats from the registrations."""
    people = seen.people()
    served = max([*(one.ticket for one in people if not one.waited), *seen.moves, *_successors(seen)], default=0)
    registered = sum(1 for one in people if one.ticket <= served)
    seats = Seats(
        event.event_id,
        Seats.ITEM,
        incarnation=event.incarnation,
        status=event.status,
        organizer_id=event.organizer_id,
        capacity=max(1, registered),
        waitlist_enabled=len(people) > registered,
        open=event.status in OPEN_STATUSES,
        settings=event.settings,
        generation=random.getrandbits(32),
        registered=registered,
        waiting=len(people) - registered,
        tickets=max([served, *(one.ticket for one in people), *seen.history], default=0),
        served=served,
        moved=max([first for first in seen.moves if first <= served], default=0),
    )
    transaction = Transaction()
    transaction.check("event", Event, event.event_id, event_guards.is_unedited(event), Event.ITEM)
    transaction.put("seats", seats, Seats.item.does_not_exist())
    return transaction.commit


def _successors(seen: Snapshot) -> list[int]:
    left = (past for past in seen.past.values() if past.incarnation == seen.incarnation)
    return [int(past.successor) for past in left if past.successor]


def description_again(seats: Seats) -> Cure:
    """Make up a description, to be written anew."""
    now = clock.now()
    event = Event(seats.event_id, Event.ITEM, version=1, created_at=now, updated_at=now, date=now[:10])
    event.title = event.description = event.location = event.organizer = LOST
    event.status, event.organizer_id = seats.status, seats.organizer_id
    event.incarnation, event.settings = seats.incarnation, seats.settings
    event.set_index_keys()
    transaction = Transaction()
    transaction.put("event", event, event_guards.is_new())
    transaction.check("seats", Seats, seats.event_id, _is_same(seats), Seats.ITEM)
    return transaction.commit


def bury(seen: Snapshot, incarnation: str) -> Cure:
    """Remove what is left of an event that is gone. Incarnations are drawn at random, so none ever comes back."""

    def cure() -> None:
        found = transact_get((Event, seen.event_id, Event.ITEM), (Seats, seen.event_id, Seats.ITEM))
        if any(item is not None and item.incarnation == incarnation for item in found):
            return
        closing.forget_event(seen.event_id, incarnation)
        items: Iterable[ActiveItem | PastItem] = (*seen.active.values(), *seen.past.values())
        for item in items:
            if item.incarnation == incarnation and item.ticket is not None:
                _delete(type(item)(item.key, item.item), _is_there(item))

    return cure


def _delete(record: BaseModel, condition: Condition) -> None:
    try:
        record.delete(condition=condition)
    except DeleteError as error:
        if error.cause_response_code != writes.REFUSED:
            raise


def _is_same(seats: Seats) -> Condition:
    """The event is the one that was looked at, not another one made under its id."""
    same: Condition = Seats.incarnation == seats.incarnation
    return same
