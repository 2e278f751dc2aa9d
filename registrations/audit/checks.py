"""Check one snapshot of an event against the rules of the seats and docs/protocol.md.

The order matters. Counters are checked only if the registrations and the event's lists agree, and free seats only if
the counters are right. Repairs run in the same order. Unapplied operations come last, because the rest must be right
before they can be applied.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from events.ledger import log
from events.ledger.models import Seats
from events.models import OPEN_STATUSES, Event
from eventsite import clock
from registrations.audit import repairs, totals
from registrations.audit.repairs import Cure
from registrations.audit.snapshot import Person, Snapshot
from registrations.audit.totals import Figures
from registrations.models import EventTicket, UserRegistration

Identity = tuple[str, str, object]
OLD_SECONDS = 60  # a live request applies its operation sooner; a wrong clock only delays or hastens the repair
MANY_ENTRIES = 16  # log entries; about twice the number that the log has room for
SAFE = frozenset({"unapplied", "long_log", "leftover", "idle_seats", "deleted_user"})
"""The kinds that are repaired automatically, because an operator has nothing to decide."""
ROWS = frozenset({"lost_registration", "shared_ticket", "lines_differ"})
"""The kinds that must be repaired before the counters can be checked."""


@dataclass(frozen=True)
class Finding:
    """One inconsistency."""

    event_id: str
    kind: str
    sentence: str
    subject: str = ""
    """The user id, the ticket or the deleted incarnation in question."""
    mark: object = None
    """Distinguishes the finding from one of the same kind a moment earlier or later, which traffic may cause."""
    harmless: bool = False
    """True if no seat is affected, so that a line in the report is enough and no alarm is needed."""
    repair: Cure | None = field(default=None, repr=False, compare=False)
    """Repairs it if it is unchanged; None if an operator has to decide."""
    mended: bool = False

    @property
    def identity(self) -> Identity:
        """Return the values that are equal in two snapshots of the same inconsistency."""
        return self.kind, self.subject, self.mark


def differences(seen: Snapshot) -> list[Finding]:
    """Return all findings of one snapshot."""
    found = [*_leftovers(seen), *_empty(seen)]
    if seen.event is None and seen.seats is None:
        return [*found, *_unapplied(seen)]
    if seen.event is None or seen.seats is None:
        return [*found, *_half_missing(seen), *_unapplied(seen)]
    found += [*_halves_at_odds(seen, seen.event, seen.seats), *_of_the_lines(seen), *_of_the_past(seen)]
    found += [*_shared_tickets(seen, seen.seats)]
    if not any(finding.kind in ROWS for finding in found):
        found += [*_counted(seen, seen.seats), *_moves(seen, seen.seats)]
    return [*found, *_long_log(seen, seen.seats), *_deleted_users(seen), *_unapplied(seen)]


# Leftovers of crashed processes.


def _unapplied(seen: Snapshot) -> Iterator[Finding]:
    oldest = (datetime.now(UTC) - timedelta(seconds=OLD_SECONDS)).strftime(clock.FORMAT)
    for user_id, entry in seen.pending().items():
        if seen.seats and entry.at < oldest:
            sentence = f"An operation on the registration of {user_id} was cut off; it is not applied yet."
            cure = repairs.apply_entry(seen.seats, entry)
            yield Finding(seen.event_id, "unapplied", sentence, user_id, entry.operation, harmless=True, repair=cure)


def _empty(seen: Snapshot) -> Iterator[Finding]:
    for row in seen.rows.values():
        if row.ticket is None:
            sentence = f"The registration of {row.user_id} is empty."
            cure = repairs.remove_empty(row)
            yield Finding(seen.event_id, "empty", sentence, row.user_id, harmless=True, repair=cure)


def _leftovers(seen: Snapshot) -> Iterator[Finding]:
    for incarnation in sorted(seen.dead):
        sentence = "There is something left of a deleted event of this id."
        cure = repairs.bury(seen, incarnation)
        yield Finding(seen.event_id, "leftover", sentence, incarnation, harmless=True, repair=cure)


def _long_log(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Yield a finding if many applied entries are in the log. A few stay in every log until the next commit."""
    pending = {entry.operation for entry in seen.pending().values()}
    applied = [entry.name for entry in log.of(seats) if entry.operation not in pending]
    if len(applied) > MANY_ENTRIES:
        sentence = f"The log of its seats has {len(applied)} entries of operations that are applied."
        cure = repairs.trim(seats, applied)
        yield Finding(seen.event_id, "long_log", sentence, harmless=True, repair=cure)


