"""Events in iCalendar's form (RFC 5545), written by the icalendar library.

Imported when the first calendar is requested: the library adds some 60 ms to a cold start.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

from events.models import DRAFT, Event
from events.window import Times

CONTENT_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//eventsite//events//EN"
REFRESH_HOURS = 1

STATUS = {DRAFT: "TENTATIVE", "cancelled": "CANCELLED"}
"""The words for a draft and a cancelled event. Every other event is CONFIRMED."""

BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
CONTROLS = re.compile("[\0-\x08\x0e-\x1b\x1f\x7f]")


class Text(icalendar.vText):
    """A text that keeps a backslash before an N, which the library would turn into a line break."""

    def to_ical(self) -> bytes:
        """Return the text escaped, with one kind of line break and no control characters (RFC 5545, section 3.3.11)."""
        plain = CONTROLS.sub("", BREAKS.sub("\n", self))
        return plain.translate(ESCAPED).encode()


def entry(event: Event, url: str, organizer: str = "") -> bytes:
    """Return one event as a VEVENT, with the address of its page. The organizer is the sender of a mail with it."""
    found = icalendar.Event()
    found.add("uid", f"{event.event_id}.{re.sub('[^0-9]', '', event.created_at)}@eventsite")
    found.add("sequence", int(event.version))
    found.add("status", STATUS.get(event.status, "CONFIRMED"))
    found.add("dtstamp", datetime.fromisoformat(event.updated_at))
    found.add("created", datetime.fromisoformat(event.created_at))
    found.add("last-modified", datetime.fromisoformat(event.updated_at))
    found.add("summary", Text(event.title))
    found.add("description", Text(event.description))
    found.add("location", Text(event.location))
    found.add("contact", Text(event.organizer))
    if url:
        found.add("url", url)
    if organizer:
        found.add("organizer", f"mailto:{organizer}")
    start, end = span(event)
    found.add("dtstart", start)
    if end is not None:
        found.add("dtend", end)
    written: bytes = found.to_ical()
    return written


def span(event: Event) -> tuple[date, date | None]:
    """Return when an event begins and ends: two days, the second exclusive, or two moments in UTC.

    Moments are in UTC because no event recurs: a reader needs no description of a time zone, and programs disagree
    about those that change over the years. A moment that UTC's calendar does not reach has no zone at all.

    Returns:
        The start and the end. The end is None where there is none, or none that a calendar accepts: after the last day
        of the calendar, at the start itself, or in an hour that a change of clocks puts before it.
    """
    day, last = date.fromisoformat(event.date), Times.of(event).last_day
    following = last + timedelta(days=1) if last < date.max else None
    if not (event.start_time and event.time_zone):
        return day, following
    zone, start, end = ZoneInfo(event.time_zone), event.start_time, event.end_time
    begins = _in_utc(datetime.combine(day, time.fromisoformat(start), zone))
    ends = _in_utc(datetime.combine(last, time.fromisoformat(end), zone)) if end else None
    if event.end_date and not end and following:
        ends = _in_utc(datetime.combine(following, time(), zone))
    return begins, ends if ends and ends.tzinfo == begins.tzinfo and ends > begins else None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # in the first or the last hours of the calendar
        return moment.replace(tzinfo=None)


def document(entries: Iterable[bytes], *, method: str = "", name: str = "") -> bytes:
    """Return a calendar of these entries.

    Args:
        entries: The VEVENT of each event, from `entry`.
        method: The method of a mailed calendar (RFC 5546): PUBLISH or CANCEL.
        name: The name of a subscribed calendar (RFC 7986, and X-WR-CALNAME for older programs).
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if name:
        calendar.add("name", Text(name))
        calendar.add("x-wr-calname", Text(name))
    if method:
        calendar.add("method", method)
    else:
        calendar.add("refresh-interval", timedelta(hours=REFRESH_HOURS), parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", f"PT{REFRESH_HOURS}H")
    head, _, foot = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return b"".join([head, *entries, b"END:VCALENDAR", foot])
