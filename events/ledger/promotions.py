"""Moving the queue up when an edit frees seats: one write, however many people it is.

The watermark `served` goes to the ticket of the last one who fits. Nobody's registration is touched; when it happened
is kept in one item of its own, in the same transaction as the edit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards, log, queue
from events.ledger.models import Promotion, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Query, Steps


@dataclass(frozen=True)
class Move:
    """What an edit does to the queue."""

    people: int
    """How many move up."""
    actions: Sequence[Action]
    """What it changes of the seats."""
    condition: Condition | None
    """What must still be so when it is written."""
    move: Promotion | None
    """When who moved up; None if nobody does."""

    def applied_to(self, seats: Seats) -> None:
        """Count the people who move up as registered, in seats that are to be shown."""
        seats.registered, seats.waiting = seats.registered + self.people, seats.waiting - self.people


def plan(seats: Seats, *, capacity: int, open_: bool, at: str) -> Steps[Move]:
    """Return how the queue moves once the event has this capacity and is open or not (CONTRACT, rules 5, 6 and 8).

    Args:
        seats: The seats as read.
        capacity: The capacity after the edit.
        open_: Whether the event promotes after the edit.
        at: The time to show.

    Raises:
        Conflict: The seats are old.
    """
    free = max(0, capacity - int(seats.registered)) if open_ else 0
    people = min(free, int(seats.waiting))
    if not people:
        return Move(0, [], guards.nothing_to_promote(open_=open_, capacity=capacity), None)
    first = int(seats.served) + 1
    move = Promotion(*queue.promotion_key(seats, first), incarnation=seats.incarnation, first=first, at=at)
    if people == seats.waiting:
        everybody = [
            Seats.registered.set(Seats.registered + Seats.waiting),
            Seats.waiting.set(0),
            Seats.served.set(Seats.tickets),
            Seats.moved.set(first),
            *queue.trimming(seats, int(seats.tickets)),
        ]
        width = guards.exits_are_counted_by(seats.width)
        return Move(people, everybody, guards.everybody_fits(seats, free) & width, move)
    last = yield from queue.last_of(seats, people)
    some = [
        Seats.registered.add(people),
        Seats.waiting.add(-people),
        Seats.served.set(last),
        Seats.moved.set(first),
        *queue.trimming(seats, last),
    ]
    return Move(people, some, guards.these_are_next(seats), move)


def time_of(seats: Seats, ticket: int) -> Steps[str | None]:
    """Return when the queue moved past a ticket: by a log entry, or else by the last move that began at it or before.

    Raises:
        Conflict: The move was written since the seats were read.
    """
    moves = {entry.successor: entry.at for entry in log.of(seats) if entry.successor}
    if ticket in moves:
        return moves[ticket]
    event_id, upto = queue.promotion_key(seats, ticket)
    first = queue.promotion_key(seats, 0)[1]
    found = yield Query(Promotion, event_id, (first, upto), newest=1)
    latest = int(seats.moved) if ticket >= seats.moved else 0
    for move in found:
        if move.first >= latest:  # else the last move is just being written: the seats show it first
            return str(move.at)
    raise Conflict(immediate=True)
