"""The audit: count the seats again from the rows, find what disagrees, and mend it.

The rules of the seats (`registrations.seating`) keep counters and rows equal by themselves, so an audit finds
nothing, unless somebody changed the tables by hand, restored an old copy, or found a defect.

It is safe beside live traffic. Rows and counters are read one after the other, so traffic in between makes them
look different. Therefore a difference counts only when the rows, read once more after the counters, are still the
same, so that both belong to one moment (no row returns to an earlier state unnoticed: every standing carries its
time); and when a second such look, a pause later, shows the same difference (a transaction just being committed
may be visible in one item and not yet in the other). It is mended by a transaction like any other, under the
condition that what was seen is still so.

A full audit reads both tables completely, by Scan; that is its job, and no request ever does it.
"""

import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.models import OPEN_STATUSES, Event, EventItem, Seats
from eventsite import clock
from eventsite.dynamodb.records import Record
from eventsite.dynamodb.transactions import Transaction
from eventsite.ids import is_id
from registrations import seating
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration

STATUSES = (REGISTERED, WAITLISTED, CANCELLED)
PAUSE_SECONDS = 0.2
"""Between two looks: far longer than a transaction takes to be visible everywhere."""
LOOKS = 10
ROUNDS = 5
"""Mending one thing may bring another to light: a corrected counter, a free seat."""
LOST = "(lost)"
UNSETTLED = "unsettled"
Identity = tuple[str, str, int]
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
_STANDING = re.compile(rf"(registered)#({_TIME})(?:#({_TIME}))?|(waitlisted|cancelled)#({_TIME})")


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be."""

    event_id: str
    kind: str
    sentence: str
    user_id: str = ""
    harmless: bool = False
    """Nobody's seat is affected; worth a line, not an alarm."""
    mend: Callable[[], object] | None = field(default=None, repr=False, compare=False)
    """Mends it, under the condition that it is still so; None where only people can decide."""
    mended: bool = False

    by: int = 0
    """How much it is off by. Traffic changes the figures in the sentence, but never this."""

    @property
    def identity(self) -> Identity:
        """What tells it from other findings about the same event."""
        return self.kind, self.user_id, self.by


class Row(NamedTuple):
    """A registration as it is stored, however damaged."""

    user_id: str
    standing: str | None
    registration_id: str | None
    registered_at: str | None
    promoted_at: str | None
    cancelled_at: str | None

    @property
    def status(self) -> str:
        """The first word of the standing."""
        return (self.standing or "").partition("#")[0]

    @property
    def since(self) -> str:
        """The rest of the standing: a time, or two."""
        return (self.standing or "").partition("#")[2]

    def unchanged(self) -> Condition:
        """The row is still what it was seen to be."""
        return _still(Registration.standing, self.standing)


@dataclass(frozen=True)
class Look:
    """Everything that the tables hold about one event."""

    event_id: str
    event: dict[str, Any] | None
    seats: dict[str, Any] | None
    rows: tuple[Row, ...]

    def having(self, status: str) -> list[Row]:
        """The rows of one status."""
        return [row for row in self.rows if row.status == status]


def event_ids() -> Iterator[str]:
    """The ids of all events, page by page, and then the ids for which there are only registrations."""
    seen: set[str] = set()
    halves = EventItem.scan(attributes_to_get=["eventId", "item"])
    rows = Registration.scan(attributes_to_get=["eventId"])
    for records in (halves, rows):
        for record in records:
            if record.event_id not in seen and is_id(record.event_id):  # the rest are markers of idempotency keys
                seen.add(record.event_id)
                yield record.event_id


def run(ids: Iterable[str] | None = None, *, repair: bool = False) -> Iterator[Finding]:
    """Audit events one by one.

    Takes: the ids (None: all there are); whether to mend what can be mended.
    Returns: the findings as they come; stop asking, and it stops.
    Raises: `errors.Unavailable`.
    """
    for event_id in event_ids() if ids is None else ids:
        yield from mend(event_id) if repair else examine(event_id)


