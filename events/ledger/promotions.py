"""Promote people from the waitlist when an edit frees seats: in one write, for any number of people.

The watermark `seated_through` moves to the ticket of the last person who fits. No registration is written. One
`Promotion`, in the same transaction as the edit, records the time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards, log, queue
from events.ledger.models import Promotion, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Query, Steps


class Move(NamedTuple):
    """What an edit does to the waitlist."""

    people: int
    """The number of people who are promoted."""
    actions: Sequence[Action]
    """Updates of the seats."""
    condition: Condition | None
    """The condition of the seats under which the plan is right; None if it always is."""
    move: Promotion | None
    """The item to write; None if no person is promoted."""

    def applied_to(self, seats: Seats) -> None:
        """Update the counters of seats that were read before the write, so that they can be shown after it."""
        seats.registered, seats.waiting = seats.registered + self.people, seats.waiting - self.people


def plan(seats: Seats, *, capacity: int, open_: bool, at: str) -> Steps[Move]:
    """Return how the waitlist moves when an event is edited (CONTRACT, rules 5, 6 and 8).

    Args:
        seats: The seats as read.
        capacity: The capacity after the edit.
        open_: Whether the event promotes after the edit.
        at: The time of the promotion, as RFC 3339 in UTC.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    free = max(0, capacity - int(seats.registered)) if open_ else 0
    people = min(free, int(seats.waiting))
    if not people:
        return Move(0, [], guards.nothing_to_promote(open_=open_, capacity=capacity), None)
    first = int(seats.seated_through) + 1
    move = Promotion(*queue.promotion_key(seats, first), incarnation=seats.incarnation, first=first, at=at)
    if people == seats.waiting:
        everybody = [
            Seats.registered.set(Seats.registered + Seats.waiting),
            Seats.waiting.set(0),
            Seats.seated_through.set(Seats.tickets),
            Seats.moved.set(first),
            *queue.trimming(seats, int(seats.tickets)),
        ]
        width = guards.exits_are_counted_by(seats.width)
        return Move(people, everybody, guards.everybody_fits(seats, free) & width, move)
    last = yield from queue.last_of(seats, people)
    some = [
        Seats.registered.add(people),
        Seats.waiting.add(-people),
        Seats.seated_through.set(last),
        Seats.moved.set(first),
        *queue.trimming(seats, last),
    ]
    return Move(people, some, guards.these_are_next(seats), move)


def time_of(seats: Seats, ticket: int) -> Steps[str | None]:
    """Return when a ticket was promoted, as RFC 3339 in UTC.

    It is the time of the log entry that handed the ticket a seat, or else of the last `Promotion` whose first ticket is
    not above this one.

    Raises:
        Conflict: The promotion was written after the seats were read; read them again.
    """
    moves = {entry.successor: entry.at for entry in log.of(seats) if entry.successor}
    if ticket in moves:
        return moves[ticket]
    event_id, upto = queue.promotion_key(seats, ticket)
    first = queue.promotion_key(seats, 0)[1]
    found = yield Query(Promotion, event_id, (first, upto), newest=1)
    latest = int(seats.moved) if ticket >= seats.moved else 0
    for move in found:
        if move.first >= latest:  # else the last promotion is not visible yet: the seats show it first
            return str(move.at)
    raise Conflict(immediate=True)
