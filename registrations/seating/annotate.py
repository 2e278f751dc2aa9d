"""Changing what a registration says, and not where it stands: check-in, and answers that are given later."""

from collections.abc import Callable
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger.models import CheckIns
from events.models import EventItem
from eventsite import clock
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.transactions import Transaction
from registrations.errors import RegistrationNotFound
from registrations.models import ActiveItem, EventTicket, RegistrationItem
from registrations.seating import guards

Also = Callable[[RegistrationItem], tuple[EventItem, list[Action]]]
"""Returns what else changes in the transaction, for a registration: an item, and how."""


def check_in(event_id: str, user_id: str, by: str | None = None) -> bool:
    """Check a person in, and count them. Returns: False if they were in. Raises `RegistrationNotFound`.

    Args:
        event_id: The event.
        user_id: The person.
        by: The helper at the door, where people sign in.
    """
    at = clock.now()

    def count(row: RegistrationItem) -> tuple[EventItem, list[Action]]:
        last = [CheckIns.user_id.set(user_id), CheckIns.ticket.set(row.ticket), CheckIns.at.set(at)]
        helper = CheckIns.by.set(by) if by else CheckIns.by.remove()
        return _count_of(event_id, row), [*last, helper, CheckIns.people.add(1)]

    nobody = RegistrationItem.checked_in_at.does_not_exist()
    return annotate(event_id, user_id, {"checked_in_at": at}, unless=nobody, also=count)


def check_out(event_id: str, user_id: str) -> bool:
    """Take a check-in back. Returns: False if there was none. Raises `RegistrationNotFound`."""

    def count(row: RegistrationItem) -> tuple[EventItem, list[Action]]:
        return _count_of(event_id, row), [CheckIns.people.add(-1)]

    somebody = RegistrationItem.checked_in_at.exists()
    return annotate(event_id, user_id, {"checked_in_at": None}, unless=somebody, also=count)


def _count_of(event_id: str, row: RegistrationItem) -> CheckIns:
    return CheckIns(event_id, CheckIns.name(row.incarnation), incarnation=row.incarnation)


@retry_on_conflict
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
        unless: A condition of the registration that must hold, for example that the person is not in yet.
        also: Returns what else changes in the transaction.

    Returns:
        False if the condition did not hold: then nothing is changed.

    Raises:
        RegistrationNotFound: The user has no active registration for the event.
    """
    row = ActiveItem.find(*ActiveItem.key_of(event_id, user_id))
    if row is None:
        raise RegistrationNotFound
    if row.lock or row.ticket is None:
        raise Conflict
    same = guards.has_ticket(row) & guards.is_unlocked()
    line = EventTicket(*EventTicket.key_of(event_id, row.incarnation, int(row.ticket)))
    transaction = Transaction()
    transaction.update(
        "row", ActiveItem(row.key, row.item), _actions(ActiveItem, changes), same if unless is None else same & unless
    )
    transaction.update("line", line, _actions(EventTicket, changes), EventTicket.item.exists())
    if also:
        transaction.update("also", *also(row))
    failures = transaction.commit()
    if not failures:
        return True
    raw = failures.get("row")
    now = ActiveItem.parse(raw) if raw else None
    if now and now.ticket == row.ticket and not now.lock:
        return False
    raise Conflict(immediate=True)


def _actions(model: type[RegistrationItem], changes: dict[str, Any]) -> list[Action]:
    attributes = [(getattr(model, name), value) for name, value in changes.items()]
    return [one.remove() if value is None else one.set(value) for one, value in attributes]
