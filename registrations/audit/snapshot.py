"""Take a snapshot: everything that the tables hold of one event, and whether its seats changed meanwhile.

Every item is read by itself, strongly consistently. The seats are read first and again last. If they are equal, nothing
was committed in between, and all that was read belongs to this one state of the seats. Only log entries may have been
applied meanwhile, which changes no person's seat or position.

The people of an event are in its lines and in its commit log. A registration that is in neither is damaged, or belongs
to a deleted event. A census finds it by a Scan of the registrations table, which no request ever does.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from events.ledger import log
from events.ledger.models import ExitTombstones, Promotion, Seats
from events.models import Event, EventItem
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import Key, batch_get
from eventsite.dynamodb.retries import time_left
from eventsite.dynamodb.steps import run
from eventsite.ids import is_id
from registrations.models import EVERY_LINE, EventTicket, RegistrationItem, UserRegistration
from registrations.reading.owners import particulars
from users.models import User

ALL_AT_ONCE = 50  # users in a BatchGetItem, with two of its 100 items each


@dataclass
class Traces:
    """What the registrations table holds under one event id: users and incarnations."""

    users: set[str] = field(default_factory=set)
    incarnations: set[str] = field(default_factory=set)


class Person(NamedTuple):
    """A user with an active ticket, as of the moment at which the seats were read."""

    user_id: str
    ticket: int
    waited: bool
    item: UserRegistration
    """The registration as it is stored; an empty one if the joining is not applied yet."""
    settled: bool
    """True if the log has no unapplied operation of the user."""


@dataclass(frozen=True)
class Snapshot:
    event_id: str
    event: Event | None
    seats: Seats | None
    rows: dict[str, UserRegistration]
    """The registrations by user id."""
    lines: dict[int, EventTicket]
    history: dict[int, EventTicket]
    moves: dict[int, Promotion]
    """The promotions by the ticket in their key."""
    exits: dict[int, set[int]]
    """The tickets in the exit tombstones, by the number of the item."""
    deleted: set[str]
    """The incarnations of deleted events that left something behind."""
    known_users: set[str]
    """The ids among the event's users that exist in the users table."""
    owners: dict[str, str]
    """The user ids of the log entries, by operation."""
    still: bool
    """True if description and seats did not change while the snapshot was taken."""

    @property
    def incarnation(self) -> str | None:
        """Return the incarnation of the event, or None if there is no event."""
        item = self.seats or self.event
        return item.incarnation if item else None

    @cached_property
    def active(self) -> dict[str, UserRegistration]:
        """Return the active registrations by user id."""
        return {user_id: row for user_id, row in self.rows.items() if row.active}

    @cached_property
    def past(self) -> dict[str, UserRegistration]:
        """Return the registrations that were given up, by user id."""
        return {user_id: row for user_id, row in self.rows.items() if not row.active}

    @cached_property
    def people(self) -> list[Person]:
        """Return the people who have a seat or wait, in the order of their tickets."""
        found = (self._standing(user_id) for user_id in self.rows.keys() | self.pending.keys())
        return sorted((one for one in found if one), key=lambda one: (one.ticket, one.user_id))

    def _standing(self, user_id: str) -> Person | None:
        entry, row = self.pending.get(user_id), self.rows.get(user_id)
        if entry and entry.leaving:
            return None
        if entry:
            row = row or UserRegistration(*UserRegistration.key_of(self.event_id, user_id))
            return Person(user_id, entry.ticket, entry.waited, row, settled=False)
        if row is None or not row.active or row.ticket is None or row.incarnation != self.incarnation:
            return None
        return Person(user_id, int(row.ticket), row.waited, row, settled=True)

    @cached_property
    def pending(self) -> dict[str, log.LogEntry]:
        """Return the unapplied log entries by user id."""
        found = {}
        for entry in log.of(self.seats) if self.seats else ():
            user_id = self.owners.get(entry.operation)
            row = self.rows.get(user_id or "")
            if user_id and not (row is not None and row.was_changed_by(entry.operation)):
                found[user_id] = entry
        return found

    @cached_property
    def unsettled(self) -> set[int]:
        """Return the tickets of unapplied entries, whose lines may be about to change."""
        return {entry.ticket for entry in self.pending.values()}


def event_ids() -> Iterator[str]:
    """Yield the ids of all events, by a Scan of the events table."""
    seen: set[str] = set()
    for item in EventItem.scan(attributes_to_get=["eventId", "item"]):
        if item.event_id not in seen and is_id(item.event_id):  # the other keys are those of idempotency markers
            seen.add(item.event_id)
            yield item.event_id


