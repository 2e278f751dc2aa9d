"""The notices of one record of the events table's stream (docs/notices.md).

Every change of a seat is one write of the seats, and every edit of an event is one write of its description. So the
two images of a record have everything except the owners of promoted tickets, which have to be read. A notice is a
CloudEvent 1.0. Its id is derived from the change, so it is the same if the record is delivered again.

    item             write     notices
    event            INSERT    event.created
                     MODIFY    event.cancelled for a cancellation, else event.changed if a field changed
                     REMOVE    event.deleted
    seats            MODIFY    a new log entry: registered, waitlisted or cancelled; a promotion: promoted, for each;
                               new settings: event.changed, if the capacity or the waitlist's switch changed
    the check-ins    any       checked_in, if the count rose
    the outbox       INSERT    cancelled, for each person who was registered or waiting when the event was deleted
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from events.ledger import log, operations
from events.ledger.log import LogEntry
from events.ledger.models import OF_A_DELETED_EVENT, CancellationOutbox, CheckIns, Seats
from events.models import IMPORTING, Event, EventItem
from events.services import DESCRIPTION, SETTINGS
from eventsite import clock
from eventsite.dynamodb.connection import RawItem
from registrations.models import CANCELLED, REGISTERED, standing
from registrations.notices.occasions import Notice
from registrations.notices.stream.holders import Holders

StreamRecord = dict[str, Any]
"""A record in the format of Lambda: ``{"eventName": …, "dynamodb": {"Keys": …, "OldImage": …, "NewImage": …}}``."""

PROMOTED, CHECKED_IN = "promoted", "checked_in"
CREATED, CHANGED, DELETED = "created", "changed", "deleted"

OF_THE_EVENT = ("event_id", *DESCRIPTION, "status", "organizer_id", "version", "created_at", "updated_at")
EDITABLE = (*DESCRIPTION, "status")
COUNTS = {"capacity": "capacity", "registeredCount": "registered", "waitlistCount": "waiting"}
SEQUENCE_DIGITS = 40
PART = 2000  # tickets whose owners are read and whose notices are published together


def as_for_lambda(record: Any) -> StreamRecord:
    """Convert a record from the API of DynamoDB Streams to the format of Lambda."""
    change = dict(record["dynamodb"])
    created: datetime = change["ApproximateCreationDateTime"]
    return {**record, "dynamodb": change | {"ApproximateCreationDateTime": created.timestamp()}}


@dataclass
class Change:
    """A record of the stream. One that promotes very many tickets has several parts."""

    at: str
    sequence: str
    old: Any
    new: Any
    """The item before and after the change; None if it was created or deleted, or has no notices."""
    promoted: range = range(0)
    """The tickets that it promoted, also those of users who had left the waitlist."""
    promoted_at: str = ""
    """The time of their promotion, or an empty string if no item has it."""

    @property
    def parts(self) -> int:
        """Return the number of parts, each with at most `PART` promotions."""
        return max(1, ceil(len(self.promoted) / PART))

    def part(self, number: int, holders: Holders) -> list[Notice]:
        """Return the notices of one part, by its 0-based number, in order."""
        first = list(_without_promotions(self.old, self.new, holders))
        numbered = list(enumerate(first)) if number == 0 else []
        if tickets := self.promoted[number * PART : (number + 1) * PART]:
            data = _counts(self.new) | {"status": REGISTERED}
            for ticket, user_id in holders(self.new, tickets).items():
                notice = _of_registration(self.new, user_id, ticket, PROMOTED, data, self.promoted_at)
                numbered.append((len(first) + ticket - self.promoted[0], notice))
        return [
            notice | {"time": notice["time"] or self.at, "sequence": f"{self.sequence}.{place:06}"}
            for place, notice in numbered
        ]


def read(record: StreamRecord) -> Change:
    """Parse a record of the stream with both images.

    Raises:
        Exception: It is no record of this service.
    """
    change = record["dynamodb"]
    item = change["Keys"]["item"]["S"]
    at = f"{datetime.fromtimestamp(float(change['ApproximateCreationDateTime']), UTC):%Y-%m-%dT%H:%M:%SZ}"
    sequence = str(change["SequenceNumber"]).zfill(SEQUENCE_DIGITS)
    old, new = (_parsed(item, change.get(name)) for name in ("OldImage", "NewImage"))
    promotion = _promotion(old, new) if isinstance(new, Seats) and old else ()
    return Change(at, sequence, old, new, *promotion)


def _parsed(item: str, image: RawItem | None) -> Any:
    """Return an item as its model, or None if there is none or its kind has no notices."""
    kind = CancellationOutbox if CancellationOutbox.is_named(item) else EventItem.kinds.get(item.partition("#")[0])
    return kind.parse(image) if kind and image else None


def notices(record: StreamRecord, holders: Holders) -> list[Notice]:
    """Return all notices of a record, in order."""
    change = read(record)
    return [notice for number in range(change.parts) for notice in change.part(number, holders)]


def knowing(records: Iterable[StreamRecord]) -> Holders:
    """Return a finder with the owners in the commit logs of some records."""
    holders = Holders()
    for record in records:
        with suppress(Exception):  # the handler reports a record that cannot be read
            if record["dynamodb"]["Keys"]["item"]["S"] == Seats.ITEM:
                holders.learn(Seats.parse(record["dynamodb"]["NewImage"]))
    return holders


def _without_promotions(old: Any, new: Any, holders: Holders) -> Iterator[Notice]:
    if isinstance(new or old, Event):
        yield from _of_the_event(old, new)
    elif isinstance(new, Seats) and old:
        yield from _of_the_seats(old, new, holders)
    elif isinstance(new, CancellationOutbox):
        yield from _of_an_outbox(new)
    elif isinstance(new, CheckIns):
        yield from _of_the_door(old, new)


def _notice(
    item: EventItem, what: str, change: str, data: dict[str, Any], at: str = "", user_id: str | None = None
) -> Notice:
    """Return a notice without its place in the stream. `change` is the end of its id."""
    return {
        "id": f"{item.event_id}.{item.incarnation}.{change}",
        "source": f"/events/{item.event_id}",
        "type": what,
        "time": at,
        "datacontenttype": "application/json",
        "sequence": "",
        **({"subject": user_id} if user_id else {}),
        "specversion": "1.0",
        "data": {"eventId": item.event_id} | data,
    }


# The description


def _of_the_event(old: Event | None, new: Event | None) -> Iterator[Notice]:
    if new is None:
        if old and old.edits != IMPORTING:
            yield _of_event(old, DELETED, {})
    elif new.edits != IMPORTING:
        if old is None or old.edits == IMPORTING:
            yield _of_event(new, CREATED, {}, new.created_at)
        elif changes := _changes(old, new, EDITABLE):
            called_off = "status" in changes["changed"] and new.status == CANCELLED
            yield _of_event(new, CANCELLED if called_off else CHANGED, changes, new.updated_at)


def _of_event(event: Event, what: str, changes: dict[str, Any], at: str = "") -> Notice:
    data = {"event": _values(event, OF_THE_EVENT), **changes}
    return _notice(event, f"event.{what}", f"v{event.version}.{what}", data, at)


def _changes(old: EventItem, new: EventItem, names: tuple[str, ...]) -> dict[str, Any]:
    before, after = _values(old, names), _values(new, names)
    changed = [name for name in before if before[name] != after[name]]
    return {"changed": changed, "previous": {name: before[name] for name in changed}} if changed else {}


def _values(item: EventItem, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of some fields by the names of the API."""
    attributes = type(item).get_attributes()
    return {attributes[name].attr_name: getattr(item, name) for name in names}


