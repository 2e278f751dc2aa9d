"""Looking: all that the tables hold of one event, and whether its seats stood still while it was read.

Every item is read by itself, strongly consistent. The seats are read first and once more last: where they did not
change in between, nobody came, went or moved up, so whatever was read belongs to this one state of the seats. Only
settling goes on without them; it changes nobody's standing.

The people of an event are in its lines and in the records of its seats. Who is in neither, which is damage, or belongs
to an event that is gone, is found by a census: a Scan of the registrations, which no request ever does.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from events.ledger import log
from events.ledger.models import ExitTombstones, Promotion, Seats
from events.models import Event, EventItem
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import Key, batch_get
from eventsite.ids import is_id
from registrations.models import EVERY_LINE, ActiveItem, EventTicket, PastItem, RegistrationItem
from users.models import User

ALL_AT_ONCE = 33
"""So many users' items are read in one call: three of each."""


@dataclass
class Traces:
    """Who and what is found in the registrations under one event's id."""

    users: set[str] = field(default_factory=set)
    incarnations: set[str] = field(default_factory=set)


class Person(NamedTuple):
    """Somebody who has a ticket, as of the moment of the seats."""

    user_id: str
    ticket: int
    waited: bool
    item: ActiveItem
    settled: bool
    """Whether it is written everywhere, as far as the lock tells."""


@dataclass(frozen=True)
class Snapshot:
    """Everything of one event."""

    event_id: str
    event: Event | None
    seats: Seats | None
    active: dict[str, ActiveItem]
    past: dict[str, PastItem]
    lines: dict[int, EventTicket]
    history: dict[int, EventTicket]
    moves: dict[int, Promotion]
    """The moves of the queue by the ticket in their key."""
    gone: dict[int, frozenset[int]]
    """The stored tickets of those who left the queue, by chunk."""
    dead: frozenset[str]
    """Incarnations of which something is left, though they are not this event's."""
    known_users: frozenset[str]
    """Those of its people who exist."""
    still: bool
    """Whether description and seats were the same before and after."""

    @property
    def incarnation(self) -> str | None:
        """The one that counts; None where there is no event."""
        item = self.seats or self.event
        return item.incarnation if item else None

    def people(self) -> list[Person]:
        """Everybody who has a seat or waits, in the order of their tickets."""
        found = (self._standing(item) for item in self.active.values())
        return sorted((one for one in found if one), key=lambda one: (one.ticket, one.user_id))

    def _standing(self, item: ActiveItem) -> Person | None:
        record = self.pending(item)
        if record:
            there = not record.leaving
            return Person(item.user_id, record.ticket, record.waited, item, settled=False) if there else None
        if item.ticket is None or item.incarnation != self.incarnation:
            return None
        return Person(item.user_id, int(item.ticket), item.waited, item, settled=True)

    def pending(self, item: ActiveItem) -> log.LogEntry | None:
        """What the holder of a registration's lock has committed, if anything."""
        if not (item.lock and self.seats and item.lock_incarnation == self.seats.incarnation):
            return None
        return log.find(self.seats, item.lock)

    def unsettled(self) -> set[int]:
        """The tickets whose lines are perhaps just being written."""
        found = (self.pending(item) for item in self.active.values())
        return {record.ticket for record in found if record}


def event_ids() -> Iterator[str]:
    """The ids of all events there are, page by page."""
    seen: set[str] = set()
    for item in EventItem.scan(attributes_to_get=["eventId", "item"]):
        if item.event_id not in seen and is_id(item.event_id):  # the rest are markers of idempotency keys
            seen.add(item.event_id)
            yield item.event_id


def census(wanted: Collection[str] | None = None) -> Iterator[dict[str, Traces]]:
    """Read all registrations, and find out by event who has to do with it.

    Takes: the events that matter (None: all).
    Yields: one and the same dict again and again while it grows, so that the caller can stop; it is whole at the end.
    """
    found: dict[str, Traces] = {}
    for item in RegistrationItem.scan(attributes_to_get=["key", "item"], consistent_read=True):
        event_id, incarnation = _traced(str(item.key), str(item.item))
        if wanted is not None and event_id not in wanted:
            continue
        traces = found.setdefault(event_id, Traces())
        if incarnation:
            traces.incarnations.add(incarnation)
        else:
            traces.users.add(str(item.key))
        yield found
    yield found


def _traced(key: str, item: str) -> tuple[str, str]:
    """The event that an item belongs to; and the incarnation, where it is one of the event's own lines."""
    event_id, _, rest = key.partition("#")
    incarnation = rest.partition("#")[0]
    return (event_id, incarnation) if incarnation else (item.partition("#")[2], "")


