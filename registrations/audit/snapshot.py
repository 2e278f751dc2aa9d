"""Looking: all that the tables hold of one event, and whether its seats stood still while it was read.

Every item is read by itself, strongly consistent. The seats are read first and once more last: where they did not
change in between, nobody came, went or moved up, so whatever was read belongs to this one state of the seats. Only
settling goes on without them; it changes nobody's standing.

The people of an event are in its lines and in the log of its seats. Who is in neither, which is damage, or belongs
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
from eventsite.dynamodb.steps import run
from eventsite.ids import is_id
from registrations.models import EVERY_LINE, EventTicket, RegistrationItem, UserRegistration
from registrations.reading.owners import particulars
from users.models import User

ALL_AT_ONCE = 50  # users, of whom two items are read in one call


@dataclass
class Traces:
    """Who and what is found in the registrations under one event's id."""

    users: set[str] = field(default_factory=set)
    incarnations: set[str] = field(default_factory=set)


class Person(NamedTuple):
    """A user who has a ticket, as of the moment of the seats."""

    user_id: str
    ticket: int
    waited: bool
    item: UserRegistration
    """The registration; one without a ticket where it is not written yet."""
    settled: bool
    """Whether it is written, as the log tells."""


@dataclass(frozen=True)
class Snapshot:
    """Everything of one event."""

    event_id: str
    event: Event | None
    seats: Seats | None
    rows: dict[str, UserRegistration]
    """The registrations by user."""
    lines: dict[int, EventTicket]
    history: dict[int, EventTicket]
    moves: dict[int, Promotion]
    """The moves of the queue by the ticket in their key."""
    exits: dict[int, frozenset[int]]
    """The stored tickets of those who left the queue, by the number of the item."""
    dead: frozenset[str]
    """Incarnations of which something is left, though they are not this event's."""
    known_users: frozenset[str]
    """Those of its people who exist."""
    owners: dict[str, str]
    """The users of the log's entries, by operation."""
    still: bool
    """Whether description and seats were the same before and after."""

    @property
    def incarnation(self) -> str | None:
        """The one that counts; None where there is no event."""
        item = self.seats or self.event
        return item.incarnation if item else None

    @property
    def active(self) -> dict[str, UserRegistration]:
        """The registrations that say that their user is in."""
        return {user_id: row for user_id, row in self.rows.items() if row.active}

    @property
    def past(self) -> dict[str, UserRegistration]:
        """The registrations that were given up."""
        return {user_id: row for user_id, row in self.rows.items() if not row.active}

    def people(self) -> list[Person]:
        """Return everybody who has a seat or waits, in the order of their tickets."""
        found = (self._standing(user_id) for user_id in self.rows.keys() | self.pending().keys())
        return sorted((one for one in found if one), key=lambda one: (one.ticket, one.user_id))

    def _standing(self, user_id: str) -> Person | None:
        entry, row = self.pending().get(user_id), self.rows.get(user_id)
        if entry and entry.leaving:
            return None
        if entry:
            row = row or UserRegistration(*UserRegistration.key_of(self.event_id, user_id))
            return Person(user_id, entry.ticket, entry.waited, row, settled=False)
        if row is None or not row.active or row.ticket is None or row.incarnation != self.incarnation:
            return None
        return Person(user_id, int(row.ticket), row.waited, row, settled=True)

    def pending(self) -> dict[str, log.LogEntry]:
        """Return what is committed and not applied, by user."""
        found = {}
        for entry in log.of(self.seats) if self.seats else ():
            user_id = self.owners.get(entry.operation)
            row = self.rows.get(user_id or "")
            if user_id and not (row is not None and row.was_changed_by(entry.operation)):
                found[user_id] = entry
        return found

    def unsettled(self) -> set[int]:
        """Return the tickets whose lines are perhaps just being written."""
        return {entry.ticket for entry in self.pending().values()}


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
            "exits": ExitTombstones,
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
    owners = _owners(seats)
    users |= set(owners.values())
    rows, known = _of_users(event_id, sorted(filter(is_id, users)))
    after = EventItem.query(event_id, EventItem.item.between(Event.ITEM, Seats.ITEM), consistent_read=True)
    still = _contents(before) == _contents(_both(after))
    moves, exits, others = _of_the_queue(items, current)
    others |= {row.incarnation for row in rows.values() if row.ticket is not None}
    others |= {one for one in traces.incarnations - current if _has_lines(event_id, one)}
    dead = frozenset(others - current)
    return Snapshot(event_id, *before, rows, lines, history, moves, exits, dead, known, owners, still)


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


def _owners(seats: Seats | None) -> dict[str, str]:
    owned = [(entry.operation, run(particulars(seats, entry))[0]) for entry in log.of(seats)] if seats else []
    return {operation: user_id for operation, user_id in owned if user_id is not None}


def _of_users(event_id: str, users: list[str]) -> tuple[dict[str, UserRegistration], frozenset[str]]:
    """Return the registrations by user, and which of the users exist."""
    rows: dict[str, UserRegistration] = {}
    known: set[str] = set()
    rest = iter(users)
    while some := list(islice(rest, ALL_AT_ONCE)):
        keys: list[Key] = [(UserRegistration, *UserRegistration.key_of(event_id, user)) for user in some]
        keys += [(User, user) for user in some]
        found = batch_get(*keys, consistent=True)
        rows |= {row.user_id: row for row in found[: len(some)] if row}
        known |= {person.user_id for person in found[len(some) :] if person}
    return rows, frozenset(known)


def _of_the_queue(
    items: Iterable[EventItem], current: set[str]
) -> tuple[dict[int, Promotion], dict[int, frozenset[int]], set[str]]:
    """The moves and the gone tickets of the event, and of which incarnations there are any."""
    moves: dict[int, Promotion] = {}
    exits: dict[int, frozenset[int]] = {}
    incarnations: set[str] = set()
    for item in items:
        kind, _, rest = str(item.item).partition("#")
        incarnation = rest.partition("#")[0] if kind == "tickets" else ""
        incarnations |= {incarnation} if incarnation else set()
        if isinstance(item, Promotion) and incarnation in current:
            moves[_number(item)] = item
        elif isinstance(item, ExitTombstones) and incarnation in current:
            exits[_number(item)] = frozenset(int(ticket) for ticket in item.exits or ())
    return moves, exits, incarnations


def _number(item: EventItem) -> int:
    return int(str(item.item).rpartition("#")[2])
