"""What the seats do for others: each rule, carried out on the real connection."""

from typing import Any

from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.steps import run
from registrations.models import Registration
from registrations.seating import keyed as keyed_requests
from registrations.seating import leave as leaving
from registrations.seating import register as registering
from registrations.seating.operations import Request
from registrations.signals import seats_changed


def register(
    event_id: str,
    user_id: str,
    *,
    scope: Scope,
    keyed: IdempotentRequest | None = None,
    answers: dict[str, Any] | None = None,
    organizes: Scope = NOTHING,
) -> Registration:
    """Give a user a seat, or a place at the end of the queue.

    Args:
        event_id: The event.
        user_id: The user.
        scope: What the caller reaches.
        keyed: The caller's idempotency key, if any.
        answers: The validated answers to the event's questions.
        organizes: For which events the caller is an organizer, who may add people outside the window, until the end.

    Returns:
        The registration, with its position if it is waitlisted.

    Raises:
        EventNotFound, EventNotYours, UserNotFound, AlreadyRegistered, EventFull, RegistrationNotOpen,
        RegistrationClosed, KeyReused.
    """
    request = Request(event_id, user_id, scope, organizes, answers, keyed)
    steps = keyed_requests.once(request, keyed) if keyed else registering.register(request)
    registration = run(steps)
    if request.operation:  # else it is the answer of an earlier copy
        seats_changed.send_robust(Registration, **{registration.status: 1})
    return registration


def leave(event_id: str, user_id: str, *, scope: Scope) -> str | None:
    """Give up a seat or a place in the queue; a freed seat goes to the head of the queue in the same write.

    Returns:
        The id of the user who got the seat, or None.

    Raises:
        RegistrationNotFound; EventNotYours, unless it is a draft.
    """
    successor = run(leaving.leave(Request(event_id, user_id, scope))).successor
    seats_changed.send_robust(Registration, cancelled=1, promoted=1 if successor else 0)
    return successor