def _deleted_users(seen: Snapshot) -> Iterator[Finding]:
    gone = [one for one in seen.people() if one.settled and one.user_id not in seen.known_users]
    for one in gone:
        sentence = f"{one.user_id} has ticket {one.ticket}, and there is no such user."
        cure = repairs.leave(seen.event_id, one.user_id)
        yield Finding(seen.event_id, "deleted_user", sentence, one.user_id, one.ticket, repair=cure)
    busy = seen.pending().keys()
    for user_id, past in seen.past.items():
        if user_id not in seen.known_users | busy and past.incarnation == seen.incarnation:
            sentence = f"{user_id} once left, and there is no such user."
            cure = repairs.forget(seen.event_id, user_id)
            yield Finding(seen.event_id, "deleted_user", sentence, user_id, past.ticket, harmless=True, repair=cure)


# People and their lines.


def _of_the_lines(seen: Snapshot) -> Iterator[Finding]:
    """Check that each registration has a line with the same values, and each line a registration."""
    people = {one.user_id: one for one in seen.people() if one.settled}
    ids = Counter(str(one.item.registration_id) for one in people.values())
    shared = {ticket for ticket, count in Counter(one.ticket for one in people.values()).items() if count > 1}
    for one in people.values():
        if one.ticket not in shared:
            yield from _line(seen, one, seen.lines.get(one.ticket), ids)
    unsettled = seen.unsettled()
    for ticket, line in seen.lines.items():
        owner = people.get(str(line.user_id))
        taken = any(one.ticket == ticket for one in people.values())
        if ticket not in unsettled and not taken:
            yield _stray(seen, ticket, line, owner)


def _line(seen: Snapshot, one: Person, line: EventTicket | None, ids: Counter[str]) -> Iterator[Finding]:
    right = _merged(one, line, ids)
    if line is not None and _says(line, one.item, right):
        return
    known = {name: value for name, value in right.items() if getattr(one.item, name) != value}
    kind, sentence = "lines_differ", f"The registration of {one.user_id} and ticket {one.ticket} do not say the same."
    if line is None:
        kind, sentence = "line_missing", f"Ticket {one.ticket} of {one.user_id} is not in the list of the event."
    cure = repairs.write_line(one.item, one.ticket, **known)
    yield Finding(seen.event_id, kind, sentence, one.user_id, one.ticket, repair=cure)


def _says(line: EventTicket, item: UserRegistration, right: dict[str, Any]) -> bool:
    """Return True if both the line and the registration have the right values."""
    same = all(getattr(line, name) == value == getattr(item, name) for name, value in right.items())
    return same and line.user_id == item.user_id and line.ticket == item.ticket


def _merged(one: Person, line: EventTicket | None, ids: Counter[str]) -> dict[str, Any]:
    """Return the right values of a registration: its own, or those of its line where its own are lost."""
    item = one.item
    waited, registered_at, own = one.waited, item.registered_at, item.registration_id
    if line is not None and line.user_id == item.user_id:
        waited, registered_at = waited or line.waited, registered_at or line.registered_at
        own = own if own and (ids[own] == 1 or ids[str(line.registration_id)]) else line.registration_id
    if not own or ids[own] > 1:
        own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{item.event_id} {item.incarnation} {one.ticket}"))
    return {"waited": waited, "registered_at": registered_at or clock.now(), "registration_id": own}


def _stray(seen: Snapshot, ticket: int, line: EventTicket, owner: Person | None) -> Finding:
    """Return the finding for a line without a registration: the registration is lost, or the line is stale."""
    user_id = str(line.user_id)
    active, past = seen.active.get(user_id), seen.past.get(user_id)
    left = past is not None and past.incarnation == seen.incarnation
    gone = ticket in {one for some in seen.exits.values() for one in some}
    if line.user_id and owner is None and active is None and not left and not gone and ticket not in seen.history:
        sentence = f"{user_id} has ticket {ticket}, and no registration."
        cure = repairs.restore(line, UserRegistration.key_of(seen.event_id, user_id), active=True, ticket=ticket)
        return Finding(seen.event_id, "lost_registration", sentence, user_id, ticket, repair=cure)
    sentence = f"The event lists ticket {ticket} of {user_id}, who does not have it."
    cure = repairs.remove_line(line, owner.item if owner else past)
    return Finding(seen.event_id, "stray_line", sentence, user_id, ticket, repair=cure)


