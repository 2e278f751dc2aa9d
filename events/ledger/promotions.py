"""Promote people from the waitlist when an edit frees seats: in one write, for any number of people.

The watermark `seated_through` moves to the ticket of the last person who fits. No registration is written. One
`Promotion`, in the same transaction as the edit, records the time.
"""

from bisect import bisect_right
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

    Raises:
        Conflict: The promotion was written after the seats were read; read them again.
    """
    at = (yield from times_of(seats, [ticket]))[ticket]
    if at is None:
        raise Conflict(immediate=True)
    return at


def times_of(seats: Seats, tickets: Sequence[int]) -> Steps[dict[int, str | None]]:
    """Return when each of some tickets was promoted, as RFC 3339 in UTC.

    It is the time of the log entry that handed the ticket a seat, or else of the last `Promotion` whose first ticket is
    not above this one. The last ones are read first. As a rule one call reads all, at the cost of the tickets, however
    many people were promoted before. If many promoted people left between them, each further call reads twice as much.

    Args:
        seats: The seats as read.
        tickets: The tickets in ascending order.

    Returns:
        The times by ticket; None if the promotion is lost.

    Raises:
        Conflict: The seats are out of date, or the last promotion is not visible yet.
    """
    moves = {entry.successor: entry.at for entry in log.of(seats) if entry.successor}
    left = [ticket for ticket in tickets if ticket not in moves]
    most = len(left)
    while left:
        event_id, upto = queue.promotion_key(seats, left[-1])
        found = yield Query(Promotion, event_id, (queue.promotion_key(seats, 0)[1], upto), newest=most)
        moves |= {int(move.first): str(move.at) for move in found}
        left = [ticket for ticket in left if ticket < found[-1].first] if found else []
        most *= 2
    if tickets and tickets[-1] >= seats.moved > max(moves, default=-1):
        raise Conflict(immediate=True)  # the seats show the last promotion before it is visible
    firsts = sorted(moves)
    places = {ticket: bisect_right(firsts, ticket) for ticket in tickets}
    return {ticket: moves[firsts[place - 1]] if place else None for ticket, place in places.items()}
