"""A user's seats as a calendar: events to come, and those that ended in the last 30 days."""

from collections.abc import Iterator

from events.models import Event
from events.window import Times
from eventsite import clock
from eventsite.auth.scope import EVERYBODYS, NOBODYS, Scope
from eventsite.dynamodb.retries import time_left
from registrations.models import REGISTERED
from registrations.reading import attendances

SHOWN_AFTER = 30 * 24 * 60 * 60  # seconds after its end
PAGE = 100
RESERVED_SECONDS = 5.0
"""No further page is read when the request has only this left."""


def seats_of(user_id: str) -> Iterator[Event]:
    """Yield the events for which a user has a seat.

    Raises:
        UserNotFound: There is no such user.
    """
    scope = Scope(touches=EVERYBODYS, drafts_of=NOBODYS)
    since, after = clock.seconds() - SHOWN_AFTER, None
    while True:
        rows, after = attendances.of_user(user_id, scope=scope, status=REGISTERED, limit=PAGE, after=after)
        for row in rows:
            if Times.of(row.whole_event.event).ends_at > since:
                yield row.whole_event.event
        if after is None or time_left() < RESERVED_SECONDS:
            return
