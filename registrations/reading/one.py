"""Read one registration as of a single point in time.

The registration and the seats are read in one TransactGetItems, or else the seats first. An operation in the commit log
counts as done, whether it is applied or not. If registration and seats do not agree, both are read again.
"""

from dataclasses import replace
from functools import partial

from events.ledger import log, operations, promotions, queue
from events.ledger.log import LogEntry
from events.ledger.models import Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Steps, TransactGet, retrying, run
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import (
    CANCELLED,
    WAITLISTED,
    Registration,
    UserRegistration,
    first_standing,
    registration_as_of,
    standing,
)
from registrations.reading.owners import particulars


def read(event_id: str, user_id: str, *, scope: Scope) -> Registration:
    """Return a user's registration for an event, in any status, with its position if it is waitlisted.

    Raises:
        RegistrationNotFound: There is none, or the caller may not see the event's registrations.
    """
    return run(find(event_id, user_id, scope))


def find(event_id: str, user_id: str, scope: Scope) -> Steps[Registration]:
    """Return a registration, as `read`, in steps."""
    if not (is_id(event_id) and is_id(user_id)):
        raise RegistrationNotFound
    return (yield from retrying(partial(_attempt, event_id, user_id, scope)))


def as_it_was_made(event_id: str, user_id: str, *made_by: str) -> Steps[Registration]:
    """Return the registration that a joining made, with its first status if it was given up since.

    Args:
        event_id: The event.
        user_id: The user.
        made_by: The operations, of which one made it.

    Raises:
        Unavailable: The registration is gone, or the user has registered again since.
    """
    return (yield from retrying(partial(_as_it_was_made, event_id, user_id, made_by)))


def _attempt(event_id: str, user_id: str, scope: Scope) -> Steps[Registration]:
    seats, row = yield from look(event_id, user_id)
    if seats is None or not scope.reaches(seats):
        raise RegistrationNotFound
    registration = yield from as_of(seats, row, user_id)
    if registration is None:
        raise RegistrationNotFound
    return registration


def _as_it_was_made(event_id: str, user_id: str, made_by: tuple[str, ...]) -> Steps[Registration]:
    seats, row = yield from look(event_id, user_id)
    registration = (yield from as_of(seats, row, user_id)) if seats else None
    if seats is None or registration is None:
        raise Unavailable
    ids = {operations.registration_id(seats.incarnation, user_id, operation) for operation in made_by}
    if registration.registration_id not in ids:
        raise Unavailable
    if registration.status != CANCELLED:
        return registration
    status = first_standing(registration.waited)
    return replace(registration, status=status, promoted_at=None, cancelled_at=None)


def look(event_id: str, user_id: str) -> Steps[tuple[Seats | None, UserRegistration | None]]:
    """Read the seats and then the registration, or both at one moment. Without seats there is no event."""
    keys = (Seats, event_id, Seats.ITEM), (UserRegistration, *UserRegistration.key_of(event_id, user_id))
    try:
        seats, row = yield TransactGet(keys)
    except Conflict:  # a transaction writes one of them; with the seats read first, no later operation is missed
        seats = yield Get(keys[0])
        row = yield Get(keys[1])
    return seats, row


def as_of(seats: Seats, row: UserRegistration | None, user_id: str) -> Steps[Registration | None]:
    """Return the registration as of the moment at which the seats were read.

    Raises:
        Conflict: The seats and the registration do not agree; read them again.
    """
    entry = log.of_user(seats, user_id)
    if entry is not None:
        return (yield from _by_the_log(seats, row, user_id, entry))
    if row is None or row.incarnation != seats.incarnation:
        return None
    if not row.active:
        return registration_as_of(seats, row, cancelled=True)
    if row.ticket > seats.tickets:
        raise Conflict  # a torn transaction: a ticket counts once the seats show it
    return (yield from _completed(seats, registration_as_of(seats, row, cancelled=False)))


def _by_the_log(
    seats: Seats, row: UserRegistration | None, user_id: str, entry: LogEntry
) -> Steps[Registration | None]:
    is_applied = row is not None and row.operations.endswith(entry.operation)
    if not is_applied and not entry.follows(UserRegistration.tag(row, seats.incarnation)):
        raise Conflict(immediate=True)  # the registration is newer than the seats
    if not entry.leaving:
        if row is not None and is_applied:
            joined = registration_as_of(seats, row, cancelled=False)
        else:
            joined = unapplied(seats, entry, user_id, (yield from particulars(seats, entry))[1])
        return (yield from _completed(seats, joined))
    if row is None:  # a leaving has a registration
        raise Conflict
    registration = left(seats, row, entry)
    if registration.waited and entry.leaving != log.QUIT and not registration.promoted_at:
        registration.promoted_at = yield from promotions.time_of(seats, entry.ticket)
    return registration


def left(seats: Seats, row: UserRegistration, entry: LogEntry) -> Registration:
    """Return the registration that a leaving gives up, whether it is applied or not."""
    registration = registration_as_of(seats, row, cancelled=True)
    registration.cancelled_at = entry.at
    return registration


def unapplied(seats: Seats, entry: LogEntry, user_id: str, answers: dict[str, object] | None) -> Registration:
    """Return the registration that an unapplied joining will write."""
    return Registration(
        seats.event_id,
        user_id,
        operations.registration_id(seats.incarnation, user_id, entry.operation),
        standing(entry.ticket, seats, cancelled=False),
        entry.at,
        ticket=entry.ticket,
        waited=entry.waited,
        answers=answers,
    )


def _completed(seats: Seats, registration: Registration) -> Steps[Registration]:
    """Set the position of an active registration, or the time of its promotion."""
    if registration.status == WAITLISTED:
        registration.position = yield from queue.position(seats, registration.ticket)
        if registration.position is None:
            raise Conflict(immediate=True)
    elif registration.waited and not registration.promoted_at:
        registration.promoted_at = yield from promotions.time_of(seats, registration.ticket)
    return registration
