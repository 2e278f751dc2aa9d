"""``manage.py purge_event EVENT``: delete an event with all registrations and its history."""

from typing import Any

from django.core.management.base import CommandParser

from events import services
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, naming, with_bar


class Command(OperatorCommand):
    """Deletes events with their registrations. The exit status is 1 if an id is unknown."""

    help = "Deletes an event with all registrations and its history."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="+", metavar="EVENT", help="ids")

    def handle(self, *args: Any, events: list[str], dry_run: bool, **options: Any) -> None:
        for event_id in with_bar(events, "event"):
            with naming(event_id):
                event, seats = services.read(event_id, scope=EVERYTHING)
            what = f"{event_id} ({event.title}): {seats.registered} registered, {seats.waiting} waiting"
            if not dry_run:
                services.delete(event_id, scope=EVERYTHING, with_people=True)
            self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'} {what}.")
