"""The conditions of the writes that change a registration. Tests take out each of them."""

from pynamodb.expressions.condition import Condition, size

from events.ledger.models import Seats
from registrations.models import UserRegistration
from users.models import User

# On the event's seats: the rules (CONTRACT, "The rules of the seats").


def is_open() -> Condition:
    """Require that the event admits people."""
    return Seats.open == True  # noqa: E712 (an expression, not a truth value)


def has_not_ended(now: int) -> Condition:
    """Require that the event is not over, by this server's clock."""
    return Seats.ends_at.does_not_exist() | (Seats.ends_at > now)


def is_in_window(now: int, *, organizes: bool) -> Condition:
    """Require that registration is open, by this server's clock. Organizers may add people until the end."""
    if organizes:
        return has_not_ended(now)
    opened = Seats.opens_at.does_not_exist() | (Seats.opens_at <= now)
    return has_not_ended(now) & opened & (Seats.closes_at.does_not_exist() | (Seats.closes_at > now))


def has_free_seat() -> Condition:
    """Fewer are registered than there are seats."""
    return Seats.registered < Seats.capacity


def nobody_waits() -> Condition:
    """Require that the queue is empty, so taking a seat overtakes nobody."""
    return Seats.waiting == 0


def waitlist_is_on() -> Condition:
    """Require that the event lets people queue."""
    return Seats.waitlist_enabled == True  # noqa: E712 (an expression, not a truth value)


def must_wait() -> Condition:
    """There is no seat for a newcomer: all are taken, or others wait for the free ones."""
    return (Seats.registered >= Seats.capacity) | (Seats.waiting > 0)


def waits(ticket: int) -> Condition:
    """Require that the ticket is in the queue."""
    return Seats.served < ticket


def goes_to_the_queue(now: int) -> Condition:
    """Require that a freed seat goes to the head of the queue.

    The event is open and not over, someone waits, and no more are registered than it has seats.
    """
    return is_open() & has_not_ended(now) & (Seats.waiting > 0) & (Seats.registered <= Seats.capacity)


def goes_to_nobody(now: int) -> Condition:
    """Require that a freed seat stays free: the queue is empty, or the event is closed, over or overfull."""
    closed = Seats.open == False  # noqa: E712 (an expression, not a truth value)
    return nobody_waits() | closed | (Seats.ends_at <= now) | (Seats.registered > Seats.capacity)


def head_is(seats: Seats) -> Condition:
    """Require that the queue's head is the one that was found: nobody was promoted, and nobody left the queue."""
    return (Seats.served == seats.served) & (Seats.quits == seats.quits)


# On the event's seats: once and no more.


def is_incarnation(incarnation: str) -> Condition:
    """Require that the event is the one that is meant, not a later one of the same id."""
    return Seats.incarnation == incarnation


def is_epoch(seats: Seats, bucket: int) -> Condition:
    """No operation of the user was committed or fenced since the seats were read, which was before the row."""
    return Seats.epochs[bucket] == seats.epochs[bucket]


def has_room(most: int, instead_of: str | None) -> Condition:
    """Require that the log has few entries, so that the seats stay short, or a trimmed entry frees a slot."""
    few = size(Seats.records) < most
    return few if instead_of is None else few | Seats.records[instead_of].exists()


def is_next_ticket(seats: Seats) -> Condition:
    """Require that the next ticket is the one that is written into the registration beforehand."""
    return Seats.tickets == seats.tickets


def is_last_place(seats: Seats) -> Condition:
    """As many wait as were seen, so the place in the queue is the one that is answered."""
    return Seats.waiting == seats.waiting


# On the registration.


def is_unchanged(row: UserRegistration | None) -> Condition:
    """Require that the registration is as it was when the operation was planned: the same one changed it last."""
    if row is None:
        return UserRegistration.item.does_not_exist()
    if not row.operations:  # it was not made by this service
        ticket = UserRegistration.ticket
        same = ticket.does_not_exist() if row.ticket is None else ticket == row.ticket
        return (UserRegistration.operations.does_not_exist() | (UserRegistration.operations == "")) & same
    return (UserRegistration.operations == row.operations) & (UserRegistration.incarnation == row.incarnation)


def is_checked_in_as(row: UserRegistration) -> Condition:
    """Require that the person is checked in, or not, as in the registration that was read."""
    attribute = UserRegistration.checked_in_at
    return attribute == row.checked_in_at if row.checked_in_at else attribute.does_not_exist()


def user_exists() -> Condition:
    """Require that the user has not been deleted."""
    return User.user_id.exists()
