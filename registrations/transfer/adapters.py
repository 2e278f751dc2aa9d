"""Convert records of other services to events, users and registrations with the field names of the API.

The kind of a record follows from the names of its fields. A record with our names is left unchanged.
"""

from dataclasses import replace
from typing import Any

from registrations.models import REGISTERED, WAITLISTED
from registrations.transfer.columns import EVENT, REGISTRATION, USER
from registrations.transfer.moments import moment
from registrations.transfer.sheets import Order, Record, Row

KINDS = (EVENT, USER, REGISTRATION)


def convert(row: Row) -> list[Row] | None:
    """Convert a record of any service.

    Returns:
        One record, or a registration with its event or user; nothing for a record that only its service needs. None if
        the kind of the record is unknown.
    """
    event, registration = row.values.get("event"), row.values.get("registration")
    if not (isinstance(event, dict) and isinstance(registration, dict)):
        return _of_record(row)
    parts = replace(row, values=event), replace(row, values=registration)
    return [found for part in parts for found in _of_record(part) or ()]


def _of_record(row: Row) -> list[Row] | None:
    found = _read(row)
    return found and [*_person_of(row), *found]


def _person_of(row: Row) -> list[Row]:
    """Return the user of a registration in our lists: from `user`, or from columns of a sheet."""
    expanded = row.values.get("user")
    person = expanded if isinstance(expanded, dict) else row.values if row.kind == REGISTRATION else {}
    known = {name: person[name] for name in ("userId", "name", "email") if person.get(name) is not None}
    return [replace(row, kind=USER, values=known, complete=False)] if len(known) > 1 and "userId" in known else []


def _read(row: Row) -> list[Row] | None:  # noqa: PLR0911 (a table)
    """Return a record with its kind, by the names of its fields. None if the kind is unknown."""
    record, names = row.values, row.values.keys()
    if (kind := row.kind or record.get("kind")) in KINDS:  # a sheet, or our own export
        return [replace(row, kind=kind, order=_in_line(record))]
    # Our first release had two items per event, and the status of a registration in its sort key.
    if {"eventId", "item", "sort"} <= names:
        return [replace(row, kind=EVENT, complete=record["item"] == "event")]
    if {"eventId", "item", "outcome"} <= names:  # a keyed request, which only that release needs, for a day
        return []
    if {"eventId", "userId", "standing"} <= names:
        standing = str(record["standing"])
        values = record | {"status": standing.partition("#")[0]}
        return [replace(row, kind=REGISTRATION, values=values, order=(0, standing, 0))]
    # Service B has one table for users, counters, registrations and queues.
    if {"PK", "SK", "entity_type"} <= names:
        return _of_service_b(row)
    if {"eventId", "userId"} <= names or {"registrationId", "status"} <= names:
        return [replace(row, kind=REGISTRATION, order=_in_line(record) if "promotedAt" in names else _by_time(record))]
    if len({"userId", "name", "email"} & names) > 1:  # the id of an address is made of it
        return [replace(row, kind=USER)]
    return [replace(row, kind=EVENT)] if {"title", "eventName"} & names else None


def _in_line(record: Record) -> Order:
    """Return the order by waitlist position. Other registrations stay in the order of the records."""
    return _number(record.get("waitlistPosition")), "", 0


def _by_time(record: Record) -> Order:
    """Return the order of sign-up, in which service C promotes."""
    return 0, moment(record.get("registeredAt")) or "~", _number(record.get("waitlistPosition"))


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


def _of_service_b(row: Row) -> list[Row]:
    record, kind = row.values, row.values["entity_type"]
    renamed = {"eventId": record.get("event_id"), "userId": record.get("user_id")}
    if kind == "user":
        return [replace(row, kind=USER, values=renamed | {"name": record.get("name")})]
    if kind == "event":
        counters = ("capacity", "waitlist_enabled", "registered_count", "waitlist_count")
        known = {name: record[name] for name in counters if name in record}
        return [replace(row, kind=EVENT, values=renamed | known | {"title": record.get("name")}, complete=False)]
    if kind in ("registration", "waitlist"):
        values = renamed | {"status": WAITLISTED if kind == "waitlist" else REGISTERED}
        order = _number(record.get("position")), str(record["SK"]), 0
        return [replace(row, kind=REGISTRATION, values=values, order=order)]
    return []
