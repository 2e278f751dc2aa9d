"""Fill the pages of lists that leave out some of what they read."""

from collections.abc import Callable
from typing import TypeVar

Entry = TypeVar("Entry")
Place = TypeVar("Place")

MOST_READS = 10  # for one page, which bounds its cost


def filled(
    read: Callable[[Place | None], tuple[list[Entry], Place | None]],
    place_of: Callable[[Entry], Place],
    *,
    limit: int,
    after: Place | None,
) -> tuple[list[Entry], Place | None]:
    """Return a page of a list, and the place to continue after.

    The place is None on the last page. If many entries are left out, a page may be shorter than `limit`, or empty,
    although more pages follow.

    Args:
        read: Returns some entries after a place, and the place to continue after.
        place_of: Returns the place of an entry.
        limit: The maximum number of entries.
        after: The place to start after; None for the first page.
    """
    shown: list[Entry] = []
    for _ in range(MOST_READS):
        found, after = read(after)
        shown += found
        if after is None or len(shown) >= limit:
            break
    return (shown[:limit], place_of(shown[limit - 1])) if len(shown) > limit else (shown, after)
