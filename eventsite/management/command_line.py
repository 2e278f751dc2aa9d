"""Django's command line without the commands that are about SQL: there is none here."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand

ABOUT_SQL = frozenset(
    {
        "createcachetable",
        "dbshell",
        "dumpdata",
        "flush",
        "inspectdb",
        "loaddata",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "showmigrations",
        "sqlflush",
        "sqlmigrate",
        "sqlsequencereset",
        "squashmigrations",
        "testserver",
    }
)


class CommandLine(ManagementUtility):
    """`manage.py`: what it does not offer in its help it does not know either."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """What ``manage.py help`` prints."""
        with _without_sql():
            return super().main_help_text(commands_only)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command of this name; ends the process with a sentence if there is none."""
        with _without_sql():
            return super().fetch_command(subcommand)


@contextmanager
def _without_sql() -> Iterator[None]:
    """Take the commands about SQL out of those that Django has found. Its system checks look for them later."""
    found = get_commands()
    hidden = {name: found.pop(name) for name in ABOUT_SQL & found.keys()}
    try:
        yield
    finally:
        found.update(hidden)
