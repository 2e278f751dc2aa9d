"""``manage.py audit_seats``: count the seats again from the rows, say what differs, and mend it when asked."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from pynamodb.exceptions import PynamoDBException

from eventsite.errors import Unavailable
from registrations import audit
from registrations.audit import Finding


class Command(BaseCommand):
    """Audits events; exit status 1 when something is wrong and not mended, or when DynamoDB does not answer."""

    help = "Counts the seats again from the rows, and says what differs. Safe while the service runs."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line."""
        parser.add_argument("events", nargs="*", metavar="EVENT", help="ids; without any, every event there is")
        parser.add_argument("--repair", action="store_true", help="mend what differs, as long as it still does")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        try:
            ids = options["events"] or list(audit.event_ids())
            findings = [self._told(finding) for finding in audit.run(_with_bar(ids), repair=options["repair"])]
        except (Unavailable, PynamoDBException, BotoCoreError) as error:
            raise CommandError(f"DynamoDB does not answer: {error}") from error
        wrong = [finding for finding in findings if not (finding.harmless or finding.mended)]
        if wrong:
            raise CommandError(f"Audited {len(ids)} events: {len(wrong)} things are wrong.")
        self.stdout.write(f"Audited {len(ids)} events: all is well.")

    def _told(self, finding: Finding) -> Finding:
        note = " Mended." if finding.mended else " (harmless)" if finding.harmless else ""
        self.stdout.write(f"{finding.event_id}: {finding.sentence}{note}")
        return finding


def _with_bar(ids: list[str]) -> Iterable[str]:
    """The ids, with a progress bar on a terminal; without one where tqdm is not installed (on Lambda)."""
    try:
        from tqdm import tqdm
    except ImportError:
        return ids
    return tqdm(ids, unit="event", disable=None)
