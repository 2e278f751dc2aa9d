"""``manage.py shell``: Django's shell with the models and rules at hand, over tables that exist."""

from pkgutil import resolve_name
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.commands import shell

from eventsite.dynamodb import tables
from eventsite.errors import Unavailable


class Command(shell.Command):
    """Brings what each app names in `shell_names` of its `AppConfig`: models, functions, modules of rules."""

    def get_auto_imports(self) -> list[str]:
        """Return the dotted paths of what is imported at the prompt."""
        names = [name for config in apps.get_app_configs() for name in getattr(config, "shell_names", ())]
        for name in names:
            resolve_name(name)  # Django only takes a module out of a package that has imported it
        return [*(super().get_auto_imports() or []), *names]

    def handle(self, **options: Any) -> None:
        """Make the tables that are missing in the embedded engine, so that a fresh checkout has something to ask."""
        if settings.EMBEDDED_ENGINE:
            try:
                tables.create_missing()
            except Unavailable as error:
                self.stderr.write(f"{error.sentence} Everything that needs no data works.")
        super().handle(**options)
