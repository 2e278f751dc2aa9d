"""Moving the queue up when an edit frees seats: one write, however many people it is.

The watermark `served` goes to the ticket of the last one who fits. Nobody's registration is touched; when it happened
is kept in one item of its own, in the same transaction as the edit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards, queue
from events.ledger.models import Promotion, Seats


@dataclass(frozen=True)
class Move:
    """What an edit does to the queue."""

    people: int
    """How many move up."""
    actions: Sequence[Action]
    """What it changes of the seats."""
    condition: Condition | None
    """What must still be so when it is written."""
    log: Promotion | None
    """When who moved up; None if nobody does."""

    def applied_to(self, seats: Seats) -> None:
        """Count the people who move up as registered, in seats that are to be shown."""
        seats.registered, seats.waiting = seats.registered + self.people, seats.waiting - self.people


def plan(seats: Seats, *, capacity: int, open_: bool, at: str) -> Move:
    """How the queue moves once the event has this capacity and is open or not (CONTRACT, rules 5, 6 and 8).

    Takes: the seats as read; the settings after the edit; the time to show. Raises: `Conflict` where the seats are old.
    """
    free = max(0, capacity - int(seats.registered)) if open_ else 0
    people = min(free, int(seats.waiting))
    if not people:
        return Move(0, [], guards.nothing_to_promote(open_=open_, capacity=capacity), None)
    first = int(seats.served) + 1
    log = Promotion(*queue.promotion_key(seats, first), incarnation=seats.incarnation, first=first, at=at)
    if people == seats.waiting:
        everybody = [
            Seats.registered.set(Seats.registered + Seats.waiting),
            Seats.waiting.set(0),
            Seats.served.set(Seats.tickets),
            Seats.moved.set(first),
        ]
        return Move(people, everybody, guards.everybody_fits(seats, free), log)
    some = [
        Seats.registered.add(people),
        Seats.waiting.add(-people),
        Seats.served.set(queue.last_of(seats, people)),
        Seats.moved.set(first),
    ]
    return Move(people, some, guards.these_are_next(seats), log)
