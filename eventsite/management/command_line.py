"""Django's command line with the commands that work here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand

KEPT = frozenset({"check", "diffsettings", "findstatic", "spectacular"})
"""Commands of Django and of libraries that work without SQL, mail settings, translations and a static root."""


class CommandLine(ManagementUtility):
    """`manage.py`. It knows the commands that its help lists, and no others."""

    def main_help_text(self, commands_only: bool = False) -> str:
        with _only_what_works():
            return super().main_help_text(commands_only)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        with _only_what_works():
            return super().fetch_command(subcommand)


@contextmanager
def _only_what_works() -> Iterator[None]:
    """Hide the other commands that Django has found. Its system checks look for some of them later."""
    found = get_commands()
    hidden = {name: found.pop(name) for name in found.keys() - KEPT if not _is_ours(found[name])}
    try:
        yield
    finally:
        found.update(hidden)


def _is_ours(owner: str | BaseCommand) -> bool:
    name = owner if isinstance(owner, str) else type(owner).__module__
    return any(name == app.name and Path(app.path).parent == settings.BASE_DIR for app in apps.get_app_configs())
