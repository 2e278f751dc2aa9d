"""Remind the people who have a seat, at 10:00 local time on the day before an event.

On Lambda a schedule calls `run` every quarter of an hour (`events` in zappa_settings.json). In a local run `locally`
calls `remind`. A run that is late or repeated is safe: the queue mails each user once for each date of an event.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from events import listing
from events.listing import Span
from events.models import OPEN_STATUSES, Event
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.web import observability
from registrations.models import REGISTERED
from registrations.notices import queue
from registrations.notices.occasions import REMINDER_NOTICE, Notice
from registrations.notices.queue import Task

AT = time(10)
PAGE = 100
RESERVED_SECONDS = 4.0  # seconds of the Lambda's time, for the last call and the answer
ONE_PAGE_SECONDS = 5.0  # seconds; with less time left, the next run continues
KEPT_SECONDS = 4 * 24 * 60 * 60  # seconds; longer than an event is due


class RemindedEvent(ExpiringItem):
    """The people of an event are reminded for one of its dates."""

    ITEM = "reminded"


def run(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Remind the people of all due events, and return their number. The schedule on Lambda calls this function."""
    with time_limit(context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS):
        count = remind()
    observability.count("EventsReminded", count)
    observability.publish()
    return {"reminded": count}


def remind() -> int:
    """Put a task for each due event into the queue, and return their number.

    Raises:
        Unavailable: DynamoDB or the queue does not answer. The next run continues.
    """
    if not settings.MAIL_FROM:
        return 0
    count, now = 0, datetime.fromisoformat(clock.now())
    for events in _pages(now):
        for event in _not_reminded([event for event in events if is_due(event, now)]):
            queue.send([Task(queue.MAIL, notice_of(event), to=REGISTERED)])
            _marker(event).save()
            count += 1
        if time_left() < ONE_PAGE_SECONDS:
            break
    return count


def is_due(event: Event, now: datetime) -> bool:
    """Return True if people have to be reminded of an event now."""
    return due_at(event) <= now < _at(event, time.fromisoformat(event.start_time or "00:00"))


def due_at(event: Event) -> datetime:
    """Return 10:00 on the day before an event, in its time zone or in UTC."""
    return _at(event, AT, days_before=1)


def notice_of(event: Event) -> Notice:
    """Return the notice of a reminder. People who sign up on that day or later need none."""
    since = _at(event, time(), days_before=1).astimezone(UTC).strftime(clock.FORMAT)
    data = {"eventId": event.event_id, "date": event.date, "since": since}
    return {"id": f"{event.event_id}.{event.incarnation}.{event.date}.reminder", "type": REMINDER_NOTICE, "data": data}


def _at(event: Event, hour: time, *, days_before: int = 0) -> datetime:
    day = date.fromisoformat(event.date) - timedelta(days=days_before)
    return datetime.combine(day, hour, ZoneInfo(event.time_zone) if event.time_zone else UTC)


def _pages(now: datetime) -> Iterator[list[Event]]:
    """Yield the events that may be due. Time zones differ from UTC by up to 14 hours."""
    first, last = ((now + timedelta(days=days)).date().isoformat() for days in (-1, 3))
    sources = listing.streams(scope=EVERYTHING, statuses=sorted(OPEN_STATUSES))
    after: str | None = None
    while True:
        found, after = listing.page(sources, Span(first, last, after=after), limit=PAGE)
        yield [whole.event for whole in found]
        if after is None:
            return


def _not_reminded(events: list[Event]) -> list[Event]:
    markers = map(_marker, events)
    found = batch_get(*((RemindedEvent, marker.key, marker.item) for marker in markers), consistent=True)
    return [event for event, marker in zip(events, found, strict=True) if marker is None]


def _marker(event: Event) -> RemindedEvent:
    key = f"reminded#{event.event_id}#{event.incarnation}#{event.date}"
    return RemindedEvent(key, RemindedEvent.ITEM, expires_at=clock.seconds() + KEPT_SECONDS)
