"""Register and leave on the real connection, for the other packages."""

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
    by: str | None = None,
) -> Registration:
    """Give a user a seat, or a place at the end of the waitlist.

    Args:
        event_id: The event.
        user_id: The user.
        scope: The caller's scope.
        keyed: The request's idempotency key, if any.
        answers: The validated answers to the event's questions.
        organizes: The events that the caller organizes. An organizer may add people outside the window, until the end.
        by: The id of the caller; None if the caller is not signed in, or is the service itself.

    Returns:
        The registration, with its position if it is waitlisted.

    Raises:
        EventNotFound: There is no such event, or it is a draft that the caller may not see.
        EventNotYours: The caller may not change its registrations.
        UserNotFound: There is no such user.
        AlreadyRegistered: The user is registered or waitlisted.
        EventFull: There is no free seat, and no waitlist.
        RegistrationNotOpen: The window has not opened yet.
        RegistrationClosed: The event is closed or over, or its window is.
        AnswersNeeded: The event asks questions, and there are no answers.
        KeyReused: The key belongs to a different request.
    """
    request = Request(event_id, user_id, scope, organizes, answers, keyed, by)
    steps = keyed_requests.once(request, keyed) if keyed else registering.register(request)
    registration = run(steps)
    if request.operation:  # else it is the stored answer to an earlier copy
        seats_changed.send_robust(Registration, **{registration.status: 1})
    return registration


def repeat(event_id: str, user_id: str, *, keyed: IdempotentRequest) -> Registration | None:
    """Return the first answer to a keyed request without executing it, or None if no copy was executed.

    Raises:
        KeyReused: The key belongs to a different request. An earlier refusal is raised again.
    """
    return run(keyed_requests.repeat(Request(event_id, user_id, NOTHING, keyed=keyed), keyed))


def leave(event_id: str, user_id: str, *, scope: Scope, by: str | None = None) -> str | None:
    """Give up a seat or a place on the waitlist. A freed seat goes to the head of the waitlist in the same write.

    Args:
        event_id: The event.
        user_id: The user.
        scope: The caller's scope.
        by: As in `register`.

    Returns:
        The id of the user who got the seat, or None.

    Raises:
        RegistrationNotFound: There is no active registration, or the event is a draft that the caller may not see.
        EventNotYours: The caller may not change the event's registrations.
    """
    successor = run(leaving.leave(Request(event_id, user_id, scope, by=by)))
    seats_changed.send_robust(Registration, cancelled=1, promoted=1 if successor else 0)
    return successor
