"""What the counters of the seats must be, counted again from the people."""

from collections.abc import Iterator
from dataclasses import dataclass

from events.ledger import log
from events.ledger.models import Seats
from events.ledger.queue import CHUNK, quits_in_records
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
    gone: dict[int, frozenset[int]]
    """The tickets of those who left the queue, by chunk, as far as they still matter. Empty chunks are left out."""

    @property
    def counts(self) -> dict[str, int]:
        """What the seats keep of `gone`."""
        return {str(chunk): len(tickets) for chunk, tickets in self.gone.items()}


def of(seen: Snapshot, seats: Seats) -> Figures | None:
    """The figures that fit what was seen; None where a ticket is too far off to count up to it."""
    people = seen.people()
    served = max(int(seats.served), *_surely_served(seen, seats, people), 0)
    tickets = max(int(seats.tickets), served, *(one.ticket for one in people), *seen.history, 0)
    if tickets - served > MOST_TICKETS:
        return None
    waiting = {one.ticket for one in people if one.ticket > served}
    registered = sum(1 for one in people if one.ticket <= served)
    gone = {chunk: left for chunk, left in _gone(seen, seats, served, tickets, waiting) if left}
    return Figures(tickets, served, registered, sum(1 for one in people if one.ticket > served), gone)


def _surely_served(seen: Snapshot, seats: Seats, people: list[Person]) -> Iterator[int]:
    """Tickets that had their turn: taken as a seat, handed a seat, or the first of a move of the queue."""
    for one in people:
        line = seen.lines.get(one.ticket)
        if not one.waited and not (line and line.waited):
            yield one.ticket
    yield from seen.moves
    yield from (record.successor for record in log.of(seats) if record.successor)
    left = (past for past in seen.past.values() if past.incarnation == seats.incarnation)
    yield from (int(past.successor) for past in left if past.successor)


def _gone(
    seen: Snapshot, seats: Seats, served: int, tickets: int, waiting: set[int]
) -> Iterator[tuple[int, frozenset[int]]]:
    """By chunk, whoever has left the queue: of the tickets above the watermark, all that nobody waits with."""
    recorded = quits_in_records(seats)
    for chunk in range(served // CHUNK, tickets // CHUNK + 1):
        known = seen.gone.get(chunk, frozenset()) | {ticket for ticket in recorded if ticket // CHUNK == chunk}
        passed = {ticket for ticket in known if ticket <= served}
        start, end = max(chunk * CHUNK, served + 1), min((chunk + 1) * CHUNK, tickets + 1)
        yield chunk, frozenset(passed | {ticket for ticket in range(start, end) if ticket not in waiting})


def stored_gone(seen: Snapshot, seats: Seats, served: int) -> dict[int, frozenset[int]]:
    """What `Figures.gone` is compared with: by chunk, who is written down as gone, or is just being."""
    found = {chunk: set(tickets) for chunk, tickets in seen.gone.items()}
    for ticket in quits_in_records(seats) & seen.unsettled():
        found.setdefault(ticket // CHUNK, set()).add(ticket)
    return {chunk: frozenset(tickets) for chunk, tickets in found.items() if chunk >= served // CHUNK and tickets}


def stored_counts(seats: Seats, served: int) -> dict[str, int]:
    """What `Figures.counts` is compared with."""
    counts = {str(chunk): int(count) for chunk, count in seats.gone_by_chunk.items()}
    return {chunk: count for chunk, count in counts.items() if count and int(chunk) >= served // CHUNK}
