"""A keyed request to register: carried out once, however often it is sent and wherever it was cut off."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Steps, retrying
from eventsite.errors import Missing, Refused
from registrations.models import Registration
from registrations.reading import one as reading
from registrations.seating import commit
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request, TakenOver
from registrations.seating.register import register

PATIENCE = 3  # looks at another copy of the request; after that it counts as crashed


@dataclass
class _Others:
    """The other copies of the request that this one has met."""

    turn: Turn
    met: Counter[Announced] = field(default_factory=Counter)

    def wait_for(self, copy: Announced, event_id: str) -> Steps[None]:
        """Wait for a copy to come to an end; in contention, as long as that one waits for its turn.

        Raises:
            Conflict: Look again. Not any more when the copy counts as crashed.
        """
        self.met[copy] += 1
        seats = yield Get((Seats, event_id, Seats.ITEM))
        if seats:
            yield from self.turn.wait_in_contention(seats)
        if self.met[copy] < PATIENCE:
            raise Conflict


def once(request: Request, keyed: IdempotentRequest) -> Steps[Registration]:
    """Register a user, or give the first answer again.

    Raises:
        idempotency.KeyReused; what registering raises.
    """
    return (yield from retrying(partial(_once, request, keyed, _Others(Turn(request)))))


def _once(request: Request, keyed: IdempotentRequest, others: _Others) -> Steps[Registration]:
    earlier = yield from keyed.begin((yield from request.draw()))
    if isinstance(earlier, Announced):
        return (yield from _instead_of(earlier, request, keyed, others))
    return Registration(**earlier) if earlier else (yield from _carry_out(request, keyed))


def _instead_of(earlier: Announced, request: Request, keyed: IdempotentRequest, others: _Others) -> Steps[Registration]:
    """Wait for another copy of the request, and take over when it does not come to an end.

    The other copy is shut out first: from then on it announces no operation for this request. Then a fence: from then
    on nothing that it has planned is committed. So what is found then is final.
    """
    yield from others.wait_for(earlier, request.event_id)
    if not (yield from keyed.take_over(earlier, (yield from request.draw()))):
        raise Conflict
    if not (yield from _is_committed(request, earlier.operations)):
        return (yield from _carry_out(request, keyed))
    made = yield from reading.as_it_was_made(request.event_id, request.user_id, *earlier.operations)
    return (yield from _first_answer(keyed, made))


def _carry_out(request: Request, keyed: IdempotentRequest) -> Steps[Registration]:
    try:
        registration = yield from register(request)
    except TakenOver:
        raise Conflict from None
    except (Refused, Missing) as error:
        if (yield from keyed.finish_refused(error)):
            raise error
        raise Conflict from None
    return (yield from _first_answer(keyed, registration))


def _first_answer(keyed: IdempotentRequest, registration: Registration) -> Steps[Registration]:
    """Return what all copies of the request answer: this, or what another one answered before."""
    return Registration(**(yield from keyed.finish(registration.as_json())))


def _is_committed(request: Request, earlier: tuple[str, ...]) -> Steps[bool]:
    """Return whether one of these operations was committed; if not, none will be from now on."""
    now = yield Get((Seats, request.event_id, Seats.ITEM))
    seats = (yield from commit.fence(now, request.user_id)) if now else None
    entry = log.of_user(seats, request.user_id) if seats else None
    if seats and entry and entry.operation in earlier:
        yield from commit.recover(seats, entry, request)
        return True
    return (yield from commit.was_applied(request, *earlier))
