"""Compute the right counters of the seats from the registrations."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from events.ledger import log
from events.ledger.models import Seats
from registrations.audit.snapshot import Snapshot

MOST_TICKETS = 1_000_000  # above the watermark; a ticket beyond is damage, and counting up to it would take too long
COUNTERS = ("tickets", "seated_through", "registered", "waiting")
"""The attributes of the seats that are counters."""


class Figures(NamedTuple):
    """The right values of the counters."""

    tickets: int
    seated_through: int
    registered: int
    waiting: int
    exits: frozenset[int]
    """The exits above the watermark, and those below it in the same range."""

    def counts(self, width: int) -> dict[int, int]:
        """Return the exit counts by range, as the seats store them."""
        return dict(Counter(ticket // width for ticket in self.exits))


def of(seen: Snapshot, seats: Seats) -> Figures | None:
    """Return the right figures for a snapshot, or None if a ticket is beyond `MOST_TICKETS`."""
    people = seen.people
    seated_through = max(int(seats.seated_through), *surely_seated(seen), 0)
    tickets = max(int(seats.tickets), seated_through, *(one.ticket for one in people), *seen.history, 0)
    if tickets - seated_through > MOST_TICKETS:
        return None
    waiting = [one.ticket for one in people if one.ticket > seated_through]
    below = {ticket for ticket in stored_exits(seen, seats, seated_through) if ticket <= seated_through}
    exits = frozenset(below | set(range(seated_through + 1, tickets + 1)) - set(waiting))
    return Figures(tickets, seated_through, len(people) - len(waiting), len(waiting), exits)


def surely_seated(seen: Snapshot) -> Iterator[int]:
    """Yield tickets that certainly had a seat, so that the watermark cannot be below them."""
    for one in seen.people:
        line = seen.lines.get(one.ticket)
        if not one.waited and not (line and line.waited):
            yield one.ticket
    yield from seen.moves
    yield from (entry.successor for entry in (log.of(seen.seats) if seen.seats else ()) if entry.successor)
    left = (past for past in seen.past.values() if past.incarnation == seen.incarnation)
    yield from (int(past.successor) for past in left if past.successor)


def floor(seats: Seats, seated_through: int) -> int:
    """Return the first ticket that the exit counts include."""
    return max(int(seats.exits_from), seated_through // seats.width * seats.width)


def stored_exits(seen: Snapshot, seats: Seats, seated_through: int) -> frozenset[int]:
    """Return the exits that are stored or about to be, to compare with `Figures.exits`."""
    stored = {ticket for some in seen.exits.values() for ticket in some}
    stored |= log.exits(seats) & seen.unsettled
    return frozenset(ticket for ticket in stored if ticket >= floor(seats, seated_through))


def stored_counts(seats: Seats, seated_through: int) -> dict[int, int]:
    """Return the exit counts of the seats, to compare with `Figures.counts`."""
    return {number: count for number, count in seats.exits.items() if count and number >= seated_through // seats.width}
