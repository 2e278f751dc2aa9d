"""Check the people of an event against the lists of the event."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from events.ledger.models import Seats
from eventsite import clock
from registrations.audit import repairs
from registrations.audit.findings import Finding
from registrations.audit.snapshot import Person, Snapshot
from registrations.models import EventTicket, UserRegistration


def of_the_lines(seen: Snapshot) -> Iterator[Finding]:
    """Check that each registration has a line with the same values, and each line a registration."""
    people = {one.user_id: one for one in seen.people if one.settled}
    ids = Counter(str(one.item.registration_id) for one in people.values())
    held = Counter(one.ticket for one in people.values())
    shared = {ticket for ticket, count in held.items() if count > 1}
    for one in people.values():
        if one.ticket not in shared:
            yield from _line(seen, one, seen.lines.get(one.ticket), ids)
    unsettled, given_up = seen.unsettled, {ticket for some in seen.exits.values() for ticket in some}
    for ticket, line in seen.lines.items():
        if ticket not in unsettled and ticket not in held:
            is_gone = ticket in given_up or ticket in seen.history
            yield _stray(seen, ticket, line, people.get(str(line.user_id)), is_gone=is_gone)


def _line(seen: Snapshot, one: Person, line: EventTicket | None, ids: Counter[str]) -> Iterator[Finding]:
    right = _merged(one, line, ids)
    if line is not None and _agrees(line, one.item, right):
        return
    known = {name: value for name, value in right.items() if getattr(one.item, name) != value}
    kind, sentence = "lines_differ", f"The registration of {one.user_id} and ticket {one.ticket} do not say the same."
    if line is None:
        kind, sentence = "line_missing", f"Ticket {one.ticket} of {one.user_id} is not in the list of the event."
    repair = repairs.write_line(one.item, one.ticket, **known)
    yield Finding(seen.event_id, kind, sentence, one.user_id, one.ticket, repair=repair)


def _agrees(line: EventTicket, item: UserRegistration, right: dict[str, Any]) -> bool:
    """Return True if both the line and the registration have the right values."""
    same = all(getattr(line, name) == value == getattr(item, name) for name, value in right.items())
    return same and line.user_id == item.user_id and line.ticket == item.ticket


def _merged(one: Person, line: EventTicket | None, ids: Counter[str]) -> dict[str, Any]:
    """Return the right values of a registration: its own, or those of its line where its own are lost."""
    item = one.item
    waited, registered_at, own = one.waited, item.registered_at, item.registration_id
    if line is not None and line.user_id == item.user_id:
        waited, registered_at = waited or line.waited, registered_at or line.registered_at
        own = own if own and (ids[own] == 1 or ids[str(line.registration_id)]) else line.registration_id
    if not own or ids[own] > 1:
        own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{item.event_id} {item.incarnation} {one.ticket}"))
    return {"waited": waited, "registered_at": registered_at or clock.now(), "registration_id": own}


def _stray(seen: Snapshot, ticket: int, line: EventTicket, owner: Person | None, *, is_gone: bool) -> Finding:
    """Return the finding for a line without a registration: the registration is lost, or the line is stale."""
    user_id = str(line.user_id)
    active, past = seen.active.get(user_id), seen.past.get(user_id)
    left = past is not None and past.incarnation == seen.incarnation
    if line.user_id and owner is None and active is None and not left and not is_gone:
        sentence = f"{user_id} has ticket {ticket}, and no registration."
        repair = repairs.restore(seen.event_id, line, active=True, ticket=ticket)
        return Finding(seen.event_id, "lost_registration", sentence, user_id, ticket, repair=repair)
    sentence = f"The event lists ticket {ticket} of {user_id}, who does not have it."
    repair = repairs.remove_line(line, owner.item if owner else past)
    return Finding(seen.event_id, "stray_line", sentence, user_id, ticket, repair=repair)


def of_the_past(seen: Snapshot) -> Iterator[Finding]:
    """Check that each registration that was given up has a line in the history, and each such line a registration."""
    here = {user: past for user, past in seen.past.items() if past.incarnation == seen.incarnation}
    busy = seen.pending.keys()
    people = {one.user_id: one for one in seen.people}
    for user_id, past in here.items():
        if user_id not in busy and not _is_line_of(seen.history.get(int(past.ticket or 0)), past):
            sentence = f"{user_id} left with ticket {past.ticket}, which is not in the list of those who left."
            repair = repairs.write_line(past, int(past.ticket or 0))
            yield Finding(seen.event_id, "history_missing", sentence, user_id, past.ticket, repair=repair)
    for ticket, line in seen.history.items():
        user_id = str(line.user_id)
        if user_id not in busy and not _is_line_of(line, here.get(user_id)):
            yield from _stray_history(seen, ticket, line, people.get(user_id), here.get(user_id))


def _is_line_of(line: EventTicket | None, past: UserRegistration | None) -> bool:
    return bool(line and past and (line.user_id, line.ticket) == (past.user_id, past.ticket))


def _stray_history(
    seen: Snapshot, ticket: int, line: EventTicket, one: Person | None, past: UserRegistration | None
) -> Iterator[Finding]:
    user_id = str(line.user_id)
    if one or past or not line.user_id:
        sentence = f"The event lists that {user_id} left with ticket {ticket}, which is not so any more."
        repair = repairs.remove_line(line, one.item if one else past)
        yield Finding(seen.event_id, "stray_history", sentence, user_id, ticket, harmless=True, repair=repair)
    elif user_id in seen.known_users:
        sentence = f"{user_id} left with ticket {ticket}, and has no registration that says so."
        repair = repairs.restore(seen.event_id, line, active=False, ticket=ticket)
        yield Finding(seen.event_id, "lost_past", sentence, user_id, ticket, repair=repair)
    else:
        sentence = f"The event lists that {user_id} left, and there is no such user."
        repair = repairs.remove_line(line, None)
        yield Finding(seen.event_id, "deleted_user", sentence, user_id, ticket, harmless=True, repair=repair)


def shared_tickets(seen: Snapshot, seats: Seats) -> Iterator[Finding]:
    """Yield a finding for each shared ticket.

    The person in the event's list keeps it. One of the others gets another ticket.
    """
    people = seen.people
    for ticket, count in Counter(one.ticket for one in people).items():
        if count == 1:
            continue
        sharing = [one for one in people if one.ticket == ticket]
        line = seen.lines.get(ticket)
        keeps = next((one for one in sharing if line and line.user_id == one.user_id), sharing[0])
        other = next(one for one in sharing if one is not keeps)
        sentence = f"{count} people have ticket {ticket}; {other.user_id} must get another one."
        repair = repairs.give_ticket(seats, other, _another_ticket(seen, seats, other)) if other.settled else None
        yield Finding(seen.event_id, "shared_ticket", sentence, other.user_id, ticket, repair=repair)


def _another_ticket(seen: Snapshot, seats: Seats, one: Person) -> int:
    """Return a ticket for a person whose ticket another person keeps.

    Returns:
        The ticket under which the event's list has the person; else the next unused ticket on the same side of the
        watermark; else a new one.
    """
    held = {other.ticket for other in seen.people}
    for ticket, line in seen.lines.items():
        if line.user_id == one.user_id and ticket not in held:
            return ticket
    seated_through = int(seats.seated_through)
    last = seated_through if one.ticket <= seated_through else int(seats.tickets)
    taken = held | seen.lines.keys() | seen.history.keys()
    start = one.ticket if one.ticket > seated_through else 0
    return next((ticket for ticket in range(start + 1, last + 1) if ticket not in taken), int(seats.tickets) + 1)
