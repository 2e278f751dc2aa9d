"""Convert records of other services to events, users and registrations with the field names of the API.

The kind of a record follows from the names of its fields. A record with our names is left unchanged.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from registrations.models import REGISTERED, WAITLISTED
from registrations.transfer.columns import EVENT, REGISTRATION, USER
from registrations.transfer.files import Record, Row
from registrations.transfer.moments import moment

KINDS = (EVENT, USER, REGISTRATION)
Order = tuple[float, str, float]


@dataclass
class Converted:
    """A record that is being imported."""

    kind: str
    values: Record
    order: Order = (0, "", 0)
    """The order of registrations with the same status. Equal ones stay in the order of the records."""
    complete: bool = True
    """False if the record has only a part, which is added to a complete one."""
    place: str = ""


Reader = Callable[[Record], Converted | None]


def convert(row: Row) -> Iterator[Converted]:
    """Convert a record of any service.

    Returns:
        Nothing, one record, or a registration with its event or user.
    """
    for found in _of_record(row.values, row.kind):
        found.place = row.place
        yield found


def is_known(row: Row) -> bool:
    """Return True if the kind of a record is known, also if the record is not imported."""
    return bool(row.kind) or _is_attendance(row.values) or _reader_of(row.values) is not None


def _of_record(record: Record, kind: str) -> Iterator[Converted]:
    if _is_attendance(record):
        yield from _of_record(record["event"], "")
        yield from _of_record(record["registration"], "")
        return
    yield from _person_of(record, kind)
    read = OF_A_SHEET.get(kind) or _reader_of(record)
    if read and (found := read(record)):
        yield found


def _is_attendance(record: Record) -> bool:
    return isinstance(record.get("registration"), dict) and isinstance(record.get("event"), dict)


def _person_of(record: Record, kind: str) -> Iterator[Converted]:
    """Return the user of a registration in our lists: from `user`, or from columns of a sheet."""
    expanded = record.get("user")
    person = expanded if isinstance(expanded, dict) else record if kind == REGISTRATION else {}
    known = {name: person[name] for name in ("userId", "name", "email") if person.get(name) is not None}
    if len(known) > 1 and "userId" in known:
        yield Converted(USER, known, complete=False)


# Readers of records of one kind


def _exported(record: Record) -> Converted:
    return Converted(record["kind"], record, order=_in_line(record))


def _in_line(record: Record) -> Order:
    """Return the order by waitlist position. Other registrations stay in the order of the records."""
    return _number(record.get("waitlistPosition")), "", 0


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _half_event(record: Record) -> Converted:
    return Converted(EVENT, record, complete=record["item"] == "event")


def _standing(record: Record) -> Converted:
    standing = str(record["standing"])
    return Converted(REGISTRATION, record | {"status": standing.partition("#")[0]}, order=(0, standing, 0))


def _entity(record: Record) -> Converted | None:
    renamed = {"eventId": record.get("event_id"), "userId": record.get("user_id")}
    if record["entity_type"] == "user":
        return Converted(USER, renamed | {"name": record.get("name")})
    if record["entity_type"] == "event":
        values = {name: record[name] for name in ("capacity", "waitlist_enabled") if name in record}
        counts = {name: record[name] for name in ("registered_count", "waitlist_count") if name in record}
        return Converted(EVENT, renamed | values | counts | {"title": record.get("name")}, complete=False)
    if record["entity_type"] in ("registration", "waitlist"):
        status = WAITLISTED if record["entity_type"] == "waitlist" else REGISTERED
        order = (_number(record.get("position")), str(record["SK"]), 0)
        return Converted(REGISTRATION, renamed | {"status": status}, order=order)
    return None


def _registration(record: Record) -> Converted:
    """Return a registration of our lists, or of service C, which promotes in the order of sign-up."""
    if "promotedAt" in record:
        return Converted(REGISTRATION, record, order=_in_line(record))
    asked = moment(record.get("registeredAt")) or "~"
    return Converted(REGISTRATION, record, order=(0, asked, _number(record.get("waitlistPosition"))))


def _nothing(record: Record) -> None:
    return None


OF_A_SHEET: dict[str, Reader] = {
    EVENT: partial(Converted, EVENT),
    USER: partial(Converted, USER),
    REGISTRATION: lambda record: Converted(REGISTRATION, record, order=_in_line(record)),
}
"""The reader of the lines of a sheet, by the kind that its columns show."""


def _reader_of(record: Record) -> Reader | None:  # noqa: PLR0911 (a table)
    """Return the reader of a record by the names of its fields, or None if its kind is unknown."""
    names = record.keys()
    if record.get("kind") in KINDS:  # our own export
        return _exported
    # Our first release had two items per event, and the status of a registration in its sort key.
    if {"eventId", "item", "sort"} <= names:
        return _half_event
    if {"eventId", "item", "outcome"} <= names:  # a keyed request, which only that release needs, for a day
        return _nothing
    if {"eventId", "userId", "standing"} <= names:
        return _standing
    # Service B has one table for users, counters, registrations and queues.
    if {"PK", "SK", "entity_type"} <= names:
        return _entity
    if {"eventId", "userId"} <= names or {"registrationId", "status"} <= names:
        return _registration
    if len({"userId", "name", "email"} & names) > 1:  # the id of an address is made of it
        return OF_A_SHEET[USER]
    return OF_A_SHEET[EVENT] if {"title", "eventName"} & names else None
