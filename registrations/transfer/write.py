"""Write an event with its registrations.

The event is created first, as a draft that accepts no registrations. Then its registrations are written. Then one
transaction sets the final values and all counters. An interrupted import leaves a draft, and the next import of the
same files completes it.
"""

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

from events import services
from events.ledger import guards
from events.ledger.models import CheckIns, Promotion, Seats
from events.ledger.operations import DRAWS, new_id
from events.ledger.queue import promotion_key
from events.models import DRAFT, IMPORTING, Event
from events.whole import WholeEvent, find_event
from eventsite.dynamodb.steps import Put, transact_write
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, EventTicket, UserRegistration
from registrations.transfer.planned import Attendee, PlannedEvent
from registrations.transfer.sheets import Record
from users.models import User
from users.services import creation


def write_user(attributes: Record) -> bool:
    """Write a user.

    Returns:
        False if the id is taken. The present user is not changed.
    """
    return not transact_write(creation(User(**attributes)))


def write_event(wanted: PlannedEvent) -> bool:
    """Write an event with its registrations.

    Returns:
        False if the id is taken. The present event is not changed.
    """
    draft = claim(wanted)
    if draft is None:
        return False
    _write_people(wanted, str(draft.event.incarnation))
    _write_promotions(wanted, draft.seats)
    _write_check_ins(wanted, str(draft.event.incarnation))
    return _finish(wanted, draft)


def claim(wanted: PlannedEvent) -> WholeEvent | None:
    """Create the draft of the event.

    Returns:
        The draft; None if the id is taken.
    """
    fields = wanted.fields | {"event_id": wanted.event_id, "status": DRAFT}
    draft = services.compose(fields, wanted.organizer_id)
    draft.event.edits = IMPORTING
    if not transact_write({"event": Put(draft.event, guards.is_new()), "seats": Put(draft.seats)}):
        return draft
    found = find_event(wanted.event_id)
    return found if found and found.event.edits == IMPORTING else None


def _write_people(wanted: PlannedEvent, incarnation: str) -> None:
    with UserRegistration.batch_write() as rows, EventTicket.batch_write() as tickets:
        for ticket, attendee in _tickets(wanted):
            known = _known(attendee, ticket, incarnation)
            left = attendee.status == CANCELLED
            rows.save(_row(wanted.event_id, attendee.user_id, active=not left, **known))
            key = EventTicket.key_of(wanted.event_id, incarnation, ticket, cancelled=left)
            tickets.save(EventTicket(*key, user_id=attendee.user_id, **known))


def _row(event_id: str, user_id: str, *, active: bool, **known: Any) -> UserRegistration:
    """Return a registration with a random tag, because no operation created it."""
    drawn = new_id(known["registered_at"], secrets.randbelow(DRAWS))
    return UserRegistration(*UserRegistration.key_of(event_id, user_id), active=active, operations=drawn, **known)


def _write_promotions(wanted: PlannedEvent, seats: Seats) -> None:
    """Write the promotion of each user who waited and has a seat now."""
    with Promotion.batch_write() as moves:
        for ticket, at in _promotions(wanted):
            moves.save(Promotion(*promotion_key(seats, ticket), incarnation=seats.incarnation, first=ticket, at=at))


def _write_check_ins(wanted: PlannedEvent, incarnation: str) -> None:
    people = sum(bool(one.carried["checked_in_at"]) for one in wanted.attendees[REGISTERED])
    if people:
        CheckIns(wanted.event_id, CheckIns.name(incarnation), incarnation=incarnation, people=people).save()


def _promotions(wanted: PlannedEvent) -> list[tuple[int, str]]:
    return [
        (ticket, one.carried["promoted_at"])
        for ticket, one in _tickets(wanted)
        if one.carried["promoted_at"] and one.status == REGISTERED
    ]


def _tickets(wanted: PlannedEvent) -> Iterator[tuple[int, Attendee]]:
    """Assign the tickets: the first ones to cancelled registrations, the last ones to the waitlist."""
    people = [one for status in (CANCELLED, REGISTERED, WAITLISTED) for one in wanted.attendees[status]]
    return enumerate(people, 1)


def _known(attendee: Attendee, ticket: int, incarnation: str) -> dict[str, Any]:
    promoted_at = attendee.carried["promoted_at"]
    return attendee.carried | {
        "ticket": ticket,
        "waited": attendee.status == WAITLISTED or promoted_at is not None,
        "promoted_at": promoted_at if attendee.status == CANCELLED else None,
        "checked_in_at": attendee.carried["checked_in_at"] if attendee.status == REGISTERED else None,
        "incarnation": incarnation,
    }


def _finish(wanted: PlannedEvent, draft: WholeEvent) -> bool:
    event, seats = services.compose(wanted.fields | {"event_id": wanted.event_id}, wanted.organizer_id)
    event.incarnation = seats.incarnation = draft.event.incarnation
    event.version, event.created_at, event.updated_at = wanted.version, wanted.created_at, wanted.updated_at
    left, registered, waiting = (len(wanted.attendees[status]) for status in (CANCELLED, REGISTERED, WAITLISTED))
    seats.registered, seats.waiting, seats.left = registered, waiting, left
    seats.moved = max((ticket for ticket, _ in _promotions(wanted)), default=0)
    seats.seated_through, seats.tickets = left + registered, left + registered + waiting
    unchanged = (Event.incarnation == event.incarnation) & (Event.edits == IMPORTING)
    parts = {
        "event": Put(event, unchanged & (Event.version == draft.event.version)),
        "seats": Put(seats, Seats.incarnation == event.incarnation),
        **services.followed({}, event.places),
    }
    return not transact_write(parts)


def write(users: Iterable[Record], events: Iterable[PlannedEvent]) -> tuple[list[str], list[str]]:
    """Write users, then events.

    Returns:
        The ids of the users, and of the events, that existed already.
    """
    taken_users = [values["user_id"] for values in users if not write_user(values)]
    return taken_users, [event.event_id for event in events if not write_event(event)]
