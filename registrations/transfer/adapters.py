"""Each service's record as ours: an event, a user or a registration, in the words of the contract.

Where the words are the same nothing is done. What a record is, is told by the names of its fields.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registrations.models import REGISTERED, WAITLISTED
from registrations.transfer.files import Record
from registrations.transfer.moments import moment

EVENT, USER, REGISTRATION = "event", "user", "registration"


@dataclass
class Moving:
    """A record on its way in."""

    kind: str
    values: Record
    order: tuple[Any, ...] = ()
    """What decides the order of registrations of the same status; where it does not, the order of the records does."""
    complete: bool = True
    """Whether it may stand for the whole thing; half a record only adds to one that does."""


def moving(record: Record) -> Iterator[Moving]:
    """What a record of some service holds: nothing, one thing, or a registration with its event."""
    if isinstance(record.get("registration"), dict) and isinstance(record.get("event"), dict):
        yield from moving(record["event"])
        yield from moving(record["registration"])
        return
    for is_it, read in SHAPES:
        if is_it(record):
            found = read(record)
            if found:
                yield found
            return


def is_known(record: Record) -> bool:
    """Whether it is clear what a record is, be it something that stays behind."""
    nested = isinstance(record.get("registration"), dict) and isinstance(record.get("event"), dict)
    return nested or any(is_it(record) for is_it, _ in SHAPES)


# Our own: what `export` writes


def _is_exported(record: Record) -> bool:
    return record.get("kind") in (EVENT, USER, REGISTRATION)


def _exported(record: Record) -> Moving:
    return Moving(record["kind"], record, order=(record.get("waitlistPosition") or 0,))


# Our first release: two items per event, and the standing of a registration in its sort key


def _is_half_event(record: Record) -> bool:
    return {"eventId", "item", "sort"} <= record.keys()


def _half_event(record: Record) -> Moving:
    return Moving(EVENT, record, complete=record["item"] == "event")


def _is_marker(record: Record) -> bool:
    """Of a keyed request: kept for a day, and only for that release."""
    return {"eventId", "item", "outcome"} <= record.keys()


def _is_standing(record: Record) -> bool:
    return {"eventId", "userId", "standing"} <= record.keys()


def _standing(record: Record) -> Moving:
    status = record["standing"].partition("#")[0]
    return Moving(REGISTRATION, record | {"status": status}, order=(record["standing"],))


# Service B: one table for users, counters, registrations and queues


def _is_entity(record: Record) -> bool:
    return {"PK", "SK", "entity_type"} <= record.keys()


def _entity(record: Record) -> Moving | None:
    renamed = {"eventId": record.get("event_id"), "userId": record.get("user_id")}
    if record["entity_type"] == "user":
        return Moving(USER, renamed | {"name": record.get("name")})
    if record["entity_type"] == "event":
        values = {name: record[name] for name in ("capacity", "waitlist_enabled") if name in record}
        return Moving(EVENT, renamed | values | {"title": record.get("name")}, complete=False)
    if record["entity_type"] in ("registration", "waitlist"):
        status = WAITLISTED if record["entity_type"] == "waitlist" else REGISTERED
        return Moving(REGISTRATION, renamed | {"status": status}, order=(record.get("position") or 0, record["SK"]))
    return None


# What the rest have in common


def _is_registration(record: Record) -> bool:
    return {"eventId", "userId"} <= record.keys()


def _registration(record: Record) -> Moving:
    """People move up in the order in which they asked; the numbers that were told them may be anything."""
    asked = moment(record.get("registeredAt")) or "~"
    return Moving(REGISTRATION, record, order=(asked, record.get("waitlistPosition") or 0))


def _is_user(record: Record) -> bool:
    return {"userId", "name"} <= record.keys()


def _user(record: Record) -> Moving:
    return Moving(USER, record)


def _is_event(record: Record) -> bool:
    return "eventId" in record and bool({"title", "eventName"} & record.keys())


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
