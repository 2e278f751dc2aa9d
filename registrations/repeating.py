"""A keyed request to register: carried out once, however often it is sent and wherever it was cut off."""

from collections import Counter
from functools import partial

from events.models import Seats
from eventsite.auth.scope import Scope
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.retries import LostRace, retry_lost_race
from eventsite.errors import Missing, Refused
from registrations import committing, locking, reading, seating, settling
from registrations.models import ActiveItem, Registration, record_name
from registrations.operations import Operation, TakenOver


def once(operation: Operation, keyed: IdempotentRequest, scope: Scope) -> Registration:
    """Carry out a joining, or give the first answer again. Raises: as `seating.register`."""
    return retry_lost_race(partial(_once, operation, keyed, scope, Counter[Announced]()))()


def _once(operation: Operation, keyed: IdempotentRequest, scope: Scope, met: Counter[Announced]) -> Registration:
    earlier = keyed.begin(operation.id)
    if isinstance(earlier, Announced):
        return _instead_of(earlier, operation, keyed, scope, met)
    return Registration(**earlier) if earlier else _carry_out(operation, keyed, scope)


def _instead_of(
    earlier: Announced, operation: Operation, keyed: IdempotentRequest, scope: Scope, met: Counter[Announced]
) -> Registration:
    """Wait for another copy of the request, and take over when it does not come to an end.

    The other copy is shut out first: from then on it takes no lock for this request. Then a fence: from then on nothing
    that it has planned is committed. So what is found then is final.
    """
    met[earlier] += 1
    if met[earlier] < locking.PATIENCE or not keyed.take_over(earlier, operation.id):
        raise LostRace
    if not _is_committed(operation, earlier.operations):
        return _carry_out(operation, keyed, scope)
    registration = reading.as_it_stands(operation.event_id, operation.user_id)
    keyed.finish(registration.as_json())
    return registration


def _carry_out(operation: Operation, keyed: IdempotentRequest, scope: Scope) -> Registration:
    try:
        registration = seating.join(operation, scope)
    except TakenOver:
        raise LostRace from None
    except (Refused, Missing) as error:
        keyed.finish_refused(error)
        raise
    keyed.finish(registration.as_json())
    return registration


def _is_committed(operation: Operation, earlier: tuple[str, ...]) -> bool:
    """Whether one of these operations was committed; if not, none will be from now on."""
    now = Seats.find(operation.event_id)
    seats = locking.fence(operation.event_id, now.incarnation) if now else None
    recorded = seats and any(record_name(one, operation.user_id) in seats.records.as_dict() for one in earlier)
    item = ActiveItem.find(*ActiveItem.key_of(operation.event_id, operation.user_id))
    if recorded and seats and item and item.lock in earlier:
        settling.settle(item, seats)
    return bool(recorded) or committing.was_carried_out(operation.event_id, operation.user_id, *earlier)
