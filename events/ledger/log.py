"""What the seats say of an operation that is committed: one value under ``operation~user``, until it is settled.

5                     joined, with ticket 5, and has a seat
-5                    joined, with ticket 5, and waits
quit:5                left the queue, with ticket 5
free:5                gave up the seat of ticket 5, which is free now
hand:5:7:<time>       gave up the seat of ticket 5, which went to ticket 7
"""

from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.operand import Value

from events.ledger import queue
from events.ledger.models import Seats

QUIT, FREE, HAND = queue.QUIT, "free", "hand"

# What a joining records: its ticket, which only the seats know when it is written.
A_SEAT: Any = Seats.tickets + 1
A_PLACE: Any = Value(-1) - Seats.tickets


@dataclass(frozen=True)
class LogEntry:
    """One committed operation."""

    operation: str
    user_id: str
    ticket: int
    waited: bool = False
    """A joining: whether it was for a place in the queue."""
    leaving: str = ""
    """A leaving: `QUIT`, `FREE` or `HAND`; empty for a joining."""
    successor: int | None = None
    """The ticket that got the seat."""
    at: str = ""
    """When it got it."""


def read(name: str, value: Any) -> LogEntry:
    """The operation that a record stands for."""
    operation, _, user_id = name.partition("~")
    if isinstance(value, int | float):
        return LogEntry(operation, user_id, abs(int(value)), waited=value < 0)
    leaving, ticket, *rest = value.split(":", 3)
    if not rest:
        return LogEntry(operation, user_id, int(ticket), leaving=leaving)
    return LogEntry(operation, user_id, int(ticket), leaving=leaving, successor=int(rest[0]), at=rest[1])


def of(seats: Seats) -> list[LogEntry]:
    """All operations that are committed and perhaps not settled."""
    return [read(name, value) for name, value in seats.committed.items()]


def find(seats: Seats, operation: str) -> LogEntry | None:
    """The record of an operation, None where there is none."""
    return next((record for record in of(seats) if record.operation == operation), None)


def leaving(kind: str, *details: Any) -> str:
    """The value of the record of a leaving."""
    return ":".join(map(str, (kind, *details)))
