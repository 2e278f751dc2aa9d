"""The conditions of the writes that change a registration. A test takes out each of them and finds the breach.

Those that are the same for all requests, or for those of one second, are made once.
"""

from functools import cache, lru_cache

from pynamodb.expressions.condition import Condition, size

from events.ledger import log
from events.ledger.models import Seats
from registrations.models import ANNOTATIONS, UserRegistration
from users.models import User

# Conditions of the seats: the rules (CONTRACT, "The rules of the seats").


@cache
def is_open() -> Condition:
    """Require that the event is open."""
    return Seats.open == True  # noqa: E712 (an expression, not a truth value)


@lru_cache(maxsize=2)
def has_not_ended(now: int) -> Condition:
    """Require that the event is not over.

    Args:
        now: Seconds since the Unix epoch, by the clock of this server.
    """
    return Seats.ends_at.does_not_exist() | (Seats.ends_at > now)


def is_in_window(now: int, *, organizes: bool) -> Condition:
    """Require that the window is open.

    Args:
        now: Seconds since the Unix epoch, by the clock of this server.
        organizes: True for an organizer, who may add people until the event ends.
    """
    if organizes:
        return has_not_ended(now)
    return has_not_ended(now) & _is_open_at(now)


@lru_cache(maxsize=2)
def _is_open_at(now: int) -> Condition:
    opened = Seats.opens_at.does_not_exist() | (Seats.opens_at <= now)
    return opened & (Seats.closes_at.does_not_exist() | (Seats.closes_at > now))


@cache
def has_free_seat() -> Condition:
    return Seats.registered < Seats.capacity


@cache
def nobody_waits() -> Condition:
    """Require that the waitlist is empty, so that a joining overtakes no waiting person."""
    return Seats.waiting == 0


@cache
def waitlist_is_on() -> Condition:
    return Seats.waitlist_enabled == True  # noqa: E712 (an expression, not a truth value)


@cache
def must_wait() -> Condition:
    """Require that all seats are taken, or that people wait for the free ones."""
    return (Seats.registered >= Seats.capacity) | (Seats.waiting > 0)


def waits(ticket: int) -> Condition:
    """Require that the ticket is above the watermark."""
    return Seats.seated_through < ticket


def goes_to_the_queue(now: int) -> Condition:
    """Require that a freed seat goes to the head of the waitlist.

    The event is open and not over, people wait, and no more are registered than there are seats.
    """
    return is_open() & has_not_ended(now) & (Seats.waiting > 0) & (Seats.registered <= Seats.capacity)


def goes_to_nobody(now: int) -> Condition:
    """Require that a freed seat goes to no person.

    The waitlist is empty, or the event is closed or over, or more people are registered than there are seats.
    """
    closed = Seats.open == False  # noqa: E712 (an expression, not a truth value)
    return nobody_waits() | closed | (Seats.ends_at <= now) | (Seats.registered > Seats.capacity)


def head_is(seats: Seats) -> Condition:
    """Require that the head of the waitlist is as it was read: no person was promoted or left the waitlist."""
    return (Seats.seated_through == seats.seated_through) & (Seats.waitlist_exits == seats.waitlist_exits)


# Conditions of the seats: at most once.


def is_incarnation(incarnation: str) -> Condition:
    """Require that the event is not a later one of the same id."""
    return Seats.incarnation == incarnation


def is_epoch(seats: Seats, bucket: int) -> Condition:
    """Require that no operation of the bucket was committed or fenced since the seats were read.

    The seats were read before the registration, so the registration is up to date too.
    """
    return Seats.epoch_of(bucket) == seats.epochs[bucket]


@cache
def _few_entries(most: int) -> Condition:
    return size(Seats.log_entries) < most


def has_room(most: int, instead_of: str | None) -> Condition:
    """Require that the log stays short.

    Args:
        most: The number of entries that must not be reached.
        instead_of: The name of an entry that the same write trims, so that its slot is reused; None if it trims none.
    """
    few = _few_entries(most)
    return few if instead_of is None else few | Seats.log_entries[instead_of].exists()


def is_next_ticket(seats: Seats) -> Condition:
    """Require that the next ticket is the one that the same transaction writes into the registration."""
    return Seats.tickets == seats.tickets


def is_last_place(seats: Seats) -> Condition:
    """Require that the length of the waitlist is unchanged, so that the position in the answer is right."""
    return Seats.waiting == seats.waiting


# Conditions of the registration.


def is_unchanged(row: UserRegistration | None) -> Condition:
    """Require that the last operation on the registration is the same as when the write was planned.

    Args:
        row: The registration as read; None if there was none.
    """
    if row is None:
        return UserRegistration.item.does_not_exist()
    if not row.operations:  # another program wrote it
        return row.is_as_read("operations", "ticket")
    return (UserRegistration.operations == row.operations) & (UserRegistration.incarnation == row.incarnation)


def is_annotated_as(row: UserRegistration) -> Condition:
    """Require that the check-in and the answers are as they were read."""
    return row.is_as_read(*ANNOTATIONS)


def is_user_of(before: str) -> Condition:
    """Require that the user of a joining exists, and is the one who asked if it is a first joining.

    A deletion of the user removes the registration too. For a later user of the id, the joining would look unapplied.

    Args:
        before: What the joining follows, as in its log entry.
    """
    exists = User.user_id.exists()
    if not before.startswith(log.FIRST):
        return exists
    tag = before.removeprefix(log.FIRST)
    return exists & (User.tag == tag if tag else User.tag.does_not_exist())
