"""Laying an event with people into the tables, as the service would have left it."""

from collections.abc import Iterable
from typing import Any

from events import services
from events.ledger.models import Seats
from events.ledger.operations import new_id
from events.models import EventItem
from events.whole import WholeEvent
from registrations.audit.snapshot import Traces, census
from registrations.models import EventTicket, RegistrationItem, UserRegistration
from tests.api import EVENT


def moment(second: int) -> str:
    """A time of the past, in order."""
    return f"2026-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z"


def lay(
    event_id: str,
    *,
    capacity: int,
    seated: Iterable[str] = (),
    waiting: Iterable[str] = (),
    cancelled: Iterable[str] = (),
    status: str = "published",
    waitlist: bool = True,
) -> WholeEvent:
    """Write an event, who has a seat and who waits, each in order, and who had a seat and left."""
    names = ("title", "description", "date", "location", "organizer")
    fields = {name: EVENT[name] for name in names} | {"event_id": event_id, "status": status, "capacity": capacity}
    whole = services.compose(fields | {"waitlist_enabled": waitlist}, None)
    seats, numbers = whole.seats, iter(range(1, 10**6))
    items: list[RegistrationItem] = []
    for user in cancelled:
        items += _items(whole, user, next(numbers), gone=True)
    for user in seated:
        items += _items(whole, user, next(numbers))
    seats.registered = len(items) // 2 - len(list(cancelled))
    seats.seated_through = len(items) // 2
    for user in waiting:
        items += _items(whole, user, next(numbers), waited=True)
    seats.tickets = len(items) // 2
    seats.waiting, seats.left = seats.tickets - seats.seated_through, len(list(cancelled))
    with EventItem.batch_write() as batch:
        batch.save(whole.event)
        batch.save(seats)
    with RegistrationItem.batch_write() as batch:
        for item in items:
            batch.save(item)
    return whole


def _items(
    whole: WholeEvent, user: str, ticket: int, *, waited: bool = False, gone: bool = False
) -> list[RegistrationItem]:
    """What the tables hold of one registration."""
    event_id, incarnation = whole.event.event_id, whole.event.incarnation
    known: dict[str, Any] = {
        "ticket": ticket,
        "waited": waited,
        "incarnation": incarnation,
        "registered_at": moment(ticket),
    }
    known["registration_id"] = f"00000000-0000-4000-8000-{ticket:012}"
    if gone:
        known["cancelled_at"] = moment(ticket + 50)
    row = UserRegistration(*UserRegistration.key_of(event_id, user), active=not gone, **known)
    row.operations = new_id(moment(ticket), ticket)
    line = EventTicket(*EventTicket.key_of(event_id, incarnation, ticket, cancelled=gone), user_id=user, **known)
    return [row, line]


def queue_up(event_id: str, users: list[str]) -> None:
    """Let many people wait for an event that has no free seat."""
    whole = WholeEvent.of(EventItem.query(event_id, consistent_read=True))
    assert whole
    first = int(whole.seats.tickets) + 1
    with RegistrationItem.batch_write() as batch:
        for ticket, user in enumerate(users, start=first):
            for item in _items(whole, user, ticket, waited=True):
                batch.save(item)
    count = len(users)
    Seats.key(event_id).update([Seats.waiting.add(count), Seats.tickets.add(count)])


def traces_of(event_id: str) -> Traces:
    """What a census finds of an event."""
    traces: dict[str, Traces] = {}
    census(traces, [event_id])
    return traces.get(event_id, Traces())