def _of_the_past(seen: Snapshot) -> Iterator[Finding]:
    """Check that each registration that was given up has a line in the history, and each such line a registration."""
    here = {user: past for user, past in seen.past.items() if past.incarnation == seen.incarnation}
    busy = seen.pending().keys()
    people = {one.user_id: one for one in seen.people()}
    for user_id, past in here.items():
        if user_id not in busy and not _is_line_of(seen.history.get(int(past.ticket or 0)), past):
            sentence = f"{user_id} left with ticket {past.ticket}, which is not in the list of those who left."
            cure = repairs.write_line(past, int(past.ticket or 0))
            yield Finding(seen.event_id, "history_missing", sentence, user_id, past.ticket, repair=cure)
    for ticket, line in seen.history.items():
        user_id = str(line.user_id)
        if user_id not in busy and not _is_line_of(line, here.get(user_id)):
            yield from _stray_history(seen, ticket, line, people.get(user_id), here.get(user_id))


def _is_line_of(line: EventTicket | None, past: UserRegistration | None) -> bool:
    return bool(line and past and (line.user_id, line.ticket) == (past.user_id, past.ticket))


def _stray_history(
    seen: Snapshot, ticket: int, line: EventTicket, one: Person | None, past: UserRegistration | None
) -> Iterator[Finding]:
    user_id = str(line.user_id)
    if one or past or not line.user_id:
        sentence = f"The event lists that {user_id} left with ticket {ticket}, which is not so any more."
        cure = repairs.remove_line(line, one.item if one else past)
        yield Finding(seen.event_id, "stray_history", sentence, user_id, ticket, harmless=True, repair=cure)
    elif user_id in seen.known_users:
        sentence = f"{user_id} left with ticket {ticket}, and has no registration that says so."
        cure = repairs.restore(line, UserRegistration.key_of(seen.event_id, user_id), active=False, ticket=ticket)
        yield Finding(seen.event_id, "lost_past", sentence, user_id, ticket, repair=cure)
    else:
        sentence = f"The event lists that {user_id} left, and there is no such user."
        cure = repairs.remove_line(line, None)
        yield Finding(seen.event_id, "deleted_user", sentence, user_id, ticket, harmless=True, repair=cure)


