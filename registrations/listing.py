"""Lists of registrations: an event's in the order of its queue, a user's with the events they are for."""

from typing import NamedTuple

from events import models as events
from events.editing import EventNotFound
from events.models import Listing, Seats
from eventsite.ids import is_id
from registrations.models import WAITLISTED, Registration, has_status, place, start_after
from users import directory
from users.directory import UserNotFound

Place = list[str]


class Attendance(NamedTuple):
    """A registration with its event."""

    registration: Registration
    listing: Listing


def of_event(event_id: str, *, status: str, limit: int, after: Place | None) -> tuple[list[Registration], Place | None]:
    """One page of an event's registrations, strongly consistent.

    Takes: a status or `ACTIVE`; how many at most; where the last page ended.
    Returns: the registrations, registered ones in order of registration and then waitlisted ones in the order of
    the queue, with their positions; the place to continue after (None on the last page).
    Raises: `EventNotFound`.
    """
    if Seats.find(event_id) is None:
        raise EventNotFound
    found = Registration.by_event.query(
        event_id,
        has_status(status),
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


def of_user(user_id: str, *, status: str, limit: int, after: Place | None) -> tuple[list[Attendance], Place | None]:
    """One page of a user's registrations with their events, in order of standing.

    Takes and returns: as `of_event`.
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
    listings = events.find_many({row.event_id for row in rows})
    for row in rows:
        if row.status == WAITLISTED:
            row.position = Registration.rank(row)
    return [Attendance(row, listings[row.event_id]) for row in rows if row.event_id in listings], following


def _cut(rows: list[Registration], limit: int) -> tuple[list[Registration], Place | None]:
    return rows[:limit], place(rows[limit - 1]) if len(rows) > limit else None
