"""What the counters of the seats must be, counted again from the people."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from events.ledger import log
from events.ledger.models import Seats
from registrations.audit.snapshot import Person, Snapshot

MOST_TICKETS = 1_000_000
"""Above the watermark; with more than so many in a queue, a ticket is damaged rather than given."""


@dataclass(frozen=True)
class Figures:
    """The counters as they must be."""

    tickets: int
    served: int
    registered: int
    waiting: int
    exits: frozenset[int]
    """The tickets above the watermark whose owners left the queue, and those below it in the same range."""

    def counts(self, width: int) -> dict[int, int]:
        """Return what the seats keep of the exits."""
        return dict(Counter(ticket // width for ticket in self.exits))


def of(seen: Snapshot, seats: Seats) -> Figures | None:
    """Return the figures that fit what was seen; None where a ticket is too far off to count up to it."""
    people = seen.people()
    served = max(int(seats.served), *_surely_served(seen, seats, people), 0)
    tickets = max(int(seats.tickets), served, *(one.ticket for one in people), *seen.history, 0)
    if tickets - served > MOST_TICKETS:
        return None
    waiting = {one.ticket for one in people if one.ticket > served}
    registered = sum(1 for one in people if one.ticket <= served)
    below = {ticket for ticket in stored_exits(seen, seats, served) if ticket <= served}
    exits = frozenset(below | {ticket for ticket in range(served + 1, tickets + 1) if ticket not in waiting})
    return Figures(tickets, served, registered, sum(1 for one in people if one.ticket > served), exits)


def _surely_served(seen: Snapshot, seats: Seats, people: list[Person]) -> Iterator[int]:
    """Yield tickets that had their turn: taken as a seat, handed a seat, or the first of a move of the queue."""
    for one in people:
        line = seen.lines.get(one.ticket)
        if not one.waited and not (line and line.waited):
            yield one.ticket
    yield from seen.moves
    yield from (entry.successor for entry in log.of(seats) if entry.successor)
    left = (past for past in seen.past.values() if past.incarnation == seats.incarnation)
    yield from (int(past.successor) for past in left if past.successor)


def floor(seats: Seats, served: int) -> int:
    """Return the first ticket that the counts of the exits are about."""
    return max(int(seats.exits_from), served // seats.width * seats.width)


def stored_exits(seen: Snapshot, seats: Seats, served: int) -> frozenset[int]:
    """Return what `Figures.exits` is compared with: the exits that are written down, or are just being."""
    stored = {ticket for some in seen.exits.values() for ticket in some}
    stored |= log.quits(seats) & seen.unsettled()
    return frozenset(ticket for ticket in stored if ticket >= floor(seats, served))


def stored_counts(seats: Seats, served: int) -> dict[int, int]:
    """Return what `Figures.counts` is compared with."""
    return {number: count for number, count in seats.exits.items() if count and number >= served // seats.width}
