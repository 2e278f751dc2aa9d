"""The requests of the search: the service's own rules, and the answers in the words of the reference."""

from collections.abc import Callable
from typing import Any

from events import editing as edits
from events.ledger import guards, log
from events.ledger.models import CheckIns, Seats
from events.models import Event
from events.services import EventNotFound
from events.whole import WholeEvent, find
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import BatchGet, Delete, Get, Put, Steps, Transact, retrying
from eventsite.errors import DomainError, Unavailable
from registrations.models import UserRegistration
from registrations.reading import one as reading
from registrations.seating import apply, ends
from registrations.seating.annotate import check_in_in_steps
from registrations.seating.keyed import once
from registrations.seating.leave import leave
from registrations.seating.operations import Memory, Request
from registrations.seating.register import register
from tests.registrations.protocol.monitor import UNKNOWN
from tests.registrations.protocol.scene import CLOSES, EVENT
from users.models import User

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


def keyed(name: str, user: str, key: str, *, at_once: bool) -> Steps[Answer]:
    """Register with an Idempotency-Key. Requests with the same key are copies of one request."""
    marker = IdempotentRequest(caller=user, call="register", key=key, body={})
    request = Request(EVENT, user, EVERYTHING, memory=Memory(), at_once=at_once, keyed=marker)
    made = yield from once(request, marker)
    return made.status, made.position


def windowing(name: str, closes: bool, *, at_once: bool) -> Steps[Answer]:
    """Edit the window, so that it closes between the clocks of the servers, or never."""
    changes = {"registration_closes_at": CLOSES if closes else None}
    edited, _ = yield from edits.edit_in_steps(EVENT, changes, EVERYTHING, None, f"edit-{name}")
    return EVENT, int(edited.seats.capacity), int(edited.seats.registered), int(edited.seats.waiting)


def checking_in(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Check a person in."""
    yield from check_in_in_steps(EVENT, user)
    return "checked_in", None


def erasing(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Delete a user, as `users.services.delete` does."""
    yield from _forget(user)
    yield Transact({"user": Delete(User(user))})
    yield from _forget(user)
    return ("erased",)


def _forget(user: str) -> Steps[None]:
    """Do as `ends.forget_user`, which finds the registrations by queries."""
    key = (UserRegistration, *UserRegistration.key_of(EVENT, user))
    row = yield Get(key)
    if row and row.active:
        yield from ends.give_up(Request(EVENT, user, EVERYTHING, memory=Memory()))
    row = yield Get(key)
    if row and not row.active:
        yield from ends.forget(EVENT, user)


def replacing(name: str, *, at_once: bool) -> Steps[Answer]:
    """Delete the event with its people, as `services.delete` does, and create another one of the same id."""
    whole = yield from retrying(_delete)
    event, seats = whole
    rows = yield BatchGet([(UserRegistration, *UserRegistration.key_of(EVENT, user)) for user in "uvw"])
    mine = [row for row in rows if row and row.incarnation == seats.incarnation]
    if mine:
        yield from ends.remove_rows(mine, seats.incarnation)
    for name_of_event in (event, seats):
        name_of_event.incarnation = f"{seats.incarnation}2"
    seats.registered = seats.waiting = seats.tickets = seats.seated_through = seats.left = seats.waitlist_exits = 0
    seats.log_entries, seats.exit_counts, seats.epochs = {}, {}, [0] * len(seats.epochs)
    yield Transact({"event": Put(event, guards.is_new()), "seats": Put(seats)})
    return ("replaced",)


def _delete() -> Steps[WholeEvent]:
    whole = yield from find(EVENT)
    if whole is None:
        raise EventNotFound
    parts: dict[str, Any] = {"event": Delete(Event.key(EVENT), guards.is_unedited(whole.event))}
    parts["seats"] = Delete(Seats.key(EVENT))
    parts["check-ins"] = Delete(CheckIns(EVENT, CheckIns.name(whole.event.incarnation)))
    outcome = yield Transact(parts)
    if not outcome.done:
        raise Conflict(immediate=not outcome.in_conflict)
    return whole


PROGRAMS: dict[str, Callable[..., Steps[Answer]]] = {
    "register": registering,
    "leave": leaving,
    "look": looking,
    "edit": editing,
    "sweep": sweeping,
    "keyed": keyed,
    "late": registering,  # on a server whose clock is late
    "window": windowing,
    "check in": checking_in,
    "erase": erasing,
    "replace": replacing,
}


def answering(steps: Steps[Answer]) -> Steps[Answer]:
    """Run a request, and answer its refusals in words."""
    try:
        return (yield from steps)
    except Unavailable:
        return UNKNOWN
    except DomainError as error:
        return error.code, None
