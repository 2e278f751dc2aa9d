"""Audit events: compare the seats with the registrations, report inconsistencies and repair them.

The protocol keeps the items consistent by itself, and the next request finishes what a crashed process left. So an
audit finds only such leftovers, unless an operator changed the tables by hand or restored a backup, or the code has a
defect.

It is safe beside live traffic. A snapshot counts only if the seats did not change while it was taken. A finding counts
only if a second snapshot after a pause shows it again, because a transaction may be visible in one item before the
other. A repair has the condition that the snapshot is still true.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from events.models import EventItem
from eventsite.dynamodb.retries import Conflict, time_limit
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from registrations.audit import checks
from registrations.audit.checks import SAFE
from registrations.audit.findings import Finding, Identity
from registrations.audit.repairs import Repair
from registrations.audit.snapshot import Traces, census, event_ids, take_snapshot

PAUSE_SECONDS = 0.2  # seconds between two snapshots; a shorter pause might see the same torn transaction twice
LOOKS = 10  # snapshots; after that the event is reported as `UNSETTLED`
ROUNDS = 6  # of repairs; one may uncover the next finding, as a right counter uncovers a free seat
REPAIR_SECONDS = 20.0  # seconds for one repair
UNSETTLED = "unsettled"


def run(ids: Iterable[str], traces: dict[str, Traces], *, repair: bool = False) -> Iterator[Finding]:
    """Audit events one by one, and yield the findings of each as soon as it is audited.

    Args:
        ids: The ids of the events.
        traces: The result of `census`.
        repair: True to repair the findings that have a repair.
    """
    for event_id in ids:
        found = traces.get(event_id, Traces())
        yield from repair_event(event_id, found) if repair else examine(event_id, found)


def is_known(event_id: str, traces: dict[str, Traces]) -> bool:
    """Return True if anything is stored under an event id."""
    return event_id in traces or (is_id(event_id) and any(EventItem.query(event_id, consistent_read=True, limit=1)))


def taken(counting: Iterable[dict[str, Traces]]) -> dict[str, Traces]:
    """Run a census to its end and return the result."""
    return deque(counting, maxlen=1).pop()  # the last one is the whole


def known_ids(traces: dict[str, Traces]) -> list[str]:
    """Return the ids of all events, and of deleted events that left registrations behind."""
    return list(dict.fromkeys([*event_ids(), *traces]))


def examine(event_id: str, traces: Traces | None = None) -> list[Finding]:
    """Return the findings of one event without repairing them.

    Args:
        event_id: The event.
        traces: What a census found of it; None to run one.
    """
    if traces is None:
        traces = taken(census([event_id])).get(event_id, Traces())
    suspected: set[Identity] = set()
    for _ in range(LOOKS):
        seen = take_snapshot(event_id, traces)
        found = checks.differences(seen)
        if not found:
            return []
        if seen.still:
            if confirmed := [finding for finding in found if finding.identity in suspected]:
                return confirmed
            suspected = {finding.identity for finding in found}
        time.sleep(PAUSE_SECONDS)
    return [Finding(event_id, UNSETTLED, "It changes too fast to be judged; audit it again later.", harmless=True)]


def repair_event(event_id: str, traces: Traces | None = None, *, only_safe: bool = False) -> list[Finding]:
    """Repair one event.

    Args:
        event_id: The event.
        traces: What a census found of it; None to run one.
        only_safe: True to repair only the kinds in `checks.SAFE`.

    Returns:
        All findings, each with `repaired`.
    """
    if traces is None:
        traces = taken(census([event_id])).get(event_id, Traces())
    found: dict[tuple[str, str], Finding] = {}
    left = examine(event_id, traces)
    for _ in range(ROUNDS):
        found = {(finding.kind, finding.subject): finding for finding in left} | found
        wanted = [finding.repair for finding in left if finding.repair and (finding.kind in SAFE or not only_safe)]
        if not wanted:
            break
        for repair in wanted:
            _try(repair)
        left = examine(event_id, traces)
    still_wrong = {(finding.kind, finding.subject) for finding in left}
    certain = all(finding.kind != UNSETTLED for finding in left)
    return [replace(finding, repaired=certain and subject not in still_wrong) for subject, finding in found.items()]


def _try(repair: Repair) -> None:
    """Try a repair. If another inconsistency prevents it, the next round tries again."""
    try:
        with time_limit(REPAIR_SECONDS):
            repair()
    except (Conflict, Unavailable):
        pass
