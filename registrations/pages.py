"""Lists of registrations: an event's in the order of its queue, a user's with the events they are for."""

from typing import NamedTuple

from events import models as events
from events.editing import EventNotFound, check_access, may_be_seen
from events.models import Event, Seats, WholeEvent
from eventsite.ids import is_id
from registrations.models import (
    ACTIVE,
    CANCELLED,
    WAITLISTED,
    Registration,
    cancelled_since,
    cursor_of,
    has_status,
    start_after,
)
from users import directory
from users.directory import UserNotFound

Cursor = list[str]


class Attendance(NamedTuple):
    """A registration with its event."""

    registration: Registration
    whole_event: WholeEvent


def of_event(
    event_id: str, *, status: str, limit: int, after: Cursor | None, owner: str | None = None
) -> tuple[list[Registration], Cursor | None]:
    """One page of an event's registrations, strongly consistent.

    Takes: a status or `ACTIVE`; how many at most; where the last page ended; the organizer who must own the event
    (None: anybody's).
    Returns: the registrations, registered ones in order of registration and then waitlisted ones in the order of
    the queue, with their positions; the cursor to continue after (None on the last page).
    Raises: `EventNotFound`; `EventNotYours`.
    """
    half = Event.find(event_id) if status == CANCELLED else Seats.find(event_id)
    if half is None:
        raise EventNotFound
    check_access(half, owner=owner)
    found = Registration.by_event.query(
        event_id,
        cancelled_since(half.created_at) if isinstance(half, Event) else has_status(status),
        consistent_read=True,
        limit=limit + 1,
        last_evaluated_key=start_after(after),
    )
    rows, following = _cut(list(found), limit)
    waiting = [row for row in rows if row.status == WAITLISTED]
    continued = after is not None and after[-1].startswith(f"{WAITLISTED}#")
    first = Registration.rank(waiting[0]) if waiting and continued else 1
    for position, row in enumerate(waiting, start=first):
        row.position = position
    return rows, following


def everybody(event_id: str, most: int) -> list[Registration]:
    """The first so many who have a seat or wait, in one query, for who is known to own the event."""
    return list(Registration.by_event.query(event_id, has_status(ACTIVE), limit=most))


def of_user(
    user_id: str, *, status: str, limit: int, after: Cursor | None, drafts_of: str | None = None
) -> tuple[list[Attendance], Cursor | None]:
    """One page of a user's registrations with their events, in order of standing.

    Takes: a status or `ACTIVE`; how many at most; where the last page ended; whose drafts may be seen (None:
    everybody's): a registration is left out while its event is a draft that may not be.
    Returns: as `of_event`.
    Raises: `users.directory.UserNotFound`.
    """
    if not is_id(user_id):
        raise UserNotFound
    found = Registration.by_user.query(
        user_id, has_status(status), limit=limit + 1, last_evaluated_key=start_after(after)
    )
    rows, following = _cut(list(found), limit)
    if not rows:
        directory.read(user_id)  # who has registrations exists; who has none may not
    listings = {
        event_id: whole_event
        for event_id, whole_event in events.find_many({row.event_id for row in rows}).items()
        if may_be_seen(whole_event.event, drafts_of)
    }
    for row in rows:
        if row.status == WAITLISTED:
            row.position = Registration.rank(row)
    known = [Attendance(row, listings[row.event_id]) for row in rows if row.event_id in listings]
    return [one for one in known if one.registration.is_of(one.whole_event.event)], following


def _cut(rows: list[Registration], limit: int) -> tuple[list[Registration], Cursor | None]:
    return rows[:limit], cursor_of(rows[limit - 1]) if len(rows) > limit else None
