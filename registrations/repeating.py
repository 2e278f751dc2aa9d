"""A keyed request to register: carried out once, however often it is sent and wherever it was cut off."""

from collections import Counter
from functools import partial

from events.models import Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.retries import LostRace, retry_lost_race
from eventsite.errors import Missing, Refused
from registrations import committing, locking, reading, seating
from registrations.models import ActiveItem, Registration, record_name
from registrations.operations import Operation, TakenOver


def once(operation: Operation, keyed: IdempotentRequest, scope: Scope) -> Registration:
    """Carry out a joining, or give the first answer again. Raises: as `seating.register`."""
    return retry_lost_race(partial(_once, operation, keyed, scope, Counter()))()


def _once(operation: Operation, keyed: IdempotentRequest, scope: Scope, met: Counter[str]) -> Registration:
    earlier = keyed.begin(operation.id)
    if earlier is None:
        return _carry_out(operation, keyed, scope)
    if not isinstance(earlier, Announced):
        return Registration(**earlier)
    met[earlier.operation] += 1
    if met[earlier.operation] < locking.PATIENCE:
        raise LostRace
    if _is_committed(operation, earlier.operation):
        registration = reading.as_it_stands(operation.event_id, operation.user_id)
        keyed.finish(earlier.operation, registration.as_json())
        return registration
    if not keyed.take_over(earlier.operation, operation.id):
        raise LostRace
    return _carry_out(operation, keyed, scope)


def _carry_out(operation: Operation, keyed: IdempotentRequest, scope: Scope) -> Registration:
    try:
        registration = seating.join(operation, scope)
    except TakenOver:
        raise LostRace from None
    except (Refused, Missing) as error:
        keyed.finish_refused(operation.id, error)
        raise
    keyed.finish(operation.id, registration.as_json())
    return registration


def _is_committed(operation: Operation, earlier: str) -> bool:
    """Whether an operation that was cut off was committed; if not, it never will be from now on."""
    item = ActiveItem.find(*ActiveItem.key_of(operation.event_id, operation.user_id))
    if item and item.lock == earlier:
        locking.make_way(item)
    else:
        seats = Seats.find(operation.event_id)
        if seats and record_name(earlier, operation.user_id) not in seats.records.as_dict():
            locking.fence(operation.event_id, seats.incarnation)
    return committing.was_carried_out(operation.event_id, operation.user_id, earlier)
