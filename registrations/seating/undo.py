"""Undo a joining that is committed and not applied, because its user was deleted meanwhile.

The deletion gives up what it finds, and it finds registrations, not log entries. So the request that would apply
the joining gives it up instead, in one transaction. The freed seat goes to the head of the waitlist as after any
leaving.
"""

from functools import partial

from events.ledger import log, operations
from events.ledger.log import LogEntry
from events.ledger.models import Intent, Seats
from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Check, Delete, Get, Now, Put, Steps, Transact, retrying
from registrations.models import UserRegistration
from registrations.seating import apply, guards, rules
from registrations.seating.apply import Applied, Part
from registrations.seating.forget import forget_row
from registrations.seating.operations import Request
from users.models import User


def undo(seats: Seats, entry: LogEntry, user_id: str) -> Steps[bool]:
    """Undo a joining, and forget the registration.

    Args:
        seats: The seats with the entry.
        entry: The entry of the joining.
        user_id: The user of the entry, who was deleted, and may have been created again.

    Returns:
        False if the user was not deleted; then nothing is written.
    """
    request = Request(seats.event_id, user_id, EVERYTHING)
    if not (yield from retrying(partial(_undo, request, seats.incarnation, entry))):
        return False
    yield from retrying(partial(_forget, request))
    return True


def _forget(request: Request) -> Steps[None]:
    """Delete the registration, unless the user has been created again and has joined again."""
    now = yield Get((Seats, request.event_id, Seats.ITEM))
    row = yield from apply.settled_row(request.event_id, request.user_id)
    if not request.operation or row is None or not row.operations.endswith(request.operation):
        return
    entry = log.of_user(now, request.user_id) if now else None
    if apply.is_applied_to(row, entry):
        yield from forget_row(now, row)


def _undo(request: Request, incarnation: str, entry: LogEntry) -> Steps[bool]:
    seats = yield Get((Seats, request.event_id, Seats.ITEM))
    if seats is None or seats.incarnation != incarnation or entry.name not in seats.committed:
        return True  # another request has done it
    row = yield from apply.settled_row(request.event_id, request.user_id)
    if not entry.follows(UserRegistration.tag(row, incarnation)):
        return True
    request.operation = yield from request.draw()
    made = apply.joining(seats, entry, request.user_id, row, None)
    change = yield from rules.leaving(seats, entry.ticket, clock.in_seconds((yield Now())))
    name = log.name_of(request.operation, request.user_id, operations.tag_of(entry.operation))
    leaving = log.read(name, change.value)
    at = yield from apply.promoted_at(seats, made.row, leaving)
    left = apply.leaving(seats, leaving, made.row, at)
    write = rules.write(seats, change, request, name, [entry.name], 0)
    outcome = yield Transact({"seats": write, **_parts(seats, entry, row, made, left)})
    if not outcome.done and "user" not in outcome.failures:
        raise Conflict(immediate=not outcome.in_conflict)
    return bool(outcome.done)


def _parts(
    seats: Seats, entry: LogEntry, row: UserRegistration | None, made: Applied, left: Applied
) -> dict[str, Part]:
    """Return the parts of the leaving that follow on the row before the joining."""
    parts: dict[str, Part] = left.parts | {"row": Put(left.row, guards.is_unchanged(row))}
    del parts["line"]
    if "history" in made.parts:
        parts["earlier"] = made.parts["history"]
    if entry.has_intent:
        parts["intent"] = Delete(Intent.named(*Intent.key_of(seats, entry.operation)))
    parts["user"] = Check(User.named(left.row.user_id), ~guards.is_user_of(entry.before))
    return parts
