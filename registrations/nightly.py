"""The audit that runs every night on Lambda: `events` in zappa_settings.json calls it."""

import logging
from typing import Any

from eventsite.web import observability
from registrations import audit as seats

logger = logging.getLogger(__name__)

LEAVES_MILLISECONDS = 5_000
"""The audit stops when so little of the Lambda's time is left: one event takes 2 s at most."""


def audit(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Recount the seats of all events, as long as the Lambda's time lasts; change nothing.

    Takes: the schedule's event; the Lambda's context. Returns: how many events were audited, and how many things
    are wrong. The metrics are `AuditFindings`, which must be 0, and `AuditUnfinished`, 1 when time ran out.
    """
    audited = wrong = unfinished = 0
    for event_id in seats.event_ids():
        if context.get_remaining_time_in_millis() < LEAVES_MILLISECONDS:
            unfinished = 1
            break
        findings = [finding for finding in seats.examine(event_id) if not finding.harmless]
        for finding in findings:
            logger.error("audit", extra={"event_id": event_id, "kind": finding.kind})
        audited, wrong = audited + 1, wrong + len(findings)
    observability.count("AuditFindings", wrong)
    observability.count("AuditUnfinished", unfinished)
    observability.publish()
    return {"audited": audited, "wrong": wrong, "unfinished": unfinished}
