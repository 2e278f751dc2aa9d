"""What in a soak's calls cannot be. Each check is sound: it only finds what no order of the calls explains.

A call whose answer is unknown may have been executed at any later time of its round: a lock that it left is
broken by any request that meets it.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tests.registrations.auditing import Stored
from tests.soak.load import BRIEF, CAPACITY, FIXED, UNKNOWN, Call

JOINED = {"registered", "waitlisted"}
REFUSED = {"already_registered", "event_full", "registration_closed", "registration_not_open"}
POSSIBLE = {
    "register": JOINED | REFUSED,
    "keyed": JOINED | REFUSED | {"cancelled"},  # it was cut off, and the user left before it came again
    "leave": {"200", "registration_not_found"},
    "place": {"200", "registration_not_found"},
    "check_in": {"200", "registration_not_found", "not_registered"},
    "check_out": {"200", "registration_not_found", "not_registered"},
    "people": {"200"},
    "event": {"200"},
    "history": {"200"},
    "waitlists": {"200"},
    "edit": {"200", "validation_error"},  # one's window opens after another's has closed
    "delete": {"204", "event_has_registrations"},
    "create": {"published", "event_exists"},
}
CHANGING = ("register", "keyed", "leave")


def of_answers(calls: Iterable[Call]) -> Iterator[str]:
    """Return the faults of an answer by itself."""
    for call in calls:
        if call.status in UNKNOWN:
            continue
        allowed = POSSIBLE[call.kind] | ({"event_not_found"} if call.event in BRIEF else set())
        if call.word not in allowed:
            yield f"{call.kind} was answered {call.status} {call.word}: {call.as_json()}"
        elif any(one != [call.status, call.document] for one in call.again):
            yield f"one key, two answers: {call.as_json()}"
        elif call.status == 200:
            yield from _of_document(call)


def _of_document(call: Call) -> Iterator[str]:
    if call.kind == "people":
        rows = call.document
        queue = [row["waitlistPosition"] for row in rows if row["status"] == "waitlisted"]
        seated = [row for row in rows if row["status"] == "registered"]
        if queue != list(range(1, len(queue) + 1)) or rows[: len(seated)] != seated:
            yield f"a list is out of order: {call.as_json()}"
        if call.event in FIXED and len(seated) > CAPACITY[call.event]:
            yield f"oversold: {call.as_json()}"
        if len({row["userId"] for row in rows}) < len(rows):
            yield f"somebody is listed twice: {call.as_json()}"
    if call.kind == "event" and call.event in FIXED and call.document["registeredCount"] > CAPACITY[call.event]:
        yield f"oversold: {call.as_json()}"


def of_edits(calls: Iterable[Call]) -> Iterator[str]:
    """Return the answers to edits that show neither what was sent nor what another edit sent meanwhile.

    An edit answers the event as it is by then, so another one may have come between its write and its answer.
    """
    edits = [call for call in calls if call.kind == "edit"]
    for call in edits:
        if call.status == 200:
            others = [one for one in edits if one is not call and one.event == call.event and _overlap(one, call)]
            for name, value in call.sent.items():
                shown = call.document[name]
                if shown != value and shown not in [one.sent[name] for one in others if name in one.sent]:
                    yield f"an edit shows a {name} that no request sent: {call.as_json()}"


def _overlap(one: Call, call: Call) -> bool:
    return one.start < call.end and (one.status in UNKNOWN or one.end > call.start)


def of_registrations(calls: list[Call], kept: dict[str, Stored]) -> Iterator[str]:
    """Return the answers about a user that contradict the only possible last change.

    `kept`: the events at the end, when everything is settled.
    """
    of_pair: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in calls:
        if call.kind in (*CHANGING, "place"):
            of_pair[call.event, call.user].append(call)
    for (event, user), own in of_pair.items():
        changes = sorted((_change(call) for call in own if _changed(call)), key=lambda change: change.start)
        for call in own:
            last = _last_before(call.start, call.end, [one for one in changes if one.call is not call])
            if last and not _agrees(call, last):
                yield f"after {last.as_json()} came {call.as_json()}"
        last = _last_before(math.inf, math.inf, changes)
        active = [str(item.registration_id) for item in kept[event].active if item.user_id == user]
        if last and active != ([last.document["registrationId"]] if last.status == 201 else []):
            yield f"after {last.as_json()} there is {active}"


class _Change(NamedTuple):
    start: float
    end: float
    call: Call


def _changed(call: Call) -> bool:
    """Whether a call changed a registration, or may have."""
    return call.kind in CHANGING and (call.status in UNKNOWN or call.status in (200, 201))


def _change(call: Call) -> _Change:
    return _Change(call.start, math.inf if call.status in UNKNOWN else call.end, call)


def _last_before(start: float, end: float, changes: list[_Change]) -> Call | None:
    """The change that was the last one before a call, if that is certain: nothing else overlaps either of them."""
    before = [one for one in changes if one.start < end]
    if not before:
        return None
    last = max(before, key=lambda one: one.start)
    others = [one for one in before if one is not last]
    alone = last.end < start and all(one.end < last.start for one in others)
    return last.call if alone and last.call.status not in UNKNOWN else None


def _agrees(call: Call, last: Call) -> bool:
    if call.status in UNKNOWN or call.word == "event_not_found":  # a user's registration keeps an event from deletion
        return call.status in UNKNOWN or last.kind == "leave"
    has = last.kind != "leave"
    if call.kind == "place":
        told = call.document if call.status == 200 else {"status": "cancelled"}
        return (told["status"] != "cancelled") == has and (not has or _same(told, last.document))
    if call.kind == "leave":
        return (call.status == 200) == has
    return (call.word == "already_registered") == has


def _same(told: Any, registered: Any) -> bool:
    return bool(told["registrationId"] == registered["registrationId"])


class Seen(NamedTuple):
    """A registration as an answer showed it."""

    start: float
    end: float
    id: str
    event: str
    rank: float
    """0: a seat; else the place in the queue; infinite: cancelled."""
    document: Any


def seen(calls: Iterable[Call]) -> Iterator[Seen]:
    """Every registration in every answer. Replayed answers of keyed requests are left out."""
    for call in calls:
        rows = [call.document] if call.kind in ("place", "register") else call.document if call.kind == "people" else []
        if call.kind == "waitlists" and call.status == 200:
            rows = [one["registration"] for one in call.document]
        for row in rows if call.status in (200, 201) else []:
            rank = {"registered": 0, "cancelled": math.inf}.get(row["status"], row["waitlistPosition"])
            yield Seen(call.start, call.end, row["registrationId"], row["eventId"], rank, row)


def of_queues(told: list[Seen]) -> Iterator[str]:
    """Nobody's place gets worse, nobody loses a seat but by leaving, and no time of joining changes."""
    by_id = _by_id(told)
    for own in by_id.values():
        if len({one.document["registeredAt"] for one in own}) > 1:
            yield f"registeredAt changed: {[one.document for one in own]}"
        best: Seen | None = None
        for start, one in sorted([(one.start, one) for one in own], key=lambda pair: pair[0]):
            finished = [before for before in own if before.end < start]
            best = _extreme(finished)
            if best and (one.rank > best.rank if one.rank < math.inf else False):
                yield f"first {best}, then {one}"
            if any(before.rank == math.inf for before in finished) and one.rank < math.inf:
                yield f"cancelled, and then {one}"


