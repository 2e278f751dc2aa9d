"""Check whether an event admits people at this moment (CONTRACT, "The window")."""

from typing import Any

from events.ledger.models import Seats
from eventsite.auth.scope import Scope
from registrations.errors import AnswersNeeded, RegistrationClosed, RegistrationNotOpen


def check(seats: Seats, organizes: Scope, now: int) -> None:
    """Check that the event is open and its window too.

    Args:
        seats: The event's seats.
        organizes: The events that the caller organizes. An organizer may add people until the end.
        now: Seconds since the Unix epoch, by the clock of this server.

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
    """Return True if another user could get a seat or join the waitlist now. The arguments are those of `check`."""
    try:
        check(seats, organizes, now)
    except (RegistrationClosed, RegistrationNotOpen):
        return False
    return seats.admits


def check_answers(seats: Seats, answers: dict[str, Any] | None) -> None:
    """Check that there are validated answers if the event asks questions.

    Raises:
        AnswersNeeded: The event asks questions, and `answers` is None.
    """
    if seats.asks and answers is None:
        raise AnswersNeeded
