"""The repairs of the audit: each is one conditional write, or an operation like that of a request.

The condition is that the snapshot is still true. A repair that comes too late does nothing and raises nothing; the next
snapshot shows whether the finding is still there.
"""

import secrets
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from events import services, window
from events.ledger import guards as event_guards
from events.ledger import log, operations, promotions, queue
from events.ledger.models import ExitTombstones, Promotion, Seats
from events.models import Event
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.reads import transact_get
from eventsite.dynamodb.steps import Check, Delete, Put, Update, run, transact_write
from registrations import seating
from registrations.audit.snapshot import Person, Snapshot
from registrations.audit.totals import COUNTERS, Figures, floor, stored_exits, surely_seated
from registrations.models import KEPT, EventTicket, Registration, UserRegistration
from registrations.seating import commit, guards
from registrations.seating.ends import trimmed
from registrations.seating.operations import Request
from registrations.signals import seats_changed
from users.models import User

Repair = Callable[[], object]
LOST = "(lost)"
"""The texts of a description that had to be invented."""
ITEMS_AT_ONCE = 50  # exit tombstones in a transaction, which takes 100 items
ENTRIES_AT_ONCE = 50  # log entries that one update trims


def _write(**parts: Update | Put | Delete | Check) -> Repair:
    """Return the repair that writes all parts, or none if a condition does not hold."""
    return partial(transact_write, parts)


# Conditions.


def _stands(seats: Seats) -> Condition:
    """Require that nothing was committed, edited or fenced since the seats were read."""
    return seats.is_as_read("incarnation", "epochs", "settings", "waitlist_exits", "left", *COUNTERS)


def _is_there(item: UserRegistration) -> Condition:
    """Require that the registration is the one that was read."""
    return item.is_as_read("ticket", "incarnation", "registration_id")


# Counters.


