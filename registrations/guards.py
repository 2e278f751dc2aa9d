"""Every condition under which a registration changes, one function each, named after what it makes sure of.

`seating` puts them together; the table in its docstring is their summary. Each has a test that shows the breach
when that guard alone is taken out.
"""

from pynamodb.expressions.condition import Condition

from events.models import Seats
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration, has_status
from users.models import User

# On the event's seats.


def is_open() -> Condition:
    """The event admits people."""
    return Seats.open == True  # noqa: E712 (an expression, not a truth value)


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


def queue_is_as_long_as(waiting: int) -> Condition:
    """Nobody joined or left the queue since it was read, so the position that is answered is the true one."""
    return Seats.waiting == waiting


def joins_last(at: str) -> Condition:
    """Everybody in the queue joined before this time, so joining overtakes nobody."""
    return Seats.last_joined_at < at


def goes_to_the_queue() -> Condition:
    """A seat given up is a seat to hand on: the event is open and no more are registered than it has seats."""
    return is_open() & (Seats.registered <= Seats.capacity)


def goes_to_nobody() -> Condition:
    """A seat given up stays free: nobody waits, or the event is closed, or more are registered than it has seats."""
    closed = Seats.open == False  # noqa: E712 (an expression, not a truth value)
    return nobody_waits() | closed | (Seats.registered > Seats.capacity)


def has_room_for(people: int, capacity: int) -> Condition:
    """So many more fit, and the capacity is still what it was read as."""
    return (Seats.capacity == capacity) & (Seats.registered <= capacity - people)


def event_exists() -> Condition:
    """The event is there: an update without this would make a counter out of nothing.

    Only a broken table gets this far, because somebody who waits keeps an event from being deleted.
    """
    return Seats.event_id.exists()


def is_of(owner: str | None) -> Condition:
    """The event belongs to this organizer (None: it exists, whoever owns it)."""
    return event_exists() if owner is None else Seats.organizer_id == owner


# On the registration.


def is_vacant() -> Condition:
    """The user has no active registration for this event."""
    return Registration.user_id.does_not_exist() | has_status(CANCELLED)


def holds_seat() -> Condition:
    """The user is registered."""
    return has_status(REGISTERED)


def is_cancelled_since(standing: str) -> Condition:
    """The registration is the very piece of history that was found."""
    return Registration.standing == standing


def waits() -> Condition:
    """The user is in the queue."""
    return has_status(WAITLISTED)


def waits_since(standing: str) -> Condition:
    """The user is in the queue at the very place where it was found."""
    return Registration.standing == standing


# On the user.


def user_exists() -> Condition:
    """There is such a user."""
    return User.user_id.exists()
