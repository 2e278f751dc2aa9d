"""Changing what a registration says, and not where it stands: check-in, and answers that are given later."""

from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.transactions import Transaction
from registrations.errors import RegistrationNotFound
from registrations.models import ActiveItem, EventTicket, RegistrationItem
from registrations.seating import guards


@retry_on_conflict
def annotate(event_id: str, user_id: str, changes: dict[str, Any], *, unless: Condition | None = None) -> bool:
    """Change attributes of an active registration and of its line, in one transaction.

    Args:
        event_id: The event.
        user_id: The user.
        changes: The values by the names of the model, for example ``{"checked_in_at": "…"}``; None removes one.
        unless: A condition of the registration that must hold, for example that nobody is checked in yet.

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
        "row", ActiveItem(row.key, row.item), _actions(ActiveItem, changes), same & unless if unless else same
    )
    transaction.update("line", line, _actions(EventTicket, changes), EventTicket.item.exists())
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