def census(found: dict[str, Traces], wanted: Collection[str] = (), *, reserved_seconds: float = 0.0) -> bool:
    """Scan the registrations table and collect the users and incarnations of each event.

    Args:
        found: Receives the traces by event id.
        wanted: The ids of the events to collect; empty for all.
        reserved_seconds: The scan ends early when fewer seconds are left.

    Returns:
        False if it ended early.
    """
    for item in RegistrationItem.scan(attributes_to_get=["key", "item"], consistent_read=True):
        if time_left() < reserved_seconds:
            return False
        event_id, incarnation = _traced(str(item.key), str(item.item))
        if wanted and event_id not in wanted:
            continue
        traces = found.setdefault(event_id, Traces())
        if incarnation:
            traces.incarnations.add(incarnation)
        else:
            traces.users.add(str(item.key))
    return True


def _traced(key: str, item: str) -> tuple[str, str]:
    """Return the event id of an item, and the incarnation of a line, which the key of a registration lacks."""
    event_id, _, rest = key.partition("#")
    incarnation = rest.partition("#")[0]
    return (event_id, incarnation) if incarnation else (item.partition("#")[2], "")


class _AnyItem(EventItem):
    """An item of an event, parsed as the model that its range key implies."""

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Any:
        kind = "".join(data["item"]["S"].split("#")[2:3])
        of_the_queue: dict[str, type[EventItem]] = {"exits": ExitTombstones, "promoted": Promotion}
        return of_the_queue.get(kind, EventItem).from_raw_data(data)


def take_snapshot(event_id: str, traces: Traces) -> Snapshot:
    """Read everything of one event in few calls, so that traffic rarely comes between them."""
    items = list(_AnyItem.query(event_id, consistent_read=True))  # in the order of the keys: the seats before the queue
    before = _both(items)
    current = {item.incarnation for item in before if item}
    lines, history = _lines(event_id, current)
    owners = _owners(before[1])
    users = traces.users | {str(line.user_id) for line in (*lines.values(), *history.values())} | set(owners.values())
    rows, known = _of_users(event_id, sorted(filter(is_id, users)))
    after = EventItem.query(event_id, EventItem.item.between(Event.ITEM, Seats.ITEM), consistent_read=True)
    still = _contents(before) == _contents(_both(after))
    moves, exits, others = _of_the_queue(items, current)
    others |= {row.incarnation for row in rows.values() if row.ticket is not None}
    others |= {one for one in traces.incarnations - current if _has_lines(event_id, one)}
    return Snapshot(event_id, *before, rows, lines, history, moves, exits, others - current, known, owners, still)


def _both(items: Iterable[EventItem]) -> tuple[Event | None, Seats | None]:
    found: dict[type[EventItem], Any] = {type(item): item for item in items}
    return found.get(Event), found.get(Seats)


def _contents(both: Iterable[Event | Seats | None]) -> list[Any]:
    return [item and item.to_dynamodb_dict() for item in both]


def _lines(event_id: str, incarnations: set[str]) -> tuple[dict[int, EventTicket], dict[int, EventTicket]]:
    """Return the lines of active registrations and those of the history, each by the ticket in its key."""
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


def _of_users(event_id: str, users: list[str]) -> tuple[dict[str, UserRegistration], set[str]]:
    """Return the registrations by user id, and the ids of the users that exist."""
    rows: dict[str, UserRegistration] = {}
    known: set[str] = set()
    for start in range(0, len(users), ALL_AT_ONCE):
        some = users[start : start + ALL_AT_ONCE]
        keys: list[Key] = [(UserRegistration, *UserRegistration.key_of(event_id, user)) for user in some]
        keys += [(User, user) for user in some]
        found = batch_get(*keys, consistent=(UserRegistration,))
        rows |= {row.user_id: row for row in found[: len(some)] if row}
        known |= {person.user_id for person in found[len(some) :] if person}
        unseen = [(User, user) for user in some if user not in known]  # perhaps only by this read, at half the price
        known |= {person.user_id for person in batch_get(*unseen, consistent=True) if person}
    return rows, known


def _of_the_queue(
    items: Iterable[EventItem], current: set[str]
) -> tuple[dict[int, Promotion], dict[int, set[int]], set[str]]:
    """Return the promotions and exit tombstones of the event, and the incarnations that have any."""
    moves: dict[int, Promotion] = {}
    exits: dict[int, set[int]] = {}
    incarnations: set[str] = set()
    for item in items:
        if not str(item.item).startswith("tickets#"):
            continue
        parts = str(item.item).split("#")
        incarnation, number = parts[1], parts[-1]
        incarnations.add(incarnation)
        if incarnation in current and isinstance(item, Promotion):
            moves[int(number)] = item
        elif incarnation in current and isinstance(item, ExitTombstones):
            exits[int(number)] = {int(ticket) for ticket in item.exits or ()}
    return moves, exits, incarnations
