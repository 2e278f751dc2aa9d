"""Sign up: validate the answers to the questions, then give a seat or a place on the waitlist."""

from contextlib import suppress
from typing import Any

from events import questions, services
from events.ledger.models import Seats
from events.models import Event
from eventsite import clock
from eventsite.auth.scope import Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Steps
from eventsite.errors import WrongValues
from registrations import seating
from registrations.errors import AnswersNeeded, RegistrationClosed, RegistrationNotFound
from registrations.models import CANCELLED, Registration
from registrations.seating import Annotation


def sign_up(
    event_id: str,
    user_id: str,
    *,
    scope: Scope,
    organizes: Scope,
    keyed: IdempotentRequest | None = None,
    answers: Any = None,
    by: str | None = None,
) -> Registration:
    """Give a user a seat or a place on the waitlist, with the answers.

    The event's questions are read only if the event asks any, or an answer was sent. A keyed request reads them before
    it begins, because its first answer is final. If its answers are not valid any more, it may still be repeated.

    Raises:
        WrongValues: An answer is missing or does not fit, and there is no other reason to refuse the request.
        DomainError: As `seating.register`.
    """
    caller: dict[str, Any] = {"scope": scope, "organizes": organizes, "by": by}
    if answers is None and keyed is None:
        with suppress(AnswersNeeded):
            return seating.register(event_id, user_id, **caller)
        return seating.register(event_id, user_id, answers=_fitting(event_id, scope, None), **caller)
    try:
        fitting = _fitting(event_id, scope, answers)
    except WrongValues as error:
        try:
            return seating.register(event_id, user_id, keyed=keyed, **caller)
        except AnswersNeeded:
            raise error from None
    return seating.register(event_id, user_id, keyed=keyed, answers=fitting, **caller)


def _fitting(event_id: str, scope: Scope, answers: Any) -> dict[str, Any] | None:
    event = Event.find(event_id)
    if event is None or not services.may_be_seen(event, scope):
        return None  # the registration is going to be refused
    fitting = questions.fitting(event.questions, answers)
    return fitting if event.questions else None


def change_answers(event_id: str, user_id: str, answers: dict[str, Any], *, scope: Scope) -> Registration:
    """Change some of the answers of a registration, until the event ends. None removes one.

    An attendee of an event that became a draft again may do so too, and reads the registration as before.

    Raises:
        RegistrationNotFound: The user has no active registration, or the event is out of the caller's reach.
        RegistrationClosed: The event is over.
        WrongValues: An answer is missing or does not fit.
    """

    def plan(seats: Seats, found: Registration) -> Steps[Annotation]:
        event = yield Get((Event, event_id, Event.ITEM))
        if event is None or found.status == CANCELLED:
            raise RegistrationNotFound
        if event.incarnation != seats.incarnation:
            raise Conflict
        if seats.has_ended(clock.seconds()):
            raise RegistrationClosed
        return Annotation({"answers": questions.changed(event.questions, found.answers or {}, answers)})

    try:
        return seating.annotate(event_id, user_id, plan, scope=scope)
    except (services.EventNotFound, services.EventNotYours):
        raise RegistrationNotFound from None
