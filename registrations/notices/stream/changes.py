"""What happened, told by one record of the events table's stream (docs/notices.md).

Every change of a seat is one write of the seats, and every edit of an event one of its description, so the two images
of a record tell all of it; only who holds the tickets that moved up must be looked up. A notice is a CloudEvent 1.0.
Its id says which change it is, so it is the same however often the record is delivered.

    item             write     what is told
    event            INSERT    event.created
                     MODIFY    event.cancelled where it was called off, else event.changed, if a field changed
                     REMOVE    event.deleted
    seats            MODIFY    a new record: registered, waitlisted or cancelled; the queue moved: promoted, each;
                               new settings: event.changed, if the capacity or the waitlist's switch did
    tickets#…#told#  INSERT    cancelled, each who was registered or waiting when the event was deleted
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from cloudevents.core.v1.event import CloudEvent

from events.ledger import log
from events.ledger.log import LogEntry
from events.ledger.models import CancellationOutbox, Seats
from events.models import IMPORTING, Event
from events.services import DESCRIPTION
from registrations.models import CANCELLED, REGISTERED, WAITLISTED

StreamRecord = dict[str, Any]
"""One record as Lambda is handed it: ``{"eventName": …, "dynamodb": {"Keys": …, "OldImage": …, "NewImage": …}}``."""

PROMOTED = "promoted"
CREATED, CHANGED, DELETED = "created", "changed", "deleted"

OF_THE_EVENT = ("event_id", *DESCRIPTION, "status", "organizer_id", "version", "created_at", "updated_at")
EDITABLE = (*DESCRIPTION, "status")
OF_THE_SEATS = ("capacity", "waitlist_enabled")
OF_A_FAREWELL = (
    *("event_id", "title", "date", "end_date", "start_time", "end_time", "time_zone", "location", "organizer"),
    *("status", "version", "created_at", "updated_at"),
)
COUNTS = {"capacity": "capacity", "registeredCount": "registered", "waitlistCount": "waiting"}
SEQUENCE_DIGITS = 40
PART = 2000
"""So many tickets are looked up and told at once."""


class Holders(Protocol):
    """Finds out who holds tickets."""

    def __call__(self, seats: Seats, first: int, last: int) -> dict[int, str]:
        """Who of the queue had the tickets from one to another, both included, by ticket in their order.

        Takes: the seats, as they were when the tickets moved up. Those who had quit before are not among them.
        """


def as_for_lambda(record: Any) -> StreamRecord:
    """A record as a reader of the stream gets it, in the form in which Lambda is handed it."""
    change = dict(record["dynamodb"])
    created: datetime = change["ApproximateCreationDateTime"]
    return {**record, "dynamodb": change | {"ApproximateCreationDateTime": created.timestamp()}}


@dataclass
class _Told:
    """One thing to tell, before it is a CloudEvent."""

    type: str
    id: str
    data: dict[str, Any]
    at: str = ""
    """When it happened, where an item knows it."""
    subject: dict[str, str] = field(default_factory=dict)


@dataclass
class _Moved:
    """Tickets that got a seat after waiting, in one write."""

    seats: Seats
    """As they were then."""
    tickets: range
    at: str
    """When it was, if that is known."""


@dataclass
class Change:
    """What a record of the stream tells: as much of it as it says itself, and whose tickets are to be looked up."""

    event_id: str
    moment: datetime
    sequence: str
    _told: list[_Told]
    _moved: _Moved | None

    @property
    def parts(self) -> int:
        """In how many parts it is told: more than one where more people moved up than are looked up at once."""
        return max(1, -(-len(self._moved.tickets) // PART)) if self._moved else 1

    def part(self, number: int, holders: Holders) -> list[CloudEvent]:
        """The notices of one part, from 0, in order. Takes: who finds holders of tickets. Raises: what they raise."""
        told = list(enumerate(self._told)) if number == 0 else []
        if self._moved:
            told += self._promoted(self._moved, self._moved.tickets[number * PART : (number + 1) * PART], holders)
        return [_event(one, self.event_id, self.moment, f"{self.sequence}.{place:06}") for place, one in told]

    def _promoted(self, moved: _Moved, tickets: range, holders: Holders) -> Iterator[tuple[int, _Told]]:
        told = _counts(moved.seats) | {"status": REGISTERED}
        for ticket, user_id in holders(moved.seats, tickets[0], tickets[-1]).items():
            place = len(self._told) + ticket - moved.tickets[0]
            yield place, _of_registration(moved.seats, user_id, ticket, PROMOTED, told, moved.at)


def read(record: StreamRecord) -> Change:
    """What a record of the stream, with both images, tells. Raises: anything where it is not one of ours."""
    change = record["dynamodb"]
    event_id, item = (change["Keys"][name]["S"] for name in ("eventId", "item"))
    moment = datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC)
    sequence = str(change["SequenceNumber"]).zfill(SEQUENCE_DIGITS)
    before, after = change.get("OldImage"), change.get("NewImage")
    moved = _moved_up(Seats.parse(before), Seats.parse(after)) if item == Seats.ITEM and before and after else None
    return Change(event_id, moment, sequence, list(_told(item, before, after)), moved)


def notices(record: StreamRecord, holders: Holders) -> list[CloudEvent]:
    """All that a record tells, in order; an empty list where nothing is to be told. Raises: as `read` and `holders`."""
    change = read(record)
    return [notice for number in range(change.parts) for notice in change.part(number, holders)]


def _event(told: _Told, event_id: str, moment: datetime, sequence: str) -> CloudEvent:
    attributes = {
        "id": told.id,
        "source": f"/events/{event_id}",
        "type": told.type,
        "time": datetime.fromisoformat(told.at) if told.at else moment,
        "datacontenttype": "application/json",
        "sequence": sequence,
    }
    return CloudEvent(attributes | told.subject, {"eventId": event_id} | told.data)


def _told(item: str, before: Any, after: Any) -> Iterator[_Told]:
    if item == Event.ITEM:
        yield from _of_the_event(before and Event.parse(before), after and Event.parse(after))
    elif item == Seats.ITEM and before and after:
        yield from _of_the_seats(Seats.parse(before), Seats.parse(after))
    elif CancellationOutbox.is_named(item) and after:
        yield from _of_the_farewell(CancellationOutbox.parse(after))


# The description


def _of_the_event(old: Event | None, new: Event | None) -> Iterator[_Told]:
    if new is None:
        if old and old.edits != IMPORTING:
            yield _of_event(old, DELETED, {})
    elif new.edits != IMPORTING:
        if old is None or old.edits == IMPORTING:
            yield _of_event(new, CREATED, {}, new.created_at)
        elif changes := _changes(old, new, EDITABLE):
            called_off = "status" in changes["changed"] and new.status == CANCELLED
            yield _of_event(new, CANCELLED if called_off else CHANGED, changes, new.updated_at)


def _of_event(event: Event, what: str, changes: dict[str, Any], at: str = "") -> _Told:
    told = {"event": _values(event, OF_THE_EVENT), **changes}
    return _Told(f"event.{what}", f"{_origin(event)}.v{int(event.version)}.{what}", told, at)


def _changes(old: Event | Seats, new: Event | Seats, names: tuple[str, ...]) -> dict[str, Any]:
    """Which of some fields changed, and what they were before; empty if none did."""
    before, after = _values(old, names), _values(new, names)
    changed = [name for name in before if before[name] != after[name]]
    return {"changed": changed, "previous": {name: before[name] for name in changed}} if changed else {}


def _values(item: Event | Seats | CancellationOutbox, names: tuple[str, ...]) -> dict[str, Any]:
    """Some fields as the API names them."""
    attributes = type(item).get_attributes()
    return {attributes[name].attr_name: _plain(getattr(item, name)) for name in names}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) else value


def _origin(item: Event | Seats | CancellationOutbox) -> str:
    return f"{item.event_id}.{item.incarnation}"


# The seats


def _of_the_seats(old: Seats, new: Seats) -> Iterator[_Told]:
    if new.settings != old.settings and (changes := _changes(old, new, OF_THE_SEATS)):
        shown = _values(new, ("event_id", *OF_THE_SEATS)) | _counts(new)
        yield _Told("event.changed", f"{_origin(new)}.s{int(new.settings)}.changed", {"event": shown, **changes})
    for record in _fresh(old, new):
        yield _of_a_record(record, new)


def _fresh(old: Seats, new: Seats) -> list[LogEntry]:
    """What a write recorded: the operation that it committed."""
    before, after = old.committed, new.committed
    return [log.read(name, value) for name, value in after.items() if name not in before]


def _of_a_record(record: LogEntry, seats: Seats) -> _Told:
    status = CANCELLED if record.leaving else WAITLISTED if record.waited else REGISTERED
    told: dict[str, Any] = {"status": status} | _counts(seats)
    if record.leaving:
        told |= {"reason": "left", "freedSeat": record.leaving != log.QUIT}
    return _of_registration(seats, record.user_id, record.ticket, status, told, record.at)


def _moved_up(old: Seats, new: Seats) -> _Moved | None:
    """Which tickets got a seat after waiting, those among them whose people had left the queue not taken out.

    An edit, and the audit, move the queue up and do nothing else with it; what corrects figures, or writes an imported
    event, promotes nobody.
    """
    for record in _fresh(old, new):
        if record.successor:
            return _Moved(new, range(record.successor, record.successor + 1), record.at)
    same_people = (new.tickets, new.quits, new.left) == (old.tickets, old.quits, old.left)
    if same_people and new.served > old.served:
        return _Moved(new, range(int(old.served) + 1, int(new.served) + 1), "")
    return None


def _counts(seats: Seats) -> dict[str, Any]:
    return {name: int(getattr(seats, attribute)) for name, attribute in COUNTS.items()}


def _of_the_farewell(farewell: CancellationOutbox) -> Iterator[_Told]:
    told: dict[str, Any] = {"status": CANCELLED, "reason": "event_deleted", "freedSeat": False}
    told |= {"event": _values(farewell, OF_A_FAREWELL)} if farewell.title else {}
    for ticket, user_id in farewell.holders.items():
        yield _of_registration(farewell, user_id, ticket, CANCELLED, told)


def _of_registration(
    item: Seats | CancellationOutbox, user_id: str, ticket: int, what: str, told: dict[str, Any], at: str = ""
) -> _Told:
    data = {"userId": user_id, "ticket": ticket, **told}
    return _Told(f"registration.{what}", f"{_origin(item)}.{ticket}.{what}", data, at, {"subject": user_id})
