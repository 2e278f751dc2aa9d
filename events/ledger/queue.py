"""The arithmetic of the waitlist: its head and the position of a ticket, without reading the waitlist.

A ticket above `seated_through` either waits or is an exit: its owner left the waitlist. The seats count the exits in a
few ranges of tickets of equal width. When there would be too many ranges, the width doubles. The tickets themselves
are stored in exit tombstones of 128 tickets each, or in the commit log until they are applied.

The seats are read before the stored exits of a range, so there are at least as many exits as the seats have counted.
If there are more, the seats are out of date, and `Conflict` makes the caller read again. So each answer is right for
the moment at which the seats were read.
"""

from collections import Counter
from collections.abc import Iterable

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from events.ledger import guards, log
from events.ledger.models import ExitTombstones, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Query, Steps

PER_ITEM = 128  # tickets; more would make the item longer than 1 KB, the size that one write unit pays for
NARROWEST = 512  # tickets in a range, until there are more than `MOST_RANGES`
MOST_RANGES = 8  # ranges; more would lengthen the seats, fewer would make a reader fetch more tombstones


def exits_key(seats: Seats, ticket: int) -> tuple[str, str]:
    """Return the key of the exit tombstones that hold a ticket."""
    return seats.event_id, ExitTombstones.name(seats.incarnation, ticket // PER_ITEM)


def promotion_key(seats: Seats, ticket: int) -> tuple[str, str]:
    """Return the key of the promotion whose first ticket is this one."""
    return seats.event_id, f"tickets#{seats.incarnation}#promoted#{ticket:010}"


def position(seats: Seats, ticket: int) -> Steps[int | None]:
    """Return the 1-based position of a ticket on the waitlist.

    It takes one read at most, and none if no ticket of the same range has left.

    Returns:
        None if the ticket has a seat, or its owner left.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    if ticket > seats.tickets:
        raise Conflict(immediate=True)
    number = ticket // seats.width
    exits = yield from _exits(seats, number)
    return position_among(seats, ticket, exits)


def position_among(seats: Seats, ticket: int, exits: set[int]) -> int | None:
    """Return the position of a ticket, as `position`.

    Args:
        seats: The seats as read.
        ticket: The ticket.
        exits: The exits in the range of the ticket.
    """
    if ticket <= seats.seated_through or ticket in exits:
        return None
    number = ticket // seats.width
    behind = sum(1 for other in exits if other > ticket)
    behind += sum(count for other, count in seats.exits.items() if other > number)
    return int(seats.waiting - (seats.tickets - ticket) + behind)


def head(seats: Seats) -> Steps[int]:
    """Return the ticket at the head of the waitlist.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    return (yield from last_of(seats, 1))


def last_of(seats: Seats, people: int) -> Steps[int]:
    """Return the last ticket among the first `people` of the waitlist.

    It takes two reads at most.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    missing, ticket, width = people, int(seats.seated_through) + 1, seats.width
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
    raise Conflict(immediate=True)  # fewer wait than the seats have counted: the seats are out of date


def exits_of(seats: Seats, number: int, stored: Iterable[ExitTombstones]) -> set[int]:
    """Return the exits of a range as of the moment at which the seats were read.

    Args:
        seats: The seats as read.
        number: The number of the range.
        stored: What `stored_exits` found, read after the seats.

    Raises:
        Conflict: The seats are out of date; read them again.
    """
    first, end = number * seats.width, (number + 1) * seats.width
    exits = {int(ticket) for item in stored for ticket in item.exits} | log.exits(seats)
    exits = {ticket for ticket in exits if max(first, int(seats.exits_from)) <= ticket < end}
    if len(exits) != seats.exits.get(number, 0):
        raise Conflict(immediate=True)
    return exits


def stored_exits(seats: Seats, number: int) -> Query:
    """Return the step that reads the exit tombstones of a range."""
    first, last = number * seats.width, (number + 1) * seats.width - 1
    (event_id, low), (_, high) = exits_key(seats, first), exits_key(seats, last)
    return Query(ExitTombstones, event_id, (low, high))


def _exits(seats: Seats, number: int) -> Steps[set[int]]:
    counted = seats.exits.get(number, 0)
    if not counted:
        return set()
    logged = {ticket for ticket in log.exits(seats) if ticket // seats.width == number}
    if len(logged) == counted:  # all of them are in the log
        return logged
    stored = yield stored_exits(seats, number)
    return exits_of(seats, number, stored)


def counting(seats: Seats, ticket: int) -> tuple[list[Action], Condition]:
    """Return the updates of the seats that count an exit, and the condition under which they are right.

    The count of the exit's range rises by one. If there would be too many ranges, all exits are counted in wider ones.
    """
    number = ticket // seats.width
    if len(seats.exits.keys() | {number}) <= MOST_RANGES:
        count = Seats.exit_counts[str(number)]
        return [count.set((count | 0) + 1)], guards.exits_are_counted_by(seats.width)
    width, counts = _counted_in_wider_ranges(seats, ticket)
    floor = max(int(seats.exits_from), int(seats.seated_through) // seats.width * seats.width)
    actions: list[Action] = [Seats.exit_counts.set(counts), Seats.exit_width.set(width), Seats.exits_from.set(floor)]
    return actions, guards.exits_are(seats)


def _counted_in_wider_ranges(seats: Seats, ticket: int) -> tuple[int, dict[str, int]]:
    before = {
        number: count for number, count in seats.exits.items() if number >= int(seats.seated_through) // seats.width
    }
    width = seats.width if before else NARROWEST
    while True:
        counts: Counter[int] = Counter({ticket // width: 1})
        for number, count in before.items():
            counts[number * seats.width // width] += count
        if len(counts) <= MOST_RANGES:
            return width, {str(number): count for number, count in counts.items()}
        width *= 2


def trimming(seats: Seats, seated_through: int) -> list[Action]:
    """Return the updates that remove the exit counts of the ranges below a new watermark, which no reader needs."""
    return [Seats.exit_counts[str(number)].remove() for number in seats.exits if number < seated_through // seats.width]
