"""Lists of events: one page costs what the page costs, however many events there are.

The indexes hold the events of one status (or of one organizer and status) in order of date and id. A list over
several of them merges their streams, reading from each a little at a time, so nothing is read that lies far
behind the page. No index has one hash key for everything, and nothing is ever scanned.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from pynamodb.indexes import GlobalSecondaryIndex

from events import models
from events.models import DRAFT, STATUSES, EventItem, WholeEvent

FIRST, LAST = "0000-00-00", "9999-99-99"
HALVES = 2
AHEAD = 1.5


class Stream(NamedTuple):
    """One hash key of one index: events in order of date and id."""

    partition_of: GlobalSecondaryIndex[EventItem]
    hash_key: str


def streams(
    *, statuses: Iterable[str] = STATUSES, organizer_id: str | None = None, drafts_of: str | None = None
) -> list[Stream]:
    """The streams that together hold the events asked for, as far as they may be seen.

    Takes: the statuses; the organizer, if one is asked for; whose drafts may be seen (None: everybody's).
    """
    if drafts_of is None or drafts_of == organizer_id:
        hidden: list[str] = []
    else:
        hidden = [status for status in statuses if status == DRAFT]
    seen = [status for status in statuses if status not in hidden]
    if organizer_id is not None:
        return [_of_organizer(organizer_id, status) for status in seen]
    own = [_of_organizer(drafts_of, status) for status in hidden if drafts_of]
    return own + [Stream(EventItem.by_status, status) for status in seen]


def _of_organizer(organizer_id: str, status: str) -> Stream:
    return Stream(EventItem.by_organizer, f"{organizer_id}#{status}")


@dataclass(frozen=True)
class Span:
    """The part of the streams that a page comes from: dates (inclusive), direction, and where to continue."""

    first: str = FIRST
    last: str = LAST
    descending: bool = False
    after: str | None = None

    def bounds(self) -> tuple[str, str]:
        """The lowest and highest sort key: every key is ``date#eventId#item``, and # < any of it < ~."""
        low, high = f"{self.first}#", f"{self.last}#~"
        if self.after and self.descending:
            high = min(high, f"{self.after}#")
        elif self.after:
            low = max(low, f"{self.after}#~")
        return low, high


def page(sources: list[Stream], span: Span, *, limit: int) -> tuple[list[WholeEvent], str | None]:
    """One page of events, merged from the streams in order of date and id.

    Takes: the streams; the span; how many events at most.
    Returns: the events, and the cursor to continue after (None on the last page).
    """
    found: dict[str, WholeEvent] = {}
    for cursor, whole_event in _merged([_Reader(source, span) for source in sources], span, limit + 1):
        found.setdefault(cursor, whole_event)
        if len(found) > limit:
            break
    cursors = list(found)[:limit]
    return [found[cursor] for cursor in cursors], cursors[-1] if len(found) > limit else None


def _merged(readers: list["_Reader"], span: Span, wanted: int) -> Iterator[tuple[str, WholeEvent]]:
    """The events of all streams in order.

    Each stream is first read for somewhat more than its share of the page; one that runs out all the same holds many
    of the events in question, and is read for all that is still wanted.
    """
    pick = max if span.descending else min
    chunk = wanted if len(readers) <= 1 else math.ceil(wanted / len(readers) * AHEAD)
    while readers:
        for reader in readers:
            reader.fill(chunk)
        readers = [reader for reader in readers if reader.ready]
        if readers:
            cursor, halves = pick(readers, key=lambda reader: reader.ready[0][0]).ready.popleft()
            chunk = wanted = max(1, wanted - 1)
            if whole_event := _whole(cursor, halves):
                yield cursor, whole_event


class _Reader:
    """Reads one stream ahead of the merge: `ready` holds the next events, `more` says whether others follow."""

    def __init__(self, stream: Stream, span: Span) -> None:
        self.ready: deque[tuple[str, list[EventItem]]] = deque()
        self._stream, self._span = stream, span
        low, high = span.bounds()
        self.more = low <= high
        self._condition = EventItem.sort.between(low, high)
        self._start: dict[str, dict[str, str]] | None = None
        self._cut: list[EventItem] = []

    def fill(self, events: int) -> None:
        """Read the next chunk, about so many events, if none is ready and the stream is not at its end."""
        while self.more and not self.ready:
            self._read(events * HALVES)

    def _read(self, items: int) -> None:
        query = self._stream.partition_of.query(
            self._stream.hash_key,
            self._condition,
            scan_index_forward=not self._span.descending,
            limit=items,
            last_evaluated_key=self._start,
        )
        halves = self._cut + list(query)
        self._start = query.last_evaluated_key
        self.more, self._cut = self._start is not None, []
        groups = [(cursor, list(group)) for cursor, group in groupby(halves, key=_cursor)]
        if self.more and groups and len(groups[-1][1]) < HALVES:  # its other half is in the next chunk
            self._cut = groups.pop()[1]
        self.ready.extend(groups)


def _cursor(half: EventItem) -> str:
    """``date#eventId``: where an event stands in every list."""
    return half.sort.rpartition("#")[0]


def _whole(cursor: str, halves: list[EventItem]) -> WholeEvent | None:
    """The event of these halves. A half that has not reached the index yet is fetched from the table."""
    if whole_event := models.whole(halves):
        return whole_event
    found = models.find(halves[0].event_id)
    stands_here = found and _cursor(found.event) == cursor and found.event.status == halves[0].status
    return found if stands_here else None
