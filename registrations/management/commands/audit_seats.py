"""``manage.py audit_seats``: recount the seats from the rows, report differences, and repair them on request."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eventsite.management.operating import OperatorCommand, with_bar
from eventsite.text.humanize import counted
from registrations.audit import runner
from registrations.audit.findings import Finding
from registrations.audit.snapshot import Traces, census


class Command(OperatorCommand):
    """Audits events. The exit status is 1 if a finding is left, or if DynamoDB does not answer."""

    help = "Recounts the seats from the rows and reports differences. Safe while the service runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("events", nargs="*", metavar="EVENT", help="ids; without any, all events")
        parser.add_argument("--repair", action="store_true", help="repair each difference, if it is still there")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [self._reported(finding) for finding in self._audit(options["events"], repair=options["repair"])]
        wrong = [finding for finding in findings if not (finding.harmless or finding.repaired)]
        if wrong:
            things = counted(len(wrong), "thing is wrong", "things are wrong")
            raise CommandError(f"Audited {counted(self._audited, 'event')}: {things}.")
        self.stdout.write(f"Audited {counted(self._audited, 'event')}: all is well.")

    def _audit(self, named: list[str], *, repair: bool) -> Iterator[Finding]:
        traces: dict[str, Traces] = {}
        census(traces, named)
        if unknown := [event_id for event_id in named if not runner.is_known(event_id, traces)]:
            raise CommandError(f"There is no event with this id: {', '.join(unknown)}.")
        ids = list(dict.fromkeys(named)) or runner.known_ids(traces)
        self._audited = len(ids)
        for event_id in with_bar(ids, "event"):
            yield from (runner.repair_event if repair else runner.examine)(event_id, traces.get(event_id, Traces()))

    def _reported(self, finding: Finding) -> Finding:
        note = " Repaired." if finding.repaired else " (harmless)" if finding.harmless else ""
        self.stdout.write(f"{finding.event_id}: {finding.sentence}{note}")
        return finding
