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
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from cloudevents.core.v1.event import CloudEvent

from events.ledger import log, operations
from events.ledger.log import LogEntry
from events.ledger.models import OF_A_DELETED_EVENT, CancellationOutbox, CheckIns, Seats
from events.models import IMPORTING, Event
from events.services import DESCRIPTION, SETTINGS
from registrations.models import CANCELLED, REGISTERED, standing

StreamRecord = dict[str, Any]
"""A record in the format of Lambda: ``{"eventName": …, "dynamodb": {"Keys": …, "OldImage": …, "NewImage": …}}``."""

PROMOTED, CHECKED_IN = "promoted", "checked_in"
CREATED, CHANGED, DELETED = "created", "changed", "deleted"

OF_THE_EVENT = ("event_id", *DESCRIPTION, "status", "organizer_id", "version", "created_at", "updated_at")
EDITABLE = (*DESCRIPTION, "status")
COUNTS = {"capacity": "capacity", "registeredCount": "registered", "waitlistCount": "waiting"}
SEQUENCE_DIGITS = 40
PART = 2000  # tickets whose owners are read and whose notices are published together


class Holders(Protocol):
    """A finder of the owners of tickets."""

    def __call__(self, seats: Seats, first: int, last: int) -> dict[int, str]:
        """Return the owners of the tickets from `first` to `last` in order, without users who left the waitlist before.

        The seats are those of the moment at which the tickets were promoted.
        """

    def owner(self, seats: Seats, entry: LogEntry) -> str:
        """Return the user of a log entry that has only a hash of the id."""


def as_for_lambda(record: Any) -> StreamRecord:
    """Convert a record from the API of DynamoDB Streams to the format of Lambda."""
    change = dict(record["dynamodb"])
    created: datetime = change["ApproximateCreationDateTime"]
    return {**record, "dynamodb": change | {"ApproximateCreationDateTime": created.timestamp()}}


@dataclass
class _Pending:
    """A notice that is not a CloudEvent yet."""

    type: str
    id: str
    data: dict[str, Any]
    at: str = ""
    """The time of the change, or an empty string if no item has it."""
    subject: dict[str, str] = field(default_factory=dict)
    unnamed: tuple[Seats, LogEntry] | None = None
    """The log entry of the change, if the log does not name its user."""

    def named(self, holders: Holders) -> "_Pending":
        """Return the notice with the id of its user."""
        if self.unnamed is None:
            return self
        user_id = holders.owner(*self.unnamed)
        data = self.data | {"userId": user_id} | _actor(self.unnamed[0], user_id)
        return replace(self, data=data, subject={"subject": user_id}, unnamed=None)


@dataclass
class _Promotion:
    """The tickets that one write promoted."""

    seats: Seats
    """The seats after the write."""
    tickets: range
    at: str
    """The time of the write, or an empty string if it is unknown."""


