"""A recount of one event, straight from the tables: what is stored, and what in it contradicts the rules.

Deliberately shares nothing with the service's rules but the models.
"""

from collections import Counter
from dataclasses import dataclass

from events.models import Event, EventItem, Seats
from eventsite.dynamodb.connection import RawItem
from registrations.models import Registration


@dataclass(frozen=True)
class Stored:
    """What the tables hold of an event."""

    event: Event | None
    seats: Seats | None
    rows: tuple[Registration, ...]

    def having(self, status: str) -> tuple[str, ...]:
        """The users of this status, in the order of their standing."""
        found = sorted((row.standing, row.user_id) for row in self.rows if row.standing.startswith(f"{status}#"))
        return tuple(user for _, user in found)

    def contents(self) -> list[RawItem | None]:
        """All of it as it is stored."""
        return [item and item.to_dynamodb_dict() for item in (self.event, self.seats, *self.rows)]


def stored(event_id: str) -> Stored:
    """Everything of an event, read consistently."""
    halves = list(EventItem.query(event_id, consistent_read=True))
    event = next((half for half in halves if isinstance(half, Event)), None)
    seats = next((half for half in halves if isinstance(half, Seats)), None)
    return Stored(event, seats, tuple(Registration.query(event_id, consistent_read=True)))


def audit(event_id: str, *, shrunk: bool = False) -> list[str]:
    """Everything about an event that cannot be.

    `shrunk`: the capacity was lowered, or the event reopened, so more may be registered than there are seats.
    """
    return differences(stored(event_id), shrunk=shrunk)


def differences(kept: Stored, *, shrunk: bool = False) -> list[str]:
    """As `audit`, of what was read already."""
    active = [row for row in kept.rows if row.standing >= "registered#"]
    if kept.event is None or kept.seats is None:
        orphans = [f"{row.user_id} is active in a deleted event" for row in active]
        return orphans + ([] if kept.event is kept.seats else ["one half of the event is missing"])
    return _counts(kept, kept.seats, shrunk=shrunk) + _order(kept, kept.seats) + _halves(kept.event, kept.seats)


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
    return wrong


def _order(kept: Stored, seats: Seats) -> list[str]:
    tickets = Counter(row.standing for row in kept.rows if row.standing.startswith("waitlisted#"))
    wrong = [f"{count} people have the same place {ticket}" for ticket, count in tickets.items() if count > 1]
    late = [ticket for ticket in tickets if ticket.partition("#")[2] > seats.last_joined_at]
    return wrong + [f"{ticket} is later than the last one who joined" for ticket in late]


def _halves(event: Event, seats: Seats) -> list[str]:
    wrong = [] if event.sort == f"{event.date}#{event.event_id}#event" else [f"the event is listed under {event.sort}"]
    if seats.sort != f"{event.date}#{event.event_id}#seats":
        wrong.append(f"the seats are listed under {seats.sort}")
    if seats.status != event.status:
        wrong.append(f"the event is {event.status} and its seats are {seats.status}")
    if seats.open != (event.status in ("scheduled", "published", "active")):
        wrong.append(f"the seats of a {event.status} event are {'open' if seats.open else 'closed'}")
    return wrong
