"""``manage.py purge_event EVENT``: delete an event with everybody's registration and all history of it."""

from typing import Any

from django.core.management.base import CommandParser

from events import services
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, with_bar


class Command(OperatorCommand):
    """Deletes events, whoever is in them; exit status 1 when there is none with such an id."""

    help = "Deletes an event with everybody's registration for it and its history."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="+", metavar="EVENT", help="ids")

    def handle(self, *args: Any, events: list[str], dry_run: bool, **options: Any) -> None:
        for event_id in with_bar(events, "event"):
            event, seats = services.read(event_id, scope=EVERYTHING)
            what = f"{event_id} ({event.title}): {seats.registered} registered, {seats.waiting} waiting"
            if not dry_run:
                services.delete(event_id, scope=EVERYTHING, with_people=True)
            self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'} {what}.")