def examine(event_id: str) -> list[Finding]:
    """What is wrong with one event and its registrations; nothing is changed."""
    suspected: set[Identity] = set()
    for _ in range(LOOKS):
        seen = look(event_id)
        found = list(differences(seen))
        if not found:
            return []
        if _rows(event_id) == seen.rows:
            if confirmed := [finding for finding in found if finding.identity in suspected]:
                return confirmed
            suspected = {finding.identity for finding in found}
        time.sleep(PAUSE_SECONDS)
    return [Finding(event_id, UNSETTLED, "It changes too fast to be judged; audit it again later.", harmless=True)]


def mend(event_id: str) -> list[Finding]:
    """Mend what is wrong with one event. Returns: all that was found, and of each whether it is mended now."""
    found: dict[tuple[str, str], Finding] = {}
    left = examine(event_id)
    for _ in range(ROUNDS):
        found = {(finding.kind, finding.user_id): finding for finding in left} | found
        cures = [finding.mend for finding in left if finding.mend]
        if not cures:
            break
        for cure in cures:
            cure()
        left = examine(event_id)
    still_wrong = {(finding.kind, finding.user_id) for finding in left}
    certain = all(finding.kind != UNSETTLED for finding in left)
    return [replace(finding, mended=certain and subject not in still_wrong) for subject, finding in found.items()]


def look(event_id: str) -> Look:
    """Read everything about one event, strongly consistent."""
    rows = _rows(event_id)  # before the counters; whoever wants to be certain reads them again after these
    halves = {half.item: dict(half.attribute_values) for half in EventItem.query(event_id, consistent_read=True)}
    return Look(event_id, halves.get(Event.ITEM), halves.get(Seats.ITEM), rows)


def _rows(event_id: str) -> tuple[Row, ...]:
    return tuple(_stored(row) for row in Registration.query(event_id, consistent_read=True))


def _stored(registration: Registration) -> Row:
    return Row._make(registration.attribute_values.get(name) for name in Row._fields)


def differences(seen: Look) -> Iterator[Finding]:
    """All that is wrong in one look."""
    if seen.event is None and seen.seats is None:
        yield from _of_no_event(seen)
        return
    if seen.event is None or seen.seats is None:
        yield from _half_missing(seen)
    else:
        yield from _halves_at_odds(seen.event_id, seen.event, seen.seats)
    yield from _damaged_rows(seen)
    yield from _doubles(seen)
    unreadable = any(row.status not in STATUSES for row in seen.rows)
    if seen.seats and not unreadable:  # nothing can be counted before it is clear what each row is
        yield from _miscounted(seen, seen.seats)
        yield from _queue_at_odds(seen, seen.seats)
        yield from _idle_seats(seen, seen.seats)


# Rows and counters.


def _miscounted(seen: Look, seats: dict[str, Any]) -> Iterator[Finding]:
    for counter, status in ((Seats.registered, REGISTERED), (Seats.waiting, WAITLISTED)):
        name = "registered" if status == REGISTERED else "waiting"
        counted, rows = seats.get(name), len(seen.having(status))
        if counted != rows:
            sentence = f"The counter says that {counted} are {name}; the rows say {rows}."
            change = _update(Seats.key(seen.event_id), [counter.set(rows)], _still(counter, counted))
            yield Finding(seen.event_id, f"{name}_count", sentence, mend=change, by=(counted or 0) - rows)


def _idle_seats(seen: Look, seats: dict[str, Any]) -> Iterator[Finding]:
    free = (seats.get("capacity") or 0) - len(seen.having(REGISTERED))
    waiting = len(seen.having(WAITLISTED))
    if seats.get("open") and free > 0 and waiting > 0:
        sentence = f"{free} seats are free while {waiting} people wait."
        yield Finding(seen.event_id, "idle_seats", sentence, mend=lambda: seating.fill(seen.event_id), by=free)


def _queue_at_odds(seen: Look, seats: dict[str, Any]) -> Iterator[Finding]:
    """Who joins next must come last, and no two people may have the same place."""
    places = [row.since for row in seen.having(WAITLISTED)]
    last, clock_says = max(places, default=""), seats.get("last_joined_at") or ""
    if last > clock_says:
        sentence = f"Somebody joined the queue at {last}, after the last one on record ({clock_says or 'nobody'})."
        change = _update(
            Seats.key(seen.event_id),
            [Seats.last_joined_at.set(last)],
            _still(Seats.last_joined_at, seats.get("last_joined_at")),
        )
        yield Finding(seen.event_id, "queue_clock", sentence, mend=change)
    for place, count in Counter(places).items():
        if count > 1:
            yield _shared_place(seen, place, count)


