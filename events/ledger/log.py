"""The commit log in the seats: each committed operation, until it is applied and its entry is trimmed.

    name                              value
    operation~user~before             5          joined with ticket 5, and has a seat
    operation~user~before             -5         joined with ticket 5, and waits
    operation~user~before             q5         left the queue, with ticket 5
    operation~user~before             f5         gave up the seat of ticket 5, which is free now
    operation~user~before             h5~7       gave up the seat of ticket 5, which went to ticket 7; both in base 64

`before` is the tag of the operation that had changed the registration last when this one was planned. For a first
joining it is ``.`` and the tag of the user, so that no later user of the same id gets it. A name ends with ``~+`` if an
`Intent` holds the part of the operation that is too long for the log. No other module parses the log.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from pynamodb.expressions.operand import Value

from events.ledger import operations

if TYPE_CHECKING:
    from events.ledger.models import Seats

QUIT, FREE, HAND = "q", "f", "h"
FIRST = "."


class LogEntry(NamedTuple):
    """One committed operation."""

    name: str
    operation: str
    token: str
    before: str
    ticket: int
    waited: bool = False
    """True if the user joined the waitlist; always False for a leaving."""
    leaving: str = ""
    """`QUIT`, `FREE` or `HAND` for a leaving; empty for a joining."""
    successor: int | None = None
    """The ticket that got the seat."""
    has_intent: bool = False

    @property
    def user_id(self) -> str | None:
        """Return the user, or None if the log holds only a hash of the id (`token`)."""
        return operations.user_of(self.token)

    @property
    def at(self) -> str:
        """Return when the operation began, as RFC 3339 in UTC."""
        return operations.time_of(self.operation)

    def follows(self, tag: str) -> bool:
        """Return True if the operation was planned for a registration with this tag.

        Args:
            tag: The tag; empty if there is no registration.
        """
        return self.before == tag or (not tag and self.before.startswith(FIRST))

    def is_of(self, user_id: str) -> bool:
        """Return True if the operation is of this user, also if the log holds a hash of the id."""
        return self.token == operations.token_of(user_id)


def name_of(operation: str, user_id: str, before: str, *, with_intent: bool = False) -> str:
    return "~".join((operation, operations.token_of(user_id), before, *(["+"] if with_intent else [])))


def first(tag: str | None) -> str:
    """Return what a first joining follows.

    Args:
        tag: The tag of the user; None for a user of an earlier release.
    """
    return f"{FIRST}{tag or ''}"


def read(name: str, value: Any) -> LogEntry:
    """Parse one entry of the log."""
    operation, token, before, *intent = name.split("~")
    known: dict[str, Any] = {"has_intent": bool(intent)}
    if isinstance(value, int | float):
        return LogEntry(name, operation, token, before, abs(int(value)), waited=value < 0, **known)
    ticket, *successor = map(operations.decoded, value[1:].split("~"))
    known |= {"successor": successor[0]} if successor else {}
    return LogEntry(name, operation, token, before, ticket, leaving=value[0], **known)


def joined(name: str, ticket: int, *, waited: bool) -> LogEntry:
    return read(name, -ticket if waited else ticket)


def of(seats: "Seats") -> list[LogEntry]:
    return [read(name, value) for name, value in seats.committed.items()]


def of_user(seats: "Seats", user_id: str) -> LogEntry | None:
    """Return a user's entry, or None.

    There is at most one, because a commit trims the user's earlier entry.
    """
    token = operations.token_of(user_id)
    return next((entry for entry in of(seats) if entry.token == token), None)


def find(seats: "Seats", operation: str) -> LogEntry | None:
    """Return the entry of an operation, or None."""
    return next((entry for entry in of(seats) if entry.operation == operation), None)


def exits(seats: "Seats") -> set[int]:
    """Return the tickets that left the waitlist and may not have an exit tombstone yet."""
    return {entry.ticket for entry in of(seats) if entry.leaving == QUIT}


def a_seat(tickets: Any) -> Any:
    """Return the value of a joining that takes a seat.

    Args:
        tickets: The attribute itself; DynamoDB computes the ticket when it writes.
    """
    return tickets + 1


def a_place(tickets: Any) -> Any:
    """Return the value of a joining that goes to the waitlist: the negative ticket, as in `a_seat`."""
    return Value(-1) - tickets


def leaving(kind: str, *tickets: int) -> str:
    """Return the value of a leaving.

    Args:
        kind: `QUIT`, `FREE` or `HAND`.
        tickets: The ticket that is given up; with `HAND`, then the ticket that gets the seat.
    """
    return kind + "~".join(map(operations.encoded, tickets))
