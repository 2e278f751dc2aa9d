"""Write days, times, numbers and names as people do."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo

NAMED = 3
DAYS_OF_A_WEEK = 7
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60  # seconds


def day(text: str) -> str:
    """Return ``Sat 12 Dec 2026`` for ``2026-12-12``."""
    found = date.fromisoformat(text)
    return f"{found:%a} {found.day} {found:%b %Y}"


def long_day(text: str) -> str:
    """Return ``Saturday, 12 December 2026`` for ``2026-12-12``."""
    found = date.fromisoformat(text)
    return f"{found:%A}, {found.day} {found:%B %Y}"


def days(first: str, last: str, starts: str | None = None, ends: str | None = None) -> str:
    """Return ``Sat 12 – Sun 13 Dec 2026``, or ``Sat 28 Nov, 19:00 – Tue 1 Dec 2026, 22:00``."""  # noqa: RUF002 (a range)
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    begin = day(first) if start.year != end.year else f"{start:%a} {start.day} {start:%b}"
    if (start.year, start.month) == (end.year, end.month) and not starts:
        begin = f"{start:%a} {start.day}"
    return f"{_at(begin, starts)} – {_at(day(last), ends)}"  # noqa: RUF001 (a range)


def _at(day: str, hour: str | None) -> str:
    return f"{day}, {hour}" if hour else day


def until(last: str, today: str, ends: str | None = None) -> str:
    """Return ``Now, until Sunday``, or ``Now, until Sun 13 Dec, 22:00`` where that day is a week away or more."""
    end = date.fromisoformat(last)
    ahead = (end - date.fromisoformat(today)).days
    named = "today" if ahead <= 0 else f"{end:%A}" if ahead < DAYS_OF_A_WEEK else f"{end:%a} {end.day} {end:%b}"
    return f"Now, until {_at(named, ends)}"


def zone(name: str) -> str:
    """Return ``Berlin time`` for ``Europe/Berlin``."""
    return f"{name.rpartition('/')[2].replace('_', ' ')} time" if "/" in name else name


def moment(text: str, place: tzinfo | None = None) -> str:
    """Return ``21 Nov 2026, 09:30`` for an RFC 3339 time, as the clocks of a place show it, or else as it is."""
    found = datetime.fromisoformat(text)
    found = found.astimezone(place) if place else found
    return f"{found.day} {found:%b %Y, %H:%M}"


def local_moment(text: str, place: tzinfo | None, now: datetime) -> str:
    """Return ``Fri 4 Dec, 10:00`` for an RFC 3339 time, as the clocks of a place show it.

    Without a place it is UTC, which is named. The year is written if it is not the present one.
    """
    found = datetime.fromisoformat(text).astimezone(place or UTC)
    year = "" if found.year == now.astimezone(found.tzinfo).year else f" {found.year}"
    return f"{found:%a} {found.day} {found:%b}{year}, {found:%H:%M}{'' if place else ' UTC'}"


def wait(seconds: float) -> str:
    """Return ``in 5 days``, ``in 3 hours`` or ``in 1 minute``."""
    for size, name in ((DAY, "day"), (HOUR, "hour")):
        if seconds >= 2 * size:
            return f"in {number(int(seconds // size))} {name}s"
    return f"in {counted(max(1, int(seconds // MINUTE)), 'minute')}"


def number(count: int) -> str:
    """Return ``1,240`` for 1240."""
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return ``1 person`` or ``1,240 people``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def people(count: int) -> str:
    """Return ``1 person`` or ``1,240 people``."""
    return counted(count, "person", "people")


def names(listed: Sequence[str], count: int | None = None) -> str:
    """Return ``Dave, Erin and 3 more``. The count is that of all, if only the first are listed."""
    count = len(listed) if count is None else count
    shown = list(listed[:NAMED] if count > NAMED else listed[:count])
    if count > len(shown):
        shown.append(f"{number(count - len(shown))} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