def _shared_place(seen: Look, place: str, count: int) -> Finding:
    """Two people at one place: all but the first move on, each by the least that is free."""
    sharing = [row for row in seen.having(WAITLISTED) if row.since == place]
    taken = {row.since for row in seen.having(WAITLISTED)}

    def cure() -> None:
        free = place
        for row in sorted(sharing)[1:]:
            while free in taken:
                free = clock.after(free)
            taken.add(free)
            standing = f"{WAITLISTED}#{free}"
            actions = [Registration.standing.set(standing), Registration.registered_at.set(free)]
            _update(Registration(seen.event_id, row.user_id), actions, row.unchanged())()

    return Finding(seen.event_id, "shared_place", f"{count} people have the same place in the queue.", place, mend=cure)


# Single rows.


def _damaged_rows(seen: Look) -> Iterator[Finding]:
    for row in seen.rows:
        right = _as_standing_says(row) or _as_times_say(seen, row)
        if right != row:
            sentence = f"The registration of {row.user_id} contradicts itself: {row.standing}, with other times."
            yield Finding(seen.event_id, "damaged_row", sentence, row.user_id, mend=_rewrite(seen, row, right))


def _as_standing_says(row: Row) -> Row | None:
    """The row with the times that follow from its standing, which decides; None when that is no standing at all."""
    parts = _STANDING.fullmatch(row.standing or "")
    if parts is None:
        return None
    _, since, joined, status, moment = parts.groups()
    if status == CANCELLED:
        return row._replace(cancelled_at=moment, registered_at=row.registered_at or moment)
    if status == WAITLISTED:
        return row._replace(registered_at=moment, promoted_at=None, cancelled_at=None)
    return row._replace(registered_at=joined or since, promoted_at=since if joined else None, cancelled_at=None)


def _as_times_say(seen: Look, row: Row) -> Row:
    """The row with the standing that follows from its times, and where these leave it open, from the counters."""
    asked = row.registered_at or row.promoted_at or row.cancelled_at or clock.now()
    holds_seat = ((seen.seats or {}).get("registered") or 0) > len(seen.having(REGISTERED))
    if row.cancelled_at:
        standing = f"{CANCELLED}#{row.cancelled_at}"
    elif row.promoted_at:
        standing = f"{REGISTERED}#{row.promoted_at}#{asked}"
    else:
        standing = f"{REGISTERED if holds_seat else WAITLISTED}#{asked}"
    return row._replace(standing=standing, registered_at=asked)


def _rewrite(seen: Look, row: Row, right: Row) -> Callable[[], object]:
    names = ("standing", "registered_at", "promoted_at", "cancelled_at")
    changed = {name: getattr(right, name) for name in names if getattr(right, name) != getattr(row, name)}
    attributes: dict[str, Any] = {name: getattr(Registration, name) for name in changed}
    actions = [attributes[name].set(value) if value else attributes[name].remove() for name, value in changed.items()]
    return _update(Registration(seen.event_id, row.user_id), actions, row.unchanged())


def _doubles(seen: Look) -> Iterator[Finding]:
    """A registration's id belongs to one user alone. A user cannot have two rows: the key forbids it."""
    owners: set[str] = set()
    for row in sorted(seen.rows, key=lambda row: (row.registered_at or "", row.user_id)):
        if not row.registration_id or row.registration_id in owners:
            sentence = f"The registration of {row.user_id} has no id of its own."
            actions = [Registration.registration_id.set(str(uuid.uuid4()))]
            still = row.unchanged() & _still(Registration.registration_id, row.registration_id)
            change = _update(Registration(seen.event_id, row.user_id), actions, still)
            yield Finding(seen.event_id, "double", sentence, row.user_id, mend=change)
        owners.add(row.registration_id or "")


# Whole events.


