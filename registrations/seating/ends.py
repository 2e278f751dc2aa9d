"""Delete what a removed event or user leaves behind.

Both work in bounded steps and may be repeated, and leftovers do no harm. A registration counts only for the incarnation
of the event for which it was made, so those of a deleted event are shown nowhere.
"""

import logging
from contextlib import suppress
from functools import partial

from events import services
from events.ledger import log
from events.ledger.models import CancellationOutbox, Seats
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.retries import FAILURES, Conflict, time_left, time_limit
from eventsite.dynamodb.steps import (
    BatchGet,
    BatchWrite,
    Delete,
    Get,
    Query,
    Steps,
    Transact,
    Update,
    retrying,
    run,
    transact_when_free,
)
from registrations.errors import RegistrationNotFound
from registrations.models import EventTicket, UserRegistration
from registrations.seating import apply, commit, guards
from registrations.seating.forget import forget_row
from registrations.seating.leave import leave
from registrations.seating.operations import Request

logger = logging.getLogger(__name__)

RESERVED_SECONDS = 5.0  # seconds of the request's time that the cleanup leaves for the answer
PEOPLE_AT_ONCE = 100  # lines; the most registrations that one BatchGetItem may read
PEOPLE_IN_A_TRANSACTION = 25  # registrations; a transaction takes 100 items, and a smaller one has fewer conflicts


def drain(seats: Seats) -> Steps[None]:
    """Apply every committed operation and trim the log, before an event is deleted.

    Raises:
        Conflict: The event changed meanwhile.
    """
    entries = log.of(seats)
    for entry in entries:
        yield from commit.recover(seats, entry, Request(seats.event_id, "", EVERYTHING))
    if entries:
        yield from trimmed(seats, [entry.name for entry in entries])


def trimmed(seats: Seats, names: list[str]) -> Steps[None]:
    """Trim log entries of applied operations."""
    removed = [Seats.log_entries[name].remove() for name in names]
    yield Update(Seats.key(seats.event_id), removed, guards.is_incarnation(seats.incarnation))


def forget_event(event_id: str, incarnation: str) -> None:
    """Delete the registrations and lines of a deleted event, as long as the request's time lasts.

    It raises nothing, because the event is deleted already. A repeated deletion or the audit deletes the rest.
    """
    try:
        with time_limit(time_left() - RESERVED_SECONDS):
            run(forget_event_in_steps(event_id, incarnation))
    except FAILURES:
        logger.warning("registrations of a deleted event are left behind", exc_info=True)


def forget_event_in_steps(event_id: str, incarnation: str) -> Steps[None]:
    """Delete the registrations and lines of a deleted event, as `forget_event`, in steps."""
    first = CancellationOutbox(event_id, CancellationOutbox.name(incarnation, 0), incarnation=incarnation)
    described = (yield Get((CancellationOutbox, first.event_id, first.item))) or first
    while some := (yield from _first_lines(event_id, incarnation)):
        yield from _announce(described, some)
        users = list(dict.fromkeys(str(line.user_id) for line in some))
        rows = yield BatchGet([(UserRegistration, *UserRegistration.key_of(event_id, user_id)) for user_id in users])
        rows = [row for row in rows if row and row.incarnation == incarnation]
        for start in range(0, len(rows), PEOPLE_IN_A_TRANSACTION):
            yield from remove_rows(rows[start : start + PEOPLE_IN_A_TRANSACTION], incarnation)
        yield BatchWrite(deletes=[EventTicket(line.key, line.item) for line in some])
    yield from services.forget_tickets(event_id, incarnation)


def _first_lines(event_id: str, incarnation: str) -> Steps[list[EventTicket]]:
    """Return the first lines of a deleted event in the order of their tickets, at most `PEOPLE_AT_ONCE`."""
    found: list[EventTicket] = []
    partitions = EventTicket.partitions(event_id, incarnation)
    share = PEOPLE_AT_ONCE // len(partitions)
    for partition in partitions:
        found += yield Query(EventTicket, partition, ("cancelled#", "ticket#~"), first=share)
    return sorted(found, key=lambda line: str(line.item))


def remove_rows(rows: list[UserRegistration], incarnation: str) -> Steps[None]:
    """Delete registrations, except those that are already for a later event of the same id."""
    condition = UserRegistration.item.does_not_exist() | (UserRegistration.incarnation == incarnation)
    keys = [UserRegistration.named(row.key, row.item) for row in rows]
    parts = {str(number): Delete(key, condition) for number, key in enumerate(keys)}
    failed = yield from transact_when_free(Transact(parts))
    if failed:
        yield from remove_rows([row for number, row in enumerate(rows) if str(number) not in failed], incarnation)


def _announce(described: CancellationOutbox, lines: list[EventTicket]) -> Steps[None]:
    """Write the people of some lines to the cancellation outbox, before the lines are deleted.

    After that, only the stream of the outbox can still notify them.
    """
    people = [(int(line.ticket or 0), str(line.user_id)) for line in lines if line.is_active]
    if people:
        yield BatchWrite(puts=[CancellationOutbox.of(described, people)])


def give_up_all(user_id: str, by: str | None = None) -> Steps[None]:
    """Give up every seat and waitlist place of a user. Registrations of events that are gone are left as they are.

    Args:
        user_id: The user.
        by: The id of the caller; None if the caller is not signed in, or is the service itself.
    """
    for row in (yield from _registrations(user_id)):
        if row.active:
            with suppress(RegistrationNotFound):
                yield from leave(Request(row.event_id, user_id, EVERYTHING, by=by))


def forget_user(user_id: str, *, by: str | None = None) -> Steps[list[tuple[str, str]]]:
    """Give up every seat and waitlist place of a user, and delete the user's past registrations.

    It is safe to repeat.

    Args:
        user_id: The user.
        by: The id of the caller; None if the caller is not signed in, or is the service itself.

    Returns:
        The ids and incarnations of the events.

    Raises:
        Unavailable: DynamoDB does not answer. A part of the work may be done.
    """
    places = []
    for row in (yield from _registrations(user_id)):
        yield from forget(row.event_id, user_id, by)
        places.append((row.event_id, str(row.incarnation)))
    return places


def _registrations(user_id: str) -> Steps[list[UserRegistration]]:
    prefix = UserRegistration.PREFIX
    rows: list[UserRegistration] = yield Query(UserRegistration, user_id, (prefix, f"{prefix}~"))
    return rows


def forget(event_id: str, user_id: str, by: str | None = None) -> Steps[None]:
    """Delete a registration in one transaction with the user's epoch, after it is given up.

    So no operation that was planned with this registration can be committed afterwards.
    """
    yield from retrying(partial(_forget, event_id, user_id, by))


def _forget(event_id: str, user_id: str, by: str | None) -> Steps[None]:
    seats = yield Get((Seats, event_id, Seats.ITEM))
    row = yield from apply.settled_row(event_id, user_id)
    if row is None:
        return
    if seats is not None and seats.incarnation == row.incarnation:
        entry = log.of_user(seats, user_id)
        if row.active or not apply.is_applied_to(row, entry):
            with suppress(RegistrationNotFound):  # it was a joining, which is undone
                yield from leave(Request(event_id, user_id, EVERYTHING, by=by))
            raise Conflict(immediate=True)
    yield from forget_row(seats, row)
