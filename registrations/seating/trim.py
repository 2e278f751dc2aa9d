"""Keeping the seats short: log entries of applied operations go with a later commit.

A process remembers what it applied itself, so many entries are trimmed without a look. Some of those of other processes
are looked up in the call that reads the registration. An entry may only go once everything that it stands for is
visible.
"""

from collections.abc import Sequence
from typing import Any

from events.ledger import log, operations, queue
from events.ledger.log import LogEntry
from events.ledger.models import ExitTombstones, Promotion, Seats
from eventsite import clock
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.steps import BatchGet, Draw, Steps
from registrations.models import EventTicket, UserRegistration
from registrations.seating.operations import Memory

ROOM = 610  # bytes of the seats for the log and the two ids; more would be beyond the kilobyte that one unit pays for
LONGEST = 55  # bytes of an entry
BUSY_MILLISECONDS = 200  # after an operation of another process
LOOKED_UP = 6  # entries at a time


def is_calm(seats: Seats, memory: Memory, now: str) -> bool:
    """Return whether no other process has been at work on the seats a moment ago, by the clocks of the servers.

    Nothing rests on it: it tells whether one transaction for all is worth an attempt.
    """
    applied, moment = memory.applied(seats.event_id), clock.in_milliseconds(now)
    others = [entry.operation for entry in log.of(seats) if entry.operation not in applied]
    return all(abs(moment - operations.milliseconds_of(one)) > BUSY_MILLISECONDS for one in others)


def room(seats: Seats) -> int:
    """Return how many entries the log of some seats has room for."""
    named = (seats.event_id, seats.organizer_id, seats.organizer_marks and f"organizerMarks{seats.organizer_marks}")
    return (ROOM - sum(len(one or "") for one in named)) // LONGEST


def is_full(seats: Seats) -> bool:
    """Return whether the log has room for another entry only if one is trimmed."""
    return len(seats.committed) >= room(seats)


def trimmable(seats: Seats, user_id: str, memory: Memory) -> Steps[list[str]]:
    """Return the names of the entries that may be trimmed; where there is no other room, after a look.

    Args:
        seats: The seats that a commit is planned for.
        user_id: The user of the commit, whose earlier operation is applied.
        memory: What is known to be applied.
    """
    entries = log.of(seats)
    memory.keep_only(seats.event_id, {entry.operation for entry in entries})
    trimmed = _trimmed(entries, user_id, memory.applied(seats.event_id))
    if not trimmed and is_full(seats):
        candidates = yield from some_unknown(seats, memory)
        found = yield BatchGet(traces(seats, candidates), consistent=False)
        learn(seats, candidates, found, memory)
        trimmed = _trimmed(entries, user_id, memory.applied(seats.event_id))
    return trimmed


def _trimmed(entries: list[LogEntry], user_id: str, applied: set[str]) -> list[str]:
    return [entry.name for entry in entries if entry.operation in applied or entry.is_of(user_id)]


def some_unknown(seats: Seats, memory: Memory) -> Steps[list[LogEntry]]:
    """Draw some entries that are perhaps applied, so that not all requests look at the same ones."""
    applied = memory.applied(seats.event_id)
    entries = [entry for entry in log.of(seats) if entry.operation not in applied and entry.user_id is not None]
    start = (yield Draw(len(entries))) if len(entries) > LOOKED_UP else 0
    return [entries[(start + number) % len(entries)] for number in range(min(len(entries), LOOKED_UP))]


def traces(seats: Seats, entries: Sequence[LogEntry]) -> list[Key]:
    """Return the keys of the items that some operations write."""
    return [key for entry in entries for key in _traces(seats, entry, str(entry.user_id))]


def learn(seats: Seats, entries: Sequence[LogEntry], found: Sequence[Any], memory: Memory) -> None:
    """Take down which entries are applied, and visible as a whole: registration, line and the rest.

    Args:
        seats: The seats with the entries.
        entries: The entries.
        found: What is stored under their `traces`.
        memory: Where to take it down.
    """
    items = iter(found)
    for entry in entries:
        row, line, other = next(items), next(items), next(items)
        if row and row.incarnation == seats.incarnation and _is_applied(entry, row, line, other):
            memory.remember(seats.event_id, entry.operation)


def _traces(seats: Seats, entry: LogEntry, user_id: str) -> tuple[Key, Key, Key]:
    """Return the keys of what an operation writes: the registration, the line, and a third item of the queue's."""
    event = seats.event_id, seats.incarnation
    row: Key = (UserRegistration, *UserRegistration.key_of(seats.event_id, user_id))
    line: Key = (EventTicket, *EventTicket.key_of(*event, entry.ticket, cancelled=bool(entry.leaving)))
    if entry.successor:
        return row, line, (Promotion, *queue.promotion_key(seats, entry.successor))
    if entry.leaving == log.QUIT:
        return row, line, (ExitTombstones, *queue.exits_key(seats, entry.ticket))
    return row, line, row


def _is_applied(entry: LogEntry, row: UserRegistration, line: object, other: object) -> bool:
    if not row.was_changed_by(entry.operation):
        return False
    if not row.operations.endswith(entry.operation):  # a later operation found it applied
        return True
    if entry.leaving == log.QUIT:
        return isinstance(other, ExitTombstones) and entry.ticket in other.exits and line is not None
    return line is not None and other is not None
