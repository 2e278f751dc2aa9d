"""The audit: count the seats again from the registrations, find what disagrees, and mend it.

The rules of the seats keep everything equal by themselves, and whatever a process leaves undone is done by the next one
that meets it. So an audit finds nothing but such remains, unless somebody changed the tables by hand, restored an old
copy, or found a defect.

It is safe beside live traffic. A look counts only if the seats stood still while it was taken, and a finding only if a
second such look, a pause later, shows it again: a transaction just being written may be visible in one item and not yet
in the other. It is mended under the condition that what was seen is still so.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from events.models import EventItem
from eventsite.dynamodb.retries import Conflict, time_limit
from eventsite.errors import Unavailable
from eventsite.ids import is_id
from registrations.audit import checks
from registrations.audit.checks import SAFE, Finding, Identity
from registrations.audit.repairs import Cure
from registrations.audit.snapshot import Traces, census, event_ids, take_snapshot

PAUSE_SECONDS = 0.2
"""Between two looks: far longer than a transaction takes to be visible everywhere."""
LOOKS = 10
ROUNDS = 6
"""Mending one thing may bring another to light: a corrected counter, a free seat."""
CURE_SECONDS = 20.0
UNSETTLED = "unsettled"


def run(ids: Iterable[str], traces: dict[str, Traces], *, repair: bool = False) -> Iterator[Finding]:
    """Audit events one by one.

    Takes: their ids; a census; whether to mend what can be mended.
    Returns: the findings as they come; stop asking, and it stops.
    Raises: `errors.Unavailable`.
    """
    for event_id in ids:
        found = traces.get(event_id, Traces())
        yield from mend(event_id, found) if repair else examine(event_id, found)


def is_known(event_id: str, traces: dict[str, Traces]) -> bool:
    """Whether anything at all is stored under an id."""
    return event_id in traces or (is_id(event_id) and any(EventItem.query(event_id, consistent_read=True, limit=1)))


def taken(counting: Iterable[dict[str, Traces]]) -> dict[str, Traces]:
    """The census, once it is whole."""
    found: dict[str, Traces] = {}
    for found in counting:  # noqa: B007 (the last one is the whole)
        pass
    return found


def known_ids(traces: dict[str, Traces]) -> list[str]:
    """The ids of all events, and of those of which only registrations are left."""
    return list(dict.fromkeys([*event_ids(), *traces]))


def examine(event_id: str, traces: Traces | None = None) -> list[Finding]:
    """What is wrong with one event and its registrations; nothing is changed.

    Takes: its id; what a census has found of it (None: one is taken).
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


def mend(event_id: str, traces: Traces | None = None, *, only_safe: bool = False) -> list[Finding]:
    """Mend what is wrong with one event.

    Takes: as `examine`; whether to mend only what needs no judgement.
    Returns: all that was found, and of each whether it is mended now.
    """
    if traces is None:
        traces = taken(census([event_id])).get(event_id, Traces())
    found: dict[tuple[str, str], Finding] = {}
    left = examine(event_id, traces)
    for _ in range(ROUNDS):
        found = {(finding.kind, finding.subject): finding for finding in left} | found
        cures = [finding.repair for finding in left if finding.repair and (finding.kind in SAFE or not only_safe)]
        if not cures:
            break
        for cure in cures:
            _try(cure)
        left = examine(event_id, traces)
    still_wrong = {(finding.kind, finding.subject) for finding in left}
    certain = all(finding.kind != UNSETTLED for finding in left)
    return [replace(finding, mended=certain and subject not in still_wrong) for subject, finding in found.items()]


def _try(cure: Cure) -> None:
    """Do it if it can be done now; whatever else is wrong with the event may be in its way until the next round."""
    try:
        with time_limit(CURE_SECONDS):
            cure()
    except (Conflict, Unavailable):
        pass
