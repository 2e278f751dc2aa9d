"""``manage.py load_demo``: a season of 40 events and 500 users to explore."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from registrations.transfer import demo, write
from registrations.transfer.assemble import assemble, registrations_in


class Command(OperatorCommand):
    """Loads the demo. Existing events and users stay unchanged, so it can run again at any time."""

    help = "Loads a season to explore: 40 events and 500 users, with full events and waitlists."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anyway", action="store_true", help="also if the data are not on this machine")

    def handle(self, *args: Any, dry_run: bool, anyway: bool, **options: Any) -> None:
        if not (settings.LOCAL or anyway or dry_run):
            raise CommandError("The data are not on this machine. To load it anyway, add --anyway.")
        season = assemble(demo.records(datetime.now(UTC).date()))
        people = registrations_in(season.events)
        what = f"{len(season.events)} events, {len(season.users)} users and {people:,} registrations"
        if dry_run:
            self.stdout.write(f"Would load {what}.")
            return
        users, events = list(season.users.values()), season.events
        there = write.write(with_bar(users, "user", len(users)), with_bar(events, "event", len(events)))
        left = f" ({len(there[0])} users and {len(there[1])} events were there already.)" if any(there) else ""
        self.stdout.write(f"Loaded {what}.{left}")