@dataclass
class Change:
    """The notices of a record of the stream, and the promoted tickets whose owners have to be read."""

    event_id: str
    moment: datetime
    sequence: str
    _pending: list[_Pending]
    _moved: _Promotion | None

    @property
    def parts(self) -> int:
        """Return the number of parts, each with at most `PART` promotions."""
        return max(1, -(-len(self._moved.tickets) // PART)) if self._moved else 1

    def part(self, number: int, holders: Holders) -> list[CloudEvent]:
        """Return the notices of one part, by its 0-based number, in order.

        Raises:
            Exception: All errors of `holders`.
        """
        pending = list(enumerate(one.named(holders) for one in self._pending)) if number == 0 else []
        if self._moved:
            pending += self._promoted(self._moved, self._moved.tickets[number * PART : (number + 1) * PART], holders)
        return [_event(one, self.event_id, self.moment, f"{self.sequence}.{place:06}") for place, one in pending]

    def _promoted(self, moved: _Promotion, tickets: range, holders: Holders) -> Iterator[tuple[int, _Pending]]:
        data = _counts(moved.seats) | {"status": REGISTERED}
        for ticket, user_id in holders(moved.seats, tickets[0], tickets[-1]).items():
            place = len(self._pending) + ticket - moved.tickets[0]
            yield place, _of_registration(moved.seats, user_id, ticket, PROMOTED, data, moved.at)


def read(record: StreamRecord) -> Change:
    """Parse a record of the stream with both images.

    Raises:
        Exception: It is no record of this service.
    """
    change = record["dynamodb"]
    event_id, item = (change["Keys"][name]["S"] for name in ("eventId", "item"))
    moment = datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC)
    sequence = str(change["SequenceNumber"]).zfill(SEQUENCE_DIGITS)
    before, after = change.get("OldImage"), change.get("NewImage")
    moved = _promotion(Seats.parse(before), Seats.parse(after)) if item == Seats.ITEM and before and after else None
    return Change(event_id, moment, sequence, list(_pending(item, before, after)), moved)


def notices(record: StreamRecord, holders: Holders) -> list[CloudEvent]:
    """Return all notices of a record, in order.

    Raises:
        Exception: All errors of `read` and `holders`.
    """
    change = read(record)
    return [notice for number in range(change.parts) for notice in change.part(number, holders)]


def _event(pending: _Pending, event_id: str, moment: datetime, sequence: str) -> CloudEvent:
    attributes = {
        "id": pending.id,
        "source": f"/events/{event_id}",
        "type": pending.type,
        "time": datetime.fromisoformat(pending.at) if pending.at else moment,
        "datacontenttype": "application/json",
        "sequence": sequence,
    }
    return CloudEvent(attributes | pending.subject, {"eventId": event_id} | pending.data)


def _pending(item: str, before: Any, after: Any) -> Iterator[_Pending]:
    if item == Event.ITEM:
        yield from _of_the_event(before and Event.parse(before), after and Event.parse(after))
    elif item == Seats.ITEM and before and after:
        yield from _of_the_seats(Seats.parse(before), Seats.parse(after))
    elif CancellationOutbox.is_named(item) and after:
        yield from _of_an_outbox(CancellationOutbox.parse(after))
    elif CheckIns.is_named(item) and after:
        yield from _of_the_door(before and CheckIns.parse(before), CheckIns.parse(after))


# The description


def _of_the_event(old: Event | None, new: Event | None) -> Iterator[_Pending]:
    if new is None:
        if old and old.edits != IMPORTING:
            yield _of_event(old, DELETED, {})
    elif new.edits != IMPORTING:
        if old is None or old.edits == IMPORTING:
            yield _of_event(new, CREATED, {}, new.created_at)
        elif changes := _changes(old, new, EDITABLE):
            called_off = "status" in changes["changed"] and new.status == CANCELLED
            yield _of_event(new, CANCELLED if called_off else CHANGED, changes, new.updated_at)


def _of_event(event: Event, what: str, changes: dict[str, Any], at: str = "") -> _Pending:
    data = {"event": _values(event, OF_THE_EVENT), **changes}
    return _Pending(f"event.{what}", f"{_origin(event)}.v{int(event.version)}.{what}", data, at)


def _changes(old: Event | Seats, new: Event | Seats, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the names of the changed fields and their previous values, or an empty dictionary."""
    before, after = _values(old, names), _values(new, names)
    changed = [name for name in before if before[name] != after[name]]
    return {"changed": changed, "previous": {name: before[name] for name in changed}} if changed else {}


def _values(item: Event | Seats | CancellationOutbox, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values of some fields by the names of the API."""
    attributes = type(item).get_attributes()
    return {attributes[name].attr_name: _plain(getattr(item, name)) for name in names}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value


def _origin(item: Event | Seats | CancellationOutbox | CheckIns) -> str:
    return f"{item.event_id}.{item.incarnation}"


# The seats


def _of_the_seats(old: Seats, new: Seats) -> Iterator[_Pending]:
    if new.settings != old.settings and (changes := _changes(old, new, SETTINGS)):
        shown = _values(new, ("event_id", *SETTINGS)) | _counts(new)
        yield _Pending("event.changed", f"{_origin(new)}.s{int(new.settings)}.changed", {"event": shown, **changes})
    for record in _fresh(old, new):
        yield _of_a_record(record, new)


def _fresh(old: Seats, new: Seats) -> list[LogEntry]:
    """Return the log entries that a write added."""
    before, after = old.committed, new.committed
    return [log.read(name, value) for name, value in after.items() if name not in before]


def _of_a_record(record: LogEntry, seats: Seats) -> _Pending:
    status = standing(record.ticket, seats, cancelled=bool(record.leaving))
    data: dict[str, Any] = {"status": status} | _counts(seats)
    if record.leaving:
        data |= {"reason": "left", "freedSeat": record.leaving != log.QUIT}
    data |= _actor(seats, record.user_id) if record.user_id else {}
    pending = _of_registration(seats, record.user_id or "", record.ticket, status, data, record.at)
    return pending if record.user_id else replace(pending, unnamed=(seats, record))


def _actor(seats: Seats, user_id: str) -> dict[str, str]:
    """Return the caller who requested the operation that a write committed for a user, if the seats name one."""
    by = operations.caller_of(seats.by, user_id)
    return {"by": by} if by else {}


def _promotion(old: Seats, new: Seats) -> _Promotion | None:
    """Return the tickets that a write promoted, including those of users who had left the waitlist.

    An edit and the audit promote without any other change of the waitlist. A write that corrects counters or imports
    an event promotes no user.
    """
    for record in _fresh(old, new):
        if record.successor:
            return _Promotion(new, range(record.successor, record.successor + 1), record.at)
    same_people = (new.tickets, new.waitlist_exits, new.left) == (old.tickets, old.waitlist_exits, old.left)
    if same_people and new.seated_through > old.seated_through:
        return _Promotion(new, range(int(old.seated_through) + 1, int(new.seated_through) + 1), "")
    return None


def _counts(seats: Seats) -> dict[str, Any]:
    return {name: int(getattr(seats, attribute)) for name, attribute in COUNTS.items()}


def _of_an_outbox(outbox: CancellationOutbox) -> Iterator[_Pending]:
    data: dict[str, Any] = {"status": CANCELLED, "reason": "event_deleted", "freedSeat": False}
    data |= {"event": _values(outbox, ("event_id", *OF_A_DELETED_EVENT))} if outbox.title else {}
    for ticket, user_id in outbox.holders.items():
        yield _of_registration(outbox, user_id, ticket, CANCELLED, data)


def _of_the_door(old: CheckIns | None, new: CheckIns) -> Iterator[_Pending]:
    """Yield the notice of a check-in, if the count rose. A check-in after an undo has a notice of its own."""
    if new.people > (old.people if old else 0) and new.user_id and new.at:
        new.incarnation = new.item.partition("#")[2]  # an update created the item, so only its key has it
        data: dict[str, Any] = {"status": REGISTERED, "checkedInCount": int(new.people)}
        data |= {"by": new.by} if new.by else {}
        one = _of_registration(new, new.user_id, int(new.ticket or 0), CHECKED_IN, data, new.at)
        one.id += f".{re.sub('[^0-9]', '', new.at)}"
        yield one


def _of_registration(
    item: Seats | CancellationOutbox | CheckIns,
    user_id: str,
    ticket: int,
    what: str,
    data: dict[str, Any],
    at: str = "",
) -> _Pending:
    data = {"userId": user_id, "ticket": ticket, **data}
    return _Pending(f"registration.{what}", f"{_origin(item)}.{ticket}.{what}", data, at, {"subject": user_id})
