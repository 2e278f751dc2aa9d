"""Refusing: of an event that takes nobody, most questions are answered by it, so they must cost its partition little.

A refusal must have been true at some moment while it was asked for. The registration is read, then the seats; if nobody
came or went since an earlier look at the seats, it was no other when the seats were read. How early that look was does
not matter, so a process remembers its last one, and the seats are read once for a refusal.
"""

import threading
from collections import OrderedDict
from typing import NoReturn

from events.ledger.models import Seats
from eventsite import clock
from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.retries import Conflict
from registrations.errors import AlreadyRegistered, EventFull
from registrations.models import ActiveItem
from registrations.seating import admission
from registrations.seating.locking import Locks

REMEMBERED_EVENTS = 256

_last_looks: OrderedDict[str, Seats] = OrderedDict()
_guard = threading.Lock()


def last_look(event_id: str) -> Seats | None:
    """The seats of an event that took nobody when this process looked last; None if it did, or was never looked at."""
    return _last_looks.get(event_id)


def forget(event_id: str) -> None:
    """It takes people again, or it is gone."""
    _last_looks.pop(event_id, None)


def refuse(
    item: ActiveItem | None, before: Seats | None, seats: Seats, locks: Locks, organizes: Scope = NOTHING
) -> NoReturn:
    """Say why nobody can join, or that this user is in already.

    Takes: the user's registration; the seats before it was read and after; the locks that the request has met.
    Raises: `AlreadyRegistered`, `RegistrationNotOpen`, `RegistrationClosed`, `EventFull`; `Conflict` where the seats
    have changed: look again.
    """
    _remember(seats)
    if item and item.lock:
        locks.wait_for(item)
    if before is None or _moment(before) != _moment(seats):
        raise Conflict(immediate=True)
    if item and item.incarnation == seats.incarnation:
        raise AlreadyRegistered
    admission.check(seats, organizes, clock.seconds())
    raise EventFull


def _moment(seats: Seats) -> tuple[object, ...]:
    """Differs whenever somebody came or went in between."""
    return seats.incarnation, seats.tickets, seats.left


def _remember(seats: Seats) -> None:
    with _guard:
        _last_looks[seats.event_id] = seats
        _last_looks.move_to_end(seats.event_id)
        if len(_last_looks) > REMEMBERED_EVENTS:
            _last_looks.popitem(last=False)
