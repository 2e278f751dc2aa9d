"""Time as the service writes it: RFC 3339, UTC, to the microsecond. Text order is time order."""

from datetime import UTC, datetime, timedelta

FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now() -> str:
    """Return the current time, for example ``2026-01-31T09:30:00.000000Z``."""
    return datetime.now(UTC).strftime(FORMAT)


def precise(moment: str) -> str:
    """Return a moment of any precision as `now` returns it."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime(FORMAT)


def seconds() -> int:
    """Return the current time in whole seconds since the epoch."""
    return int(datetime.now(UTC).timestamp())


def in_seconds(moment: str) -> int:
    """Return a moment, as `now` returns it, in whole seconds since the epoch."""
    return int(datetime.fromisoformat(moment).timestamp())


def in_milliseconds(moment: str) -> int:
    """Return a moment, as `now` returns it, in milliseconds since the epoch."""
    return in_microseconds(moment) // 1000


def in_microseconds(moment: str) -> int:
    """Return a moment, as `now` returns it, in microseconds since the epoch."""
    return (datetime.fromisoformat(moment) - EPOCH) // MICROSECOND


def of_microseconds(number: int) -> str:
    """Return the moment, as `now` returns it, that `in_microseconds` converted."""
    return (EPOCH + number * MICROSECOND).strftime(FORMAT)


def of_seconds(number: int) -> str:
    """Return the moment, as `now` returns it, that `in_seconds` converted."""
    return of_microseconds(number * 1_000_000)
