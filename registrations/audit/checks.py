"""Check one snapshot of an event against the rules of the seats and docs/protocol.md.

The order matters. Counters are checked only if the registrations and the event's lists agree, and free seats only if
the counters are right. Repairs run in the same order. Unapplied operations come last, because the rest must be right
before they can be applied.
"""

from collections.abc import Iterator
from functools import partial

from events import services
from events.ledger import log
from events.ledger.models import Seats
from events.models import Event
from eventsite import clock
from registrations.audit import lines, repairs, totals
from registrations.audit.findings import Finding
from registrations.audit.snapshot import Snapshot
from registrations.audit.totals import Figures

OLD_SECONDS = 60  # a live request applies its operation sooner; a wrong clock only delays or hastens the repair
MANY_ENTRIES = 16  # log entries; about twice the number that the log has room for
SAFE = frozenset({"unapplied", "long_log", "leftover", "idle_seats", "deleted_user"})
"""The kinds that are repaired automatically, because an operator has nothing to decide."""
ROWS = frozenset({"lost_registration", "shared_ticket", "lines_differ"})
"""The kinds that must be repaired before the counters can be checked."""


def differences(seen: Snapshot) -> list[Finding]:
    found = [*_leftovers(seen), *_empty(seen)]
    if seen.event is None or seen.seats is None:
        return [*found, *_half_missing(seen), *_unapplied(seen)]
    found += [*_halves_at_odds(seen, seen.event, seen.seats), *lines.of_the_lines(seen), *lines.of_the_past(seen)]
    found += [*lines.shared_tickets(seen, seen.seats)]
    if not any(finding.kind in ROWS for finding in found):
        found += [*_counted(seen, seen.seats), *_moves(seen, seen.seats)]
    return [*found, *_long_log(seen, seen.seats), *_deleted_users(seen), *_unapplied(seen)]


# Leftovers of crashed processes.


def _unapplied(seen: Snapshot) -> Iterator[Finding]:
    oldest = clock.of_seconds(clock.seconds() - OLD_SECONDS)
    for user_id, entry in seen.pending.items():
        if seen.seats and entry.at < oldest:
            sentence = f"An operation on the registration of {user_id} was cut off; it is not applied yet."
            repair = repairs.apply_entry(seen.seats, entry)
            yield Finding(seen.event_id, "unapplied", sentence, user_id, entry.operation, harmless=True, repair=repair)


def _empty(seen: Snapshot) -> Iterator[Finding]:
    for row in seen.rows.values():
        if row.ticket is None:
            sentence = f"The registration of {row.user_id} is empty."
            repair = repairs.remove_empty(row)
            yield Finding(seen.event_id, "empty", sentence, row.user_id, harmless=True, repair=repair)


def _leftovers(seen: Snapshot) -> Iterator[Finding]:
    for incarnation in sorted(seen.deleted):
        sentence = "There is something left of a deleted event of this id."
        repair = repairs.delete_leftovers(seen, incarnation)
        yield Finding(seen.event_id, "leftover", sentence, incarnation, harmless=True, repair=repair)


def _long_log(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Yield a finding if many applied entries are in the log. A few stay in every log until the next commit."""
    pending = {entry.operation for entry in seen.pending.values()}
    applied = [entry.name for entry in log.of(seats) if entry.operation not in pending]
    if len(applied) > MANY_ENTRIES:
        sentence = f"The log of its seats has {len(applied)} entries of operations that are applied."
        repair = repairs.trim(seats, applied)
        yield Finding(seen.event_id, "long_log", sentence, harmless=True, repair=repair)


def _deleted_users(seen: Snapshot) -> Iterator[Finding]:
    for user_id, row in seen.rows.items():
        is_there = user_id in seen.known_users or user_id in seen.pending
        if is_there or row.ticket is None or row.incarnation != seen.incarnation:
            continue
        did = f"has ticket {row.ticket}" if row.active else "once left"
        sentence = f"{user_id} {did}, and there is no such user."
        repair, harmless = repairs.forget(user_id), not row.active
        yield Finding(seen.event_id, "deleted_user", sentence, user_id, row.ticket, harmless=harmless, repair=repair)


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
    if seats.seated_through != right.seated_through:
        yield finding(
            "watermark", f"The queue stands at ticket {seats.seated_through}; it has been at {right.seated_through}."
        )
    for name in ("registered", "waiting"):
        counted, people = int(getattr(seats, name)), getattr(right, name)
        if counted != people:
            sentence = f"The counter says that {counted} are {name}; the registrations say {people}."
            yield finding(f"{name}_count", sentence, mark=counted - people)
    stored = totals.stored_exits(seen, seats, right.seated_through)
    ranges = totals.stored_counts(seats, right.seated_through)
    if (stored, ranges) != (right.exits, right.counts(seats.width)):
        wrong = sorted(stored ^ right.exits)[:5]
        yield finding("exits", "What is kept of the users who left the queue differs.", mark=tuple(wrong))


def _moves(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Check that there is a promotion for every person who waited and has a seat."""
    firsts = {int(move.first) for move in seen.moves.values()}
    firsts |= {entry.successor for entry in log.of(seats) if entry.successor}
    waited = sorted(_moved_up(seen, seats))
    missing = {waited[0]} if waited and min(firsts, default=waited[0] + 1) > waited[0] else set()
    if 0 < seats.moved <= seats.seated_through and int(seats.moved) not in firsts:
        missing.add(int(seats.moved))
    for first in sorted(missing):
        sentence = f"The queue moved up from ticket {first}, and it is not written down when."
        yield Finding(seen.event_id, "move_missing", sentence, str(first), repair=repairs.log_move(seats, first))


def _moved_up(seen: Snapshot, seats: Seats) -> Iterator[int]:
    """Yield the tickets that waited and got a seat, also if their owners are just leaving."""
    for row in seen.active.values():
        entry = seen.pending.get(row.user_id)
        if entry and not entry.leaving:
            ticket, waited = entry.ticket, entry.waited
        elif row.ticket is not None and row.incarnation == seats.incarnation:
            ticket, waited = int(row.ticket), row.waited
        else:
            continue
        if waited and ticket <= seats.seated_through and not row.promoted_at:
            yield ticket


# Whole events.


def _half_missing(seen: Snapshot) -> Iterator[Finding]:
    if seen.event:
        sentence = "It has no seats. (The repair sets its capacity to the number of people who have one. Edit it.)"
        yield Finding(seen.event_id, "half_missing", sentence, repair=repairs.seats_again(seen, seen.event))
    elif seen.seats:
        sentence = f"It has no description. (The repair sets its texts to {repairs.LOST} and unlists it. Edit it.)"
        yield Finding(seen.event_id, "half_missing", sentence, repair=repairs.description_again(seen.seats))


def _halves_at_odds(seen: Snapshot, event: Event, seats: Seats) -> Iterator[Finding]:
    """Check that description and seats agree, and that the index keys of the description are right."""
    wrong = [name for name, value in services.copied(event).items() if getattr(seats, name) != value]
    wrong += [name for name, key in event.index_keys.items() if getattr(event, name) != key]
    wrong += [f"{name} of the seats" for name in event.index_keys if getattr(seats, name) is not None]
    wrong += [name for name in services.SETTINGS if getattr(seats, name) is None]
    if wrong:
        sentence = f"Its description and its seats do not fit: {', '.join(wrong)}."
        mark = event.settings, seats.settings, *wrong
        repair = repairs.fit(seen, event, seats)
        yield Finding(seen.event_id, "halves_at_odds", sentence, mark=mark, repair=repair)