def _extreme(found: list[Seen]) -> Seen | None:
    return min(found, key=lambda one: one.rank, default=None)


def _by_id(told: Iterable[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = defaultdict(list)
    for one in told:
        found[one.id].append(one)
    return found


def of_order(calls: list[Call], told: list[Seen], kept: Stored) -> Iterator[str]:
    """A user answered before another asked has the lower ticket, and the seat first."""
    tickets = {str(item.registration_id): int(item.ticket) for item in (*kept.tickets, *kept.history) if item.ticket}
    joined = [call for call in calls if call.kind in ("register", "keyed") and call.status == 201]
    asked = sorted(
        (call.end, call.start, tickets[call.document["registrationId"]])
        for call in joined
        if call.document["registrationId"] in tickets
    )
    for _, start, ticket in asked:
        later = [other for end, _, other in asked if end < start and other >= ticket]
        if later:
            yield f"ticket {ticket} was asked for after {later} had been given"
    yield from of_overtaking([one for one in told if one.id in tickets], tickets)


def of_overtaking(told: list[Seen], tickets: dict[str, int]) -> Iterator[str]:
    """Nobody is seen waiting once somebody with a later ticket was seen seated."""
    seated = sorted((one for one in told if one.rank == 0), key=lambda one: one.end)
    waiting = sorted((one for one in told if 0 < one.rank < math.inf), key=lambda one: one.start)
    following, highest = iter(seated), None
    upcoming = next(following, None)
    for one in waiting:
        while upcoming and upcoming.end < one.start:
            if highest is None or tickets[upcoming.id] > tickets[highest.id]:
                highest = upcoming
            upcoming = next(following, None)
        if highest and tickets[highest.id] > tickets[one.id]:
            yield f"{highest} overtook {one}"
