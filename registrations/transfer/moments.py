"""Convert dates and times of other services and spreadsheets to the formats of the contract."""

import re
from datetime import UTC, date, datetime, time

from django.utils.dateparse import parse_date, parse_datetime

TimeOfDay = dict[str, str]

ISO, DAY_FIRST, MONTH_FIRST = "ISO", "DMY", "MDY"
ORDERS = (ISO, DAY_FIRST, MONTH_FIRST)
"""The orders of the parts of a date. Only ISO is unambiguous without an option."""

_DAY, _MONTH, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>\d{1,2})", r"(?P<year>\d{4}|\d\d)"
_REST = r"(?:,?\s+(?P<clock>.+))?"
_WRITTEN = {
    ISO: re.compile(rf"(?P<year>\d{{4}})[./]{_MONTH}[./]{_DAY}{_REST}", re.ASCII),
    DAY_FIRST: re.compile(rf"{_DAY}[./-]{_MONTH}[./-]{_YEAR}{_REST}", re.ASCII),
    MONTH_FIRST: re.compile(rf"{_MONTH}[./-]{_DAY}[./-]{_YEAR}{_REST}", re.ASCII),
}
"""Dates that are not in the format of ISO, by order. A year of two digits is one of this century."""
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d))?(?::(?P<second>[0-5]\d)(?:\.\d+)?)?\s*(?:(?P<half>[ap])\.?m\.?)?"
    r"(?P<zone>\s*(?:UTC|GMT|Z)?(?:(?P<offset>[+-]\d{1,2}):?(?P<past>[0-5]\d)?)?)",
    re.IGNORECASE | re.ASCII,
)
HALF_DAY, CENTURY = 12, 2000


class Ambiguous(Exception):
    """A date may be two days. The text shows what to write."""


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


def moment(text: object, order: str | None = None) -> str | None:
    """Return a moment as RFC 3339 in UTC with microseconds, or None. Without an offset, it is read as UTC.

    The order of the parts of a date is that of a sheet; None for a text that has the format of ISO.

    Raises:
        Ambiguous: The order has to be given.
    """
    try:
        parsed = parse_datetime(in_iso(str(text), order) if order else str(text)) if text else None
        if parsed is None:
            return None
        aware = _in_utc(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except ValueError:
        return None
    return f"{aware.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # it is before the year 1 or after 9999
        raise ValueError from error


def in_iso(text: str, order: str) -> str:
    """Return a date, with its time if there is one, in the order of ISO. Other texts are returned unchanged.

    Raises:
        Ambiguous: The order of its parts has to be given, as for 3/4/2027.
        ValueError: The calendar has no such day.
    """
    text = text.strip()
    found = _WRITTEN[ISO].fullmatch(text) or _WRITTEN[order].fullmatch(text)
    if found is None and _WRITTEN[DAY_FIRST].fullmatch(text):
        raise Ambiguous(f"{text[:40]!r} may be two days. Write it as YYYY-MM-DD, or add --date-format DMY or MDY.")
    if found is None:
        return text
    year = int(found["year"]) + (CENTURY if len(found["year"]) == len("YY") else 0)
    written = date(year, int(found["month"]), int(found["day"])).isoformat()
    return f"{written}T{_clock(found['clock'])}" if found["clock"] else written


def time_of_day(text: str) -> str:
    """Return a time of day as HH:MM. Spreadsheets write 06:30:00 PM for 18:30.

    Raises:
        ValueError: It is no time of day.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None or found["zone"]:
        raise ValueError
    return f"{_time(found):%H:%M}"


def _clock(text: str) -> str:
    """Return a time of day in the format of ISO, with its offset such as ``GMT+1``, if any."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError
    offset = f"{int(found['offset']):+03d}:{found['past'] or '00'}" if found["offset"] else "Z" if found["zone"] else ""
    return f"{_time(found).isoformat()}{offset}"


def _time(found: re.Match[str]) -> time:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= HALF_DAY:
            raise ValueError
        hour = hour % HALF_DAY + (HALF_DAY if half == "p" else 0)
    elif found["minute"] is None:
        raise ValueError
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0))
