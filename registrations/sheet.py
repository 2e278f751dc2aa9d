"""An event's registrations as a sheet, one line for each, with the name and e-mail address."""

from collections.abc import Iterable

from eventsite.web import sheets
from registrations.models import Registration
from registrations.reading import people
from registrations.reading.people import Attendee
from registrations.serializers import shape

COLUMNS = (
    "registrationId",
    "eventId",
    "userId",
    "name",
    "email",
    "status",
    "registeredAt",
    "promotedAt",
    "cancelledAt",
    "waitlistPosition",
)
HEADER = sheets.lines([COLUMNS])


def lines(registrations: Iterable[Registration]) -> bytes:
    """Return the lines of these registrations. Their users are read in batches of a hundred."""
    return sheets.lines([cells[column] for column in COLUMNS] for cells in map(_cells, people.named(registrations)))


def _cells(attendee: Attendee) -> dict[str, object]:
    user = attendee.user
    person = {"name": user.name, "email": user.email} if user else {"name": None, "email": None}
    return shape(attendee.registration) | person
