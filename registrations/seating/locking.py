"""The lock on a registration: one operation at a time changes it, and whoever finds a lock left behind makes way.

An operation that died holds its lock for ever, so others must be able to break it, and must be certain then that what
it was about to do never happens. They are, by a fence: one more generation of the seats, under which every commit
that was planned before is refused. Whether it was committed before the fence, the seats know: then it is settled, in
its name; else the lock is taken away.
"""

from collections import Counter
from dataclasses import dataclass, field

from pynamodb.exceptions import DeleteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger.models import Seats
from eventsite.dynamodb import writes
from eventsite.dynamodb.retries import Conflict
from registrations.models import ActiveItem
from registrations.seating import guards, settling
from registrations.seating.operations import Operation

PATIENCE = 3
"""So often a lock is met, with a wait after each time, before its operation is given up for dead."""


@dataclass
class Locks:
    """The locks of others that one request has met."""

    met: Counter[str] = field(default_factory=Counter)

    def wait_for(self, item: ActiveItem) -> None:
        """Wait for a lock to go, or break it when it does not. Always raises `Conflict`: look again."""
        self.met[str(item.lock)] += 1
        if self.met[str(item.lock)] < PATIENCE:
            raise Conflict
        make_way(item)
        raise Conflict(immediate=True)


def take(operation: Operation, seats: Seats, found: ActiveItem | None) -> ActiveItem | None:
    """Lock a registration for an operation.

    Takes: the seats, read before; the registration that is to be changed, None where there is to be none.
    Returns: the registration, if it is locked now; None if it is not as it was found.
    """
    unchanged = guards.is_vacant() if found is None else guards.has_ticket(found)
    unlocked = guards.is_unlocked()
    while True:
        written = writes.conditional_update(
            _item(operation), _locking(operation, seats.incarnation), unlocked & unchanged
        )
        item = ActiveItem.parse(written.image) if written.image else None
        if item is None or item.lock != operation.id:
            return None
        if not written.in_doubt:
            return item
        # A copy of it may still be under way, and lock the registration again when nobody thinks of it any more. Such
        # a lock does no harm as long as nothing was ever committed under it.
        unlocked = guards.is_unlocked() | guards.is_held_by(operation.renew())


def retake(operation: Operation, before: str) -> bool:
    """Hold the lock under a new id, after a fence that may have been meant for the old one.

    Whether it was still held.
    """
    written = writes.conditional_update(
        _item(operation), [ActiveItem.lock.set(operation.id)], guards.is_held_by(before)
    )
    return written.done or bool(written.image and ActiveItem.parse(written.image).lock == operation.id)


def release(item: ActiveItem, operation: str) -> None:
    """Take away the lock of an operation that is not committed and never will be."""
    if item.ticket is None:
        _delete(item, guards.is_held_by(operation))
    else:
        actions: list[Action] = [attribute.remove() for attribute in LOCK]
        writes.conditional_update(ActiveItem(item.key, item.item), actions, guards.is_held_by(operation))


def _delete(item: ActiveItem, condition: Condition) -> None:
    try:
        ActiveItem(item.key, item.item).delete(condition=condition)
    except DeleteError as error:
        if error.cause_response_code != writes.REFUSED:
            raise


def remove_leftover(item: ActiveItem) -> None:
    """Remove the registration for an event that is gone."""
    _delete(item, guards.is_unlocked() & guards.has_ticket(item))


def fence(event_id: str, incarnation: str) -> Seats | None:
    """Refuse from now on every commit that was planned before.

    The seats as they are then, None if the event is gone.
    """
    written = writes.conditional_update(
        Seats.key(event_id), [Seats.generation.set(Seats.generation + 1)], guards.is_incarnation(incarnation)
    )
    return Seats.parse(written.image) if written.done and written.image else None


def make_way(item: ActiveItem) -> None:
    """Finish what the holder of a lock has committed, or take the lock away where it has not."""
    seats = fence(item.event_id, str(item.lock_incarnation))
    if seats and item.record in seats.committed:
        settling.settle(item, seats)
    else:
        release(item, str(item.lock))


LOCK = (
    ActiveItem.lock,
    ActiveItem.lock_kind,
    ActiveItem.lock_at,
    ActiveItem.lock_registration_id,
    ActiveItem.lock_incarnation,
)


def _item(operation: Operation) -> ActiveItem:
    return ActiveItem(*ActiveItem.key_of(operation.event_id, operation.user_id))


def _locking(operation: Operation, incarnation: str) -> list[Action]:
    answers: list[Action] = [ActiveItem.answers.set(operation.answers)] if operation.answers is not None else []
    return [
        *answers,
        ActiveItem.lock.set(operation.id),
        ActiveItem.lock_kind.set(operation.kind),
        ActiveItem.lock_at.set(operation.at),
        ActiveItem.lock_registration_id.set(operation.registration_id),
        ActiveItem.lock_incarnation.set(incarnation),
    ]
