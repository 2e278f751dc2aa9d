"""List the registrations of a user, with their events."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import NamedTuple

from events.ledger import log, queue
from events.ledger.models import Promotion, Seats
from events.models import Event
from events.services import may_be_seen
from events.whole import WholeEvent, find_events
from events.window import Times
from eventsite import clock
from eventsite.auth.scope import EVERYBODYS, EVERYTHING, NOBODYS, Scope
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, time_left
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
from registrations.reading.filling import filled
from users import services
from users.services import UserNotFound

SHOWN_AFTER = 30 * 24 * 60 * 60  # seconds for which a calendar shows an event after its end
PAGE = 100  # registrations of a calendar that are read at a time
RESERVED_SECONDS = 5.0  # seconds; no further page is read when the request has only this left


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
        The registrations, and the event id to continue after, as `filled` returns them.

    Raises:
        UserNotFound: There is no such user.
    """
    if not is_id(user_id):
        raise UserNotFound
    read = partial(_read_after, user_id, scope, status, limit)
    return filled(read, lambda one: one.registration.event_id, limit=limit, after=after)


def _read_after(
    user_id: str, scope: Scope, status: str, limit: int, after: str | None
) -> tuple[list[Attendance], str | None]:
    found = registrations_of(user_id, active=status != CANCELLED, first=limit + 1, after=after)
    possible = (row for row in found if row.waited or status != WAITLISTED)
    rows = list(islice(possible, limit + 1))
    following = rows[limit - 1].event_id if len(rows) > limit else None
    if not rows:
        services.read(user_id)  # a user with registrations exists; one without may not
    events = find_events(row.event_id for row in rows[:limit])
    known = [(row, events[row.event_id]) for row in rows[:limit] if row.event_id in events]
    known = [(row, whole) for row, whole in known if may_be_seen(whole.event, scope)]
    wanted = (REGISTERED, WAITLISTED) if status == ACTIVE else (status,)
    return [one for one in _with_standing(known) if one.registration.status in wanted], following


def seats_to_show(user_id: str) -> Iterator[Event]:
    """Yield the events of a user's calendar: the seats to come, and those that ended in the last 30 days.

    Raises:
        UserNotFound: There is no such user.
    """
    scope = Scope(touches=EVERYBODYS, drafts_of=NOBODYS)
    since, after = clock.seconds() - SHOWN_AFTER, None
    while True:
        rows, after = of_user(user_id, scope=scope, status=REGISTERED, limit=PAGE, after=after)
        for row in rows:
            if Times.of(row.whole_event.event).ends_at > since:
                yield row.whole_event.event
        if after is None or time_left() < RESERVED_SECONDS:
            return


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
    current = [(_as_written(row, seats), seats) for row, seats in waited if _is_plain(row, seats)]
    moved = [(one, seats) for one, seats in current if one.status == REGISTERED]
    moves = batch_get(*((Promotion, *queue.promotion_key(seats, one.ticket)) for one, seats in moved), consistent=True)
    for (one, _), move in zip(moved, moves, strict=True):
        one.promoted_at = move and move.at
    for one, seats in current:
        if one.status == WAITLISTED:
            with suppress(Conflict):  # then the caller reads it by itself
                one.position = run(queue.position(seats, one.ticket))
    return {one.event_id: one for one, _ in current if one.promoted_at or one.position}


def _as_written(row: UserRegistration, seats: Seats) -> Registration:
    return registration_as_of(seats, row, cancelled=not row.active)


def _read(row: UserRegistration) -> Registration | None:
    with suppress(RegistrationNotFound):
        return reading.read(row.event_id, row.user_id, scope=EVERYTHING)
    return None