class _AnyItem(EventItem):
    """An item of an event, read as what its key says that it is."""

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Any:
        name = data["item"]["S"]
        kinds: dict[str, type[EventItem]] = {
            "event": Event,
            "seats": Seats,
            "gone": ExitTombstones,
            "promoted": Promotion,
        }
        kind = kinds.get(name.split("#")[2] if name.startswith("tickets#") else name, EventItem)
        return kind.from_raw_data(data)


def take_snapshot(event_id: str, traces: Traces) -> Snapshot:
    """Read everything of one event, in few calls, for it must stand still. Takes: its id; what a census found of it."""
    items = list(
        _AnyItem.query(event_id, consistent_read=True)
    )  # in the order of the keys: the seats before the tickets
    before = _both(items)
    current = {item.incarnation for item in before if item}
    lines, history = _lines(event_id, current)
    users = traces.users | {str(line.user_id) for line in (*lines.values(), *history.values())}
    seats = before[1]
    users |= {record.user_id for record in log.of(seats)} if seats else set()
    active, past, known = _of_users(event_id, sorted(filter(is_id, users)))
    after = EventItem.query(event_id, EventItem.item.between(Event.ITEM, Seats.ITEM), consistent_read=True)
    still = _contents(before) == _contents(_both(after))
    moves, gone, others = _of_the_queue(items, current)
    others |= {item.incarnation for item in (*past.values(), *active.values()) if item.ticket is not None}
    others |= {one for one in traces.incarnations - current if _has_lines(event_id, one)}
    dead = frozenset(others - current)
    return Snapshot(event_id, *before, active, past, lines, history, moves, gone, dead, known, still)


def _both(items: Iterable[EventItem]) -> tuple[Event | None, Seats | None]:
    found: dict[type[EventItem], Any] = {type(item): item for item in items}
    return found.get(Event), found.get(Seats)


def _contents(both: Iterable[Event | Seats | None]) -> list[Any]:
    return [item and item.to_dynamodb_dict() for item in both]


def _lines(event_id: str, incarnations: set[str]) -> tuple[dict[int, EventTicket], dict[int, EventTicket]]:
    """The lines of those who are in, and of those who left, by the ticket in their key."""
    lines: dict[str, dict[int, EventTicket]] = {"ticket": {}, "cancelled": {}}
    for incarnation in incarnations:
        for line in EventTicket.in_order(event_id, incarnation, limit=EVERY_LINE):
            kind, _, ticket = str(line.item).partition("#")
            lines[kind][int(ticket)] = line
    return lines["ticket"], lines["cancelled"]


def _has_lines(event_id: str, incarnation: str) -> bool:
    return any(EventTicket.in_order(event_id, incarnation, limit=1))


def _of_users(event_id: str, users: list[str]) -> tuple[dict[str, ActiveItem], dict[str, PastItem], frozenset[str]]:
    """Registrations by user, and which of the users exist."""
    active: dict[str, ActiveItem] = {}
    past: dict[str, PastItem] = {}
    known: set[str] = set()
    rest = iter(users)
    while some := list(islice(rest, ALL_AT_ONCE)):
        keys: list[Key] = [(ActiveItem, *ActiveItem.key_of(event_id, user)) for user in some]
        keys += [(PastItem, *PastItem.key_of(event_id, user)) for user in some]
        keys += [(User, user) for user in some]
        found = batch_get(*keys, consistent=True)
        for number, user in enumerate(some):
            here, left, person = found[number :: len(some)]
            active |= {user: here} if here else {}
            past |= {user: left} if left else {}
            known |= {user} if person else set()
    return active, past, frozenset(known)


def _of_the_queue(
    items: Iterable[EventItem], current: set[str]
) -> tuple[dict[int, Promotion], dict[int, frozenset[int]], set[str]]:
    """The moves and the gone tickets of the event, and of which incarnations there are any."""
    moves: dict[int, Promotion] = {}
    gone: dict[int, frozenset[int]] = {}
    incarnations: set[str] = set()
    for item in items:
        kind, _, rest = str(item.item).partition("#")
        incarnation = rest.partition("#")[0] if kind == "tickets" else ""
        incarnations |= {incarnation} if incarnation else set()
        if isinstance(item, Promotion) and incarnation in current:
            moves[_number(item)] = item
        elif isinstance(item, ExitTombstones) and incarnation in current:
            gone[_number(item)] = frozenset(int(ticket) for ticket in item.tickets or ())
    return moves, gone, incarnations


def _number(item: EventItem) -> int:
    return int(str(item.item).rpartition("#")[2])