def recount(seen: Snapshot, seats: Seats, right: Figures) -> Repair:
    """Set the counters and the exit tombstones to the right figures."""
    counts = {str(number): count for number, count in right.counts(seats.width).items()}
    values = {name: getattr(right, name) for name in COUNTERS}
    values |= {"exit_counts": counts, "waitlist_exits": seats.waitlist_exits + 1}
    parts: dict[str, Update | Put | Delete] = {"seats": Update(seats, Seats.updates(values), _stands(seats))}
    first = floor(seats, right.seated_through)
    changed = {ticket // queue.PER_ITEM for ticket in stored_exits(seen, seats, right.seated_through) ^ right.exits}
    for number in sorted(changed)[:ITEMS_AT_ONCE]:
        item = ExitTombstones(*queue.exits_key(seats, number * queue.PER_ITEM))
        kept = {ticket for ticket in seen.exits.get(number, ()) if ticket < first}
        item.exits = kept | {ticket for ticket in right.exits if ticket // queue.PER_ITEM == number}
        parts[f"exits {number}"] = Put(item) if item.exits else Delete(item)
    return _write(**parts)


def promote(seats: Seats) -> Repair:
    """Promote people into the free seats, as an edit does."""

    def repair() -> None:
        at = clock.now()
        promotes = seats.promotes(clock.seconds())
        move = run(promotions.plan(seats, capacity=int(seats.capacity), open_=promotes, at=at))
        if move.move is None or move.condition is None:
            return
        unchanged = guards.is_incarnation(seats.incarnation) & (Seats.settings == seats.settings)
        actions = [*move.actions, Seats.edited_at.set(clock.in_microseconds(at))]
        update = Update(seats, actions, unchanged & move.condition)
        if not transact_write({"seats": update, "move": Put(move.move)}):
            seats_changed.send_robust(Registration, promoted=move.people)

    return repair


def log_move(seats: Seats, first: int) -> Repair:
    """Write a missing promotion from a ticket on, with the present time, as the true time is lost."""
    key = queue.promotion_key(seats, first)
    move = Promotion(*key, incarnation=seats.incarnation, first=first, at=clock.now())
    same = Check(seats, guards.is_incarnation(seats.incarnation))
    return _write(seats=same, move=Put(move, Promotion.item.does_not_exist()))


def trim(seats: Seats, names: list[str]) -> Repair:
    """Trim log entries of applied operations."""
    return lambda: run(trimmed(seats, names[:ENTRIES_AT_ONCE]))


# People and their lines.


def apply_entry(seats: Seats, entry: log.LogEntry) -> Repair:
    """Apply the operation of a crashed process."""
    return lambda: run(commit.recover(seats, entry, Request(seats.event_id, "", EVERYTHING)))


def forget(user_id: str) -> Repair:
    """Give up and delete all registrations of a user who does not exist any more."""

    def repair() -> None:
        if User.find(user_id) is None:
            run(seating.forget_user(user_id))

    return repair


def line_of(item: UserRegistration, ticket: int, **known: Any) -> EventTicket:
    """Return the line that belongs to a registration, with `known` in place of some of its values."""
    fields = {name: getattr(item, name) for name in KEPT} | known | {"ticket": ticket}
    key = EventTicket.key_of(item.event_id, item.incarnation, ticket, cancelled=not item.active)
    return EventTicket(*key, user_id=item.user_id, **fields)


def write_line(item: UserRegistration, ticket: int, **known: Any) -> Repair:
    """Write the line of a registration, and the `known` values into the registration itself."""
    kept = Update(item, item.updates(known), _is_there(item)) if known else Check(item, _is_there(item))
    return _write(registration=kept, line=Put(line_of(item, ticket, **known)))


def restore(event_id: str, line: EventTicket, *, active: bool, ticket: int) -> Repair:
    """Write a lost registration from its line, if the user has none for the event."""
    fields = {name: getattr(line, name) for name in KEPT} | {"ticket": ticket, "active": active}
    fields["registration_id"] = line.registration_id or str(uuid.uuid4())
    fields["operations"] = operations.new_id(clock.now(), secrets.randbelow(operations.DRAWS))
    row = UserRegistration(*UserRegistration.key_of(event_id, str(line.user_id)), **fields)
    owned = Check(line, line.is_as_read("user_id"))
    return _write(line=owned, registration=Put(row, UserRegistration.item.does_not_exist()))


def remove_line(line: EventTicket, owner: UserRegistration | None) -> Repair:
    """Delete a stale line, if the registration of its user is unchanged."""
    stale = Delete(line, line.is_as_read("user_id"))
    return _write(line=stale, **({"owner": Check(owner, _is_there(owner))} if owner else {}))


def remove_empty(row: UserRegistration) -> Repair:
    """Delete a registration that has no ticket."""
    still_empty = UserRegistration.ticket.does_not_exist() & guards.is_unchanged(row)
    return _write(registration=Delete(UserRegistration.named(row.key, row.item), still_empty))


def give_ticket(seats: Seats, one: Person, ticket: int) -> Repair:
    """Give a person who shares a ticket another one."""
    item = one.item
    unchanged = _is_there(item) & guards.is_unchanged(item)
    waited = one.waited or ticket > seats.seated_through
    drawn = operations.new_id(clock.now(), secrets.randbelow(operations.DRAWS))
    values = {"ticket": ticket, "waited": waited, "operations": item.operations_and(drawn)}
    free = EventTicket.item.does_not_exist() | (EventTicket.user_id == item.user_id)
    return _write(
        registration=Update(item, UserRegistration.updates(values), unchanged),
        line=Put(line_of(item, ticket, waited=waited), free),
        seats=Update(seats, [Seats.tickets.set(max(ticket, int(seats.tickets)))], _stands(seats)),
    )


# Whole events.


def fit(seen: Snapshot, event: Event, seats: Seats) -> Repair:
    """Make description and seats agree again.

    The status and the owner of the description win. The counts of the seats stay. A lost setting gets a value that
    moves no person.
    """
    settings = max(int(event.settings), int(seats.settings)) + 1
    shared = {"settings": settings, "incarnation": seats.incarnation}
    described = Event.updates(event.index_keys | shared | {"version": event.version + 1})
    values = services.copied(event) | shared | dict.fromkeys(event.index_keys)
    if seats.capacity is None:
        values["capacity"] = max(1, int(seats.registered))
    if seats.waitlist_enabled is None:
        values["waitlist_enabled"] = any(one.ticket > seats.seated_through for one in seen.people)
    return _write(
        event=Update(event, described, event_guards.is_unedited(event)),
        seats=Update(seats, Seats.updates(values), _stands(seats)),
    )


def seats_again(seen: Snapshot, event: Event) -> Repair:
    """Rebuild lost seats from the registrations. The capacity becomes the number of registered people."""
    people = seen.people
    seated_through = max(surely_seated(seen), default=0)
    registered = sum(1 for one in people if one.ticket <= seated_through)
    seats = Seats(
        event.event_id,
        Seats.ITEM,
        **services.copied(event),
        capacity=max(1, registered),
        waitlist_enabled=len(people) > registered,
        registered=registered,
        waiting=len(people) - registered,
        tickets=max([seated_through, *(one.ticket for one in people), *seen.history], default=0),
        seated_through=seated_through,
        moved=max([first for first in seen.moves if first <= seated_through], default=0),
    )
    described = Check(event, event_guards.is_unedited(event))
    return _write(event=described, seats=Put(seats, Seats.item.does_not_exist()))


def description_again(seats: Seats) -> Repair:
    """Write a placeholder for a lost description, which the organizer has to edit.

    It has what the seats tell: the window, and a day on which it ends no earlier. It is unlisted, as the event may have
    been.
    """
    now = clock.now()
    ends_at = clock.of_seconds(int(seats.ends_at) + window.LAST_OFFSET - 1) if seats.ends_at else now
    event = Event(seats.event_id, Event.ITEM, version=1, created_at=now, updated_at=now, date=ends_at[:10])
    event.title = event.description = event.location = event.organizer = LOST
    event.status, event.organizer_id, event.unlisted = seats.status, seats.organizer_id, True
    event.registration_opens_at, event.registration_closes_at = map(_moment, (seats.opens_at, seats.closes_at))
    event.incarnation, event.settings = seats.incarnation, seats.settings
    event.set_index_keys()
    same = Check(seats, guards.is_incarnation(seats.incarnation))
    places = services.followed({}, event.places)
    return _write(event=Put(event, event_guards.is_new()), seats=same, **places)


def _moment(seconds: Any) -> str | None:
    return None if seconds is None else clock.of_seconds(int(seconds))


def delete_leftovers(seen: Snapshot, incarnation: str) -> Repair:
    """Delete what a deleted event left behind. Incarnations are random, so none ever returns."""

    def repair() -> None:
        found = transact_get((Event, seen.event_id, Event.ITEM), (Seats, seen.event_id, Seats.ITEM))
        if any(item is not None and item.incarnation == incarnation for item in found):
            return
        seating.forget_event(seen.event_id, incarnation)
        for item in seen.rows.values():
            if item.incarnation == incarnation and item.ticket is not None:
                transact_write({"row": Delete(UserRegistration.named(item.key, item.item), _is_there(item))})

    return repair
