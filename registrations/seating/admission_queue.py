"""The admission queue before the seats of an event that more people want at once than one item can take.

An item takes a thousand written units a second, and a write that is refused costs as much as one that is done. So a
request that sees contention, or is refused because of it, draws a ticket and sends nothing until its turn comes. How
far the queue has come the seats show: each request that has a ticket leaves it there with its commit.

No promise rests on this. Where a ticket is lost, or its process has crashed, others wait a little longer or come too
early. The figures come from `python -m tests.bench.contention`; docs/guarantees.md has the curve.
"""

from events.ledger.models import AdmissionQueue, Seats
from eventsite import clock
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Now, Steps, Update, Wait
from registrations.seating.admission import is_possible
from registrations.seating.operations import Request

CONTENTION = 8  # log entries at a look: their operations are at work, or were a moment ago
TOGETHER = 8  # tickets that are served at the same time
SECONDS_EACH, LONGEST = 0.001, 1.0
"""Each of those ahead needs the seats for so long at least; but a request looks again after so long at most."""
DOUBLED_AFTER = 0.25  # seconds in which nobody passes; then twice as many are served, for those ahead have crashed
FIRST_WAIT, LONGEST_WAIT = 0.005, 0.5
"""Seconds to wait for a free log slot once it is our turn."""
KEPT_SECONDS = 7 * 24 * 3600  # after the last contention


class Turn:
    """One request's turn at the seats."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def wait_in_contention(self, seats: Seats) -> Steps[None]:
        """Wait where one more at work would only be refused. Raises: `Conflict` then: look again."""
        if not self.request.ticket and len(seats.committed) >= CONTENTION:
            self.request.at_once = False
            yield from self.wait(seats)
            raise Conflict(immediate=True)

    def wait(self, seats: Seats, number: int = 1) -> Steps[None]:
        """Wait until the turn comes, or the event admits nobody any more. Args: the how many-th wait for room it is."""
        if number > 1:
            yield Wait(min(FIRST_WAIT * 2**number, LONGEST_WAIT))
        request = self.request
        request.seen = seats
        request.ticket = request.ticket or (yield from _draw(seats))
        in_vain, serving = 0.0, seats.now_serving
        while (ahead := request.ticket - serving) > TOGETHER * 2 ** (in_vain / DOUBLED_AFTER):
            waited = yield Wait(min(ahead * SECONDS_EACH, LONGEST))
            now = yield Get((Seats, seats.event_id, Seats.ITEM), consistent=False)
            request.seen = now
            if now is None or now.incarnation != seats.incarnation or not is_possible(now, request.organizes, 0):
                return
            in_vain, serving = 0.0 if now.now_serving != serving else in_vain + waited, now.now_serving


def _draw(seats: Seats) -> Steps[int]:
    queue = AdmissionQueue(*AdmissionQueue.key_of(seats))
    expires_at = clock.in_seconds((yield Now())) + KEPT_SECONDS
    entering = [AdmissionQueue.entered.add(1), AdmissionQueue.expires_at.set(expires_at)]
    written = yield Update(queue, entering, None)
    return int(AdmissionQueue.parse(written.image).entered)
