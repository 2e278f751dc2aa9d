"""``manage.py export_user USER``: all data about a person, as JSON, for that person."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand
from registrations.models import ACTIVE, CANCELLED
from registrations.reading import attendances
from registrations.serializers import shape_attendance
from users import services
from users.serializers import UserSerializer

PAGE = 1000


class Command(OperatorCommand):
    """Prints the data about a user. The exit status is 1 if the id is unknown."""

    help = "Prints all data about a user as JSON: the profile and the registrations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="an id")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        found = UserSerializer(services.read(user)).data
        kept = {"user": found, "registrations": list(_registrations(user))}
        for line in json.dumps(kept, ensure_ascii=False, indent=2).split("\n"):
            self.stdout.write(line)


def _registrations(user_id: str) -> Iterator[Any]:
    for status in (ACTIVE, CANCELLED):
        after = None
        while True:
            found, after = attendances.of_user(user_id, scope=EVERYTHING, status=status, limit=PAGE, after=after)
            yield from map(shape_attendance, found)
            if after is None:
                break
