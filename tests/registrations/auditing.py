"""A recount of one event from the tables: its items, and where they contradict the rules.

Deliberately shares nothing with the service's rules but the models.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from events.ledger.models import Seats
from events.models import Event, EventItem
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import batch_get
from registrations.models import EventTicket, UserRegistration


@dataclass(frozen=True)
class Stored:
    """What the tables hold of an event."""

    event: Event | None
    seats: Seats | None
    active: tuple[UserRegistration, ...]
    past: tuple[UserRegistration, ...]
    tickets: tuple[EventTicket, ...]
    history: tuple[EventTicket, ...]

    def having(self, status: str) -> tuple[str, ...]:
        """The users of this status, in the order of their tickets."""
        if status == "cancelled":
            return tuple(item.user_id for item in self.past)
        seated_through = self.seats.seated_through if self.seats else 0
        held = sorted((item.ticket, item.user_id) for item in self.active if item.ticket is not None)
        return tuple(user for ticket, user in held if (ticket <= seated_through) == (status == "registered"))

    def users(self) -> set[str]:
        """Everybody who has, or had, to do with it."""
        return {item.user_id for item in (*self.active, *self.past)}

    def contents(self) -> list[RawItem | None]:
        """All of it as it is stored."""
        first: tuple[BaseModel | None, ...] = (self.event, self.seats)
        items = (*first, *self.active, *self.past, *self.tickets, *self.history)
        return [item.to_dynamodb_dict() if item else None for item in items]


def stored(event_id: str, users: Iterable[str] | None = None) -> Stored:
    """Read all items of an event consistently. Items of earlier events of its id do not count.

    `users`: all who may have to do with it; without them, the whole table is searched.
    """
    both = EventItem.item.between(Event.ITEM, Seats.ITEM)
    items = list(EventItem.query(event_id, both, consistent_read=True))
    event = next((item for item in items if isinstance(item, Event)), None)
    seats = next((item for item in items if isinstance(item, Seats)), None)
    incarnation = seats.incarnation if seats else ""
    rows = [row for row in _searched(event_id, users) if row and row.incarnation == incarnation]
    return Stored(
        event,
        seats,
        tuple(row for row in rows if row.active),
        tuple(row for row in rows if not row.active),
        _of_event(event_id, incarnation, "ticket#"),
        _of_event(event_id, incarnation, "cancelled#"),
    )


def _of_event(event_id: str, incarnation: str, kind: str) -> tuple[EventTicket, ...]:
    partitions = EventTicket.partitions(event_id, incarnation)
    wanted = EventTicket.item.startswith(kind)
    return tuple(line for key in partitions for line in EventTicket.query(key, wanted, consistent_read=True))


def _searched(event_id: str, users: Iterable[str] | None) -> list[UserRegistration | None]:
    if users is not None:
        keys = [(UserRegistration, *UserRegistration.key_of(event_id, user)) for user in users]
        return batch_get(*keys, consistent=True)
    name = UserRegistration.key_of(event_id, "")[1]
    return list(UserRegistration.scan(UserRegistration.item == name, consistent_read=True))


def audit(event_id: str, *, shrunk: bool = False) -> list[str]:
    """Everything about an event that cannot be.

    `shrunk`: the capacity was lowered, or the event reopened, so more may be registered than there are seats.
    """
    return differences(stored(event_id), shrunk=shrunk)


def differences(kept: Stored, *, shrunk: bool = False) -> list[str]:
    """As `audit`, of what was read already."""
    if kept.event is None or kept.seats is None:
        orphans = [f"{item.user_id} is active in a deleted event" for item in kept.active]
        return orphans + ([] if kept.event is kept.seats else ["one half of the event is missing"])
    return _counts(kept, kept.seats, shrunk=shrunk) + _lines(kept) + _halves(kept.event, kept.seats)


def _counts(kept: Stored, seats: Seats, *, shrunk: bool) -> list[str]:
    registered, waiting = len(kept.having("registered")), len(kept.having("waitlisted"))
    wrong = []
    if seats.registered != registered:
        wrong.append(f"registeredCount is {seats.registered}, rows are {registered}")
    if seats.waiting != waiting:
        wrong.append(f"waitlistCount is {seats.waiting}, rows are {waiting}")
    if registered > seats.capacity and not shrunk:
        wrong.append(f"{registered} hold {seats.capacity} seats")
    if seats.open and waiting and registered < seats.capacity:
        wrong.append(f"{waiting} wait while {seats.capacity - registered} seats are free")
    if any(item.ticket > seats.tickets for item in kept.active if item.ticket is not None):
        wrong.append("somebody has a ticket that was not given")
    return wrong


def _lines(kept: Stored) -> list[str]:
    """The event's own lines are the users' registrations."""
    wrong = []
    if sorted((line.ticket, line.user_id) for line in kept.tickets) != sorted(
        (item.ticket, item.user_id) for item in kept.active
    ):
        wrong.append(f"lines {[line.user_id for line in kept.tickets]}, rows {[item.user_id for item in kept.active]}")
    if sorted((line.ticket, line.user_id) for line in kept.history) != sorted(
        (item.ticket, item.user_id) for item in kept.past
    ):
        wrong.append(f"past {[line.user_id for line in kept.history]}, rows {[item.user_id for item in kept.past]}")
    return wrong


def _halves(event: Event, seats: Seats) -> list[str]:
    right = None if event.unlisted else f"{event.date}#{event.event_id}"
    wrong = [] if event.sort == right else [f"the event is listed under {event.sort}"]
    if (event.settings, event.incarnation) != (seats.settings, seats.incarnation):
        wrong.append("the seats are of another edit than the description")
    if seats.status != event.status:
        wrong.append(f"the event is {event.status} and its seats are {seats.status}")
    if seats.open != (event.status in ("scheduled", "published", "active")):
        wrong.append(f"the seats of a {event.status} event are {'open' if seats.open else 'closed'}")
    return wrong
