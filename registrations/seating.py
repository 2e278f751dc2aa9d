"""The rules of the seats (CONTRACT, "The rules of the seats"), and how DynamoDB is made to keep them.

Every change of a registration is one transaction whose conditions state the rule itself, on the event's seats:

    take a seat       registered + 1              if open, registered < capacity, nobody waiting
    join the queue    waiting + 1, joined at now  if open, waitlist on, full or somebody waiting, and the last one
                                                  joined before now
    leave a seat      registered - 1              if nobody waiting, or closed, or more registered than seats
    hand it on        waiting - 1                 if open and registered <= capacity; the head of the queue gets it
    leave the queue   waiting - 1
    fill              registered + k, waiting - k if open and k seats are free

The row of the user carries the matching condition (absent or cancelled, registered, waitlisted since then). So
whoever races whom, the counters equal the rows, nobody is admitted twice, and no seat is sold twice.

The order of the queue is the order in which people joined it: the time of joining is the ticket, and a transaction
whose time is not later than the last one's is cancelled and made anew.

A failed condition comes back with the item as it is, so the answer is exact without another read.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import DeleteError, PynamoDBException
from pynamodb.expressions.condition import Condition

from events.editing import EventNotFound, check_access
from events.models import Event, Seats
from eventsite import clock
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.retries import LostRace, retry_lost_race, time_left, time_limit
from eventsite.dynamodb.transactions import Failures, Transaction, snapshot
from eventsite.errors import Missing, Refused, Unavailable
from eventsite.ids import is_id
from registrations import guards
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration, cancelled, cancelled_until, promoted
from registrations.signals import seats_changed
from users.directory import UserNotFound
from users.models import User

logger = logging.getLogger(__name__)

FILL_AT_ONCE = 49
"""Promotions in one transaction. DynamoDB allows 100 items; fewer meet fewer conflicts."""

FORGETTING_LEAVES_SECONDS = 5.0
"""Clearing up after a deleted event stops when so little of the request's time is left."""


GLANCE_SECONDS = 0.005
"""For how long what a failed condition showed counts as the present."""


class RegistrationNotFound(Missing):
    """The user has no registration for this event, or none that is active."""

    code = "registration_not_found"
    detail = "This user is not registered or waiting for this event."


class AlreadyRegistered(Refused):
    """The user holds a seat or waits for one already."""

    code = "already_registered"
    detail = "This user is already registered or waiting for this event."


class EventFull(Refused):
    """All seats are taken and there is no waitlist."""

    code = "event_full"
    detail = "All seats are taken and this event keeps no waitlist."


class RegistrationClosed(Refused):
    """The event is a draft, cancelled or completed."""

    code = "registration_closed"
    detail = "This event does not take registrations: it is a draft, cancelled or completed."


def read(event_id: str, user_id: str, *, owner: str | None = None) -> Registration:
    """A user's registration for an event, in whatever state, with its rank if it waits.

    Takes: the ids; the organizer who must own the event (None: anybody's).
    Raises: `RegistrationNotFound`, also where the event is not the owner's.
    """
    registration = Registration.find(event_id, user_id)
    while registration and registration.status == WAITLISTED:
        counted, position = registration.standing, Registration.rank(registration)
        registration = Registration.find(event_id, user_id)
        if registration and registration.standing == counted:  # still waiting after the count: it is the true one
            registration.position = position
            break
    if registration is None or not _is_known(registration) or not _is_of(event_id, owner):
        raise RegistrationNotFound
    return registration


def _is_known(registration: Registration) -> bool:
    """Whether a registration is active, or the history of an event that still is."""
    if registration.is_active:
        return True
    event = Event.find(registration.event_id)
    return event is not None and registration.is_of(event)


def _is_of(event_id: str, owner: str | None) -> bool:
    seats = None if owner is None else Seats.find(event_id)
    return owner is None or (seats is not None and seats.organizer_id == owner)


