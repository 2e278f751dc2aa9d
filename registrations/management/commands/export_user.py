"""``manage.py export_user USER``: the profile and all registrations of a person, as JSON."""

import json
from typing import Any

from django.core.management.base import CommandParser

from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, all_pages
from registrations.models import ACTIVE, CANCELLED
from registrations.reading import attendances
from registrations.serializers import shape_attendance
from users import services
from users.serializers import UserSerializer


class Command(OperatorCommand):
    help = "Prints the profile and all registrations of a user as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="an id")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        kept: dict[str, Any] = {"user": UserSerializer(services.read(user)).data, "registrations": []}
        for status in (ACTIVE, CANCELLED):
            listed = all_pages(attendances.of_user, user, scope=EVERYTHING, status=status)
            kept["registrations"] += map(shape_attendance, listed)
        for line in json.dumps(kept, ensure_ascii=False, indent=2).split("\n"):
            self.stdout.write(line)
