"""How the pages say things: days, moments, numbers and names, as people write them."""

from collections.abc import Sequence
from datetime import date, datetime

NAMED = 3


def day(text: str) -> str:
    """``2026-12-12`` as ``Sat 12 Dec 2026``."""
    found = date.fromisoformat(text)
    return f"{found:%a} {found.day} {found:%b %Y}"


def moment(text: str) -> str:
    """An RFC 3339 time in UTC as ``21 Nov 2026, 09:30``."""
    found = datetime.fromisoformat(text)
    return f"{found.day} {found:%b %Y, %H:%M}"


def number(count: int) -> str:
    """1240 as ``1,240``."""
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 person``, ``1,240 people``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def names(listed: Sequence[str], count: int | None = None) -> str:
    """``Dave, Erin and 3 more``. Takes: the names; how many there are, where those are only the first."""
    count = len(listed) if count is None else count
    shown = list(listed[:NAMED] if count > NAMED else listed[:count])
    if count > len(shown):
        shown.append(f"{number(count - len(shown))} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def share(part: int, whole: int) -> int:
    """How much of a bar is full, 0 to 100; anything at all shows."""
    if not whole:
        return 100
    return min(100, max(1 if part else 0, 100 * part // whole))
