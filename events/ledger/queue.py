"""The arithmetic of tickets: who is next, who is how far back, without reading the queue.

Everybody in the queue has a ticket above `served`; everybody with such a ticket waits or has left the queue. How many
left is counted by chunks of `CHUNK` tickets in the seats themselves; which ones they were is in one small item per
chunk, and while the leaving is not yet written there, among the records of the seats.

The seats are always read first, the chunk after them, so the chunk holds at least what the seats have counted. Where
it holds more, the seats are old, and `Conflict` asks for a new look. So each answer is that of one moment: the moment
of the seats.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from events.ledger.models import ExitTombstones, Seats
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict

CHUNK = 512
QUIT = "quit"


def chunk_of(ticket: int) -> str:
    """The name of the chunk that a ticket belongs to."""
    return str(ticket // CHUNK)


def gone_key(seats: Seats, chunk: str) -> tuple[str, str]:
    """The key of the item with a chunk's gone tickets."""
    return seats.event_id, f"tickets#{seats.incarnation}#gone#{int(chunk):06}"


def promotion_key(seats: Seats, ticket: int) -> tuple[str, str]:
    """The key of the move of the queue that ended with a ticket."""
    return seats.event_id, f"tickets#{seats.incarnation}#promoted#{ticket:010}"


def turnstile_key(seats: Seats) -> tuple[str, str]:
    """The key of the item that gives the numbers of a crowd."""
    return seats.event_id, f"tickets#{seats.incarnation}#turnstile"


def position(seats: Seats, ticket: int, stored: set[int] | None = None) -> int | None:
    """The place in the queue of a ticket, from 1; None if it is not in the queue: it has a seat, or its owner left.

    Takes: the seats; the ticket; what is stored of its chunk, where that was read already (after the seats).
    At most one read, and none unless somebody of the same chunk has left. Raises `Conflict` where the seats are old.
    """
    if ticket > seats.tickets:
        raise Conflict(immediate=True)
    gone = gone_tickets(seats, chunk_of(ticket), stored)
    if ticket <= seats.served or ticket in gone:
        return None
    chunk = ticket // CHUNK
    gone_behind = sum(1 for other in gone if other > ticket)
    gone_behind += sum(count for other, count in _counts(seats).items() if other > chunk)
    return int(seats.waiting - (seats.tickets - ticket) + gone_behind)


def positions(waiting: Sequence[tuple[Seats, int]]) -> list[int | None]:
    """The places in the queues of several events, in one more read for all; None where `position` must tell."""
    keys = [gone_key(seats, chunk_of(ticket)) for seats, ticket in waiting]
    counted = [chunk_of(ticket) in seats.gone_by_chunk for seats, ticket in waiting]
    read = iter(
        batch_get(*((ExitTombstones, *key) for key, one in zip(keys, counted, strict=True) if one), consistent=True)
    )
    found: list[int | None] = []
    for (seats, ticket), one in zip(waiting, counted, strict=True):
        item = next(read) if one else None
        with suppress(Conflict):
            found.append(position(seats, ticket, _members(item)))
            continue
        found.append(None)
    return found


def head(seats: Seats) -> int:
    """The ticket that is next. Raises `Conflict` where the seats are old."""
    return last_of(seats, 1)


def last_of(seats: Seats, people: int) -> int:
    """The ticket of the last one of so many who are next in the queue; at most one read per chunk with gaps.

    Raises: `Conflict` where the seats are old.
    """
    counts, missing, ticket = _counts(seats), people, int(seats.served) + 1
    while missing > 0 and ticket <= seats.tickets:
        end = min((ticket // CHUNK + 1) * CHUNK, int(seats.tickets) + 1)
        waiting = end - ticket - counts.get(ticket // CHUNK, 0)
        whole_chunk = ticket % CHUNK == 0 and end % CHUNK == 0
        if whole_chunk and waiting < missing:
            missing, ticket = missing - waiting, end
            continue
        for one in _waiting(seats, ticket, end):
            missing -= 1
            if not missing:
                return one
        ticket = end
    raise Conflict(immediate=True)  # fewer wait than the seats have counted: they are old


def _waiting(seats: Seats, start: int, end: int) -> Iterator[int]:
    gone = gone_tickets(seats, chunk_of(start))
    return (ticket for ticket in range(start, end) if ticket not in gone)


def _counts(seats: Seats) -> dict[int, int]:
    return {int(chunk): int(count) for chunk, count in seats.gone_by_chunk.items()}


def gone_tickets(seats: Seats, chunk: str, stored: set[int] | None = None) -> set[int]:
    """The tickets of a chunk that left the queue by the moment of the seats. Raises `Conflict` where these are old."""
    counted = int(seats.gone_by_chunk.get(chunk, 0))
    if not counted:
        return set()
    gone = {ticket for ticket in quits_in_records(seats) if chunk_of(ticket) == chunk}
    if len(gone) < counted:
        gone |= _stored(seats, chunk) if stored is None else stored
    if len(gone) != counted:
        raise Conflict(immediate=True)
    return gone


def quits_in_records(seats: Seats) -> set[int]:
    """The tickets whose leaving was committed and is perhaps nowhere else yet."""
    values = [str(value).split(":") for value in seats.committed.values()]
    return {int(value[1]) for value in values if value[0] == QUIT}


def _stored(seats: Seats, chunk: str) -> set[int]:
    return _members(batch_get((ExitTombstones, *gone_key(seats, chunk)), consistent=True)[0])


def _members(item: ExitTombstones | None) -> set[int]:
    return {int(ticket) for ticket in item.tickets or ()} if item else set()


def passed_chunks(seats: Seats, served: int) -> list[str]:
    """The chunks whose counts are of no more use once the watermark stands at `served`."""
    return [chunk for chunk in seats.gone_by_chunk if int(chunk) < served // CHUNK]
