"""Convert dates and times of other services and spreadsheets to the formats of the contract."""

import re
from datetime import UTC, date, datetime, time

from django.utils.dateparse import parse_date, parse_datetime

TimeOfDay = dict[str, str]

ISO, DAY_FIRST, MONTH_FIRST = "ISO", "DMY", "MDY"
ORDERS = (ISO, DAY_FIRST, MONTH_FIRST)
"""The orders of the parts of a date. Only ISO is unambiguous without an option."""

_NAMED = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:,?\s+(.+))?")
_CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d))?(?::[0-5]\d(?:\.\d+)?)?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)
HALF_DAY = 12


def day(text: str) -> tuple[str, TimeOfDay]:
    """Return the day of an event, and the time of day that follows it, if any.

    A time with an offset is converted to UTC. A time without one is read as UTC. Midnight without an offset counts as
    a date without a time.

    Raises:
        ValueError: It is no date.
    """
    if found := parse_date(text):
        return found.isoformat(), {}
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError
    if moment.tzinfo is None and moment.time() == time():
        return moment.date().isoformat(), {}
    moment = _in_utc(moment) if moment.tzinfo else moment
    return moment.date().isoformat(), {"startTime": f"{moment:%H:%M}", "timeZone": "UTC"}


def moment(text: object) -> str | None:
    """Return a moment as RFC 3339 in UTC with microseconds, or None. Without an offset, it is read as UTC."""
    try:
        parsed = parse_datetime(str(text)) if text else None
        if parsed is None:
            return None
        aware = _in_utc(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except ValueError:
        return None
    return f"{aware.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC.

    Raises:
        ValueError: It is before the year 1 or after 9999.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError from error


def in_iso(text: str, order: str = ISO) -> str:
    """Return a date, with its time if there is one, in the order of ISO. Other texts are returned unchanged.

    Raises:
        ValueError: The calendar has no such day.
    """
    found = _NAMED.fullmatch(text.strip())
    if found is None or order == ISO:
        return text.strip()
    first, second, year, clock = found.groups()
    day_of_month, month = (first, second) if order == DAY_FIRST else (second, first)
    written = date(int(year), int(month), int(day_of_month)).isoformat()
    return f"{written}T{time_of_day(clock)}" if clock else written


def needs_order(text: str) -> bool:
    """Return True if the order of the parts of a date has to be given, as for 3/4/2027."""
    return bool(_NAMED.fullmatch(text.strip()))


def time_of_day(text: str) -> str:
    """Return a time of day as HH:MM. Spreadsheets write 06:30:00 PM for 18:30.

    Raises:
        ValueError: It is no time of day.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if half:
        if not 1 <= hour <= HALF_DAY:
            raise ValueError
        hour = hour % HALF_DAY + (HALF_DAY if half == "p" else 0)
    elif found[2] is None:
        raise ValueError
    return f"{time(hour, minute):%H:%M}"
