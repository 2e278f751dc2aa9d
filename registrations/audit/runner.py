"""Audit events: compare the seats with the registrations, report inconsistencies and repair them.

The protocol keeps the items consistent by itself, and the next request finishes what a crashed process left. So an
audit finds only such leftovers, unless an operator changed the tables by hand or restored a backup, or the code has a
defect.

It is safe beside live traffic. A snapshot counts only if the seats did not change while it was taken. A finding counts
only if a second snapshot after a pause shows it again, because a transaction may be visible in one item before the
other. A repair has the condition that the snapshot is still true.
"""

import time
from contextlib import suppress
from dataclasses import replace

from events.models import EventItem
from eventsite.dynamodb.retries import FAILURES, Conflict, time_limit
from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import Unavailable, log_exception
from eventsite.ids import is_id
from registrations.audit import checks
from registrations.audit.checks import SAFE
from registrations.audit.findings import Finding, Identity
from registrations.audit.snapshot import Traces, event_ids, take_snapshot

PAUSE_SECONDS = 0.2  # seconds between two snapshots; a shorter pause might see the same torn transaction twice
LOOKS = 10  # snapshots; after that the event is reported as `UNSETTLED`
ROUNDS = 6  # of repairs; one may uncover the next finding, as a right counter uncovers a free seat
REPAIR_SECONDS = 20.0  # seconds for one repair
UNSETTLED, UNREADABLE = "unsettled", "unreadable"


def is_known(event_id: str, traces: dict[str, Traces]) -> bool:
    """Return True if anything is stored under an event id."""
    return event_id in traces or (is_id(event_id) and any(EventItem.query(event_id, consistent_read=True, limit=1)))


def known_ids(traces: dict[str, Traces]) -> list[str]:
    """Return the ids of all events, and of deleted events that left registrations behind."""
    return list(dict.fromkeys([*event_ids(), *traces]))


def examine(event_id: str, traces: Traces) -> list[Finding]:
    """Return the findings of one event, of which a census found the traces, without repairing them.

    Items that another program damaged are a finding too, so that the audit of the other events goes on.
    """
    try:
        return _examine(event_id, traces)
    except UnreadableItem:
        pass
    except FAILURES:
        raise
    except Exception as error:
        log_exception(error)
    return [Finding(event_id, UNREADABLE, "An item is not as this release writes it, and cannot be read.")]


def _examine(event_id: str, traces: Traces) -> list[Finding]:
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


def repair_event(event_id: str, traces: Traces, *, only_safe: bool = False) -> list[Finding]:
    """Repair one event, with `only_safe` only the kinds in `checks.SAFE`. Return all findings, each with `repaired`."""
    found: dict[tuple[str, str], Finding] = {}
    left = examine(event_id, traces)
    for _ in range(ROUNDS):
        found = {(finding.kind, finding.subject): finding for finding in left} | found
        wanted = [finding.repair for finding in left if finding.repair and (finding.kind in SAFE or not only_safe)]
        if not wanted:
            break
        for repair in wanted:
            with suppress(Conflict, Unavailable), time_limit(REPAIR_SECONDS):  # else the next round tries again
                repair()
        left = examine(event_id, traces)
    still_wrong = {(finding.kind, finding.subject) for finding in left}
    certain = all(finding.kind != UNSETTLED for finding in left)
    return [replace(finding, repaired=certain and subject not in still_wrong) for subject, finding in found.items()]
