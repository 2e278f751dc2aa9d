"""Lists of events: a page costs the same, however many events there are.

The indexes hold the events of one status (or of one organizer and status) in order of date and id. A list over
several of them merges their streams. It reads a little of each at a time and of all at once, so it reads nothing that
lies far behind the page. No index has one hash key for everything, and nothing is scanned. The counts are not in the
indexes, because each registration would have to write them there: the seats of a page come in one batch.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from pynamodb.indexes import GlobalSecondaryIndex

from events import models
from events.models import DRAFT, LOOK_BACK, STATUSES, Event, EventItem
from events.whole import WholeEvent, find_events
from eventsite.auth.scope import EVERYBODYS, NOBODYS, Scope
from eventsite.dynamodb.connection import Call, RawItem
from eventsite.dynamodb.reads import Range, query_pages
from eventsite.dynamodb.shapes import text

FIRST, LAST = "0000-00-00", "9999-99-99"
AHEAD = 2  # times its share of a page, read of each stream at first; more costs units, less a second trip
RUNNING = 500  # places of a look back that one call reads; they are short, and most are not shown

Found = tuple[str, RawItem]
"""A sort key, and the item that was found under it."""


class Stream(NamedTuple):
    """One hash key of one index: events in order of date and id."""

    partition_of: GlobalSecondaryIndex[Event]
    hash_key: str
    statuses: tuple[str, ...]
    """The statuses of its events."""
    is_private: bool = False
    """Whether it is the private list of an organizer: short, as a rule."""
    look_back: int = 0
    """The days before a list in which its running events may have begun."""
    is_long: bool = False
    """Whether it is a list of events of several days, read only for those that are running when the list begins."""
    owner: str | None = None
    """The organizer whose events alone are wanted, in a list that may have those of others."""


def streams(
    *, scope: Scope, statuses: Iterable[str] = STATUSES, organizer_id: str | None = None, running: bool = False
) -> list[Stream]:
    """Return the streams that together hold the requested events that the caller may see.

    The private list of the caller, of unlisted events and of those they co-organize, is among them. In the list of
    another organizer, it is there for the events that the caller runs with that organizer. With `running`, events of
    several days that begin before the first day and end on it or later are among them too.
    """
    asked, private, owner = tuple(statuses), scope.drafts_of, None
    public = tuple(status for status in asked if status != DRAFT)
    if organizer_id is not None:
        if scope.sees_private_list_of(organizer_id):
            private, seen = organizer_id, asked
        else:
            owner, seen = organizer_id, public
        found = [_of_organizer(organizer_id, status) for status in seen]
        long = _long(EventItem.by_organizer, f"{organizer_id}#", seen)
    else:
        seen = asked if private == EVERYBODYS else public
        found = [Stream(EventItem.by_status, status, (status,)) for status in seen]
        long = _long(EventItem.by_status, "", seen)
        if private not in (EVERYBODYS, NOBODYS) and DRAFT in asked:
            found.append(_of_organizer(private, DRAFT))
            long += _long(EventItem.by_organizer, f"{private}#", (DRAFT,))
    look_back = max(LOOK_BACK.values()) if running else 0  # a private list has events of any length
    found += [stream._replace(look_back=look_back, owner=owner) for stream in _private(private, asked)]
    return found + long if running else found


def _long(partition_of: GlobalSecondaryIndex[Event], prefix: str, statuses: tuple[str, ...]) -> list[Stream]:
    """Return the lists of events of several days, all of which have events of all statuses."""
    return [
        Stream(partition_of, f"{prefix}{length}", statuses, is_private=True, look_back=days, is_long=True)
        for length, days in LOOK_BACK.items()
        if statuses
    ]


def _of_organizer(organizer_id: str, status: str) -> Stream:
    return Stream(EventItem.by_organizer, f"{organizer_id}#{status}", (status,))


def _private(user_id: str, statuses: tuple[str, ...]) -> list[Stream]:
    """Return the private list of a user, or of the admins: one stream where all statuses are wanted."""
    if not user_id:
        return []
    if set(statuses) == set(STATUSES):
        return [Stream(EventItem.by_status, models.private(user_id), statuses, is_private=True)]
    return [
        Stream(EventItem.by_organizer, models.private(user_id, status), (status,), is_private=True)
        for status in statuses
    ]


class Span(NamedTuple):
    """The part of the streams that a page comes from: dates (inclusive), direction, and where to continue."""

    first: str = FIRST
    last: str = LAST
    descending: bool = False
    after: str | None = None

    def bounds(self, stream: Stream) -> tuple[str, str]:
        """Return the lowest and the highest sort key. Keys are ``date#eventId``, with characters between # and ~."""
        low, high = f"{_before_day(self.first, stream.look_back)}#", f"{self.last}#~"
        if stream.is_long:
            high = min(high, self.first)
        if self.after and self.descending:
            high = min(high, _before(self.after))
        elif self.after:
            low = max(low, f"{self.after}!")
        return low, high


