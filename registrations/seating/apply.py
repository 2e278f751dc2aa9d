"""Apply a committed operation: write its log entry to the registration, the event's lines and the other items.

Any request may try to apply an operation, any number of times. It takes effect once, because it is one transaction with
the condition that the registration is as it was when the operation was planned. All that it writes follows from the log
entry, the registration as it was, and the intent if there is one.
"""

from typing import Any, NamedTuple

from events.ledger import log, operations, promotions, queue
from events.ledger.log import LogEntry
from events.ledger.models import CheckIns, ExitTombstones, Intent, Promotion, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import (
    Check,
    Delete,
    Get,
    Put,
    Steps,
    Transact,
    TransactGet,
    Update,
    Wait,
    transact_when_free,
)
from registrations.models import KEPT, EventTicket, UserRegistration
from registrations.reading.owners import particulars
from registrations.seating import guards
from users.models import User

Part = Update | Put | Delete | Check


class Applied(NamedTuple):
    """The registration after an operation, and the parts of the transaction that applies it."""

    row: UserRegistration
    parts: dict[str, Part]


def joining(seats: Seats, entry: LogEntry, user_id: str, row: UserRegistration | None, answers: Any) -> Applied:
    """Return what a joining writes.

    Args:
        seats: The seats, for the keys.
        entry: The joining.
        user_id: The user.
        row: The registration when the operation was planned.
        answers: The answers to the event's questions.
    """
    known: dict[str, Any] = {"ticket": entry.ticket, "waited": entry.waited, "registered_at": entry.at}
    known["registration_id"] = operations.registration_id(seats.incarnation, user_id, entry.operation)
    known |= {"incarnation": seats.incarnation, "answers": answers}
    made = UserRegistration(*UserRegistration.key_of(seats.event_id, user_id), active=True, **known)
    made.operations = _operations(row, seats, entry.operation)
    line = EventTicket(*EventTicket.key_of(seats.event_id, seats.incarnation, entry.ticket), user_id=user_id, **known)
    parts: dict[str, Part] = {"row": Put(made, guards.is_unchanged(row)), "line": Put(line)}
    if row is not None and row.incarnation == seats.incarnation:
        made.successor, made.left_by = row.successor, row.left_by
        parts["history"] = Delete(EventTicket.named(*_line_key(row, cancelled=True)))
    parts["user"] = Check(User.named(user_id), guards.is_user_of(entry.before))
    return Applied(made, parts)


def leaving(seats: Seats, entry: LogEntry, row: UserRegistration, promoted_at: str | None) -> Applied:
    """Return what a leaving writes.

    Args:
        seats: The seats, for the keys.
        entry: The leaving.
        row: The active registration.
        promoted_at: The time of its promotion, if it had one.
    """
    known = {name: getattr(row, name) for name in KEPT}
    known |= {"promoted_at": promoted_at, "cancelled_at": entry.at, "checked_in_at": None}
    left = UserRegistration(row.key, row.item, active=False, left_by=entry.operation, **known)
    left.successor = entry.successor
    left.operations = _operations(row, seats, entry.operation)
    line = EventTicket(*_line_key(row, cancelled=True), user_id=row.user_id, **known)
    unchanged = guards.is_unchanged(row) & guards.is_annotated_as(row)
    parts: dict[str, Part] = {"row": Put(left, unchanged), "history": Put(line)}
    if row.checked_in_at:  # a check-in ends with its registration, so the count falls
        parts["inside"] = Update(CheckIns.of(seats), [CheckIns.people.add(-1)])
    parts["line"] = Delete(EventTicket.named(*_line_key(row, cancelled=False)))
    if entry.leaving == log.QUIT:
        exits = ExitTombstones.named(*queue.exits_key(seats, int(row.ticket or 0)))
        parts["exit"] = Update(exits, [ExitTombstones.exits.add({int(row.ticket or 0)})], None)
    if entry.successor:
        key = queue.promotion_key(seats, entry.successor)
        parts["move"] = Put(Promotion(*key, at=entry.at, first=entry.successor))
    return Applied(left, parts)


