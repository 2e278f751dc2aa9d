"""The admission queue of a busy event, whose seats get more requests than one item can take.

DynamoDB writes 1,000 units a second to one item, and a refused write costs as much as a successful one. So a request
that sees contention draws a ticket and sends no write until its turn comes. Each request with a ticket leaves it in the
seats when it commits; this `now_serving` shows how far the queue is. The algorithm is a ticket lock (Mellor-Crummey and
Scott, 1991).

The queue only saves writes; no guarantee depends on it. If a ticket is lost or its process has crashed, others wait a
little longer or come too early. The figures come from `python -m tests.bench.contention`, and docs/guarantees.md shows
the results.
"""

from events.ledger.models import AdmissionQueue, Seats
from eventsite import clock
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Now, Steps, Update, Wait
from registrations.seating.admission import is_possible
from registrations.seating.operations import Request

CONTENTION = 8  # log entries; a log with this many shows that their operations are running, or were a moment ago
TOGETHER = 8  # tickets that are served at the same time
SECONDS_EACH = 0.001  # seconds to wait for each ticket ahead, the least time that it needs the seats
LONGEST = 1.0  # seconds until a request reads the seats again, however many tickets are ahead
DOUBLED_AFTER = 0.25  # seconds without a commit; then twice as many are served, as the tickets ahead may have crashed
FIRST_WAIT, LONGEST_WAIT = 0.005, 0.5  # seconds to wait for a free log slot once it is our turn
KEPT_SECONDS = 7 * 24 * 3600  # seconds until the queue's item expires, after the last contention


class Turn:
    """One request's turn at the seats."""

    def __init__(self, request: Request) -> None:
        self.request = request

    def wait_in_contention(self, seats: Seats) -> Steps[None]:
        """Wait in the queue if the seats show contention and the request has no ticket yet.

        Raises:
            Conflict: It has waited, so the seats are out of date; read them again.
        """
        if not self.request.ticket and len(seats.committed) >= CONTENTION:
            yield from self.wait_after_conflict(seats)

    def wait_after_conflict(self, seats: Seats) -> Steps[None]:
        """Wait in the queue, because other requests write the seats at the same time.

        Raises:
            Conflict: Always, as the seats are out of date; read them again.
        """
        self.request.at_once = False
        yield from self.wait(seats)
        raise Conflict(immediate=True)

    def wait(self, seats: Seats, number: int = 1) -> Steps[None]:
        """Wait until it is the request's turn, or the event admits no user any more.

        Args:
            seats: The seats as last read.
            number: The 1-based number of the attempt to get a log slot. After the first, there is a pause before.
        """
        if number > 1:
            yield Wait(min(FIRST_WAIT * 2**number, LONGEST_WAIT))
        request = self.request
        request.seen = seats
        request.ticket = request.ticket or (yield from _draw(seats))
        stalled, serving = 0.0, seats.now_serving
        while (ahead := request.ticket - serving) > TOGETHER * 2 ** (stalled / DOUBLED_AFTER):
            waited = yield Wait(min(ahead * SECONDS_EACH, LONGEST))
            now = yield Get((Seats, seats.event_id, Seats.ITEM), consistent=False)
            request.seen = now
            if now is None or now.incarnation != seats.incarnation or not is_possible(now, request.organizes, 0):
                return
            stalled, serving = 0.0 if now.now_serving != serving else stalled + waited, now.now_serving


def _draw(seats: Seats) -> Steps[int]:
    queue = AdmissionQueue.named(*AdmissionQueue.key_of(seats))
    expires_at = clock.in_seconds((yield Now())) + KEPT_SECONDS
    entering = [AdmissionQueue.entered.add(1), AdmissionQueue.expires_at.set(expires_at)]
    written = yield Update(queue, entering, None)
    return int(AdmissionQueue.parse(written.image).entered)
