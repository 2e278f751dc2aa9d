"""``manage.py erase_user USER``: delete a person's registrations and history, then the person."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted, number
from registrations.models import registrations_of
from users import services
from users.models import User


class Command(OperatorCommand):
    """Erases users. The exit status is 1 if an id is unknown; all others are erased."""

    help = "Cancels all registrations of a user, deletes their history, then the user."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("users", nargs="+", metavar="USER", help="ids")

    def handle(self, *args: Any, users: list[str], dry_run: bool, **options: Any) -> None:
        missing = [one for one in with_bar(users, "user") if not self._erased(one, dry_run=dry_run)]
        if missing:
            raise CommandError(f"There is no user with this id: {', '.join(missing)}.")

    def _erased(self, user_id: str, *, dry_run: bool) -> bool:
        """Erase a user, or what an interrupted run left of one. Return False if there is nothing."""
        user = User.find(user_id)
        active, past = (sum(1 for _ in registrations_of(user_id, active=one)) for one in (True, False))
        if dry_run and not (user or active or past):
            return False
        try:
            if not dry_run:
                services.delete(user_id)
        except services.UserNotFound:
            return False
        name = user.name if user else "deleted already"
        what = f"{user_id} ({name}): {counted(active, 'registration')}, {number(past)} cancelled"
        self.stdout.write(f"{'Would erase' if dry_run else 'Erased'} {what}.")
        return True
