"""``manage.py load_demo``: a season of 40 events and 500 users to explore."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted
from registrations.transfer import demo, write
from registrations.transfer.assemble import assemble, registrations_in
from registrations.transfer.planned import PlannedEvent


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
        users, events = list(season.users.values()), season.events
        if dry_run:
            self.stdout.write(f"Would load {_counted(len(users), events)}.")
            return
        old_users, old = write.write(with_bar(users, "user", len(users)), with_bar(events, "event", len(events)))
        loaded = _counted(len(users) - len(old_users), [event for event in events if event.event_id not in {*old}])
        known = f"{counted(len(old_users), 'user')} and {counted(len(old), 'event')}"
        left = f" ({known} were there already.)" if old_users or old else ""
        self.stdout.write(f"Loaded {loaded}.{left}")


def _counted(users: int, events: list[PlannedEvent]) -> str:
    people = counted(registrations_in(events), "registration")
    return f"{counted(len(events), 'event')}, {counted(users, 'user')} and {people}"