def _shared_tickets(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Yield a finding for each shared ticket.

    The person in the event's list keeps it. One of the others gets another ticket.
    """
    people = seen.people()
    for ticket, count in Counter(one.ticket for one in people).items():
        if count == 1:
            continue
        sharing = [one for one in people if one.ticket == ticket]
        line = seen.lines.get(ticket)
        keeps = next((one for one in sharing if line and line.user_id == one.user_id), sharing[0])
        loser = next(one for one in sharing if one is not keeps)
        sentence = f"{count} people have ticket {ticket}; {loser.user_id} must get another one."
        cure = repairs.give_ticket(seats, loser, _another_ticket(seen, seats, loser)) if loser.settled else None
        yield Finding(seen.event_id, "shared_ticket", sentence, loser.user_id, ticket, repair=cure)


def _another_ticket(seen: Snapshot, seats: Seats, one: Person) -> int:
    """Return a ticket for a person whose ticket another person keeps.

    Returns:
        The ticket under which the event's list has the person; else the next unused ticket on the same side of the
        watermark; else a new one.
    """
    held = {other.ticket for other in seen.people()}
    for ticket, line in seen.lines.items():
        if line.user_id == one.user_id and ticket not in held:
            return ticket
    served = int(seats.served)
    last = served if one.ticket <= served else int(seats.tickets)
    taken = held | seen.lines.keys() | seen.history.keys()
    start = one.ticket if one.ticket > served else 0
    return next((ticket for ticket in range(start + 1, last + 1) if ticket not in taken), int(seats.tickets) + 1)


# The seats.


def _counted(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    right = totals.of(seen, seats)
    if right is None:
        sentence = f"Somebody has a ticket that is far above the last one given, {seats.tickets}."
        yield Finding(seen.event_id, "tickets", sentence)
        return
    found = [*_miscounted(seen, seats, right)]
    yield from found
    if not found and seats.capacity is not None and seats.promotes(clock.seconds()) and seats.free and seats.waiting:
        sentence = f"{seats.free} seats are free while {seats.waiting} people wait."
        yield Finding(seen.event_id, "idle_seats", sentence, mark=seats.free, repair=repairs.promote(seats))


def _miscounted(seen: Snapshot, seats: Seats, right: Figures) -> Iterator[Finding]:
    finding = partial(Finding, seen.event_id, repair=repairs.recount(seen, seats, right))
    if seats.tickets != right.tickets:
        yield finding("tickets", f"Ticket {seats.tickets} was the last one given, and there is ticket {right.tickets}.")
    if seats.served != right.served:
        yield finding("watermark", f"The queue stands at ticket {seats.served}; it has been at {right.served}.")
    for name in ("registered", "waiting"):
        counted, people = int(getattr(seats, name)), getattr(right, name)
        if counted != people:
            sentence = f"The counter says that {counted} are {name}; the registrations say {people}."
            yield finding(f"{name}_count", sentence, mark=counted - people)
    stored = totals.stored_exits(seen, seats, right.served)
    ranges = totals.stored_counts(seats, right.served)
    if (stored, ranges) != (right.exits, right.counts(seats.width)):
        wrong = sorted(stored ^ right.exits)[:5]
        yield finding("exits", "What is kept of those who left the queue is not so.", mark=tuple(wrong))


def _moves(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Check that there is a promotion for every person who waited and has a seat."""
    firsts = {int(move.first) for move in seen.moves.values()}
    firsts |= {entry.successor for entry in log.of(seats) if entry.successor}
    waited = sorted(_moved_up(seen, seats))
    missing = {waited[0]} if waited and min(firsts, default=waited[0] + 1) > waited[0] else set()
    if 0 < seats.moved <= seats.served and int(seats.moved) not in firsts:
        missing.add(int(seats.moved))
    for first in sorted(missing):
        sentence = f"The queue moved up from ticket {first}, and it is not written down when."
        yield Finding(seen.event_id, "move_missing", sentence, str(first), repair=repairs.log_move(seats, first))


def _moved_up(seen: Snapshot, seats: Seats) -> Iterator[int]:
    """Yield the tickets that waited and got a seat, also if their owners are just leaving."""
    for row in seen.active.values():
        entry = seen.pending().get(row.user_id)
        if entry and not entry.leaving:
            ticket, waited = entry.ticket, entry.waited
        elif row.ticket is not None and row.incarnation == seats.incarnation:
            ticket, waited = int(row.ticket), row.waited
        else:
            continue
        if waited and ticket <= seats.served and not row.promoted_at:
            yield ticket


# Whole events.


def _half_missing(seen: Snapshot) -> Iterator[Finding]:
    if seen.event:
        sentence = "It has no seats. (Mended, its capacity is the number of people who have one: set it anew.)"
        yield Finding(seen.event_id, "half_missing", sentence, repair=repairs.seats_again(seen, seen.event))
    elif seen.seats:
        sentence = f"It has no description. (Mended, its texts read {repairs.LOST}: write them anew.)"
        yield Finding(seen.event_id, "half_missing", sentence, repair=repairs.description_again(seen.seats))


def _halves_at_odds(seen: Snapshot, event: Event, seats: Seats) -> Iterator[Finding]:
    """Check that description and seats agree, and that the index keys of the description are right."""
    right = Event(event.event_id, Event.ITEM, date=event.date, status=event.status, organizer_id=event.organizer_id)
    right.unlisted = event.unlisted
    right.set_index_keys()
    both = ("incarnation", "settings", "status", "organizer_id")
    wrong = [name for name in both if getattr(event, name) != getattr(seats, name)]
    wrong += [name for name in ("sort", "organizer_status") if getattr(event, name) != (getattr(right, name) or None)]
    wrong += [f"{name} of the seats" for name in ("sort", "organizer_status") if getattr(seats, name) is not None]
    wrong += [name for name in ("capacity", "waitlist_enabled", "open") if getattr(seats, name) is None]
    if seats.open is not None and seats.open != (event.status in OPEN_STATUSES):
        wrong.append("open")
    if wrong:
        sentence = f"Its description and its seats do not fit: {', '.join(wrong)}."
        cure = _fitting(seen, event, seats)
        yield Finding(
            seen.event_id, "halves_at_odds", sentence, mark=(event.settings, seats.settings, *wrong), repair=cure
        )


def _fitting(seen: Snapshot, event: Event, seats: Seats) -> Cure:
    """Return the repair of description and seats. It gives a lost setting a value that moves no person."""
    people = seen.people()
    capacity = seats.capacity if seats.capacity is not None else max(1, int(seats.registered))
    waitlist = seats.waitlist_enabled
    if waitlist is None:
        waitlist = any(one.ticket > seats.served for one in people)
    return repairs.fit(event, seats, str(seats.incarnation), int(capacity), bool(waitlist))