def _of_no_event(seen: Look) -> Iterator[Finding]:
    """Registrations for an event that is not there. Cancelled ones are what a deletion that was cut off leaves."""
    if not seen.rows:
        sentence = "There is no event with this id, and no registration for it."
        yield Finding(seen.event_id, "unknown", sentence, harmless=True)
    for row in seen.rows:
        sentence = f"{row.user_id} is {row.status} for an event that does not exist."
        transaction = Transaction()
        transaction.check("seats", Seats, seen.event_id, Seats.event_id.does_not_exist(), Seats.ITEM)
        transaction.delete("row", Registration(seen.event_id, row.user_id), row.unchanged())
        harmless = row.status == CANCELLED
        yield Finding(seen.event_id, "no_event", sentence, row.user_id, harmless=harmless, mend=transaction.commit)


def _half_missing(seen: Look) -> Iterator[Finding]:
    if seen.event:
        sentence = "It has no seats. (Mended, its capacity is the number of people who have one: set it anew.)"
        lost: EventItem = _seats_again(seen, seen.event)
    else:
        sentence = f"It has no description. (Mended, its texts read {LOST}: write them anew.)"
        lost = _description_again(seen.seats or {})
    transaction = Transaction()
    transaction.put("lost", lost, type(lost).event_id.does_not_exist())
    yield Finding(seen.event_id, "half_missing", sentence, mend=transaction.commit)


def _seats_again(seen: Look, event: dict[str, Any]) -> Seats:
    registered, waiting = seen.having(REGISTERED), seen.having(WAITLISTED)
    seats = Seats(
        seen.event_id,
        Seats.ITEM,
        capacity=len(registered),
        waitlist_enabled=bool(waiting),
        open=event["status"] in OPEN_STATUSES,
        registered=len(registered),
        waiting=len(waiting),
        last_joined_at=max((row.since for row in waiting), default=""),
    )
    seats.set_index_keys(date=event["date"], status=event["status"], organizer_id=event.get("organizer_id"))
    return seats


def _description_again(seats: dict[str, Any]) -> Event:
    date, now = seats["sort"].partition("#")[0], clock.now()
    event = Event(seats["event_id"], Event.ITEM, version=1, created_at=now, updated_at=now, date=date)
    event.title = event.description = event.location = event.organizer = LOST
    event.set_index_keys(date=date, status=seats["status"], organizer_id=seats.get("organizer_id"))
    return event


def _halves_at_odds(event_id: str, event: dict[str, Any], seats: dict[str, Any]) -> Iterator[Finding]:
    """The index keys of both halves, and whether the event is open, follow from the description."""
    keys = Event.key(event_id), Seats.key(event_id)
    for half in keys:
        half.set_index_keys(date=event["date"], status=event["status"], organizer_id=event.get("organizer_id"))
    is_open = event["status"] in OPEN_STATUSES
    at_odds = seats.get("open") != is_open or any(
        half.attribute_values[name] != stored.get(name)
        for half, stored in zip(keys, (event, seats), strict=True)
        for name in ("status", "sort", "organizer_id", "organizer_status")
        if half.attribute_values.get(name)
    )
    if at_odds:
        transaction = Transaction()
        transaction.update("event", keys[0], keys[0].index_key_updates(), Event.version == event["version"])
        opening = [*keys[1].index_key_updates(), Seats.open.set(is_open)]
        transaction.update("seats", keys[1], opening, Seats.event_id.exists())
        sentence = f"Its two halves disagree about its place in the lists, or whether it is {event['status']}."
        yield Finding(event_id, "halves_at_odds", sentence, mend=transaction.commit)


def _still(attribute: Attribute[Any], value: Any) -> Condition:
    """The attribute is what it was seen to be. One that is missing was seen as its default."""
    if value is None:
        return attribute.does_not_exist()
    same: Condition = attribute == value
    return same | attribute.does_not_exist() if value == attribute.default else same


def _update(record: Record, actions: Sequence[Action], condition: Condition) -> Callable[[], object]:
    """A change that is made when it is called for, unless its condition fails by then."""
    transaction = Transaction()
    transaction.update("it", record, actions, condition)
    return transaction.commit
