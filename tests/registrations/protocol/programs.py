"""The requests of the search: the service's own rules, and the answers in the words of the reference."""

from collections.abc import Callable
from typing import Any

from events import editing as edits
from events.ledger import log
from events.ledger.models import Seats
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.steps import Get, Steps
from eventsite.errors import DomainError, Unavailable
from registrations.reading import one as reading
from registrations.seating import apply, ends
from registrations.seating.leave import leave
from registrations.seating.operations import Memory, Request
from registrations.seating.register import register
from tests.registrations.protocol.monitor import UNKNOWN

EVENT = "event"
Answer = tuple[Any, ...]


def registering(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Register."""
    made = yield from register(Request(EVENT, user, EVERYTHING, memory=Memory(), at_once=at_once))
    return made.status, made.position


def leaving(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Leave."""
    left = yield from leave(Request(EVENT, user, EVERYTHING, memory=Memory(), at_once=at_once))
    return "left", left.successor


def looking(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Read a registration."""
    found = yield from reading.find(EVENT, user, EVERYTHING)
    return found.status, found.position


def editing(name: str, capacity: int, is_open: bool = True, waitlist: bool = True, *, at_once: bool) -> Steps[Answer]:
    """Edit what decides about the seats."""
    status = "published" if is_open else "draft"
    changes = {"capacity": capacity, "status": status, "waitlist_enabled": waitlist}
    edited, _ = yield from edits.edit_in_steps(EVENT, changes, EVERYTHING, None, f"edit-{name}")
    return EVENT, int(edited.seats.capacity), int(edited.seats.registered), int(edited.seats.waiting)


def sweeping(name: str, *, at_once: bool) -> Steps[Answer]:
    """Apply the log, and trim it, as the audit does."""
    seats = yield Get((Seats, EVENT, Seats.ITEM))
    for entry in log.of(seats):
        yield from apply.recover(seats, entry)
        yield from ends.trimmed(seats, [entry.name])
    return ("swept",)


PROGRAMS: dict[str, Callable[..., Steps[Answer]]] = {
    "register": registering,
    "leave": leaving,
    "look": looking,
    "edit": editing,
    "sweep": sweeping,
}


def answering(steps: Steps[Answer]) -> Steps[Answer]:
    """Run a request, and answer its refusals in words."""
    try:
        return (yield from steps)
    except Unavailable:
        return UNKNOWN
    except DomainError as error:
        return error.code, None
