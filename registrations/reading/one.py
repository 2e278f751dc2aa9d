"""Reading registrations: what a user has to do with an event, told as of one moment.

Two items are read, the registration and the seats, and no transaction says that both are of one moment. So what is
told is the moment of the seats, and the registration must agree with it: its ticket is one that the seats have given,
and not one whose owner has left the queue by then; where its lock is held, the operation that holds it counts as done
if the seats have its record. Where the two do not agree, both are read again.
"""

from dataclasses import replace
from typing import NamedTuple

from events.ledger import log, queue
from events.ledger.log import LogEntry
from events.ledger.models import Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.transactions import transact_get
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import (
    CANCELLED,
    JOIN,
    LEAVE,
    REGISTERED,
    WAITLISTED,
    ActiveItem,
    EventTicket,
    PastItem,
    Registration,
)
from registrations.seating import settling
from registrations.seating.operations import Operation


class Found(NamedTuple):
    """What was read of one registration."""

    seats: Seats
    active: ActiveItem | None
    past: PastItem | None


@retry_on_conflict
def read(event_id: str, user_id: str, *, scope: Scope) -> Registration:
    """A user's registration for an event, in whatever state, with its position if it waits.

    Takes: the ids; who asks. Raises: `RegistrationNotFound`, also where the event is out of the caller's reach.
    """
    found = _find(event_id, user_id)
    if found is None or not scope.reaches(found.seats):
        raise RegistrationNotFound
    told = _tell_active(found) or _tell_past(found)
    if told is None:
        raise RegistrationNotFound
    return told


@retry_on_conflict
def as_it_was_made(event_id: str, user_id: str, *operations: str) -> Registration:
    """The registration that a joining led to, after others had a hand in it; if it was given up since, as it began.

    Takes: the ids; those of the operations one of which it was.
    Raises: `Unavailable` if it is gone, also where the user came again since.
    """
    found = _find(event_id, user_id)
    told = (_tell_active(found) or _tell_past(found)) if found else None
    if found is None or told is None or _made_by(found, told) not in operations:
        raise Unavailable
    if told.status != CANCELLED:
        return told
    status = WAITLISTED if told.waited else REGISTERED
    return replace(told, status=status, promoted_at=None, cancelled_at=None)


def _made_by(found: Found, told: Registration) -> str | None:
    """The joining by which a registration began: the last operation on who is in, the last but one on who left."""
    item = found.active
    if item and item.lock_kind == JOIN and item.lock_registration_id == told.registration_id:
        return item.lock
    if item and item.ticket is not None and item.registration_id == told.registration_id:
        return next(iter(item.operations.split()[-1:]), None)
    return next(iter(found.past.operations.split()[-2:-1]), None) if found.past else None


def _find(event_id: str, user_id: str) -> Found | None:
    if not (is_id(event_id) and is_id(user_id)):
        return None
    active_key, past_key = ActiveItem.key_of(event_id, user_id), PastItem.key_of(event_id, user_id)
    seats, active, past = batch_get(
        (Seats, event_id, Seats.ITEM), (ActiveItem, *active_key), (PastItem, *past_key), consistent=True
    )
    if seats is None:
        return None
    if active is None and past is None:  # or a leaving is just being written: one vanishes, the other appears
        seats, active, past = transact_get(
            (Seats, event_id, Seats.ITEM), (ActiveItem, *active_key), (PastItem, *past_key)
        )
    return Found(seats, active, past) if seats else None


def _tell_active(found: Found) -> Registration | None:
    """The active registration; None where there is none, or it is cancelled by now. Raises: `Conflict`."""
    item, seats = found.active, found.seats
    if item is None:
        return None
    record = _pending(item, seats) if item.lock else None
    if record and record.leaving:
        return None
    if record:
        return _told(item, seats, record.ticket, record.waited, str(item.lock_registration_id), str(item.lock_at))
    if item.ticket is None or item.incarnation != seats.incarnation:
        return None
    return _told(item, seats, int(item.ticket), item.waited, str(item.registration_id), str(item.registered_at))


def _pending(item: ActiveItem, seats: Seats) -> LogEntry | None:
    """The record of the operation that holds a lock; None if it was not committed at the moment of the seats.

    Raises: `Conflict` where the lock is gone meanwhile: then it may have been committed, and its record cleared.
    """
    record = log.find(seats, str(item.lock))
    if record is None:
        now = ActiveItem.find(str(item.key), str(item.item))
        if now is None or now.lock != item.lock:
            raise Conflict(immediate=True)
    return record


def _told(
    item: ActiveItem, seats: Seats, ticket: int, waited: bool, registration_id: str, registered_at: str
) -> Registration:
    told = Registration(item.event_id, item.user_id, registration_id, REGISTERED, registered_at)
    told.answers, told.checked_in_at = item.answers, item.checked_in_at
    if ticket > seats.served:
        told.status, told.position = WAITLISTED, queue.position(seats, ticket)
        if told.position is None:
            raise Conflict(immediate=True)
    elif waited:
        told.promoted_at = item.promoted_at or settling.find_promotion(seats, ticket)
    return told


def _tell_past(found: Found) -> Registration | None:
    item, past = found.active, found.past
    record = log.find(found.seats, str(item.lock)) if item and item.lock_kind == LEAVE else None
    if item and record:
        told = item.told(event_id=item.event_id, user_id=item.user_id, status=CANCELLED)
        told.cancelled_at = item.lock_at
        if item.waited and record.leaving != log.QUIT:
            told.promoted_at = item.promoted_at or settling.find_promotion(found.seats, record.ticket)
        return told
    if past is None or past.incarnation != found.seats.incarnation:
        return None
    return past.told(event_id=past.event_id, user_id=past.user_id, status=CANCELLED)


def joined(operation: Operation, record: LogEntry, seats: Seats) -> Registration:
    """What a joining led to, by the seats right after it."""
    told = Registration(operation.event_id, operation.user_id, operation.registration_id, REGISTERED, operation.at)
    told.answers = operation.answers
    if record.waited and record.ticket == seats.tickets:  # nobody has joined since
        told.status, told.position = WAITLISTED, int(seats.waiting)
    elif record.waited:
        return as_it_was_made(operation.event_id, operation.user_id, operation.id)
    return told


def successor_of(operation: Operation) -> str | None:
    """Who got the seat that a leaving gave up, after others settled it."""
    past = PastItem.find(*PastItem.key_of(operation.event_id, operation.user_id))
    if past is None or past.successor is None:
        return None
    return _holder(operation.event_id, past.incarnation, int(past.successor))


def holder(seats: Seats, ticket: int) -> str | None:
    """Who has, or had, a ticket."""
    joining = (record for record in log.of(seats) if record.ticket == ticket and not record.leaving)
    known = next(joining, None)
    return known.user_id if known else _holder(seats.event_id, seats.incarnation, ticket)


@retry_on_conflict
def _holder(event_id: str, incarnation: str, ticket: int) -> str | None:
    keys = [EventTicket.key_of(event_id, incarnation, ticket, cancelled=cancelled) for cancelled in (False, True)]
    found = batch_get(*((EventTicket, *key) for key in keys), consistent=True)
    if not any(found):  # or a leaving is just being written: one vanishes, the other appears
        found = transact_get(*((EventTicket, *key) for key in keys))
    return next((str(one.user_id) for one in found if one), None)
