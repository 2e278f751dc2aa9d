"""Change attributes of a registration that do not affect the seats: check-in, and answers that are given later."""

from collections.abc import Callable
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import log
from events.ledger.models import CheckIns, Seats
from events.models import EventItem
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Now, Steps, Transact, Update, retrying, run
from registrations.errors import RegistrationNotFound
from registrations.models import EventTicket, RegistrationItem, UserRegistration
from registrations.seating import apply, commit, guards
from registrations.seating.operations import Request

Also = Callable[[RegistrationItem], tuple[EventItem, list[Action]]]
"""A function from a registration to another item that changes in the transaction, and the updates of that item."""


def check_in(event_id: str, user_id: str, by: str | None = None) -> bool:
    """Check a person in and count them.

    Args:
        event_id: The event.
        user_id: The person.
        by: The id of the helper at the door; None if helpers do not sign in.

    Returns:
        False if the person was checked in before; then nothing is changed.

    Raises:
        RegistrationNotFound: The person has no active registration for the event.
    """
    return run(check_in_in_steps(event_id, user_id, by))


def check_in_in_steps(event_id: str, user_id: str, by: str | None = None) -> Steps[bool]:
    """Check a person in, as `check_in`, in steps."""
    at = yield Now()

    def count(row: RegistrationItem) -> tuple[EventItem, list[Action]]:
        last = [CheckIns.user_id.set(user_id), CheckIns.ticket.set(row.ticket), CheckIns.at.set(at)]
        helper = CheckIns.by.set(by) if by else CheckIns.by.remove()
        return apply.check_ins(event_id, row.incarnation), [*last, helper, CheckIns.people.add(1)]

    not_yet = RegistrationItem.checked_in_at.does_not_exist()
    return (yield from retrying(partial(_annotate, event_id, user_id, {"checked_in_at": at}, not_yet, count)))


def check_out(event_id: str, user_id: str) -> bool:
    """Undo a check-in.

    Returns:
        False if the person was not checked in; then nothing is changed.

    Raises:
        RegistrationNotFound: The person has no active registration for the event.
    """

    def count(row: RegistrationItem) -> tuple[EventItem, list[Action]]:
        return apply.check_ins(event_id, row.incarnation), [CheckIns.people.add(-1)]

    is_in = RegistrationItem.checked_in_at.exists()
    return annotate(event_id, user_id, {"checked_in_at": None}, unless=is_in, also=count)


def annotate(
    event_id: str,
    user_id: str,
    changes: dict[str, Any],
    *,
    unless: Condition | None = None,
    also: Also | None = None,
) -> bool:
    """Change attributes of an active registration and of its line, in one transaction.

    Args:
        event_id: The event.
        user_id: The user.
        changes: The values by the names of the model, for example ``{"checked_in_at": "…"}``; None removes one.
        unless: A condition on the registration that must hold, for example that the person is not checked in.
        also: The function that returns another item to change in the transaction.

    Returns:
        False if the condition did not hold; then nothing is changed.

    Raises:
        RegistrationNotFound: The user has no active registration for the event.
    """
    return run(retrying(partial(_annotate, event_id, user_id, changes, unless, also)))


def _annotate(
    event_id: str, user_id: str, changes: dict[str, Any], unless: Condition | None, also: Also | None
) -> Steps[bool]:
    row = yield from _active(event_id, user_id)
    condition = guards.is_unchanged(row)
    condition = condition if unless is None else condition & unless
    line = EventTicket.named(*EventTicket.key_of(event_id, row.incarnation, int(row.ticket or 0)))
    parts = {
        "row": Update(UserRegistration.named(row.key, row.item), UserRegistration.updates(changes), condition),
        "line": Update(line, EventTicket.updates(changes), EventTicket.item.exists()),
    }
    if also:
        parts["also"] = Update(*also(row), None)
    outcome = yield Transact(parts)
    if outcome.done:
        return True
    raw = outcome.failures.get("row")
    if raw and UserRegistration.parse(raw).operations == row.operations:
        return False
    raise Conflict(immediate=not outcome.in_conflict)


def _active(event_id: str, user_id: str) -> Steps[UserRegistration]:
    """Return an active registration, read after the seats."""
    seats = yield Get((Seats, event_id, Seats.ITEM))
    row: UserRegistration | None
    row = yield Get((UserRegistration, *UserRegistration.key_of(event_id, user_id)))
    entry = log.of_user(seats, user_id) if seats else None
    if seats and entry and not (row is not None and row.was_changed_by(entry.operation)):
        yield from commit.recover(seats, entry, Request(event_id, user_id, EVERYTHING))
        raise Conflict(immediate=True)
    if seats is None or row is None or not row.is_in(seats.incarnation):
        raise RegistrationNotFound
    return row
