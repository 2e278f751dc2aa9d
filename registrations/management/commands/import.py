"""``manage.py import FILE...``: what other services, our first release, and `export` hold of events and people."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from registrations.transfer import files, write
from registrations.transfer.assemble import Moved, assemble


class Command(OperatorCommand):
    """Imports; exit status 1 when something was left out or is wrong afterwards. A broken file imports nothing."""

    help = "Imports events, users and registrations: scans of tables, the JSON of list calls, and what `export` writes."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="all files that belong together")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        moved = self._read(options["files"])
        self._tell(moved)
        if not options["dry_run"]:
            self._write(moved)
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
        users, events = write.write(
            with_bar(moved.users.values(), "users", len(moved.users)),
            with_bar(moved.events, "events", len(moved.events)),
        )
        if users:
            self.stdout.write(f"{len(users)} users were here already and were left as they are.")
        for event_id in events:
            self.stdout.write(f"Event {event_id} was here already and was left as it is.")
        if moved.events:
            call_command("audit_seats", *(event.event_id for event in moved.events), stdout=self.stdout)
