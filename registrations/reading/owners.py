"""Find the owners of tickets and of log entries."""

from typing import Any

from events.ledger import log
from events.ledger.log import LogEntry
from events.ledger.models import Intent, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchGet, Get, Steps, TransactGet, Wait
from registrations.models import EventTicket


def particulars(seats: Seats, entry: LogEntry) -> Steps[tuple[str | None, Any]]:
    """Return the user id of a log entry and the answers, from the intent if there is one.

    The user id is None only if the log holds a hash of it, and neither the intent nor a line of the ticket exists.
    """
    user_id = entry.user_id
    if entry.has_intent:
        intent = yield Get((Intent, *Intent.key_of(seats, entry.operation)))
        if intent:
            return intent.user_id, intent.answers
    if user_id is None:
        user_id = yield from line_owner(seats, entry.ticket)
    return user_id, None


def holder(seats: Seats, ticket: int) -> Steps[str | None]:
    """Return the id of the user who has, or had, a ticket, as of the seats or later."""
    entry = next((one for one in log.of(seats) if one.ticket == ticket and not one.leaving), None)
    if entry is not None:
        user_id, _ = yield from particulars(seats, entry)
        if user_id is not None:
            return user_id
    return (yield from line_owner(seats, ticket))


def line_owner(seats: Seats, ticket: int) -> Steps[str | None]:
    """Return the user id in the line of a ticket, which may be active or given up."""
    event = seats.event_id, seats.incarnation
    keys = [(EventTicket, *EventTicket.key_of(*event, ticket, cancelled=cancelled)) for cancelled in (False, True)]
    lines = yield BatchGet(keys)
    while not any(lines):  # perhaps a torn transaction of a leaving, which deletes one line and writes the other
        try:
            lines = yield TransactGet(keys)
            break
        except Conflict:
            yield Wait(0.01)
    return next((str(line.user_id) for line in lines if line), None)
