"""The arithmetic of the queue: who is next, and who is how far back, without reading the queue.

Each ticket above `served` waits, or its owner has left the queue: it is an exit. The seats count the exits in a few
ranges of tickets, all of the same width; when there would be too many ranges, the width doubles. Which tickets they are
is stored in items of 128 tickets each, and, while it is not applied yet, in the log of the seats.

The seats are read first, the stored exits of a range after them. So these are at least as many as the seats have
counted; where they are more, the seats are old, and `Conflict` asks for another look. So each answer is that of one
moment: the moment of the seats.
"""

from collections import Counter
from collections.abc import Iterable

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards, log
from events.ledger.models import ExitTombstones, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Query, Steps

PER_ITEM = 128  # exits; more would make the item longer than the kilobyte that one write unit pays for
NARROWEST = 512
"""Tickets in a range, as long as the queue is short."""
MOST_RANGES = 8


def exits_key(seats: Seats, ticket: int) -> tuple[str, str]:
    """Return the key of the item with the exits around a ticket."""
    return seats.event_id, ExitTombstones.name(seats.incarnation, ticket // PER_ITEM)


def promotion_key(seats: Seats, ticket: int) -> tuple[str, str]:
    """Return the key of the move of the queue that ended with a ticket."""
    return seats.event_id, f"tickets#{seats.incarnation}#promoted#{ticket:010}"


def position(seats: Seats, ticket: int) -> Steps[int | None]:
    """Return the place in the queue of a ticket, from 1; None if it has a seat, or its owner left.

    It takes one read at most, and none unless someone of the same range has left.

    Raises:
        Conflict: The seats are old.
    """
    if ticket > seats.tickets:
        raise Conflict(immediate=True)
    number = ticket // seats.width
    exits = yield from _exits(seats, number)
    return position_among(seats, ticket, exits)


def position_among(seats: Seats, ticket: int, exits: set[int]) -> int | None:
    """Return the place in the queue of a ticket. Args: the exits of its range."""
    if ticket <= seats.served or ticket in exits:
        return None
    number = ticket // seats.width
    behind = sum(1 for other in exits if other > ticket)
    behind += sum(count for other, count in seats.exits.items() if other > number)
    return int(seats.waiting - (seats.tickets - ticket) + behind)


def head(seats: Seats) -> Steps[int]:
    """Return the ticket that is next. Raises: `Conflict` where the seats are old."""
    return (yield from last_of(seats, 1))


def last_of(seats: Seats, people: int) -> Steps[int]:
    """Return the ticket of the last one of so many who are next; it takes two reads at most.

    Raises:
        Conflict: The seats are old.
    """
    missing, ticket, width = people, int(seats.served) + 1, seats.width
    while missing > 0 and ticket <= seats.tickets:
        number = ticket // width
        end = min((number + 1) * width, int(seats.tickets) + 1)
        counted = seats.exits.get(number, 0)
        if not counted and missing <= end - ticket:
            return ticket + missing - 1
        if (not counted or ticket % width == 0) and end - ticket - counted < missing:
            missing, ticket = missing - (end - ticket - counted), end
            continue
        exits = yield from _exits(seats, number)
        waiting = [one for one in range(ticket, end) if one not in exits]
        if len(waiting) >= missing:
            return waiting[missing - 1]
        missing, ticket = missing - len(waiting), end
    raise Conflict(immediate=True)  # fewer wait than the seats have counted: they are old


def exits_of(seats: Seats, number: int, stored: Iterable[ExitTombstones]) -> set[int]:
    """Return the exits of a range by the moment of the seats. Raises: `Conflict` where these are old."""
    first, end = number * seats.width, (number + 1) * seats.width
    exits = {int(ticket) for item in stored for ticket in item.exits} | log.quits(seats)
    exits = {ticket for ticket in exits if max(first, int(seats.exits_from)) <= ticket < end}
    if len(exits) != seats.exits.get(number, 0):
        raise Conflict(immediate=True)
    return exits


def stored_exits(seats: Seats, number: int) -> Query:
    """Return the step that reads what is stored of a range."""
    first, last = number * seats.width, (number + 1) * seats.width - 1
    (event_id, low), (_, high) = exits_key(seats, first), exits_key(seats, last)
    return Query(ExitTombstones, event_id, (low, high))


def _exits(seats: Seats, number: int) -> Steps[set[int]]:
    counted = seats.exits.get(number, 0)
    if not counted:
        return set()
    logged = {ticket for ticket in log.quits(seats) if ticket // seats.width == number}
    if len(logged) == counted:  # all of them are in the log
        return logged
    stored = yield stored_exits(seats, number)
    return exits_of(seats, number, stored)


def counting(seats: Seats, ticket: int) -> tuple[list[Action], Condition]:
    """Return the actions that count an exit, and their condition.

    It is one more in its range; or, where there would be too many ranges, all are counted in wider ones.
    """
    number = ticket // seats.width
    if len(seats.exits.keys() | {number}) <= MOST_RANGES:
        count = Seats.gone[str(number)]
        return [count.set((count | 0) + 1)], guards.exits_are_counted_by(seats.width)
    width, counts = _counted_in_wider_ranges(seats, ticket)
    floor = max(int(seats.exits_from), int(seats.served) // seats.width * seats.width)
    actions: list[Action] = [Seats.gone.set(counts), Seats.exit_width.set(width), Seats.exits_from.set(floor)]
    return actions, guards.exits_are(seats)


def _counted_in_wider_ranges(seats: Seats, ticket: int) -> tuple[int, dict[str, int]]:
    before = {number: count for number, count in seats.exits.items() if number >= int(seats.served) // seats.width}
    width = seats.width if before else NARROWEST
    while True:
        counts: Counter[int] = Counter({ticket // width: 1})
        for number, count in before.items():
            counts[number * seats.width // width] += count
        if len(counts) <= MOST_RANGES:
            return width, {str(number): count for number, count in counts.items()}
        width *= 2


def trimming(seats: Seats, served: int) -> list[Action]:
    """Return the actions that remove the counts that are of no more use once the watermark is at `served`."""
    return [Seats.gone[str(number)].remove() for number in seats.exits if number < served // seats.width]
