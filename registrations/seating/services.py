"""The rules of the seats (CONTRACT, "The rules of the seats"), and how DynamoDB is made to keep them.

Every change of a registration is committed by one write of the event's seats, whose condition states the rule itself:

    take a seat       registered + 1, next ticket, served   if open, registered < capacity, nobody waiting
    join the queue    waiting + 1, next ticket              if open, waitlist on, full or somebody waiting
    leave the queue   waiting - 1                           if the ticket is above served
    free a seat       registered - 1                        if nobody waits, or closed, or too many are in
    hand it on        waiting - 1, served to the head's     if open, somebody waits, registered <= capacity, and the
                                                            head is who it was

`served` only ever rises, so whoever was found to have a seat has it until they give it up.

DynamoDB carries out the writes of one item one after the other, so whoever races whom, no seat is sold twice, nobody
is overtaken, and the counters are exact. docs/protocol.md says what else it takes: the lock on the user's own
registration before, the settling after, and what happens when a process ends in between.
"""

from functools import partial
from typing import Any

from events.ledger import log, queue
from events.ledger.models import Seats
from events.services import EventNotFound, check_access, may_be_seen
from eventsite import clock
from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.ids import is_id
from registrations.errors import AlreadyRegistered, EventFull, RegistrationNotFound
from registrations.models import JOIN, LEAVE, ActiveItem, PastItem, Registration
from registrations.reading import one as reading
from registrations.seating import admission, clearing, committing, guards, locking, refusing, repeating, settling
from registrations.seating.annotate import check_out
from registrations.seating.committing import Change
from registrations.seating.locking import Locks
from registrations.seating.operations import Operation
from registrations.seating.turnstile import Turn
from registrations.signals import seats_changed
from users.models import User
from users.services import UserNotFound

# Registering


def register(
    event_id: str,
    user_id: str,
    *,
    scope: Scope,
    keyed: IdempotentRequest | None = None,
    answers: dict[str, Any] | None = None,
    organizes: Scope = NOTHING,
) -> Registration:
    """Give a user a seat, or a place at the end of the queue.

    Takes: the ids; who asks; the caller's idempotency key, if any; the validated answers to the event's questions; for
    which events the caller counts as an organizer, who may add people outside the window, until the event's end.
    Returns: the registration, with its position if it is waitlisted.
    Raises: `EventNotFound`, `EventNotYours`, `UserNotFound`, `AlreadyRegistered`, `EventFull`,
    `RegistrationNotOpen`, `RegistrationClosed`, `idempotency.KeyReused`.
    """
    operation = Operation(JOIN, event_id, user_id, keyed, organizes=organizes, answers=answers)
    if keyed is None:
        return join(operation, scope)
    return repeating.once(operation, keyed, partial(join, operation, scope))


def join(operation: Operation, scope: Scope) -> Registration:
    """Carry out a joining. Raises: as `register`; `operations.TakenOver`."""
    registration = retry_on_conflict(partial(_join, operation, scope, Locks(), Turn()))()
    seats_changed.send_robust(Registration, **{registration.status: 1})
    return registration


def _join(operation: Operation, scope: Scope, locks: Locks, turn: Turn) -> Registration:
    """One attempt, from a fresh look to the settled registration."""
    seats, past = _before_joining(operation, scope, locks)
    admission.check_answers(seats, operation.answers)
    turn.wait_if_crowded(seats)
    operation.begin()
    item = locking.take(operation, seats, None)
    if item is None:
        _make_room(operation, locks)
        raise Conflict(immediate=True)
    planned, seats = seats, committing.commit(operation, seats, partial(_joining, operation.organizes), turn)
    record = log.find(seats, operation.id)
    if record is None:  # somebody else settled it, and its record is gone
        return reading.as_it_was_made(operation.event_id, operation.user_id, operation.id)
    item.lock = operation.id
    settling.settle(item, seats, past_is=past if _is_certain(operation, planned, seats) else "unknown")
    clearing.remember(seats.event_id, item.record)
    return reading.joined(operation, record, seats)


def _is_certain(operation: Operation, planned: Seats, seats: Seats) -> bool:
    """Whether the user's last registration is the one that was read: nobody has left since, and nobody is about to."""
    own = [record for one in (planned, seats) for record in log.of(one) if record.user_id == operation.user_id]
    return planned.left == seats.left and all(record.operation == operation.id for record in own)


def _before_joining(operation: Operation, scope: Scope, locks: Locks) -> tuple[Seats, PastItem | None]:
    """The seats, if they were not long ago such that the user may join; else an up-to-date look decides.

    Raises: as `register`; what concerns the user comes before what concerns the event's seats.
    """
    before = refusing.last_look(operation.event_id)
    if before is None:
        before, user, past = _look(operation)
        if before and user and admission.is_possible(before, operation.organizes) and scope.reaches(before):
            return before, past
    return _look_closely(operation, before, scope, locks)


def _look(operation: Operation) -> tuple[Seats | None, User | None, PastItem | None]:
    event_id, user_id = operation.event_id, operation.user_id
    if not (is_id(event_id) and is_id(user_id)):
        return None, None, None
    seats, user, past = batch_get(
        (Seats, event_id, Seats.ITEM),
        (User, user_id),
        (PastItem, *PastItem.key_of(event_id, user_id)),
        consistent=(PastItem,),
    )
    return seats, user, past


