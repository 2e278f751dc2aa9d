"""The window: whether an event admits people at all at this moment (CONTRACT, "The window")."""

from typing import Any

from events.ledger.models import Seats
from eventsite.auth.scope import Scope
from registrations.errors import AnswersNeeded, RegistrationClosed, RegistrationNotOpen


def check(seats: Seats, organizes: Scope, now: int) -> None:
    """Make sure that it is the time to sign up.

    Args:
        seats: The event's seats.
        organizes: For which events the caller is an organizer, who may add people until the end.
        now: Seconds since the epoch, by this server's clock.

    Raises:
        RegistrationClosed: The event is closed or over, or its window is.
        RegistrationNotOpen: The window has not opened yet.
    """
    if not seats.open or seats.has_ended(now):
        raise RegistrationClosed
    if organizes.reaches(seats):
        return
    if seats.has_closed(now):
        raise RegistrationClosed
    if not seats.has_opened(now):
        raise RegistrationNotOpen.until(int(seats.opens_at))


def is_possible(seats: Seats, organizes: Scope, now: int) -> bool:
    """Return whether a newcomer could get a seat or a place in the queue now."""
    try:
        check(seats, organizes, now)
    except (RegistrationClosed, RegistrationNotOpen):
        return False
    return seats.admits


def check_answers(seats: Seats, answers: dict[str, Any] | None) -> None:
    """Make sure that the answers fit, where the event asks questions.

    Raises:
        AnswersNeeded: It does, and nobody has compared the answers with them.
    """
    if seats.asks and answers is None:
        raise AnswersNeeded
