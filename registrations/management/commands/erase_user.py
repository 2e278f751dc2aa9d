"""``manage.py erase_user USER``: delete a person's registrations and history, then the person."""

from typing import Any

from django.core.management.base import CommandParser

from eventsite.management.operating import OperatorCommand, naming, with_bar
from registrations.models import registrations_of
from users import services


class Command(OperatorCommand):
    """Erases users. The exit status is 1 if an id is unknown."""

    help = "Cancels all registrations of a user, deletes their history, then the user."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("users", nargs="+", metavar="USER", help="ids")

    def handle(self, *args: Any, users: list[str], dry_run: bool, **options: Any) -> None:
        for user_id in with_bar(users, "user"):
            with naming(user_id):
                user = services.read(user_id)
            active, past = (sum(1 for _ in registrations_of(user_id, active=one)) for one in (True, False))
            if not dry_run:
                services.delete(user_id)
            what = f"{user_id} ({user.name}): {active} registrations, {past} cancelled ones"
            self.stdout.write(f"{'Would erase' if dry_run else 'Erased'} {what}.")
