"""Events as calendars have them: iCalendar (RFC 5545), written by the icalendar library.

Imported when the first calendar is asked for: the library costs a cold start some 60 ms.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

from events.models import DRAFT, Event

CONTENT_TYPE = "text/calendar; charset=utf-8"
PRODUCT = "-//eventsite//events//EN"
REFRESH_HOURS = 1

STATUS = {DRAFT: "TENTATIVE", "cancelled": "CANCELLED"}
"""The status of what is neither is CONFIRMED."""

ZONES_FROM, ZONES_TO = date(1970, 1, 1), date(2199, 12, 31)
"""Time zones are described as far as there are events, within these bounds."""
YEAR = timedelta(days=366)

BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})
CONTROLS = re.compile("[\0-\x08\x0e-\x1b\x1f\x7f]")


class Text(icalendar.vText):
    """A text as it is: the library would make a line break of a backslash before an N."""

    def to_ical(self) -> bytes:
        """The text, escaped, without control characters, its lines broken in one way (RFC 5545, section 3.3.11)."""
        plain = CONTROLS.sub("", BREAKS.sub("\n", self))
        return plain.translate(ESCAPED).encode()


def entry(event: Event, url: str, organizer: str = "") -> bytes:
    """One event as a VEVENT. Takes: its description; where it is on the web; from which address it is sent, if any."""
    found = icalendar.Event()
    found.add("uid", f"{event.event_id}.{re.sub('[^0-9]', '', event.created_at)}@eventsite")
    found.add("sequence", int(event.version))
    found.add("status", STATUS.get(event.status, "CONFIRMED"))
    found.add("dtstamp", _moment(event.updated_at))
    found.add("created", _moment(event.created_at))
    found.add("last-modified", _moment(event.updated_at))
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
    """When an event begins and ends: two days, the second exclusive, or two moments of its time zone.

    The end is None where there is none, or none that a calendar takes: after the last day of the calendar, at the
    very start, or in an hour that a change of clocks puts before it.
    """
    day = date.fromisoformat(event.date)
    following = day + timedelta(days=1) if day < date.max else None
    if not (event.start_time and event.time_zone):
        return day, following
    zone, start, end = ZoneInfo(event.time_zone), event.start_time, event.end_time
    begins = datetime.combine(day, time.fromisoformat(start), zone)
    last = following if end and end < start else day
    ends = datetime.combine(last, time.fromisoformat(end), zone) if end and last else None
    return begins, ends if ends and _seconds(ends) > _seconds(begins) else None


def document(entries: Iterable[bytes], events: Iterable[Event], *, method: str = "") -> bytes:
    """A calendar of these entries, with the time zones that their events name.

    Takes: for one that is sent, what its receiver shall do (RFC 5546): PUBLISH or CANCEL.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    if method:
        calendar.add("method", method)
    else:
        calendar.add("refresh-interval", timedelta(hours=REFRESH_HOURS), parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", f"PT{REFRESH_HOURS}H")
    for zone in _zones(list(events)):
        calendar.add_component(zone)
    head, _, foot = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return b"".join([head, *entries, b"END:VCALENDAR", foot])


def _zones(events: list[Event]) -> list[icalendar.Timezone]:
    """The time zones of events, described for the years in which these are."""
    timed = [event for event in events if event.time_zone]
    if not timed:
        return []
    days = [date.fromisoformat(event.date) for event in timed]
    first, last = (min(max(day, ZONES_FROM), ZONES_TO) for day in (min(days), max(days)))
    names = sorted({str(event.time_zone) for event in timed} - {"UTC"})
    zones = [icalendar.Timezone.from_tzid(name, first_date=first - YEAR, last_date=last + YEAR) for name in names]
    for zone in zones:
        zone.pop("comment", None)  # that it holds for some years only: those of the events
    return zones


def _seconds(moment: datetime) -> float:
    """When it is, for comparing: two times of one zone compare by what clocks show, whatever their offsets."""
    offset = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - datetime(1, 1, 1) - offset).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
