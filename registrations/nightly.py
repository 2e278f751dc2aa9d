"""The audit that runs every night on Lambda, called by `events` in zappa_settings.json."""

import logging
import random
from collections.abc import Iterator
from typing import Any

from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.errors import Unavailable
from eventsite.web import observability
from registrations.audit import runner
from registrations.audit.findings import Finding
from registrations.audit.snapshot import Traces, census

logger = logging.getLogger(__name__)

RESERVED_SECONDS = 4.0  # seconds of the Lambda's time that stay unused: the last DynamoDB call may take that long
ONE_EVENT_SECONDS = 2.0  # seconds; with fewer left, no event is begun; a longer one is cut off; a repair is one write
CENSUS_SHARE = 0.5  # of the time, to read all registrations; the events' own lists show those that are not reached


def audit(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Recount the seats of all events, make the safe repairs and report the rest, while the Lambda's time lasts.

    The metrics are `AuditMended`, `AuditFindings` (which must be 0), and `AuditUnfinished` (1 when time ran out).

    Returns:
        The numbers of events audited, of repairs, of findings that need an operator, and 1 if time ran out.
    """
    tally = dict.fromkeys(("audited", "repaired", "wrong", "unfinished"), 0)
    try:
        with time_limit(context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS):
            for finding in _findings(tally):
                _count(tally, finding)
    except Unavailable:
        tally["unfinished"] = 1
    observability.count("AuditMended", tally["repaired"])
    observability.count("AuditFindings", tally["wrong"])
    observability.count("AuditUnfinished", tally["unfinished"])
    observability.publish()
    return tally


def _findings(tally: dict[str, int]) -> Iterator[Finding]:
    """Yield the findings of all events, in a random order each night."""
    traces: dict[str, Traces] = {}
    if not census(traces, reserved_seconds=time_left() * (1 - CENSUS_SHARE)):
        tally["unfinished"] = 1
    ids = runner.known_ids(traces)
    random.shuffle(ids)
    for event_id in ids:
        if time_left() < ONE_EVENT_SECONDS:
            tally["unfinished"] = 1
            return
        yield from runner.repair_event(event_id, traces.get(event_id, Traces()), only_safe=True)
        tally["audited"] += 1


def _count(tally: dict[str, int], finding: Finding) -> None:
    about = {"event_id": finding.event_id, "kind": finding.kind}
    if finding.repaired:
        tally["repaired"] += 1
        logger.warning("audit repaired", extra=about)
    elif not finding.harmless:
        tally["wrong"] += 1
        logger.error("audit", extra=about)
