"""Django's command line without the commands that are about SQL: there is none here."""

import sys

from django.core.management import ManagementUtility
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
    """`manage.py`: what it does not offer in its help it does not know either.

    Django itself goes on knowing them, because one of its system checks looks at two of them.
    """

    def main_help_text(self, commands_only: bool = False) -> str:
        """What ``manage.py help`` prints."""
        lines = super().main_help_text(commands_only).split("\n")
        return "\n".join(line for line in lines if line.strip() not in ABOUT_SQL)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command of this name; ends the process with a sentence if there is none."""
        if subcommand in ABOUT_SQL:
            sys.stderr.write(f"Unknown command: {subcommand!r}\nType '{self.prog_name} help' for usage.\n")
            sys.exit(1)
        return super().fetch_command(subcommand)
