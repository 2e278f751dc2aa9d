"""Dates and times, however they were written, as the contract writes them."""

from datetime import UTC, time

from django.utils.dateparse import parse_date, parse_datetime

TimeOfDay = dict[str, str]


def day(text: str) -> tuple[str, TimeOfDay]:
    """The day of an event, and the time of day that was written behind it, if any.

    A time with an offset becomes one of UTC, so that the moment stays what it was; one without is taken for UTC; a
    midnight without an offset says nothing but the day. Raises: `ValueError`.
    """
    if date := parse_date(text):
        return date.isoformat(), {}
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError
    if moment.tzinfo is None and moment.time() == time():
        return moment.date().isoformat(), {}
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return moment.date().isoformat(), {"startTime": f"{moment:%H:%M}", "timeZone": "UTC"}


def moment(text: object) -> str | None:
    """A moment as RFC 3339 in UTC with microseconds, or None. One without an offset is taken for UTC."""
    try:
        parsed = parse_datetime(str(text)) if text else None
    except ValueError:
        return None
    if parsed is None:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
