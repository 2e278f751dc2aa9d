"""``manage.py shell``: Django's shell with the models and rules at hand, over tables that exist."""

import sys
from pkgutil import resolve_name
from types import TracebackType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.commands import shell
from pynamodb.exceptions import DoesNotExist

from eventsite.dynamodb import tables
from eventsite.dynamodb.explain import sentence
from eventsite.dynamodb.retries import FAILURES
from eventsite.errors import DomainError


class Command(shell.Command):
    """Import what each app lists in `shell_names` of its `AppConfig`: models, functions, modules of rules."""

    def get_namespace(self, **options: Any) -> dict[str, Any]:
        """Return the objects at the prompt by name. ``a.b as c`` in `shell_names` is available as ``c``."""
        if options.get("no_imports"):
            return {}
        # Silent, because Django would print that it imported 0 objects.
        namespace: dict[str, Any] = super().get_namespace(**options | {"verbosity": 0})
        for name in (name for config in apps.get_app_configs() for name in getattr(config, "shell_names", ())):
            path, _, alias = name.partition(" as ")
            namespace[alias or path.rpartition(".")[2]] = resolve_name(path)
        if options["verbosity"] > 1:
            self.stdout.write(f"Imported: {', '.join(sorted(namespace))}.")
        return namespace

    def handle(self, **options: Any) -> None:
        """Make the tables that are missing in the embedded engine, so that a fresh checkout has something to ask."""
        if settings.EMBEDDED_ENGINE:
            try:
                tables.create_missing()
            except FAILURES as error:
                self.stderr.write(f"{sentence(error)} Everything that needs no data works.")
        sys.excepthook = _print_sentence
        super().handle(**options)


def _print_sentence(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print a refusal as one sentence, as the API does, and any other error as Python does."""
    if isinstance(error, DomainError):
        sys.stderr.write(f"{error.sentence}\n")
    elif isinstance(error, DoesNotExist):
        sys.stderr.write("There is nothing under this key.\n")
    else:
        sys.__excepthook__(kind, error, traceback)