def _look_closely(
    operation: Operation, before: Seats | None, scope: Scope, locks: Locks
) -> tuple[Seats, PastItem | None]:
    event_id, user_id = operation.event_id, operation.user_id
    user, item = None, None
    if is_id(event_id) and is_id(user_id):
        user, item = batch_get((User, user_id), (ActiveItem, *ActiveItem.key_of(event_id, user_id)), consistent=True)
    seats = Seats.find(event_id)
    if seats is None or not may_be_seen(seats, scope):
        raise EventNotFound
    check_access(seats, scope)
    if user is None:
        raise UserNotFound
    if not admission.is_possible(seats, operation.organizes):
        refusing.refuse(item, before, seats, locks, operation.organizes)
    refusing.forget(event_id)
    return seats, PastItem.find(*PastItem.key_of(event_id, user_id))


def _make_room(operation: Operation, locks: Locks) -> None:
    """See what stands in the way of the lock: another operation, a registration, or what is left of a deleted event."""
    item = ActiveItem.find(*ActiveItem.key_of(operation.event_id, operation.user_id))
    if item is None:
        return
    if item.lock:
        locks.wait_for(item)
    seats = Seats.find(operation.event_id)
    if seats is None:
        raise EventNotFound
    if item.incarnation == seats.incarnation:
        raise AlreadyRegistered
    locking.remove_leftover(item)


def _joining(organizes: Scope, seats: Seats) -> Change:
    """What joining does to the seats. Raises: `RegistrationNotOpen`, `RegistrationClosed`, `EventFull`."""
    now = clock.seconds()
    admission.check(seats, organizes, now)
    in_time = guards.is_in_window(now, organizes=organizes.reaches(seats))
    ticket = Seats.tickets.set(Seats.tickets + 1)
    if seats.free and not seats.waiting:
        taking = [ticket, Seats.registered.set(Seats.registered + 1), Seats.served.set(Seats.tickets + 1)]
        return Change(taking, log.A_SEAT, in_time & guards.has_free_seat() & guards.nobody_waits())
    if not seats.waitlist_enabled:
        raise EventFull
    queueing = [ticket, Seats.waiting.set(Seats.waiting + 1)]
    return Change(queueing, log.A_PLACE, in_time & guards.waitlist_is_on() & guards.must_wait())


# Leaving


def leave(event_id: str, user_id: str, *, scope: Scope) -> str | None:
    """Give up a seat or a place in the queue; a freed seat goes to the head of the queue in the same write.

    Takes: the ids; who asks.
    Returns: the id of the user who got the seat, or None.
    Raises: `RegistrationNotFound`; `EventNotYours`, unless it is a draft.
    """
    if not (is_id(event_id) and is_id(user_id)):
        raise RegistrationNotFound
    operation = Operation(LEAVE, event_id, user_id)
    successor = retry_on_conflict(partial(_leave, operation, scope, Locks(), Turn()))()
    seats_changed.send_robust(Registration, cancelled=1, promoted=1 if successor else 0)
    return successor


def _leave(operation: Operation, scope: Scope, locks: Locks, turn: Turn) -> str | None:
    """One attempt, from a fresh look to the settled registration."""
    item, seats = batch_get(
        (ActiveItem, *ActiveItem.key_of(operation.event_id, operation.user_id)),
        (Seats, operation.event_id, Seats.ITEM),
        consistent=True,
    )
    _check_reach(seats, scope)
    if item is None or (item.incarnation != seats.incarnation and not item.lock):
        raise RegistrationNotFound
    if item.lock:
        locks.wait_for(item)
    if item.checked_in_at:  # their check-in ends with their registration, and is not counted any more
        check_out(operation.event_id, operation.user_id)
        raise Conflict(immediate=True)
    turn.wait_if_crowded(seats)
    operation.begin()
    locked = locking.take(operation, seats, item)
    if locked is None:
        raise Conflict(immediate=True)
    seats = committing.commit(operation, seats, partial(_leaving, int(item.ticket), operation.at), turn)
    record = log.find(seats, operation.id)
    if record is None:  # somebody else settled it, and its record is gone
        return reading.successor_of(operation)
    locked.lock = operation.id
    settling.settle(locked, seats)
    clearing.remember(seats.event_id, locked.record)
    return reading.holder(seats, record.successor) if record.successor else None


def _check_reach(seats: Seats | None, scope: Scope) -> None:
    """Raises: `RegistrationNotFound` where the caller may not know of the event; `EventNotYours`."""
    try:
        if seats:
            check_access(seats, scope)
            return
    except EventNotFound:
        pass
    raise RegistrationNotFound


def _leaving(ticket: int, at: str, seats: Seats) -> Change:
    """What leaving does to the seats. Raises: `Conflict` where these are too old to tell."""
    if ticket > seats.tickets:
        raise Conflict(immediate=True)
    leaving = [Seats.left.set(Seats.left + 1)]
    if ticket > seats.served:
        gone = Seats.gone[queue.chunk_of(ticket)]
        quitting = [Seats.waiting.set(Seats.waiting - 1), Seats.quits.set(Seats.quits + 1), gone.set((gone | 0) + 1)]
        return Change(leaving + quitting, log.leaving(log.QUIT, ticket), guards.waits(ticket))
    now = clock.seconds()
    if not (seats.promotes(now) and seats.waiting and seats.registered <= seats.capacity):
        freeing = [Seats.registered.set(Seats.registered - 1)]
        return Change(leaving + freeing, log.leaving(log.FREE, ticket), guards.goes_to_nobody(now))
    head = queue.head(seats)
    handing = [Seats.waiting.set(Seats.waiting - 1), Seats.served.set(head), Seats.moved.set(head)]
    handing += [Seats.gone[chunk].remove() for chunk in queue.passed_chunks(seats, head)]
    rule = guards.goes_to_the_queue(now) & guards.head_is(seats)
    return Change(leaving + handing, log.leaving(log.HAND, ticket, head, at), rule)
