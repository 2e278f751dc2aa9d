"""The rules of the seats (CONTRACT): how each operation changes them, and under which condition.

    take a seat       registered + 1, next ticket, watermark  if open, registered < capacity, none waiting
    join the queue    waiting + 1, next ticket                if open, waitlist on, full or people waiting
    leave the queue   waiting - 1                             if the ticket is above the watermark
    free a seat       registered - 1                          if none waits, or closed, or over, or too many are in
    hand it on        waiting - 1, watermark to the head      if open, not over, people wait, registered <= capacity,
                                                              and the head is the one that was found

`seated_through` only rises, so a ticket that has a seat keeps it until it is given up.
The rules perform no reads or writes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import log, operations, queue
from events.ledger.models import Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Steps, Update
from registrations.errors import EventFull
from registrations.seating import admission, guards, trim
from registrations.seating.operations import Request

# The same for all requests, so made once.
NEXT_TICKET = Seats.tickets.set(Seats.tickets + 1)
TAKING_A_SEAT = (NEXT_TICKET, Seats.registered.set(Seats.registered + 1), Seats.seated_through.set(Seats.tickets + 1))
A_SEAT = log.a_seat(Seats.tickets)
QUEUEING = (NEXT_TICKET, Seats.waiting.set(Seats.waiting + 1))
A_PLACE = log.a_place(Seats.tickets)
ONE_MORE_LEFT = Seats.left.set(Seats.left + 1)
ONE_LESS_WAITS = Seats.waiting.set(Seats.waiting - 1)
QUITTING = (ONE_MORE_LEFT, ONE_LESS_WAITS, Seats.waitlist_exits.set(Seats.waitlist_exits + 1))
BY_NOBODY = Seats.by.remove()
FREEING = (ONE_MORE_LEFT, Seats.registered.set(Seats.registered - 1))


class Change(NamedTuple):
    """How an operation changes the seats."""

    actions: Sequence[Action]
    value: Any
    """The value of the log entry."""
    condition: Condition
    """The condition under which the rules allow it."""
    successor: int | None = None
    """The ticket that gets the freed seat, if any."""


def joining(seats: Seats, organizes: Scope, now: int) -> Change:
    """Return how a joining changes the seats.

    Args:
        seats: The seats as read.
        organizes: The events that the caller organizes. An organizer may add people outside the window.
        now: Seconds since the Unix epoch, by the clock of this server.

    Raises:
        RegistrationClosed: The event is closed or over, or its window is.
        RegistrationNotOpen: The window has not opened yet.
        EventFull: There is no free seat, and no waitlist.
    """
    admission.check(seats, organizes, now)
    in_time = guards.is_open() & guards.is_in_window(now, organizes=organizes.reaches(seats))
    if seats.free and not seats.waiting:
        rule = in_time & guards.has_free_seat() & guards.nobody_waits()
        return Change(TAKING_A_SEAT, A_SEAT, rule)
    if not seats.waitlist_enabled:
        raise EventFull
    return Change(QUEUEING, A_PLACE, in_time & guards.waitlist_is_on() & guards.must_wait())


def leaving(seats: Seats, ticket: int, now: int) -> Steps[Change]:
    """Return how giving up a ticket changes the seats.

    Args:
        seats: The seats as read.
        ticket: The ticket.
        now: Seconds since the Unix epoch, by the clock of this server.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    if ticket > seats.tickets:
        raise Conflict(immediate=True)
    if ticket > seats.seated_through:
        counted, condition = queue.counting(seats, ticket)
        return Change([*QUITTING, *counted], log.leaving(log.QUIT, ticket), guards.waits(ticket) & condition)
    if not (seats.promotes(now) and seats.waiting and seats.registered <= seats.capacity):
        return Change(FREEING, log.leaving(log.FREE, ticket), guards.goes_to_nobody(now))
    head = yield from queue.head(seats)
    handing: list[Action] = [ONE_MORE_LEFT, ONE_LESS_WAITS, Seats.seated_through.set(head), Seats.moved.set(head)]
    handing += queue.trimming(seats, head)
    rule = guards.goes_to_the_queue(now) & guards.head_is(seats)
    return Change(handing, log.leaving(log.HAND, ticket, head), rule, head)


def write(seats: Seats, change: Change, request: Request, name: str, trimmed: list[str], at: int) -> Update:
    """Return the write of the seats that commits an operation.

    Args:
        seats: The seats for which it is planned.
        change: The planned change.
        request: The request, with the id of the operation.
        name: The name of its log entry.
        trimmed: The names of the log entries to trim.
        at: The index in `trimmed` of the entry that must still be there if the log is full.
    """
    bucket = seats.bucket_of(request.user_id)
    actions = [*change.actions, next_epoch(bucket), Seats.log_entries[name].set(change.value)]
    actions += [Seats.log_entries[one].remove() for one in trimmed]
    actor = operations.actor(request.by, request.user_id)
    actions.append(Seats.by.set(actor) if actor else BY_NOBODY)
    if request.ticket > seats.now_serving:
        actions.append(Seats.now_serving.set(request.ticket))
    once = guards.is_incarnation(seats.incarnation) & guards.is_epoch(seats, bucket)
    room = guards.has_room(trim.room(seats), trimmed[at] if trimmed else None)
    return Update(Seats.key(seats.event_id), actions, once & change.condition & room)


@cache
def next_epoch(bucket: int) -> Action:
    """Return the update that moves the epoch of a bucket of users."""
    epoch = Seats.epoch_of(bucket)
    moved: Action = epoch.set(epoch + 1)
    return moved
