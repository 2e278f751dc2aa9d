"""Every condition under which a registration changes, one function each, named after what it makes sure of.

`seating` puts the ones on the seats together; the table in its docstring is their summary. Each has a test that shows
the breach when that guard alone is taken out.
"""

from pynamodb.expressions.condition import Condition, size

from events.ledger.models import Seats
from registrations.models import ActiveItem

# On the event's seats: the rule.


def is_open() -> Condition:
    """The event admits people."""
    return Seats.open == True  # noqa: E712 (an expression, not a truth value)


def is_in_window(now: int, *, organizes: bool) -> Condition:
    """It is open, and it is neither before nor after the window; the caller's clock decides about its two edges."""
    conditions = is_open() & (Seats.ends_at.does_not_exist() | (Seats.ends_at > now))
    if organizes:
        return conditions
    opened = Seats.opens_at.does_not_exist() | (Seats.opens_at <= now)
    return conditions & opened & (Seats.closes_at.does_not_exist() | (Seats.closes_at > now))


def has_free_seat() -> Condition:
    """Fewer are registered than there are seats."""
    return Seats.registered < Seats.capacity


def nobody_waits() -> Condition:
    """The queue is empty, so taking a seat overtakes nobody."""
    return Seats.waiting == 0


def waitlist_is_on() -> Condition:
    """The event lets people queue."""
    return Seats.waitlist_enabled == True  # noqa: E712 (an expression, not a truth value)


def must_wait() -> Condition:
    """There is no seat for a newcomer: all are taken, or others wait for the free ones."""
    return (Seats.registered >= Seats.capacity) | (Seats.waiting > 0)


def waits(ticket: int) -> Condition:
    """Whoever has the ticket is in the queue."""
    return Seats.served < ticket


def goes_to_the_queue(now: int) -> Condition:
    """A freed seat goes to the head of the queue.

    The event is open and not over, someone waits, and no more are registered than it has seats.
    """
    return is_in_window(now, organizes=True) & (Seats.waiting > 0) & (Seats.registered <= Seats.capacity)


def goes_to_nobody(now: int) -> Condition:
    """A freed seat stays free: the queue is empty, or the event is closed, over, or has too many people."""
    closed = Seats.open == False  # noqa: E712 (an expression, not a truth value)
    return nobody_waits() | closed | (Seats.ends_at <= now) | (Seats.registered > Seats.capacity)


def head_is(seats: Seats) -> Condition:
    """The queue's head is still who it was when the seats were read: nobody was served, and nobody quit."""
    return (Seats.served == seats.served) & (Seats.quits == seats.quits)


# On the event's seats: once and no more.


def is_unfenced(seats: Seats) -> Condition:
    """Nobody gave this operation up for dead since the seats were read, which was before it took its lock."""
    return Seats.generation == seats.generation


def is_not_recorded(record: str) -> Condition:
    """No copy of this operation was committed before."""
    return Seats.records[record].does_not_exist()


def has_room(most: int, instead_of: str | None) -> Condition:
    """Few operations are recorded, so that the seats stay short; or one of the records makes way for this one."""
    few = size(Seats.records) < most
    return few if instead_of is None else few | Seats.records[instead_of].exists()


def is_incarnation(incarnation: str) -> Condition:
    """The event is the one that is meant, not a later one of the same id."""
    return Seats.incarnation == incarnation


# On the registration.


def is_unlocked() -> Condition:
    """No operation is at work on it."""
    return ActiveItem.lock.does_not_exist()


def is_vacant() -> Condition:
    """The user has no active registration for this event."""
    return ActiveItem.ticket.does_not_exist()


def has_ticket(item: ActiveItem) -> Condition:
    """The registration is the very one that was found."""
    return (ActiveItem.ticket == item.ticket) & (ActiveItem.incarnation == item.incarnation)


def is_held_by(operation: str) -> Condition:
    """The lock is this operation's."""
    return ActiveItem.lock == operation