# The seats


def _of_the_seats(old: Seats, new: Seats, holders: Holders) -> Iterator[Notice]:
    if new.settings != old.settings and (changes := _changes(old, new, SETTINGS)):
        shown = _values(new, ("event_id", *SETTINGS)) | _counts(new)
        data = {"event": shown, **changes}
        yield _notice(new, "event.changed", f"s{new.settings}.changed", data, _edited_at(old, new))
    for entry in _fresh(old, new):
        if user_id := holders.owner(new, entry):
            yield _of_an_entry(entry, new, user_id)


def _fresh(old: Seats, new: Seats) -> list[LogEntry]:
    """Return the log entries that a write added."""
    return [log.read(name, value) for name, value in new.committed.items() if name not in old.committed]


def _of_an_entry(entry: LogEntry, seats: Seats, user_id: str) -> Notice:
    status = standing(entry.ticket, seats, cancelled=bool(entry.leaving))
    data: dict[str, Any] = {"status": status} | _counts(seats)
    if entry.leaving:
        data |= {"reason": "left", "freedSeat": entry.leaving != log.QUIT}
    by = operations.caller_of(seats.by, user_id)
    return _of_registration(seats, user_id, entry.ticket, status, data, entry.at, by)


def _promotion(old: Seats, new: Seats) -> tuple[range, str]:
    """Return the tickets that a write promoted, and the time if it is known.

    An edit and the audit promote without any other change of the waitlist. A write that corrects counters or imports
    an event promotes no user.
    """
    for entry in _fresh(old, new):
        if entry.successor:
            return range(entry.successor, entry.successor + 1), entry.at
    if (new.tickets, new.waitlist_exits, new.left) == (old.tickets, old.waitlist_exits, old.left):
        return range(int(old.seated_through) + 1, int(new.seated_through) + 1), _edited_at(old, new)
    return range(0), ""


def _edited_at(old: Seats, new: Seats) -> str:
    """Return the time of an edit, or an empty string if the seats do not have it."""
    return clock.of_microseconds(int(new.edited_at)) if new.edited_at not in (None, old.edited_at) else ""


def _counts(seats: Seats) -> dict[str, Any]:
    return {name: getattr(seats, attribute) for name, attribute in COUNTS.items()}


def _of_an_outbox(outbox: CancellationOutbox) -> Iterator[Notice]:
    data: dict[str, Any] = {"status": CANCELLED, "reason": "event_deleted", "freedSeat": False}
    data |= {"event": _values(outbox, ("event_id", *OF_A_DELETED_EVENT))} if outbox.title else {}
    for ticket, user_id in outbox.holders.items():
        yield _of_registration(outbox, user_id, ticket, CANCELLED, data)


def _of_the_door(old: CheckIns | None, new: CheckIns) -> Iterator[Notice]:
    """Yield the notice of a check-in, if the count rose. A check-in after an undo has a notice of its own."""
    if new.people > (old.people if old else 0) and new.user_id and new.at:
        new.incarnation = new.item.partition("#")[2]  # an update created the item, so only its key has it
        data: dict[str, Any] = {"status": REGISTERED, "checkedInCount": new.people}
        notice = _of_registration(new, new.user_id, int(new.ticket or 0), CHECKED_IN, data, new.at, new.by)
        yield notice | {"id": f"{notice['id']}.{re.sub('[^0-9]', '', new.at)}"}


def _of_registration(
    item: EventItem, user_id: str, ticket: int, what: str, data: dict[str, Any], at: str = "", by: str | None = None
) -> Notice:
    data = {"userId": user_id, "ticket": ticket, **data} | ({"by": by} if by else {})
    return _notice(item, f"registration.{what}", f"{ticket}.{what}", data, at, user_id)
