"""The requests of the search: the service's own rules, and the answers in the words of the reference."""

from collections.abc import Callable
from functools import partial
from typing import Any

from events import editing as edits
from events import services
from events.ledger import guards, log
from events.ledger.models import Seats
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.steps import Get, Put, Steps, Transact, transact_when_free
from eventsite.errors import DomainError, Unavailable
from registrations import checkin
from registrations.reading import one as reading
from registrations.seating import commit, ends
from registrations.seating.keyed import once
from registrations.seating.leave import leave
from registrations.seating.operations import Memory, Request
from registrations.seating.register import register
from tests.registrations.protocol.monitor import UNKNOWN
from tests.registrations.protocol.scene import AGAIN, AT, CLOSES, EVENT, described
from users.models import User
from users.services import UserExists, creation, delete_in_steps

Answer = tuple[Any, ...]


class Forgetful(Memory):
    """The memory of a process that remembers nothing, so that its requests depend on nothing but their calls."""

    def remember(self, event_id: str, operation: str) -> None:
        """Remember nothing."""

    def look(self, seats: Seats, *, admits: bool) -> None:
        """Remember nothing."""


def registering(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Register."""
    made = yield from register(Request(EVENT, user, EVERYTHING, memory=Memory(), at_once=at_once))
    return made.status, made.position


def tidying(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Register, and trim what the process remembers as applied, as its next commit would."""
    memory = Memory()
    made = yield from register(Request(EVENT, user, EVERYTHING, memory=memory, at_once=at_once))
    seats = yield Get((Seats, EVENT, Seats.ITEM))
    applied = memory.applied(EVENT)
    names = [entry.name for entry in log.of(seats) if entry.operation in applied] if seats else []
    if names:
        yield from ends.trimmed(seats, names)
    return made.status, made.position


def leaving(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Leave."""
    successor = yield from leave(Request(EVENT, user, EVERYTHING, memory=Memory(), at_once=at_once))
    return "left", successor


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
        yield from commit.recover(seats, entry, Request(EVENT, "", EVERYTHING, memory=Memory()))
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
    yield from checkin.in_steps(EVENT, user, None, EVERYTHING, is_in=True)
    return "checked_in", None


def erasing(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Delete a user with all registrations."""
    yield from delete_in_steps(user, partial(ends.give_up_all, user), partial(ends.forget_user, user))
    return ("erased",)


def creating(name: str, user: str, *, at_once: bool) -> Steps[Answer]:
    """Create a user."""
    user_made = creation(User(user, name=user, created_at=AT, tag=AGAIN))
    if (yield from transact_when_free(Transact(user_made))):
        raise UserExists
    return "created", None


def replacing(name: str, *, at_once: bool) -> Steps[Answer]:
    """Delete the event with its people, and create another one of the same id."""
    event, _ = yield from services.delete_in_steps(EVENT, EVERYTHING, with_people=True)
    yield from ends.forget_event_in_steps(EVENT, event.incarnation)
    event.incarnation = f"{event.incarnation}2"
    seats = Seats(EVENT, Seats.ITEM, capacity=1, waitlist_enabled=True, **services.copied(event))
    yield Transact({"event": Put(event, guards.is_new()), "seats": Put(seats)})
    return ("replaced",)


def dropping(name: str, with_people: bool, *, at_once: bool) -> Steps[Answer]:
    """Delete the event, with its people or only without any."""
    event, _ = yield from services.delete_in_steps(EVENT, EVERYTHING, with_people=with_people)
    yield from ends.forget_event_in_steps(EVENT, event.incarnation)
    return ("dropped",)


def making(name: str, *, at_once: bool) -> Steps[Answer]:
    """Create another event of the same id."""
    event, seats = described(1, status="published", waitlist_enabled=True)
    event.incarnation = seats.incarnation = "incarnation3"
    made = Transact({"event": Put(event, guards.is_new()), "seats": Put(seats)})
    if (yield from transact_when_free(made)):
        raise services.EventExists
    return ("made",)


PROGRAMS: dict[str, Callable[..., Steps[Answer]]] = {
    "register": registering,
    "tidy": tidying,
    "leave": leaving,
    "look": looking,
    "edit": editing,
    "sweep": sweeping,
    "keyed": keyed,
    "late": registering,  # on a server whose clock is late
    "window": windowing,
    "check in": checking_in,
    "erase": erasing,
    "create": creating,
    "replace": replacing,
    "drop": dropping,
    "make": making,
}


def answering(steps: Steps[Answer]) -> Steps[Answer]:
    """Run a request, and answer its refusals in words."""
    try:
        return (yield from steps)
    except Unavailable:
        return UNKNOWN
    except DomainError as error:
        return error.code, None
