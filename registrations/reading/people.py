"""Add the users to a list of registrations."""

from collections.abc import Iterable
from typing import NamedTuple

from registrations.models import Registration
from users import services
from users.models import User


class Attendee(NamedTuple):
    """A registration and its user: None if the user was deleted since."""

    registration: Registration
    user: User | None


def named(registrations: Iterable[Registration]) -> list[Attendee]:
    """Return registrations with their users, which are read in batches of 100."""
    rows = list(registrations)
    users = services.find_many(row.user_id for row in rows)
    return [Attendee(row, users.get(row.user_id)) for row in rows]
