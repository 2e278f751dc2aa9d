"""Who the people in a list of registrations are."""

from collections.abc import Iterable
from typing import NamedTuple

from registrations.models import Registration
from users import services
from users.models import User


class Attendee(NamedTuple):
    """A registration, and whose it is: None where the user has been deleted since."""

    registration: Registration
    user: User | None


def named(registrations: Iterable[Registration]) -> list[Attendee]:
    """The registrations with their users, which are read in batches of a hundred."""
    rows = list(registrations)
    users = services.find_many(row.user_id for row in rows)
    return [Attendee(row, users.get(row.user_id)) for row in rows]
