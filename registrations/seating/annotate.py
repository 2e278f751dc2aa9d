"""Change attributes of a registration that do not affect the seats: check-in, and answers that are given later."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from events.ledger.models import Seats
from events.services import EventNotFound, check_access
from eventsite.auth.scope import Scope
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Steps, Transact, Update, retrying, run
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import EventTicket, Registration, UserRegistration
from registrations.reading import one as reading
from registrations.seating import commit, guards
from registrations.seating.operations import Request


class Annotation(NamedTuple):
    """A change of a registration."""

    changes: dict[str, Any]
    """The values by the names of the model, for example ``{"checked_in_at": "…"}``; None removes one."""
    also: Update | None = None
    """A change of another item in the same transaction."""


Plan = Callable[[Seats, Registration], Steps[Annotation | None]]
"""Plans the change of a registration, or returns None to change nothing. It raises an error if the registration was
given up."""


def annotate(event_id: str, user_id: str, plan: Plan, *, scope: Scope) -> Registration:
    """Change attributes of an active registration and of its line, in one transaction.

    Args:
        event_id: The event.
        user_id: The user.
        plan: Plans the change, again if another request changes the registration meanwhile.
        scope: The caller's scope.

    Returns:
        The registration after the change.

    Raises:
        EventNotFound: There is no such event, or it is a draft that the caller may not see.
        EventNotYours: The caller may not change the event's registrations.
        RegistrationNotFound: The user never registered for the event. The exceptions of the plan pass through.
    """
    return run(annotate_in_steps(event_id, user_id, plan, scope))


def annotate_in_steps(event_id: str, user_id: str, plan: Plan, scope: Scope) -> Steps[Registration]:
    """Change a registration, as `annotate`, in steps."""
    if not is_id(event_id):
        raise EventNotFound
    if not is_id(user_id):
        raise RegistrationNotFound
    return (yield from retrying(partial(_attempt, event_id, user_id, plan, scope)))


def _attempt(event_id: str, user_id: str, plan: Plan, scope: Scope) -> Steps[Registration]:
    seats, row = yield from reading.look(event_id, user_id)
    if seats is None:
        raise EventNotFound
    check_access(seats, scope)
    yield from commit.expect_applied(Request(event_id, user_id, scope), seats, row)
    registration = yield from reading.as_of(seats, row, user_id)
    if registration is None or row is None:
        raise RegistrationNotFound
    annotation = yield from plan(seats, registration)
    if annotation is None:
        return registration
    yield from _write(row, annotation)
    return replace(registration, **annotation.changes)


def _write(row: UserRegistration, annotation: Annotation) -> Steps[None]:
    changes = annotation.changes
    condition = guards.is_unchanged(row) & guards.is_annotated_as(row)
    line = EventTicket.named(*EventTicket.key_of(row.event_id, row.incarnation, int(row.ticket or 0)))
    parts = {
        "row": Update(UserRegistration.named(row.key, row.item), UserRegistration.updates(changes), condition),
        "line": Update(line, EventTicket.updates(changes), EventTicket.item.exists()),
    }
    outcome = yield Transact(parts | ({"also": annotation.also} if annotation.also else {}))
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)
