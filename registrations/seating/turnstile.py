"""The turnstile before the seats of an event that more people want at once than one item can take.

An item takes a thousand written units a second, and a write that is refused costs as much as one that is done. So
whoever sees a crowd, or is refused because of one, takes a number and sends nothing until its turn comes. How far the
crowd has come the seats tell: who has a number leaves it there with the commit.

No promise rests on this. Where a number is lost, or its holder is gone, some wait a little longer or come too early.
The figures come from `python -m tests.bench.contention`; docs/guarantees.md has the curve.
"""

from events.ledger import queue
from events.ledger.models import AdmissionQueue, Seats
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, wait_about

CROWD = 9
"""So many records in the seats are a crowd: their operations are at work, or were a moment ago."""
AT_ONCE = 16
"""So many go through together."""
SECONDS_EACH, LONGEST = 0.001, 1.0
"""Each of those ahead needs the seats for so long at least; but one looks again after so long at most."""
DOUBLED_AFTER = 0.25
"""While nobody passes for so long, those next in line count as gone, and twice as many may go."""


class Turn:
    """One request's turn at the seats."""

    def __init__(self) -> None:
        self.number = 0
        """What it drew; 0 as long as it has met no crowd."""

    def wait_if_crowded(self, seats: Seats) -> None:
        """Wait where one more at work would only be refused. Raises: `Conflict` then: look again."""
        if not self.number and len(seats.committed) >= CROWD:
            self.wait(seats)
            raise Conflict(immediate=True)

    def wait(self, seats: Seats) -> None:
        """Wait until it comes, or nobody is let in any more. Raises: `errors.Unavailable` when the time is up."""
        self.number = self.number or _draw(seats)
        in_vain, passed = 0.0, seats.passed
        while (ahead := self.number - passed) > AT_ONCE * 2 ** (in_vain / DOUBLED_AFTER):
            waited = wait_about(min(ahead * SECONDS_EACH, LONGEST))
            now = batch_get((Seats, seats.event_id, Seats.ITEM), consistent=False)[0]
            if now is None or now.incarnation != seats.incarnation or not now.admits:
                return
            in_vain, passed = 0.0 if now.passed != passed else in_vain + waited, now.passed


def _draw(seats: Seats) -> int:
    turnstile = AdmissionQueue(*queue.turnstile_key(seats))
    turnstile.update([AdmissionQueue.entered.add(1)])
    return int(turnstile.entered)