def _line_key(row: UserRegistration, *, cancelled: bool) -> tuple[str, str]:
    return EventTicket.key_of(row.event_id, row.incarnation, int(row.ticket or 0), cancelled=cancelled)


def _operations(row: UserRegistration | None, seats: Seats, operation: str) -> str:
    if row is None or row.incarnation != seats.incarnation:
        return operation
    return row.operations_and(operation)


def promoted_at(seats: Seats, row: UserRegistration, entry: LogEntry) -> Steps[str | None]:
    """Return when a registration that a leaving gives up was promoted, or None if it was not.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    if row.promoted_at or not row.waited or entry.leaving == log.QUIT:
        return row.promoted_at
    return (yield from promotions.time_of(seats, int(row.ticket or 0)))


def planned(seats: Seats, entry: LogEntry, user_id: str, row: UserRegistration | None, answers: Any) -> Steps[Applied]:
    """Return what a log entry writes. The arguments are those of `apply`."""
    if not entry.leaving:
        applied = joining(seats, entry, user_id, row, answers)
    elif row is None:  # a leaving has a registration
        raise Conflict
    else:
        at = yield from _promoted_before(seats, row, entry)
        applied = leaving(seats, entry, row, at)
    if entry.has_intent:
        applied.parts["intent"] = Delete(Intent.named(*Intent.key_of(seats, entry.operation)))
    return applied


def _promoted_before(seats: Seats, row: UserRegistration, entry: LogEntry) -> Steps[str | None]:
    while True:
        try:
            return (yield from promoted_at(seats, row, entry))
        except Conflict:  # the seats are older than the promotion
            now = yield Get((Seats, seats.event_id, Seats.ITEM))
            if now is None or now.incarnation != seats.incarnation:
                return None
            seats = now


def apply(
    seats: Seats, entry: LogEntry, user_id: str, row: UserRegistration | None, answers: Any = None
) -> Steps[bool]:
    """Apply an operation.

    Args:
        seats: The seats with the entry.
        entry: The entry.
        user_id: The user of the entry.
        row: The registration when the operation was planned.
        answers: The answers to the event's questions, for a joining.

    Returns:
        False if the user of a joining was deleted, even if the user was created again. Nothing is written then: the
        caller undoes the joining.
    """
    applied = yield from planned(seats, entry, user_id, row, answers)
    failures = yield from transact_when_free(Transact(applied.parts))
    raw = failures.get("row")
    now = UserRegistration.parse(raw) if raw else None
    if "row" in failures and is_due(seats, entry, now):  # annotated meanwhile, or deleted with an earlier event
        return (yield from apply(seats, entry, user_id, now, answers))
    return "user" not in failures


def is_applied_to(row: UserRegistration | None, entry: LogEntry | None) -> bool:
    """Return True if a log entry is applied to the registration, or there is no entry."""
    return entry is None or (row is not None and row.was_changed_by(entry.operation))


def is_due(seats: Seats, entry: LogEntry, row: UserRegistration | None) -> bool:
    """Return True if an operation is not applied, and was planned for the registration as it is now."""
    return not is_applied_to(row, entry) and entry.follows(UserRegistration.tag(row, seats.incarnation))


def recover(seats: Seats, entry: LogEntry) -> Steps[str | None]:
    """Apply the operation of another process, which may have crashed, unless it is applied.

    Returns:
        The id of the user if this was a joining and the user was deleted before; else None.
    """
    user_id, answers = yield from particulars(seats, entry)
    if user_id is None:
        return None
    row = yield from settled_row(seats.event_id, user_id)
    if not is_due(seats, entry, row):
        return None
    user_exists = yield from apply(seats, entry, user_id, row, answers)
    return None if user_exists else user_id


def settled_row(event_id: str, user_id: str) -> Steps[UserRegistration | None]:
    """Return a registration at a moment at which no transaction writes it."""
    while True:
        try:
            row: UserRegistration | None
            (row,) = yield TransactGet(((UserRegistration, *UserRegistration.key_of(event_id, user_id)),))
            return row
        except Conflict:
            yield Wait(0.01)
