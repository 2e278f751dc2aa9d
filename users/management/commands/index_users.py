"""``manage.py index_users``: make the users of an earlier release findable by name and address."""

from typing import Any

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted
from users import services
from users.models import User


class Command(OperatorCommand):
    """Writes the index entries of all users. Safe to repeat."""

    help = "Makes all users findable by name and e-mail address: once after the upgrade from a release before 1.0."

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for user in with_bar(User.scan(), "user"):
            count += services.rebuild_index(user)
        self.stdout.write(f"Indexed {counted(count, 'user')}.")
