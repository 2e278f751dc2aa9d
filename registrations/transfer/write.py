"""An event with its people, as items of our tables.

The event is made first, as a draft that takes nobody, so that nobody can come in between; then its people are written;
then it becomes what it shall be, with all its counters, in one transaction. An import that was cut off leaves such a
draft, and is taken up again by the next one with the same files.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from events import services
from events.ledger import guards
from events.ledger.models import Promotion, Seats
from events.ledger.queue import promotion_key
from events.models import DRAFT, IMPORTING, Event
from events.whole import WholeEvent, find_event
from eventsite.dynamodb.transactions import Transaction
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, ActiveItem, EventTicket, PastItem
from registrations.transfer.assemble import Attendee, EventToBe
from registrations.transfer.files import Record
from users.models import User


def write_user(values: Record) -> bool:
    """Write a user. Returns: False where the id is taken, and the user left as it is."""
    user = User(values["userId"], name=values["name"], email=values["email"], created_at=values["createdAt"])
    user.notify = values.get("notify") is not False
    transaction = Transaction()
    transaction.put("user", user, User.user_id.does_not_exist())
    return not transaction.commit()


def write_event(wanted: EventToBe) -> bool:
    """Write an event with its people. Returns: False where the id is taken, and the event left as it is."""
    draft = _claim(wanted)
    if draft is None:
        return False
    _write_people(wanted, str(draft.event.incarnation))
    _write_promotions(wanted, draft.seats)
    return _finish(wanted, draft)


def _claim(wanted: EventToBe) -> WholeEvent | None:
    """The draft of the event; None where the id is taken."""
    fields = wanted.fields | {"event_id": wanted.event_id, "status": DRAFT}
    draft = services.compose(fields, wanted.organizer_id)
    draft.event.edits = IMPORTING
    transaction = Transaction()
    transaction.put("event", draft.event, guards.is_new())
    transaction.put("seats", draft.seats)
    if not transaction.commit():
        return draft
    found = find_event(wanted.event_id)
    return found if found and found.event.edits == IMPORTING else None


def _write_people(wanted: EventToBe, incarnation: str) -> None:
    with ActiveItem.batch_write() as active, PastItem.batch_write() as past, EventTicket.batch_write() as tickets:
        for ticket, attendee in _tickets(wanted):
            known = _known(attendee, ticket, incarnation)
            left = attendee.status == CANCELLED
            if left:
                past.save(PastItem(*PastItem.key_of(wanted.event_id, attendee.user_id), **known))
            else:
                active.save(ActiveItem(*ActiveItem.key_of(wanted.event_id, attendee.user_id), **known))
            key = EventTicket.key_of(wanted.event_id, incarnation, ticket, cancelled=left)
            tickets.save(EventTicket(*key, user_id=attendee.user_id, **known))


def _write_promotions(wanted: EventToBe, seats: Seats) -> None:
    """When those moved up who have a seat now, each by a move of its own."""
    with Promotion.batch_write() as moves:
        for ticket, at in _promotions(wanted):
            moves.save(Promotion(*promotion_key(seats, ticket), incarnation=seats.incarnation, first=ticket, at=at))


def _promotions(wanted: EventToBe) -> list[tuple[int, str]]:
    return [
        (ticket, one.promoted_at) for ticket, one in _tickets(wanted) if one.promoted_at and one.status == REGISTERED
    ]


def _tickets(wanted: EventToBe) -> Iterator[tuple[int, Attendee]]:
    """Who gets which ticket: those who left had the first ones, those who wait have the last."""
    people = [one for status in (CANCELLED, REGISTERED, WAITLISTED) for one in wanted.attendees[status]]
    return enumerate(people, 1)


def _known(attendee: Attendee, ticket: int, incarnation: str) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "waited": attendee.status == WAITLISTED or attendee.promoted_at is not None,
        "registration_id": attendee.registration_id,
        "registered_at": attendee.registered_at,
        "promoted_at": attendee.promoted_at if attendee.status == CANCELLED else None,
        "cancelled_at": attendee.cancelled_at,
        "incarnation": incarnation,
    }


def _finish(wanted: EventToBe, draft: WholeEvent) -> bool:
    event, seats = services.compose(wanted.fields | {"event_id": wanted.event_id}, wanted.organizer_id)
    event.incarnation = seats.incarnation = draft.event.incarnation
    event.version, event.created_at, event.updated_at = wanted.version, wanted.created_at, wanted.updated_at
    left, registered, waiting = (len(wanted.attendees[status]) for status in (CANCELLED, REGISTERED, WAITLISTED))
    seats.registered, seats.waiting, seats.left = registered, waiting, left
    seats.moved = max((ticket for ticket, _ in _promotions(wanted)), default=0)
    seats.served, seats.tickets = left + registered, left + registered + waiting
    transaction = Transaction()
    unchanged = (Event.incarnation == event.incarnation) & (Event.edits == IMPORTING)
    transaction.put("event", event, unchanged & (Event.version == draft.event.version))
    transaction.put("seats", seats, Seats.incarnation == event.incarnation)
    return not transaction.commit()


def write(users: Iterable[Record], events: Iterable[EventToBe]) -> tuple[list[str], list[str]]:
    """Write users, then events. Returns: the ids of the users and those of the events that were there already."""
    taken_users = [values["userId"] for values in users if not write_user(values)]
    return taken_users, [event.event_id for event in events if not write_event(event)]
