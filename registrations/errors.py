"""What can stand in the way of a registration, in the words of the domain."""

from eventsite.errors import Missing, Refused


class RegistrationNotFound(Missing):
    """The user has no registration for this event, or none that is active."""

    code = "registration_not_found"
    detail = "This user is not registered or waiting for this event."


class AlreadyRegistered(Refused):
    """The user holds a seat or waits for one already."""

    code = "already_registered"
    detail = "This user is already registered or waiting for this event."


class EventFull(Refused):
    """All seats are taken and there is no waitlist."""

    code = "event_full"
    detail = "All seats are taken and this event keeps no waitlist."


class RegistrationClosed(Refused):
    """The event is a draft, cancelled or completed."""

    code = "registration_closed"
    detail = "This event does not take registrations: it is a draft, cancelled or completed."
