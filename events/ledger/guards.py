"""Every condition under which an event changes, one function each, named after what it makes sure of.

Whatever edits or deletes the seats is a transaction with the description, whose condition holds for both.
"""

from pynamodb.expressions.condition import Condition

from events.ledger.models import Seats
from events.models import Event

# On the description.


def is_new() -> Condition:
    """The id is not taken."""
    return Event.event_id.does_not_exist()


def is_unedited(event: Event) -> Condition:
    """Nobody edited, deleted or took over the event since it was read.

    The incarnation tells it from an event that was deleted and made anew under its id: versions begin at 1.
    """
    unedited = (Event.version == event.version) & (Event.incarnation == event.incarnation)
    return unedited & (Event.organizer_id == event.organizer_id) if event.organizer_id else unedited


# On the seats.


def has_nobody() -> Condition:
    """Nobody is registered or waiting, and whatever was committed in the seats is written everywhere else too."""
    return (Seats.registered == 0) & (Seats.waiting == 0) & (Seats.records == {})


def counts_are(seats: Seats) -> Condition:
    """The seats are as they were read, so their counts are those of the moment of the write."""
    same = (Seats.incarnation == seats.incarnation) & (Seats.settings == seats.settings)
    return same & (Seats.tickets == seats.tickets) & (Seats.left == seats.left) & (Seats.served == seats.served)


def nothing_to_promote(*, open_: bool, capacity: int) -> Condition | None:
    """With these settings nobody moves up: it is closed (None: no condition), nobody waits, or no seat is free."""
    return (Seats.waiting == 0) | (Seats.registered >= capacity) if open_ else None


def everybody_fits(seats: Seats, free: int) -> Condition:
    """All who wait, and whoever joins them meanwhile, fit into so many free seats; and nobody else moved up."""
    return (Seats.served == seats.served) & Seats.waiting.between(1, free)


def these_are_next(seats: Seats) -> Condition:
    """The next in the queue are the ones that were found, and no more of them fit than then."""
    same_queue = (Seats.served == seats.served) & (Seats.quits == seats.quits)
    return same_queue & (Seats.registered == seats.registered)


def exits_are(seats: Seats) -> Condition:
    """The exits are counted as they were, so their counts may be replaced."""
    return (Seats.served == seats.served) & (Seats.quits == seats.quits)


def exits_are_counted_by(width: int) -> Condition:
    """The counts of the exits are still by so many tickets."""
    return Seats.exit_width == width
