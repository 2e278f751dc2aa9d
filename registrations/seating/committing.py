"""Committing an operation: one conditional update of the event's seats, exactly once.

It is sent until it is answered. A copy that was not answered may have been carried out, or may still be; the record
in the seats tells the former, and a fence prevents the latter, before anything rests on its outcome.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger.models import Seats
from events.services import EventNotFound
from eventsite.dynamodb import writes
from eventsite.dynamodb.retries import Conflict, retry_on_conflict, wait_about
from eventsite.dynamodb.transactions import transact_get
from eventsite.errors import Missing, Refused, Unavailable
from registrations.models import ActiveItem, PastItem, record_name
from registrations.seating import clearing, guards, locking
from registrations.seating.operations import Operation
from registrations.seating.turnstile import Turn


@dataclass(frozen=True)
class Change:
    """What an operation does to the seats."""

    actions: Sequence[Action]
    record: Any
    """What is recorded of it."""
    condition: Condition
    """The rule under which it may be done."""


FIRST_WAIT, LONGEST_WAIT = 0.005, 0.5
"""Seconds. So long one waits whose turn it is, and there is no room yet."""
PATIENCE = 5
"""After so many of these waits, one takes those who have not settled for dead."""

Plan = Callable[[Seats], Change]
"""What an operation does, the seats being what they are. Raises `Refused` or `Missing` where it cannot be done."""


def commit(operation: Operation, seats: Seats, plan: Plan, turn: Turn | None = None) -> Seats:
    """Commit an operation that holds its lock.

    Takes: the seats, read before the lock was taken; the plan; the turn of the request, if it waited for one.
    Returns: the seats right after; or later, where only the record tells that it was done.
    Raises: what the plan raises, `EventNotFound`; `Conflict` when the lock was lost, and nothing was done. The lock
    is released then.
    """
    attempt = _Attempt(operation, seats, turn or Turn())
    try:
        while not attempt.committed:
            attempt.send(attempt.plan_with(plan))
    except (Refused, Missing):
        locking.release(_stub(operation), operation.id)
        raise
    return attempt.seats


class _Attempt:
    """Where the committing of one operation stands."""

    def __init__(self, operation: Operation, seats: Seats, turn: Turn) -> None:
        self.operation, self.seats = operation, seats
        self.committed = False
        self._doubtful = False
        self._turn = turn
        self._in_vain = 0

    def plan_with(self, plan: Plan) -> Change:
        """Plan for the seats as they are. What was sent in vain must never be done once the plan says no."""
        try:
            return plan(self.seats)
        except Conflict:
            self._not_done(Seats.find(self.operation.event_id))
            return self.plan_with(plan)
        except (Refused, Missing):
            if self._doubtful:
                self._fence()
                if self.committed:
                    return Change([], None, guards.is_open())
            raise

    def send(self, change: Change) -> None:
        """Send it, and see what became of it."""
        if self.committed:
            return
        record = record_name(self.operation.id, self.operation.user_id)
        cleared = clearing.settled_records(self.seats, self.operation.user_id)
        if clearing.is_full(self.seats) and not cleared:
            self._wait_for_room()
            return
        actions = [*change.actions, Seats.records[record].set(change.record)]
        actions += [Seats.records[name].remove() for name in cleared]
        if self._turn.number > self.seats.passed:
            actions.append(Seats.passed.set(self._turn.number))
        once = guards.is_unfenced(self.seats) & guards.is_not_recorded(record)
        room = guards.has_room(clearing.MOST, random.choice(cleared) if cleared else None)  # noqa: S311 (no secret)
        written = writes.conditional_update(Seats.key(self.operation.event_id), actions, once & change.condition & room)
        self._doubtful = self._doubtful or written.in_doubt
        image = Seats.parse(written.image) if written.image else None
        if image and (written.done or record in image.committed):
            self._done(image, cleared)
        else:
            self._not_done(image)
            if clearing.is_full(self.seats):
                self._wait_for_room()

    def _wait_for_room(self) -> None:
        """Let others go first, for each refusal takes a unit from them; in the end settle what the dead have left."""
        if self._in_vain:
            wait_about(min(FIRST_WAIT * 2**self._in_vain, LONGEST_WAIT))
        if self._in_vain >= PATIENCE:
            clearing.settle_one(self.seats)
        self._in_vain += 1
        self._turn.wait(self.seats)
        self._not_done(Seats.find(self.operation.event_id))

    def _done(self, seats: Seats, cleared: list[str]) -> None:
        clearing.forget(seats.event_id, cleared)
        self.seats, self.committed = seats, True
        if self._doubtful:  # no other copy may be carried out once the record is gone
            locking.fence(seats.event_id, seats.incarnation)

    def _not_done(self, image: Seats | None) -> None:
        if image is None or image.incarnation != self.seats.incarnation:
            raise EventNotFound
        fenced = image.generation != self.seats.generation
        self.seats = image
        if fenced:
            self._start_anew()

    def _start_anew(self) -> None:
        """Go on under a new id, in case the fence was for this operation."""
        before = self.operation.renew()
        if not locking.retake(self.operation, before):
            self._see_whether_it_was_done(before)
        self._doubtful = False

    def _see_whether_it_was_done(self, before: str) -> None:
        """Find out what became of it, for the lock is gone: somebody settled it, or took the lock away.

        Raises: `Conflict` for the latter; `Unavailable` where it cannot be known.
        """
        if not self._doubtful:
            raise Conflict(immediate=True)
        if not was_carried_out(self.operation.event_id, self.operation.user_id, before):
            raise Unavailable
        self.operation.id, self.committed = before, True

    def _fence(self) -> None:
        seats = locking.fence(self.operation.event_id, self.seats.incarnation)
        record = record_name(self.operation.id, self.operation.user_id)
        if seats and record in seats.committed:
            self.seats, self.committed = seats, True


@retry_on_conflict
def was_carried_out(event_id: str, user_id: str, *operations: str) -> bool:
    """Whether the registration itself bears witness to one of some operations.

    Both of its items are read in one moment: a leaving removes one and makes the other.
    """
    items = transact_get(
        (ActiveItem, *ActiveItem.key_of(event_id, user_id)), (PastItem, *PastItem.key_of(event_id, user_id))
    )
    return any(item.was_changed_by(one) for item in items if item for one in operations)


def _stub(operation: Operation) -> ActiveItem:
    item = ActiveItem(*ActiveItem.key_of(operation.event_id, operation.user_id))
    item.ticket = None if operation.joins else 0
    return item
