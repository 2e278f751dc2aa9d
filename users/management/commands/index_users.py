"""``manage.py index_users``: make the users of an earlier release findable by name and address."""

from typing import Any

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted
from users import services
from users.models import User


class Command(OperatorCommand):
    help = "Makes all users findable by name and e-mail address: once after the upgrade from a release before 1.0."

    def handle(self, *args: Any, **options: Any) -> None:
        count = sum(services.rebuild_index(user) for user in with_bar(User.scan(), "user"))
        self.stdout.write(f"Indexed {counted(count, 'user')}.")