def register(
    event_id: str,
    user_id: str,
    *,
    owner: str | None = None,
    drafts_of: str | None = None,
    keyed: IdempotentRequest | None = None,
) -> Registration:
    """Give a user a seat, or a place at the end of the queue.

    Takes: the ids; the organizer who must own the event, and whose drafts may be seen, as `check_access`; the
    caller's idempotency key, if any.
    Returns: the registration, with its position if it is waitlisted.
    Raises: `EventNotFound`, `EventNotYours`, `UserNotFound`, `AlreadyRegistered`, `EventFull`,
    `RegistrationClosed`, `idempotency.KeyReused`.
    """
    try:
        return _register(event_id, user_id, owner, drafts_of, keyed, _Glance())
    except (Refused, Missing):
        if keyed and (earlier := keyed.earlier()):  # what stands in the way is what this very request did before
            return _first_answer(earlier)
        raise


@retry_lost_race
def _register(
    event_id: str,
    user_id: str,
    owner: str | None,
    drafts_of: str | None,
    keyed: IdempotentRequest | None,
    glance: "_Glance",
) -> Registration:
    seats = glance.take() or _seats_in_order(event_id)
    check_access(seats, owner=owner, drafts_of=drafts_of)
    if seats.open and seats.free and not seats.waiting:
        return _take_seat(seats, user_id, owner, keyed, glance)
    if seats.open and seats.waitlist_enabled:
        return _join_queue(seats, user_id, owner, keyed, glance)
    raise _refusal(event_id, user_id)


class _Glance:
    """The seats as a failed condition showed them: as good as a new read, for as long as it takes to plan again."""

    def __init__(self) -> None:
        self._seats: Seats | None = None
        self._since = 0.0

    def keep(self, raw: RawItem | None) -> None:
        """Remember the item that did not fulfil the condition."""
        self._seats, self._since = (Seats.parse(raw) if raw else None), time.monotonic()

    def take(self) -> Seats | None:
        """The seats, once, unless they are old or somebody has to be let in first."""
        seats, self._seats = self._seats, None
        fresh = time.monotonic() - self._since < GLANCE_SECONDS
        return seats if seats and fresh and not seats.queue_can_move else None


def _seats_in_order(event_id: str) -> Seats:
    """The seats of an event; where an edit was cut off before the queue had moved, it moves now."""
    seats = Seats.find(event_id)
    if seats and seats.queue_can_move:
        fill(event_id)
        seats = Seats.find(event_id)
    if seats is None:
        raise EventNotFound
    return seats


def _take_seat(
    seats: Seats, user_id: str, owner: str | None, keyed: IdempotentRequest | None, glance: "_Glance"
) -> Registration:
    registration = _new(seats.event_id, user_id, REGISTERED, clock.now())
    transaction = Transaction()
    free = guards.is_open() & guards.has_free_seat() & guards.nobody_waits()
    transaction.update("seats", seats, [Seats.registered.add(1)], free & guards.is_of(owner))
    return _admit(transaction, registration, keyed, glance)


def _join_queue(
    seats: Seats, user_id: str, owner: str | None, keyed: IdempotentRequest | None, glance: "_Glance"
) -> Registration:
    registration = _new(seats.event_id, user_id, WAITLISTED, clock.now_after(seats.last_joined_at))
    registration.position = int(seats.waiting) + 1
    joined_at = registration.registered_at
    transaction = Transaction()
    allowed = guards.is_open() & guards.waitlist_is_on() & guards.must_wait()
    in_turn = guards.queue_is_as_long_as(int(seats.waiting)) & guards.joins_last(joined_at)
    joining = [Seats.waiting.add(1), Seats.last_joined_at.set(joined_at)]
    transaction.update("seats", seats, joining, allowed & in_turn & guards.is_of(owner))
    return _admit(transaction, registration, keyed, glance)


def _new(event_id: str, user_id: str, status: str, at: str) -> Registration:
    standing = f"{status}#{at}"
    return Registration(event_id, user_id, standing=standing, registration_id=str(uuid.uuid4()), registered_at=at)


