"""The audit that runs every night on Lambda: `events` in zappa_settings.json calls it."""

import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.errors import Unavailable
from eventsite.web import observability
from registrations.audit import runner
from registrations.audit.checks import Finding
from registrations.audit.snapshot import Traces, census, event_ids

logger = logging.getLogger(__name__)

LEAVES_SECONDS = 4.0
"""What the audit leaves of the Lambda's time: a call that was begun may last that long."""
ONE_EVENT_SECONDS = 2.0
"""With less than that left, no other event is begun. One that needs more is cut off; each mend is one write."""
CENSUS_SHARE = 0.5
"""How much of the time may go into reading all registrations. The events' lists tell of those that are not reached."""


@dataclass
class Tally:
    """What a night's audit did."""

    audited: int = 0
    mended: int = 0
    wrong: int = 0
    unfinished: int = 0


def audit(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Recount the seats of all events, mend what is safe to mend and report the rest, while the Lambda's time lasts.

    Takes: the schedule's event; the Lambda's context.
    Returns: how many events were audited, how many things were mended, and how many are wrong. The metrics are
    `AuditMended`, `AuditFindings`, which must be 0, and `AuditUnfinished`, 1 when time ran out.
    """
    tally = Tally()
    try:
        with time_limit(context.get_remaining_time_in_millis() / 1000 - LEAVES_SECONDS):
            for finding in _findings(tally):
                _count(tally, finding)
    except Unavailable:
        tally.unfinished = 1
    observability.count("AuditMended", tally.mended)
    observability.count("AuditFindings", tally.wrong)
    observability.count("AuditUnfinished", tally.unfinished)
    observability.publish()
    return dict(vars(tally))


def _findings(tally: Tally) -> Iterator[Finding]:
    """The findings of one event after another, in a new order every night. Raises: `Unavailable` when time is up."""
    traces, ids = _census(tally), list(event_ids())
    everything = list(dict.fromkeys([*ids, *traces]))
    random.shuffle(everything)
    for event_id in everything:
        if time_left() < ONE_EVENT_SECONDS:
            tally.unfinished = 1
            return
        yield from runner.mend(event_id, traces.get(event_id, Traces()), only_safe=True)
        tally.audited += 1


def _census(tally: Tally) -> dict[str, Traces]:
    """As much of a census as there is time for."""
    traces: dict[str, Traces] = {}
    until = time_left() * (1 - CENSUS_SHARE)
    for so_far in census():
        traces = so_far
        if time_left() < until:
            tally.unfinished = 1
            break
    return traces


def _count(tally: Tally, finding: Finding) -> None:
    told = {"event_id": finding.event_id, "kind": finding.kind}
    if finding.mended:
        tally.mended += 1
        logger.warning("audit mended", extra=told)
    elif not finding.harmless:
        tally.wrong += 1
        logger.error("audit", extra=told)
