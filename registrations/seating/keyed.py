"""Register by a request with an Idempotency-Key: once, although copies of it are sent and processes crash."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Steps, retrying
from eventsite.errors import Missing, Refused
from registrations.errors import AnswersNeeded
from registrations.models import Registration
from registrations.reading import one as reading
from registrations.seating import commit
from registrations.seating.admission_queue import Turn
from registrations.seating.operations import Request, TakenOver
from registrations.seating.register import register

PATIENCE = 3  # attempts that meet the same copy of the request; then that copy counts as crashed


@dataclass
class _Others:
    """The other copies of the request that this one has met, and how often."""

    turn: Turn
    met: Counter[Announced] = field(default_factory=Counter)

    def wait_for(self, copy: Announced, event_id: str) -> Steps[None]:
        """Wait for another copy to finish.

        In contention this request waits in the admission queue, because the other copy may be waiting there too.

        Raises:
            Conflict: The copy may have finished; read again. It is not raised once the copy counts as crashed.
        """
        self.met[copy] += 1
        seats = yield Get((Seats, event_id, Seats.ITEM))
        if seats:
            yield from self.turn.wait_in_contention(seats)
        if self.met[copy] < PATIENCE:
            raise Conflict


def once(request: Request, keyed: IdempotentRequest) -> Steps[Registration]:
    """Register a user, or repeat the first answer to the request.

    Raises:
        KeyReused: The key belongs to a different request. The exceptions of `register` pass through.
    """
    return (yield from retrying(partial(_once, request, keyed, _Others(Turn(request)))))


def _once(request: Request, keyed: IdempotentRequest, others: _Others) -> Steps[Registration]:
    earlier = yield from keyed.begin((yield from request.draw()))
    if isinstance(earlier, Announced):
        return (yield from _instead_of(earlier, request, keyed, others))
    return Registration(**earlier) if earlier else (yield from _execute(request, keyed))


def repeat(request: Request, keyed: IdempotentRequest) -> Steps[Registration | None]:
    """Return the first answer to a request without executing it, or None if no copy was executed.

    Raises:
        KeyReused: The key belongs to a different request. An earlier refusal is raised again.
    """
    return (yield from retrying(partial(_repeat, request, keyed, _Others(Turn(request)))))


def _repeat(request: Request, keyed: IdempotentRequest, others: _Others) -> Steps[Registration | None]:
    earlier = yield from keyed.look()
    if not isinstance(earlier, Announced):
        return Registration(**earlier) if earlier else None
    made = yield from _made_by(earlier, request, keyed, others)
    if made is None and not (yield from keyed.withdraw()):
        raise Conflict
    return made


def _instead_of(earlier: Announced, request: Request, keyed: IdempotentRequest, others: _Others) -> Steps[Registration]:
    """Return what another copy of the request made, or execute the request if that copy has crashed before."""
    made = yield from _made_by(earlier, request, keyed, others)
    return (yield from _execute(request, keyed)) if made is None else made


def _made_by(
    earlier: Announced, request: Request, keyed: IdempotentRequest, others: _Others
) -> Steps[Registration | None]:
    """Wait for another copy of the request, and take the request over if that copy has crashed.

    The takeover prevents the other copy from announcing another operation. Then a fence prevents the commit of the
    operations that it has announced. So the registration that is read after both is final.
    """
    yield from others.wait_for(earlier, request.event_id)
    if not (yield from keyed.take_over(earlier, (yield from request.draw()))):
        raise Conflict
    if not (yield from _is_committed(request, earlier.operations)):
        return None
    made = yield from reading.as_it_was_made(request.event_id, request.user_id, *earlier.operations)
    return (yield from _first_answer(keyed, made))


def _execute(request: Request, keyed: IdempotentRequest) -> Steps[Registration]:
    try:
        registration = yield from register(request)
    except TakenOver:
        raise Conflict from None
    except AnswersNeeded:
        if (yield from keyed.withdraw()):
            raise
        raise Conflict from None
    except (Refused, Missing) as error:
        if (yield from keyed.finish_refused(error)):
            raise error
        raise Conflict from None
    return (yield from _first_answer(keyed, registration))


def _first_answer(keyed: IdempotentRequest, registration: Registration) -> Steps[Registration]:
    """Store the answer for all copies of the request, and return the stored one: another copy may have been first."""
    return Registration(**(yield from keyed.finish(registration.as_json())))


def _is_committed(request: Request, earlier: tuple[str, ...]) -> Steps[bool]:
    """Return True if one of some operations was committed. If not, a fence ensures that none will be."""
    now = yield Get((Seats, request.event_id, Seats.ITEM))
    seats = (yield from commit.fence(now, request.user_id)) if now else None
    entry = log.of_user(seats, request.user_id) if seats else None
    if seats and entry and entry.operation in earlier:
        yield from commit.recover(seats, entry, request)
        return True
    return (yield from commit.was_applied(request, *earlier))