def _admit(
    transaction: Transaction, registration: Registration, keyed: IdempotentRequest | None, glance: "_Glance"
) -> Registration:
    """Complete and commit the transaction that takes a seat or joins the queue, and read its failures."""
    transaction.put("registration", registration, guards.is_vacant())
    transaction.check("user", User, registration.user_id, guards.user_exists())
    if keyed:
        keyed.remember(transaction, [registration.to_dynamodb_dict(), registration.position])
    failures = transaction.commit(lasting=registration.status == REGISTERED)
    if keyed and (earlier := keyed.found(failures)):
        return _first_answer(earlier)
    if "user" in failures:
        raise UserNotFound
    if "registration" in failures:
        raise AlreadyRegistered
    if failures:
        glance.keep(failures["seats"])
        raise LostRace(at_once=True)
    seats_changed.send(Registration, **{registration.status: 1})
    return registration


def _first_answer(earlier: list[Any]) -> Registration:
    registration = Registration.parse(earlier[0])
    registration.position = earlier[1]
    return registration


def _refusal(event_id: str, user_id: str) -> Refused | Missing:
    """Why this user cannot have a seat: what concerns the user comes before what concerns the event.

    All of it is read in one moment, because the user may come or go in between: somebody who gives up the last seat
    while asking for one is told that they have it or gets it again, never that the event is full.
    Raises: `LostRace` where they could have a seat by now.
    """
    seats, registration, user = snapshot(
        (Seats, event_id, Seats.ITEM), (Registration, event_id, user_id), (User, user_id)
    )
    if seats is None:
        return EventNotFound()
    if user is None:
        return UserNotFound()
    if registration and registration.is_active:
        return AlreadyRegistered()
    if not seats.open:
        return RegistrationClosed()
    if seats.free or seats.waitlist_enabled:
        raise LostRace(at_once=True)
    return EventFull()


@dataclass
class _Known:
    """What failed attempts to leave have taught: whether the user waits, and the seats as they were."""

    waits: bool = False
    seats: Seats | None = None


def leave(event_id: str, user_id: str, *, owner: str | None = None) -> str | None:
    """Give up a seat or a place in the queue; a freed seat goes to the head of the queue in the same transaction.

    Takes: the ids; the organizer who must own the event (None: anybody's).
    Returns: the id of the user who got the seat, or None.
    Raises: `RegistrationNotFound`; `EventNotYours`, unless it is a draft.
    """
    if not (is_id(event_id) and is_id(user_id)):
        raise RegistrationNotFound
    successor = _leave(event_id, user_id, owner, _Known())
    seats_changed.send(Registration, cancelled=1, promoted=1 if successor else 0)
    return successor


@retry_lost_race
def _leave(event_id: str, user_id: str, owner: str | None, known: _Known) -> str | None:
    """One attempt. Most people who leave hold a seat, so that is tried without a look; the failure tells otherwise."""
    if owner is not None:
        _check_owner(event_id, owner)
    head = next(iter(Registration.queue(event_id, 1)), None)
    if known.waits or (head and head.user_id == user_id):
        transaction, successor = _leaving_queue(event_id, user_id, owner), None
    elif head and (known.seats is None or _hands_on(known.seats)):
        transaction, successor = _handing_on(event_id, user_id, head, owner), head.user_id
    else:
        transaction, successor = _leaving_seat(event_id, user_id, owner), None
    _learn(transaction.commit(lasting=successor is None), known)
    return successor


def _check_owner(event_id: str, owner: str) -> None:
    """Say no before anything else can be learnt from the answer; the write is bound to the owner all the same."""
    seats = Seats.find(event_id)
    try:
        if seats:
            check_access(seats, owner=owner)
    except EventNotFound:
        seats = None
    if seats is None:
        raise RegistrationNotFound


def _hands_on(seats: Seats) -> bool:
    return bool(seats.open and seats.registered <= seats.capacity)


