"""Commit and apply a joining in one transaction, while there is no contention."""

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.steps import Steps, Transact
from eventsite.dynamodb.writes import Transacted
from registrations.models import UserRegistration
from registrations.seating import apply, commit, rules, trim
from registrations.seating.apply import Applied
from registrations.seating.operations import Request
from registrations.seating.rules import Change


def is_worthwhile(request: Request, seats: Seats, row: UserRegistration | None, now: str) -> bool:
    """Return True if there is no contention, and the registration has no unapplied operation."""
    entry = log.of_user(seats, request.user_id)
    return apply.is_applied_to(row, entry) and trim.is_calm(seats, request.memory, now)


def transact(request: Request, seats: Seats, change: Change, name: str, made: Applied) -> Steps[Transacted]:
    """Commit and apply an operation in one transaction.

    Args:
        request: The request, with the id of the operation.
        seats: The seats, which may be out of date.
        change: The planned change of the seats.
        name: The name of the log entry.
        made: The parts that apply it.
    """
    trimmed = yield from trim.trimmable(seats, request.user_id, request.memory)
    write = rules.write(seats, change, request, name, trimmed, 0)
    transacted: Transacted = yield Transact({"seats": write, **made.parts}, is_patient=False)
    if transacted.done:
        request.memory.remember(seats.event_id, request.operation)
    return transacted


def seats_instead(transacted: Transacted, seats: Seats) -> Seats:
    """Return the seats that failed the condition of a transaction, or else the seats as read."""
    image = transacted.failures.get("seats")
    instead = Seats.parse(image) if image else seats
    return instead if instead.incarnation == seats.incarnation else seats


def was_executed(request: Request, seats: Seats) -> Steps[bool]:
    """Return True if a transaction in doubt was executed. If not, a fence ensures that it never will be."""
    yield from commit.fence(seats, request.user_id)
    return (yield from commit.was_applied(request, request.operation))
