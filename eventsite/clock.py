"""Time as the service writes it: RFC 3339, UTC, to the microsecond; text order is time order."""

from datetime import UTC, datetime, timedelta

FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> str:
    """The present moment, for example ``2026-01-31T09:30:00.000000Z``."""
    return datetime.now(UTC).strftime(FORMAT)


def now_after(earlier: str) -> str:
    """The present moment, or the microsecond after `earlier` where this machine's clock is behind it."""
    present = now()
    return present if present > earlier else after(earlier)


def after(moment: str) -> str:
    """The microsecond after a moment."""
    return (datetime.strptime(moment, FORMAT) + timedelta(microseconds=1)).strftime(FORMAT)