def _leaving_queue(event_id: str, user_id: str, owner: str | None) -> Transaction:
    transaction = _cancelling(event_id, user_id, guards.waits(), clock.now())
    transaction.update("seats", Seats.key(event_id), [Seats.waiting.add(-1)], guards.is_of(owner))
    return transaction


def _leaving_seat(event_id: str, user_id: str, owner: str | None) -> Transaction:
    transaction = _cancelling(event_id, user_id, guards.holds_seat(), clock.now())
    stays_free = guards.goes_to_nobody() & guards.is_of(owner)
    transaction.update("seats", Seats.key(event_id), [Seats.registered.add(-1)], stays_free)
    return transaction


def _handing_on(event_id: str, user_id: str, head: Registration, owner: str | None) -> Transaction:
    now = clock.now()
    transaction = _cancelling(event_id, user_id, guards.holds_seat(), now)
    transaction.update("head", head, promoted(head, now), guards.waits_since(head.standing))
    transaction.update(
        "seats", Seats.key(event_id), [Seats.waiting.add(-1)], guards.goes_to_the_queue() & guards.is_of(owner)
    )
    return transaction


def _cancelling(event_id: str, user_id: str, guard: Condition, at: str) -> Transaction:
    transaction = Transaction()
    transaction.update("registration", Registration(event_id, user_id), cancelled(at), guard)
    return transaction


def _learn(failures: Failures, known: _Known) -> None:
    """What a failed attempt to leave means: there is nothing to leave, or there is something else to try."""
    if not failures:
        return
    if "seats" in failures and failures["seats"] is None:
        raise RegistrationNotFound  # no event, no registrations, whatever a row says
    if "registration" in failures:
        raw = failures["registration"]
        status = Registration.parse(raw).status if raw else CANCELLED
        if status == CANCELLED:
            raise RegistrationNotFound
        known.waits = status == WAITLISTED
    if seats := failures.get("seats"):
        known.seats = Seats.parse(seats)
    raise LostRace(at_once=True)


def fill(event_id: str) -> int:
    """Promote as many as there are free seats, in the order of the queue.

    Returns: how many moved up.
    """
    moved = 0
    while some := _promote_some(event_id):
        moved += some
    return moved


@retry_lost_race
def _promote_some(event_id: str) -> int:
    seats = Seats.find(event_id)
    if seats is None or not seats.queue_can_move:
        return 0
    heads = Registration.queue(event_id, min(seats.free, FILL_AT_ONCE))
    if not heads:
        return 0
    now = clock.now()
    transaction = Transaction()
    for head in heads:
        transaction.update(head.user_id, head, promoted(head, now), guards.waits_since(head.standing))
    counting = [Seats.registered.add(len(heads)), Seats.waiting.add(-len(heads))]
    room = guards.is_open() & guards.has_room_for(len(heads), int(seats.capacity))
    transaction.update("seats#", seats, counting, room)
    if transaction.commit(lasting=False):
        raise LostRace(at_once=True)
    seats_changed.send(Registration, promoted=len(heads))
    return len(heads)


def forget_cancelled(event_id: str, deleted_at: str) -> None:
    """Remove the cancelled registrations of a deleted event, one by one, as long as the request's time lasts.

    It never fails: the event is gone, and a row left behind does no harm. `Registration.is_of` tells it from those of
    another event of the same id, it is shown nowhere, and registering again replaces it; `audit_seats --repair`
    removes it.
    """
    try:
        with time_limit(time_left() - FORGETTING_LEAVES_SECONDS):
            _forget_cancelled(event_id, deleted_at)
    except (PynamoDBException, BotoCoreError, Unavailable):
        logger.warning("cancelled registrations of the deleted event %s are left behind", event_id, exc_info=True)


def _forget_cancelled(event_id: str, deleted_at: str) -> None:
    for row in Registration.by_event.query(event_id, cancelled_until(deleted_at), consistent_read=True):
        try:
            row.delete(condition=guards.is_cancelled_since(row.standing))
        except DeleteError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            # registered for a new event of the same id meanwhile
