"""``manage.py purge_event EVENT``: delete an event with all registrations and its history."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from events import services
from eventsite.auth.scope import EVERYTHING
from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import number


class Command(OperatorCommand):
    """Deletes events with their registrations. The exit status is 1 if an id is unknown; all others are deleted."""

    help = "Deletes an event with all registrations and its history."
    has_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="+", metavar="EVENT", help="ids")

    def handle(self, *args: Any, events: list[str], dry_run: bool, **options: Any) -> None:
        missing = [one for one in with_bar(events, "event") if not self._purged(one, dry_run=dry_run)]
        if missing:
            raise CommandError(f"There is no event with this id: {', '.join(missing)}.")

    def _purged(self, event_id: str, *, dry_run: bool) -> bool:
        """Delete an event, or what an interrupted deletion left. Return False if there is neither."""
        try:
            what = self._described(event_id)
            if not dry_run:
                services.delete(event_id, scope=EVERYTHING, with_people=True)
        except services.EventNotFound:
            return False
        self.stdout.write(f"{'Would delete' if dry_run else 'Deleted'} {what}.")
        return True

    def _described(self, event_id: str) -> str:
        try:
            event, seats = services.read(event_id, scope=EVERYTHING)
        except services.EventNotFound:
            if services.interrupted_deletion(event_id, scope=EVERYTHING) is None:
                raise
            return f"what an interrupted deletion of {event_id} left"
        return f"{event_id} ({event.title}): {number(seats.registered)} registered, {number(seats.waiting)} waiting"
