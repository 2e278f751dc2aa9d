"""The errors of registrations."""

from datetime import UTC, datetime

from eventsite.errors import Missing, Refused


class RegistrationNotFound(Missing):
    """The user has no registration for this event, or none that is active."""

    code = "registration_not_found"
    detail = "This user is not registered or waiting for this event."


class AlreadyRegistered(Refused):
    code = "already_registered"
    detail = "This user is already registered or waiting for this event."


class EventFull(Refused):
    code = "event_full"
    detail = "All seats are taken and this event keeps no waitlist."


class RegistrationClosed(Refused):
    """The event is a draft, cancelled, completed or over, or its window for registrations has closed."""

    code = "registration_closed"
    detail = "This event does not take registrations: it is closed, cancelled or over."


class RegistrationNotOpen(Refused):
    code = "registration_not_open"
    detail = "Registration for this event has not opened yet."

    @classmethod
    def until(cls, opens_at: int) -> "RegistrationNotOpen":
        """Return the error with the opening time, given in seconds since the epoch."""
        return cls(opensAt=datetime.fromtimestamp(opens_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


class AnswersNeeded(Exception):
    """The event asks questions, and the registration was planned without a look at them: look, and try again."""
