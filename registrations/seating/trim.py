"""Keep the commit log short: a later commit trims the entries of applied operations.

A process remembers the operations that it applied, so it trims most of its entries without a read. It checks some
entries of other processes in the call that reads the registration. An entry may be trimmed only when all items that the
operation writes are visible.
"""

from collections.abc import Sequence
from typing import Any

from events.ledger import log, operations, queue
from events.ledger.log import LogEntry
from events.ledger.models import ExitTombstones, Promotion, Seats
from eventsite import clock
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.steps import BatchGet, Draw, Now, Steps
from registrations.models import EventTicket, UserRegistration
from registrations.seating.operations import Memory

ROOM = 610  # bytes of the seats for the log and the two ids; more would be beyond the kilobyte that one unit pays for
LONGEST = 55  # bytes of an entry
BUSY_MILLISECONDS = 200  # milliseconds after an operation of another process in which we expect contention
LONGEST_REQUEST = 30_000  # milliseconds; API Gateway ends a request after 29 s
LOOKED_UP = 6  # entries that one call checks, with three items each


def is_calm(seats: Seats, memory: Memory, now: str) -> bool:
    """Return True if no other process committed an operation a moment ago, by the clocks of the servers.

    No guarantee depends on it. It shows whether an attempt to commit and apply in one transaction is worthwhile.
    """
    applied, moment = memory.applied(seats.event_id), clock.in_milliseconds(now)
    others = [entry.operation for entry in log.of(seats) if entry.operation not in applied]
    return all(abs(moment - operations.milliseconds_of(one)) > BUSY_MILLISECONDS for one in others)


def crashed(entries: Sequence[LogEntry], applied: set[str]) -> Steps[list[LogEntry]]:
    """Return the entries that may not be applied although their requests have ended.

    No guarantee depends on it. It shows which operations another request should apply.

    Args:
        entries: Some entries.
        applied: The operations that are known to be applied.
    """
    unknown = [entry for entry in entries if entry.operation not in applied]
    now = clock.in_milliseconds((yield Now())) if unknown else 0
    return [one for one in unknown if now - operations.milliseconds_of(one.operation) > LONGEST_REQUEST]


def room(seats: Seats) -> int:
    """Return the number of entries that fit into the log."""
    optional = {"organizerMarks": seats.organizer_marks, "by": seats.by}
    named = [seats.event_id, seats.organizer_id, *(f"{name}{value}" for name, value in optional.items() if value)]
    return (ROOM - sum(len(one or "") for one in named)) // LONGEST


def is_full(seats: Seats) -> bool:
    """Return True if another entry fits into the log only if one is trimmed."""
    return len(seats.committed) >= room(seats)


def trimmable(seats: Seats, user_id: str, memory: Memory) -> Steps[list[str]]:
    """Return the names of the entries that may be trimmed.

    If there are none and the log is full, it reads the items of some entries to find one.

    Args:
        seats: The seats for which a commit is planned.
        user_id: The user of the commit. The user's earlier operation must be applied.
        memory: The memory of the process.
    """
    entries = log.of(seats)
    memory.keep_only(seats.event_id, {entry.operation for entry in entries})
    trimmed = _trimmed(entries, user_id, memory.applied(seats.event_id))
    if not trimmed and is_full(seats):
        candidates = yield from some_unknown(seats, memory)
        yield from read_beside((), seats, candidates, memory, consistent=False)
        trimmed = _trimmed(entries, user_id, memory.applied(seats.event_id))
    return trimmed


def _trimmed(entries: list[LogEntry], user_id: str, applied: set[str]) -> list[str]:
    return [entry.name for entry in entries if entry.operation in applied or entry.is_of(user_id)]


def some_unknown(seats: Seats, memory: Memory) -> Steps[list[LogEntry]]:
    """Return some entries that may be applied, at random, so that not all requests check the same ones."""
    applied = memory.applied(seats.event_id)
    entries = [entry for entry in log.of(seats) if entry.operation not in applied and entry.user_id is not None]
    start = (yield Draw(len(entries))) if len(entries) > LOOKED_UP else 0
    return [entries[(start + number) % len(entries)] for number in range(min(len(entries), LOOKED_UP))]


def read_beside(
    keys: Sequence[Key],
    seats: Seats,
    entries: Sequence[LogEntry],
    memory: Memory,
    consistent: bool | tuple[type[BaseModel], ...] = True,
) -> Steps[list[Any]]:
    """Read items, and in the same call those of some log entries, to remember which are applied and visible.

    Args:
        keys: The keys of the items to return.
        seats: The seats with the entries.
        entries: The entries. The log has their users' ids.
        memory: The memory to update.
        consistent: As in `BatchGet`.

    Returns:
        The items, None for missing ones.
    """
    traces = [key for entry in entries for key in _traces(seats, entry, str(entry.user_id))]
    items = yield BatchGet([*keys, *traces], consistent)
    found = iter(items[len(keys) :])
    for entry in entries:
        row, line, other = next(found), next(found), next(found)
        if row and row.incarnation == seats.incarnation and _is_applied(entry, row, line, other):
            memory.remember(seats.event_id, entry.operation)
    return list(items[: len(keys)])


def _traces(seats: Seats, entry: LogEntry, user_id: str) -> tuple[Key, Key, Key]:
    """Return the keys of the registration, the line, and the promotion or exit tombstones of an operation.

    If it has neither of the last, the third key is that of the registration again.
    """
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
    if not row.operations.endswith(entry.operation):  # a later operation required that it is applied
        return True
    if entry.leaving == log.QUIT:
        return isinstance(other, ExitTombstones) and entry.ticket in other.exits and line is not None
    return line is not None and other is not None
