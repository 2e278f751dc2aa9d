"""Leaving: a freed seat goes to the head of the queue in the same write.

It is always committed to the log first. In one transaction, the registration could be seen given up before the seats
count it so. A joining has its ticket for that, which counts once the seats have given it.
"""

from functools import partial
from typing import NamedTuple

from events.ledger.models import Seats
from events.services import EventNotFound, check_access
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchGet, Get, Now, Steps, retrying
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import EventTicket, UserRegistration
from registrations.reading.owners import holder
from registrations.seating import commit, rules
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request


class Left(NamedTuple):
    """What became of a seat that was given up."""

    successor: str | None
    """The user who got it, or None."""


def leave(request: Request) -> Steps[Left]:
    """Give up a seat or a place in the queue.

    Raises:
        RegistrationNotFound; EventNotYours, unless the event is a draft.
    """
    if not (is_id(request.event_id) and is_id(request.user_id)):
        raise RegistrationNotFound
    return (yield from retrying(partial(_attempt, request, Turn(request))))


def _attempt(request: Request, turn: Turn) -> Steps[Left]:
    seats = yield Get((Seats, request.event_id, Seats.ITEM))
    _check_reach(seats, request.scope)
    yield from turn.wait_in_contention(seats)
    head = _expected_head(seats)
    row, *line = yield from commit.row_after(request, seats, *_line(seats, head))
    if row is None or not row.is_in(seats.incarnation):
        raise RegistrationNotFound
    if row.ticket > seats.tickets:
        raise Conflict  # a transaction is just becoming visible: the seats come last
    yield from request.begin()

    def plan(now: Seats) -> Steps[rules.Change]:
        return (yield from rules.leaving(now, int(row.ticket or 0), clock.in_seconds((yield Now()))))

    try:
        committed = yield from commit.commit(request, seats, row, plan, turn)
    except EventNotFound:
        raise RegistrationNotFound from None
    yield from commit.finish(request, committed, row)
    if committed.entry is None:
        return (yield from _as_it_was(request))
    successor = committed.entry.successor
    if successor and successor == head and line and line[0]:
        return Left(str(line[0].user_id))
    return Left((yield from holder(committed.seats, successor)) if successor else None)


def _expected_head(seats: Seats) -> int:
    """Return the ticket that gets the seat, if nobody near the head has left the queue; 0 where there is none."""
    return int(seats.served) + 1 if seats.waiting and seats.registered <= seats.capacity else 0


def _line(seats: Seats, ticket: int) -> list[Key]:
    return [(EventTicket, *EventTicket.key_of(seats.event_id, seats.incarnation, ticket))] if ticket else []


def _check_reach(seats: Seats | None, scope: Scope) -> None:
    """Raise `RegistrationNotFound` where the caller may not know of the event; `EventNotYours`."""
    try:
        if seats:
            check_access(seats, scope)
            return
    except EventNotFound:
        pass
    raise RegistrationNotFound


def _as_it_was(request: Request) -> Steps[Left]:
    """Return who got the seat, by the registration that was given up."""
    row_key = UserRegistration.key_of(request.event_id, request.user_id)
    seats, row = yield BatchGet(((Seats, request.event_id, Seats.ITEM), (UserRegistration, *row_key)))
    if row is None or seats is None or row.successor is None or not row.operations.endswith(request.operation):
        return Left(None)
    return Left((yield from holder(seats, int(row.successor))))
