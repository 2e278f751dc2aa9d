"""List the registrations of a user, with their events."""

from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from events.ledger import log, queue
from events.ledger.models import Promotion, Seats
from events.services import may_be_seen
from events.whole import WholeEvent, find_events
from eventsite.auth.scope import EVERYTHING, Scope
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import run
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import (
    ACTIVE,
    CANCELLED,
    REGISTERED,
    WAITLISTED,
    Registration,
    UserRegistration,
    registration_as_of,
    registrations_of,
)
from registrations.reading import one as reading
from users import services
from users.services import UserNotFound


class Attendance(NamedTuple):
    """A registration with its event."""

    registration: Registration
    whole_event: WholeEvent


def of_user(
    user_id: str, *, scope: Scope, status: str, limit: int, after: str | None
) -> tuple[list[Attendance], str | None]:
    """Return one page of a user's registrations with their events, in the order of the event ids.

    Args:
        user_id: The user.
        scope: The caller's scope. Registrations for drafts that the caller may not see are left out.
        status: A status or `ACTIVE`.
        limit: The maximum number of registrations.
        after: The last event id of the page before; None for the first page.

    Returns:
        The registrations, and the event id to continue after, None on the last page. A page may have fewer than `limit`
        registrations, or none, although more pages follow.

    Raises:
        UserNotFound: There is no such user.
    """
    if not is_id(user_id):
        raise UserNotFound
    rows = list(islice(registrations_of(user_id, active=status != CANCELLED, after=after), limit + 1))
    following = rows[limit - 1].event_id if len(rows) > limit else None
    rows = rows[:limit]
    if not rows:
        services.read(user_id)  # a user with registrations exists; one without may not
    whole = {
        event_id: one
        for event_id, one in find_events(row.event_id for row in rows).items()
        if may_be_seen(one.event, scope)
    }
    known = [(row, whole[row.event_id]) for row in rows if row.event_id in whole]
    wanted = (REGISTERED, WAITLISTED) if status == ACTIVE else (status,)
    return [one for one in _with_standing(known) if one.registration.status in wanted], following


def _with_standing(known: list[tuple[UserRegistration, WholeEvent]]) -> list[Attendance]:
    """Return a user's registrations with positions and times of promotion, by three more calls for all of them.

    A registration that never waited has a seat. For the others the seats decide, which are read again because they were
    read eventually consistently. An unapplied operation of the user overrides both.
    """
    waited = [row for row, whole in known if row.active and row.waited and _is_plain(row, whole.seats)]
    seats = batch_get(*((Seats, row.event_id, Seats.ITEM) for row in waited), consistent=True)
    by_event = _by_seats([(row, one) for row, one in zip(waited, seats, strict=True) if one])
    found: list[Attendance] = []
    for row, whole in known:
        registration = by_event.get(row.event_id)
        if registration is None:
            simple = _is_plain(row, whole.seats) and not (row.active and row.waited)
            registration = _as_written(row, whole.seats) if simple else _read(row)
        if registration:
            found.append(Attendance(registration, whole))
    return found


def _is_plain(row: UserRegistration, seats: Seats) -> bool:
    """Return True if the registration is of this incarnation and has no unapplied operation."""
    entry = log.of_user(seats, row.user_id)
    is_applied = entry is None or row.operations.endswith(entry.operation)
    return bool(row.incarnation == seats.incarnation and is_applied and row.ticket <= seats.tickets)


def _by_seats(waited: list[tuple[UserRegistration, Seats]]) -> dict[str, Registration]:
    """Return, by event id, the registrations whose position or time of promotion follows from the seats.

    The others must be read one by one.
    """
    current = [(row, seats) for row, seats in waited if _is_plain(row, seats)]
    line = [(row, seats) for row, seats in current if row.ticket > seats.seated_through]
    moved = [(row, seats) for row, seats in current if row.ticket <= seats.seated_through]
    found: dict[str, Registration] = {}
    for row, seats in line:
        with suppress(Conflict):  # then the caller reads it by itself
            place = run(queue.position(seats, int(row.ticket or 0)))
            if place:
                found[row.event_id] = registration_as_of(seats, row, cancelled=False, position=place)
    moves = batch_get(
        *((Promotion, *queue.promotion_key(one, int(row.ticket or 0))) for row, one in moved), consistent=True
    )
    for (row, one), move in zip(moved, moves, strict=True):
        if move:
            found[row.event_id] = _as_written(row, one)
            found[row.event_id].promoted_at = move.at
    return found


def _as_written(row: UserRegistration, seats: Seats) -> Registration:
    return registration_as_of(seats, row, cancelled=not row.active)


def _read(row: UserRegistration) -> Registration | None:
    with suppress(RegistrationNotFound):
        return reading.read(row.event_id, row.user_id, scope=EVERYTHING)
    return None
