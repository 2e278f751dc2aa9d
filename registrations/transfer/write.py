"""Write an event with its registrations.

The event is created first, as a draft that accepts no registrations. Then its registrations are written. Then one
transaction sets the final values and all counters. An interrupted import leaves a draft, and the next import of the
same files completes it.
"""

import secrets
from collections.abc import Iterable
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
    """Write a user. Return False if the id is taken."""
    return not transact_write(creation(User(**attributes)))


def write_event(wanted: PlannedEvent) -> bool:
    """Write an event with its registrations. Return False if the id is taken."""
    draft = claim(wanted)
    if draft is None:
        return False
    tickets = _tickets(wanted)
    _write_people(wanted.event_id, tickets, str(draft.event.incarnation))
    promotions = [
        Promotion(*promotion_key(draft.seats, ticket), incarnation=draft.seats.incarnation, first=ticket, at=at)
        for ticket, one in tickets
        if one.status == REGISTERED and (at := one.carried["promoted_at"])
    ]
    with Promotion.batch_write() as moves:
        for promotion in promotions:
            moves.save(promotion)
    _write_check_ins(wanted, str(draft.event.incarnation))
    return _finish(wanted, draft, moved=max((int(one.first) for one in promotions), default=0))


def claim(wanted: PlannedEvent) -> WholeEvent | None:
    """Create the draft of the event, and return it or that of an interrupted import. None if the id is taken."""
    draft = services.compose(wanted.fields | {"status": DRAFT}, wanted.organizer_id)
    draft.event.edits = IMPORTING
    if not transact_write({"event": Put(draft.event, guards.is_new()), "seats": Put(draft.seats)}):
        return draft
    found = find_event(wanted.event_id)
    return found if found and found.event.edits == IMPORTING else None


def _write_people(event_id: str, tickets: list[tuple[int, Attendee]], incarnation: str) -> None:
    """Write registrations, with random tags because no operation created them, and the lines of the event."""
    with UserRegistration.batch_write() as rows, EventTicket.batch_write() as lines:
        for ticket, one in tickets:
            known = _known(one, ticket, incarnation)
            left = one.status == CANCELLED
            tag = new_id(known["registered_at"], secrets.randbelow(DRAWS))
            key = UserRegistration.key_of(event_id, one.user_id)
            rows.save(UserRegistration(*key, active=not left, operations=tag, **known))
            key = EventTicket.key_of(event_id, incarnation, ticket, cancelled=left)
            lines.save(EventTicket(*key, user_id=one.user_id, **known))


def _write_check_ins(wanted: PlannedEvent, incarnation: str) -> None:
    people = sum(bool(one.carried["checked_in_at"]) for one in wanted.attendees[REGISTERED])
    if people:
        CheckIns(wanted.event_id, CheckIns.name(incarnation), incarnation=incarnation, people=people).save()


def _tickets(wanted: PlannedEvent) -> list[tuple[int, Attendee]]:
    """Assign the tickets: the first ones to cancelled registrations, the last ones to the waitlist."""
    people = [one for status in (CANCELLED, REGISTERED, WAITLISTED) for one in wanted.attendees[status]]
    return list(enumerate(people, 1))


def _known(attendee: Attendee, ticket: int, incarnation: str) -> dict[str, Any]:
    promoted_at = attendee.carried["promoted_at"]
    return attendee.carried | {
        "ticket": ticket,
        "waited": attendee.status == WAITLISTED or promoted_at is not None,
        "promoted_at": promoted_at if attendee.status == CANCELLED else None,
        "checked_in_at": attendee.carried["checked_in_at"] if attendee.status == REGISTERED else None,
        "incarnation": incarnation,
    }


def _finish(wanted: PlannedEvent, draft: WholeEvent, *, moved: int) -> bool:
    event, seats = services.compose(wanted.fields, wanted.organizer_id)
    event.incarnation = seats.incarnation = draft.event.incarnation
    event.version, event.created_at, event.updated_at = wanted.version, wanted.created_at, wanted.updated_at
    left, registered, waiting = (len(wanted.attendees[status]) for status in (CANCELLED, REGISTERED, WAITLISTED))
    seats.registered, seats.waiting, seats.left, seats.moved = registered, waiting, left, moved
    seats.seated_through, seats.tickets = left + registered, left + registered + waiting
    unchanged = (Event.incarnation == event.incarnation) & (Event.edits == IMPORTING)
    parts = {
        "event": Put(event, unchanged & (Event.version == draft.event.version)),
        "seats": Put(seats, Seats.incarnation == event.incarnation),
        **services.followed({}, event.places),
    }
    return not transact_write(parts)


def write(users: Iterable[Record], events: Iterable[PlannedEvent]) -> tuple[list[str], list[str]]:
    """Write users, then events. Return the ids of those that exist already and are left as they are."""
    taken_users = [values["user_id"] for values in users if not write_user(values)]
    return taken_users, [event.event_id for event in events if not write_event(event)]
