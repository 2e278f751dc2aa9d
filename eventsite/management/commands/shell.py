"""``manage.py shell``: Django's shell with the models and rules at hand, over tables that exist."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.commands import shell

from eventsite.dynamodb import tables
from eventsite.errors import Unavailable

MODELS = ["events.models.Event", "events.models.Seats", "registrations.models.Registration", "users.models.User"]
MODULES = ["events.editing", "events.pages", "registrations.seating", "users.directory"]
FUNCTIONS = ["registrations.pages.of_event", "registrations.pages.of_user"]


class Command(shell.Command):
    """Brings Event, Seats, Registration, User; editing, seating, directory; pages (events), of_event, of_user."""

    def get_auto_imports(self) -> list[str]:
        """Return the paths of what is imported at the prompt."""
        for module in MODULES:
            import_module(module)  # Django only takes a name out of what is imported
        return [*(super().get_auto_imports() or []), *MODELS, *MODULES, *FUNCTIONS]

    def handle(self, **options: Any) -> None:
        """Make the tables that are missing in the embedded engine, so that a fresh checkout has something to ask."""
        if settings.LOCAL and not settings.DYNAMODB_ENDPOINT:
            try:
                tables.create_missing()
            except Unavailable as error:
                self.stderr.write(f"{error.sentence} Everything that needs no data works.")
        super().handle(**options)
