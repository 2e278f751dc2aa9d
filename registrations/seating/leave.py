"""Leave: give up a seat or a place on the waitlist. A freed seat goes to the head of the waitlist in the same write.

A leaving is always committed to the log before it is applied. With a single transaction, a reader could see the
registration given up before the seats. A joining may use one, because a reader ignores a ticket that the seats do not
show yet.
"""

from functools import partial

from events.ledger.models import Seats
from events.services import EventNotFound, check_access
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchGet, Get, Now, Steps, retrying
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import EventTicket, UserRegistration
from registrations.reading.owners import holder
from registrations.seating import commit, rules
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request


def leave(request: Request) -> Steps[str | None]:
    """Give up a seat or a place on the waitlist.

    Returns:
        The id of the user who got the seat, or None.

    Raises:
        RegistrationNotFound: There is no active registration, or the event is a draft that the caller may not see.
        EventNotYours: The caller may not change the event's registrations.
        Unavailable: The event was deleted. It is unknown if the user left before.
    """
    if not (is_id(request.event_id) and is_id(request.user_id)):
        raise RegistrationNotFound
    try:
        return (yield from retrying(partial(_attempt, request, Turn(request))))
    except RegistrationNotFound:
        if request.in_doubt:
            raise Unavailable from None
        raise


def _attempt(request: Request, turn: Turn) -> Steps[str | None]:
    seats = yield Get((Seats, request.event_id, Seats.ITEM))
    _check_reach(seats, request.scope)
    yield from turn.wait_in_contention(seats)
    head = _expected_head(seats)
    row, *line = yield from commit.row_after(request, seats, *_line(seats, head))
    if row is None or not row.is_in(seats.incarnation):
        raise RegistrationNotFound
    if row.ticket > seats.tickets:
        raise Conflict  # a torn transaction: the seats do not show it yet
    yield from request.begin()

    successors: set[int | None] = set()

    def plan(now: Seats) -> Steps[rules.Change]:
        change = yield from rules.leaving(now, int(row.ticket or 0), clock.in_seconds((yield Now())))
        successors.add(change.successor)
        return change

    try:
        committed = yield from commit.commit(request, seats, row, plan, turn)
    except EventNotFound:
        raise RegistrationNotFound from None
    yield from commit.finish(request, committed, row)
    if committed.entry is None:
        return (yield from _as_it_was(request, committed.seats.incarnation, successors))
    successor = committed.entry.successor
    if successor and successor == head and line and line[0]:
        return str(line[0].user_id)
    return (yield from holder(committed.seats, successor)) if successor else None


def _expected_head(seats: Seats) -> int:
    """Return the ticket that probably gets the seat, or 0 if there is none.

    It is wrong only if the first tickets of the waitlist are exits. Its line is read early to save a call.
    """
    return int(seats.seated_through) + 1 if seats.waiting and seats.registered <= seats.capacity else 0


def _line(seats: Seats, ticket: int) -> list[Key]:
    return [(EventTicket, *EventTicket.key_of(seats.event_id, seats.incarnation, ticket))] if ticket else []


def _check_reach(seats: Seats | None, scope: Scope) -> None:
    """Check that the caller may change the event's registrations.

    Raises:
        RegistrationNotFound: There is no such event, or it is a draft that the caller may not see.
        EventNotYours: The caller may not change its registrations.
    """
    try:
        if seats:
            check_access(seats, scope)
            return
    except EventNotFound:
        pass
    raise RegistrationNotFound


def _as_it_was(request: Request, incarnation: str, planned: set[int | None]) -> Steps[str | None]:
    """Return who got the seat of an applied leaving, also if the user has come back since.

    Args:
        request: The request.
        incarnation: The incarnation of the event.
        planned: The successors of all attempts. A single one is right also if the user has left once more.
    """
    row_key = UserRegistration.key_of(request.event_id, request.user_id)
    seats, row = yield BatchGet(((Seats, request.event_id, Seats.ITEM), (UserRegistration, *row_key)))
    if row is not None and row.left_by == request.operation:
        planned = {row.successor}
    successor = next(iter(planned)) if len(planned) == 1 else None
    if seats is None or seats.incarnation != incarnation or successor is None:
        return None
    return (yield from holder(seats, int(successor)))
