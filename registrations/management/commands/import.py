"""``manage.py import FILE...``: what other services, and our first release, hold of events, users and registrations."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from pynamodb.exceptions import PynamoDBException

from eventsite.errors import Unavailable
from registrations.moving import files, writing
from registrations.moving.assembling import Moved, assemble

T = TypeVar("T")


class Command(BaseCommand):
    """Imports; exit status 1 when something was left out or is wrong afterwards. A broken file imports nothing."""

    help = "Import events, users and registrations: DynamoDB JSON of a scan, the JSON of list calls, JSON lines."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="all files that belong together")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be imported")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        moved = self._read(options["files"])
        self._tell(moved)
        if not options["dry_run"]:
            try:
                self._write(moved)
            except (Unavailable, PynamoDBException, BotoCoreError) as error:
                raise CommandError(f"DynamoDB does not answer: {error}. Run it again to go on.") from error
        if moved.left_out:
            sys.exit(1)

    def _read(self, paths: Sequence[Path]) -> Moved:
        try:
            return assemble([record for path in paths for record in files.records(path)])
        except (files.Broken, OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{error} Nothing was imported.") from error

    def _tell(self, moved: Moved) -> None:
        for note in moved.notes:
            self.stdout.write(note)
        for reason in moved.left_out:
            self.stderr.write(f"Left out: {reason}")
        people = sum(len(attendees) for event in moved.events for attendees in event.attendees.values())
        self.stdout.write(f"{len(moved.events)} events, {len(moved.users)} users and {people} registrations to import.")

    def _write(self, moved: Moved) -> None:
        users, events = writing.write(_with_bar(list(moved.users.values()), "user"), _with_bar(moved.events, "event"))
        if users:
            self.stdout.write(f"{len(users)} users were here already and were left as they are.")
        for event_id in events:
            self.stdout.write(f"Event {event_id} was here already and was left as it is.")
        if moved.events:
            call_command("audit_seats", *(event.event_id for event in moved.events), stdout=self.stdout)


def _with_bar(things: list[T], unit: str) -> Iterable[T]:
    """The things, with a progress bar on a terminal."""
    try:
        from tqdm import tqdm
    except ImportError:
        return things
    bar: Iterable[T] = tqdm(things, unit=unit, disable=None)
    return bar
