"""``manage.py index_users``: make the users of an earlier release findable by name and address."""

from typing import Any

from django.core.management.base import CommandError

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted
from users import services
from users.models import User


class Command(OperatorCommand):
    help = "Makes all users findable by name and e-mail address: once after the upgrade from a release before 1.0."

    def handle(self, *args: Any, **options: Any) -> None:
        count, damaged = 0, 0
        for user in with_bar(User.scan(), "user"):
            if user.name:
                count += services.rebuild_index(user)
            else:
                damaged += 1
                self.stderr.write(f"The user {user.user_id} has no name.")
        self.stdout.write(f"Indexed {counted(count, 'user')}.")
        if damaged:
            raise CommandError(f"{counted(damaged, 'user has', 'users have')} no name and cannot be found.")
