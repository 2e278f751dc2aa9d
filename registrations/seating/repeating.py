"""A keyed request to register: carried out once, however often it is sent and wherever it was cut off."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from events.ledger.models import Seats
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.errors import Missing, Refused
from registrations.models import ActiveItem, Registration, record_name
from registrations.reading import one as reading
from registrations.seating import committing, locking, settling
from registrations.seating.operations import Operation, TakenOver
from registrations.seating.turnstile import Turn

Join = Callable[[], Registration]
"""Carries out the joining. Raises: `Refused`, `Missing`; `operations.TakenOver`."""


def once(operation: Operation, keyed: IdempotentRequest, join: Join) -> Registration:
    """Carry out a joining, or give the first answer again.

    Takes: the operation, and what carries it out; the key that it was sent with.
    Raises: what the joining raises; `idempotency.KeyReused`.
    """
    return retry_on_conflict(partial(_once, operation, keyed, join, _Others()))()


@dataclass
class _Others:
    """The other copies of the request that one has met."""

    met: Counter[Announced] = field(default_factory=Counter)
    turn: Turn = field(default_factory=Turn)

    def wait_for(self, copy: Announced, event_id: str) -> None:
        """Wait for a copy to come to an end; in a crowd, as long as that one waits for its turn there.

        Raises: `Conflict`: look again; not any more when it is to be given up for dead.
        """
        self.met[copy] += 1
        seats = Seats.find(event_id)
        if seats:
            self.turn.wait_if_crowded(seats)
        if self.met[copy] < locking.PATIENCE:
            raise Conflict


def _once(operation: Operation, keyed: IdempotentRequest, join: Join, others: _Others) -> Registration:
    earlier = keyed.begin(operation.id)
    if isinstance(earlier, Announced):
        return _instead_of(earlier, operation, keyed, join, others)
    return Registration(**earlier) if earlier else _carry_out(keyed, join)


def _instead_of(
    earlier: Announced, operation: Operation, keyed: IdempotentRequest, join: Join, others: _Others
) -> Registration:
    """Wait for another copy of the request, and take over when it does not come to an end.

    The other copy is shut out first: from then on it takes no lock for this request. Then a fence: from then on nothing
    that it has planned is committed. So what is found then is final.
    """
    others.wait_for(earlier, operation.event_id)
    if not keyed.take_over(earlier, operation.id):
        raise Conflict
    if not _is_committed(operation, earlier.operations):
        return _carry_out(keyed, join)
    made = reading.as_it_was_made(operation.event_id, operation.user_id, *earlier.operations)
    return _first_answer(keyed, made)


def _carry_out(keyed: IdempotentRequest, join: Join) -> Registration:
    try:
        registration = join()
    except TakenOver:
        raise Conflict from None
    except (Refused, Missing) as error:
        if keyed.finish_refused(error):
            raise
        raise Conflict from None
    return _first_answer(keyed, registration)


def _first_answer(keyed: IdempotentRequest, registration: Registration) -> Registration:
    """What all copies of the request answer: this, or what another one told of it before."""
    return Registration(**keyed.finish(registration.as_json()))


def _is_committed(operation: Operation, earlier: tuple[str, ...]) -> bool:
    """Whether one of these operations was committed; if not, none will be from now on."""
    now = Seats.find(operation.event_id)
    seats = locking.fence(operation.event_id, now.incarnation) if now else None
    recorded = seats and any(record_name(one, operation.user_id) in seats.committed for one in earlier)
    item = ActiveItem.find(*ActiveItem.key_of(operation.event_id, operation.user_id))
    if recorded and seats and item and item.lock in earlier:
        settling.settle(item, seats)
    return bool(recorded) or committing.was_carried_out(operation.event_id, operation.user_id, *earlier)
