"""Delete what a removed event or user leaves behind.

Both work in bounded steps and may be repeated, and leftovers do no harm. A registration counts only for the incarnation
of the event for which it was made, so those of a deleted event are shown nowhere.
"""

import logging
from functools import partial
from itertools import islice

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from events import services
from events.ledger import log
from events.ledger.models import OF_A_DELETED_EVENT, CancellationOutbox, Seats
from events.models import Event
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, time_left, time_limit
from eventsite.dynamodb.steps import Delete, Get, Steps, Transact, Update, retrying, run
from eventsite.errors import Unavailable
from registrations.errors import RegistrationNotFound
from registrations.models import EVERY_LINE, EventTicket, UserRegistration, registrations_of
from registrations.seating import apply, guards
from registrations.seating.leave import leave
from registrations.seating.operations import Request

logger = logging.getLogger(__name__)

RESERVED_SECONDS = 5.0  # seconds of the request's time that the cleanup leaves for the answer
PEOPLE_AT_ONCE = 100  # lines; the most registrations that one BatchGetItem may read
PEOPLE_IN_A_TRANSACTION = 25  # registrations; a transaction takes 100 items, and a smaller one has fewer conflicts


def drain(seats: Seats) -> None:
    """Apply every committed operation and trim the log, before an event is deleted.

    Raises:
        Conflict: The event changed meanwhile.
    """
    run(_drain(seats))


def _drain(seats: Seats) -> Steps[None]:
    entries = log.of(seats)
    for entry in entries:
        yield from apply.recover(seats, entry)
    if entries:
        yield from trimmed(seats, [entry.name for entry in entries])


def trimmed(seats: Seats, names: list[str]) -> Steps[None]:
    """Trim log entries of applied operations."""
    removed = [Seats.log_entries[name].remove() for name in names]
    yield Update(Seats.key(seats.event_id), removed, guards.is_incarnation(seats.incarnation))


def forget_event(event_id: str, incarnation: str, event: Event | None = None) -> None:
    """Delete the registrations and lines of a deleted event, as long as the request's time lasts.

    It raises nothing, because the event is deleted already. The audit deletes the rest.

    Args:
        event_id: The event.
        incarnation: The incarnation of the deleted event.
        event: Its description for the cancellation notice, if it is known.
    """
    try:
        with time_limit(time_left() - RESERVED_SECONDS):
            _forget_event(event_id, incarnation, event)
    except (PynamoDBException, BotoCoreError, Unavailable):
        logger.warning("registrations of a deleted event are left behind", exc_info=True)


def _forget_event(event_id: str, incarnation: str, event: Event | None) -> None:
    lines = EventTicket.in_order(event_id, incarnation, limit=EVERY_LINE)
    while some := list(islice(lines, PEOPLE_AT_ONCE)):
        _announce(event_id, incarnation, event, some)
        users = list(dict.fromkeys(str(line.user_id) for line in some))
        keys = [UserRegistration.key_of(event_id, user_id) for user_id in users]
        rows = batch_get(*((UserRegistration, *key) for key in keys), consistent=True)
        rows = [row for row in rows if row and row.incarnation == incarnation]
        for start in range(0, len(rows), PEOPLE_IN_A_TRANSACTION):
            run(remove_rows(rows[start : start + PEOPLE_IN_A_TRANSACTION], incarnation))
        with EventTicket.batch_write() as batch:
            for line in some:
                batch.delete(EventTicket(line.key, line.item))
    services.forget_tickets(event_id, incarnation)


def remove_rows(rows: list[UserRegistration], incarnation: str) -> Steps[None]:
    """Delete registrations, except those that are already for a later event of the same id."""
    condition = UserRegistration.item.does_not_exist() | (UserRegistration.incarnation == incarnation)
    parts = {str(number): Delete(UserRegistration(row.key, row.item), condition) for number, row in enumerate(rows)}
    failed = (yield from apply.transact(dict(parts))).failures
    if failed:
        yield from remove_rows([row for number, row in enumerate(rows) if str(number) not in failed], incarnation)


def _announce(event_id: str, incarnation: str, event: Event | None, lines: list[EventTicket]) -> None:
    """Write the people of some lines to the cancellation outbox, before the lines are deleted.

    After that, only the stream of the outbox can still notify them.
    """
    people = [f"{int(line.ticket or 0)}:{line.user_id}" for line in lines if line.is_active]
    if not people:
        return
    key = event_id, CancellationOutbox.name(incarnation, int(people[0].partition(":")[0]))
    outbox = CancellationOutbox(*key, incarnation=incarnation, people=" ".join(people))
    for name in OF_A_DELETED_EVENT if event else ():
        setattr(outbox, name, getattr(event, name))
    outbox.save()


def forget_user(user_id: str, *, by: str | None = None) -> list[tuple[str, str]]:
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
    for row in registrations_of(user_id, active=True):
        run(give_up(Request(row.event_id, user_id, EVERYTHING, by=by)))
    places = []
    for row in registrations_of(user_id, active=False):
        run(forget(row.event_id, user_id))
        places.append((row.event_id, str(row.incarnation)))
    return places


def give_up(request: Request) -> Steps[None]:
    """Give up an active registration, or delete it if its event is gone."""
    try:
        yield from leave(request)
    except RegistrationNotFound:
        yield from forget(request.event_id, request.user_id)


def forget(event_id: str, user_id: str) -> Steps[None]:
    """Delete a registration that was given up, or whose event is gone, in one transaction with the user's epoch.

    So no operation that was planned with this registration can be committed afterwards.
    """
    yield from retrying(partial(_forget, event_id, user_id))


def _forget(event_id: str, user_id: str) -> Steps[None]:
    seats = yield Get((Seats, event_id, Seats.ITEM))
    row = yield from apply.settled_row(event_id, user_id)
    if row is None:
        return
    parts: dict[str, apply.Part] = {"row": Delete(UserRegistration(row.key, row.item), guards.is_unchanged(row))}
    if seats is not None and seats.incarnation == row.incarnation:
        entry = log.of_user(seats, user_id)
        if row.active or not (entry is None or row.was_changed_by(entry.operation)):
            yield from leave(Request(event_id, user_id, EVERYTHING))
            raise Conflict(immediate=True)
        parts["seats"] = _fencing(seats, user_id, [entry.name] if entry else [])
    line = EventTicket.key_of(event_id, row.incarnation, int(row.ticket or 0), cancelled=not row.active)
    parts["line"] = Delete(EventTicket(*line))
    outcome = yield Transact(parts)
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)


def _fencing(seats: Seats, user_id: str, trimmed: list[str]) -> Update:
    bucket = seats.bucket_of(user_id)
    actions = [
        Seats.epochs[bucket].set(Seats.epochs[bucket] + 1),
        *(Seats.log_entries[one].remove() for one in trimmed),
    ]
    same = guards.is_incarnation(seats.incarnation) & guards.is_epoch(seats, bucket)
    return Update(Seats.key(seats.event_id), actions, same)