def page(sources: list[Stream], span: Span, *, limit: int) -> tuple[list[WholeEvent], str | None]:
    """Return a page of events by date and id, and the cursor to continue after (None on the last page)."""
    found: dict[str, RawItem] = {}
    for cursor, item in _merged([_Reader(source, span) for source in sources], span, limit + 1):
        found.setdefault(cursor, item)
        if len(found) > limit:
            break
    cursors = list(found)[:limit]
    items = [EventItem.parse(found[cursor]) for cursor in cursors]
    ids = [item.event_id for item in items]
    events = find_events(ids, known=(item for item in items if isinstance(item, Event)))
    statuses = {status for source in sources for status in source.statuses}
    owners = {source.owner for source in sources if source.owner}
    shown = [
        whole
        for cursor, event_id in zip(cursors, ids, strict=True)
        if (whole := events.get(event_id))
        and whole.event.place == cursor
        and whole.event.attribute_values["status"] in statuses
        and (not owners or whole.event.organizer_id in owners)
    ]  # without those that are no longer where an index, which lags behind, showed them
    return shown, cursors[-1] if len(found) > limit else None


def organized_by(user_id: str) -> list[tuple[str, str]]:
    """Return the ids and incarnations of all events that a user owns or co-organizes (eventually consistent)."""
    sources = [*(_of_organizer(user_id, status) for status in STATUSES), *_private(user_id, STATUSES)]
    found = [item for source in sources for item in source.partition_of.query(source.hash_key)]
    return list({(str(item.event_id), str(item.incarnation)): None for item in found})


def _before_day(day: str, days: int) -> str:
    ordinal = date.fromisoformat(day).toordinal() - days if days and day != FIRST else 0
    return date.fromordinal(ordinal).isoformat() if ordinal > 0 else day


def _before(cursor: str) -> str:
    """Return a sort key just below a cursor. No key lies between them, because each ends in an id."""
    return cursor[:-1] + chr(ord(cursor[-1]) - 1) + "~"


def _merged(readers: list["_Reader"], span: Span, wanted: int) -> Iterator[Found]:
    """Yield the events of all streams in order.

    Each stream is first read for somewhat more than its share of the page. One that runs out holds many of the events
    of the page, and is then read for all that are missing.
    """
    pick = max if span.descending else min
    public = sum(not reader.stream.is_private for reader in readers)
    chunk = wanted if public <= 1 else math.ceil(wanted / public * AHEAD)
    while readers:
        if not all(reader.ready for reader in readers):
            _fill(readers, chunk)
            readers = [reader for reader in readers if reader.ready]
        if readers:
            yield pick(readers, key=_Reader.first).ready.popleft()
            wanted = max(1, wanted - 1)
            chunk = wanted


def _fill(readers: list["_Reader"], chunk: int) -> None:
    """Read on in all streams that have nothing ready, at the same time, because the round trips take the time."""
    while empty := [reader for reader in readers if reader.more and not reader.ready]:
        pages = query_pages(*(reader.next_page(chunk) for reader in empty))
        for reader, answer in zip(empty, pages, strict=True):
            reader.take(*answer)


class _Reader:
    """Reads one stream ahead of the merge: `ready` holds the next events, `more` is True if others follow."""

    def __init__(self, stream: Stream, span: Span) -> None:
        self.ready: deque[Found] = deque()
        self.stream, self._span = stream, span
        self._range = Range(stream.partition_of, stream.hash_key, span.bounds(stream), descending=span.descending)
        self.more = self._range.between[0] <= self._range.between[1]
        self._start: RawItem | None = None

    def first(self) -> str:
        return self.ready[0][0]

    def next_page(self, events: int) -> Call:
        return self._range.page(limit=max(events, RUNNING) if self.stream.look_back else events, after=self._start)

    def take(self, items: list[RawItem], start: RawItem | None) -> None:
        self.ready.extend((text(item, "sort"), item) for item in items if self._is_wanted(item))
        self._start, self.more = start, start is not None

    def _is_wanted(self, item: RawItem) -> bool:
        """Return False for an event that was over on the first day, or has another status."""
        if text(item, "sort") >= self._span.first:
            return True
        is_running = "endDate" in item and text(item, "endDate") >= self._span.first
        return is_running and ("state" not in item or text(item, "state") in self.stream.statuses)
