"""Each service's record as ours: an event, a user or a registration, by the field names of the API.

The names of a record's fields show what it is. Where the names are ours already, nothing is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registrations.models import REGISTERED, WAITLISTED
from registrations.transfer.columns import EVENT, REGISTRATION, USER
from registrations.transfer.files import Record, Row
from registrations.transfer.moments import moment

KINDS = (EVENT, USER, REGISTRATION)
Order = tuple[float, str, float]


@dataclass
class Moving:
    """A record on its way in."""

    kind: str
    values: Record
    order: Order = (0, "", 0)
    """Decides the order of registrations of the same status. Where it does not, the order of the records does."""
    complete: bool = True
    """Whether it can be the whole thing; half a record only adds to a complete one."""
    place: str = ""


def moving(row: Row) -> Iterator[Moving]:
    """Return what a record of some service holds: nothing, one thing, or a registration with its event or user."""
    for found in _of_record(row.values, row.kind):
        found.place = row.place
        yield found


def is_known(row: Row) -> bool:
    """Return whether it is clear what a record is, even if it stays behind."""
    return bool(row.kind) or _is_attendance(row.values) or any(is_it(row.values) for is_it, _ in SHAPES)


def _of_record(record: Record, kind: str) -> Iterator[Moving]:
    if _is_attendance(record):
        yield from _of_record(record["event"], "")
        yield from _of_record(record["registration"], "")
        return
    yield from _person_of(record, kind)
    read = READERS.get(kind) or next((reader for is_it, reader in SHAPES if is_it(record)), None)
    if read and (found := read(record)):
        yield found


def _is_attendance(record: Record) -> bool:
    return isinstance(record.get("registration"), dict) and isinstance(record.get("event"), dict)


def _person_of(record: Record, kind: str) -> Iterator[Moving]:
    """Return the person who comes along with a registration in our lists: as `user`, or as columns of a sheet."""
    expanded = record.get("user")
    person = expanded if isinstance(expanded, dict) else record if kind == REGISTRATION else {}
    known = {name: person[name] for name in ("userId", "name", "email") if person.get(name) is not None}
    if len(known) > 1 and "userId" in known:
        yield Moving(USER, known, complete=False)


# Our own


def _is_exported(record: Record) -> bool:
    return record.get("kind") in KINDS


def _exported(record: Record) -> Moving:
    return Moving(record["kind"], record, order=_in_line(record))


def _in_line(record: Record) -> Order:
    """Return the place in our queue. Everyone else is in the order of the records, which no clock decided."""
    return _number(record.get("waitlistPosition")), "", 0


# Our first release: two items per event, and the standing of a registration in its sort key


def _is_half_event(record: Record) -> bool:
    return {"eventId", "item", "sort"} <= record.keys()


def _half_event(record: Record) -> Moving:
    return Moving(EVENT, record, complete=record["item"] == "event")


def _is_marker(record: Record) -> bool:
    """Whether it belongs to a keyed request: kept for a day, and only for that release."""
    return {"eventId", "item", "outcome"} <= record.keys()


def _is_standing(record: Record) -> bool:
    return {"eventId", "userId", "standing"} <= record.keys()


def _standing(record: Record) -> Moving:
    standing = str(record["standing"])
    return Moving(REGISTRATION, record | {"status": standing.partition("#")[0]}, order=(0, standing, 0))


# Service B: one table for users, counters, registrations and queues


def _is_entity(record: Record) -> bool:
    return {"PK", "SK", "entity_type"} <= record.keys()


def _entity(record: Record) -> Moving | None:
    renamed = {"eventId": record.get("event_id"), "userId": record.get("user_id")}
    if record["entity_type"] == "user":
        return Moving(USER, renamed | {"name": record.get("name")})
    if record["entity_type"] == "event":
        values = {name: record[name] for name in ("capacity", "waitlist_enabled") if name in record}
        counts = {name: record[name] for name in ("registered_count", "waitlist_count") if name in record}
        return Moving(EVENT, renamed | values | counts | {"title": record.get("name")}, complete=False)
    if record["entity_type"] in ("registration", "waitlist"):
        status = WAITLISTED if record["entity_type"] == "waitlist" else REGISTERED
        order = (_number(record.get("position")), str(record["SK"]), 0)
        return Moving(REGISTRATION, renamed | {"status": status}, order=order)
    return None


# What the rest have in common


def _is_registration(record: Record) -> bool:
    return {"eventId", "userId"} <= record.keys() or ("registrationId" in record and "status" in record)


def _registration(record: Record) -> Moving:
    """Return a registration of our lists, or of service C, whose people move up in the order of asking."""
    if "promotedAt" in record:
        return Moving(REGISTRATION, record, order=_in_line(record))
    asked = moment(record.get("registeredAt")) or "~"
    return Moving(REGISTRATION, record, order=(0, asked, _number(record.get("waitlistPosition"))))


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _is_user(record: Record) -> bool:
    return "userId" in record and bool({"name", "email"} & record.keys())


def _user(record: Record) -> Moving:
    return Moving(USER, record)


def _is_event(record: Record) -> bool:
    return bool({"title", "eventName"} & record.keys())


def _event(record: Record) -> Moving:
    return Moving(EVENT, record)


def _nothing(record: Record) -> None:
    return None


SHAPES: tuple[tuple[Any, Any], ...] = (
    (_is_exported, _exported),
    (_is_half_event, _half_event),
    (_is_marker, _nothing),
    (_is_standing, _standing),
    (_is_entity, _entity),
    (_is_registration, _registration),
    (_is_user, _user),
    (_is_event, _event),
)
READERS: dict[str, Any] = {
    EVENT: _event,
    USER: _user,
    REGISTRATION: lambda record: Moving(REGISTRATION, record, order=_in_line(record)),
}
"""What reads the lines of a sheet, whose columns say what they are."""
