"""``manage.py create_tables``: make the missing tables, and report differences from the models."""

import sys
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from eventsite.dynamodb import tables
from eventsite.dynamodb.explain import endpoint
from eventsite.management.operating import OperatorCommand

KEYS_STAY = (
    "A table keeps the keys that it was made with: scan it into a file, choose another DYNAMODB_TABLE_PREFIX, and "
    'import the file into the new tables. docs/coming-from.md tells it step by step ("Your data").'
)

ITEMS_DIFFER = (
    "the registrations there are in the form of the release before this one. Export them with that release, and import "
    'them into new tables. docs/operations.md shows the steps ("From the second release").'
)


class Command(OperatorCommand):
    """Makes tables, and never drops or alters one. The exit status is 1 if a table differs or DynamoDB fails."""

    help = "Makes the DynamoDB tables that are missing, and says what differs from the models. Alters nothing else."
    needs_tables = False
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--protect", action="store_true", help="protect them, as a deployment does")
        parser.add_argument(
            "--tag", action="append", default=[], type=_tag, metavar="NAME=VALUE", help="a tag of the new tables"
        )
        parser.add_argument("--migrate", action="store_true", help="say how the data of tables with other keys move")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["migrate"] and (old := tables.with_other_keys()):
            raise CommandError(f"{', '.join(old)} cannot be migrated in place. {KEYS_STAY}")
        if old := tables.with_old_items():
            raise CommandError(f"{', '.join(old)} cannot be used: {ITEMS_DIFFER}")
        protect = options["protect"] or not settings.LOCAL
        made = [] if options["dry_run"] else tables.create_missing(tags=dict(options["tag"]), protect=protect)
        self._report(made, tables.differences(protect=protect))

    def _report(self, made: list[str], differences: list[str]) -> None:
        for table in made:
            self.stdout.write(f"Created {table}.")
        for difference in differences:
            self.stderr.write(difference)
        if differences:
            if tables.with_other_keys():
                self.stdout.write(KEYS_STAY)
            sys.exit(1)
        self.stdout.write(f"The tables at {endpoint()} are as the models want them.")


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ArgumentTypeError(f"write a name and a value, such as stage=dev, not {text!r}.")
    return name, value
