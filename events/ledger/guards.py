"""The conditions under which an event changes, one function each, named after what the condition ensures.

Every edit or deletion of the seats is in one transaction with the description, so its condition protects both items.
"""

from functools import cache

from pynamodb.expressions.condition import Condition

from events.ledger.models import Seats
from events.models import Event

# On the description.


@cache
def is_new() -> Condition:
    return Event.event_id.does_not_exist()


def is_unedited(event: Event) -> Condition:
    """Require that the event was not edited, deleted or handed over since it was read.

    The version alone is not enough: an event that was deleted and created again under its id starts at version 1 too.
    The incarnation distinguishes the two.
    """
    unedited = (Event.version == event.version) & (Event.incarnation == event.incarnation)
    return unedited & (Event.organizer_id == event.organizer_id) if event.organizer_id else unedited


# On the seats.


def has_nobody(seats: Seats) -> Condition:
    """Require that no user is registered or waiting, that the commit log is empty, and that no user joined since.

    A user who joined and left since the read would leave lines behind that no request looks for.
    """
    is_empty = (Seats.registered == 0) & (Seats.waiting == 0) & (Seats.log_entries == {})
    return is_empty & (Seats.tickets == seats.tickets)


def counts_are(seats: Seats) -> Condition:
    """Require that the seats are unchanged, so that the counts as read are right at the moment of the write."""
    same = (Seats.incarnation == seats.incarnation) & (Seats.settings == seats.settings)
    return (
        same
        & (Seats.tickets == seats.tickets)
        & (Seats.left == seats.left)
        & (Seats.seated_through == seats.seated_through)
    )


def nothing_to_promote(*, open_: bool, capacity: int) -> Condition | None:
    """Require that the edit promotes no user: the waitlist is empty, or no seat is free.

    Returns:
        The condition; None for an event that the edit closes, which promotes no user whatever its counts are.
    """
    return (Seats.waiting == 0) | (Seats.registered >= capacity) if open_ else None


def everybody_fits(seats: Seats, free: int) -> Condition:
    """Require that the whole waitlist still fits into the free seats, and that the watermark has not moved.

    Users who join the waitlist between the read and the write are included.
    """
    return (Seats.seated_through == seats.seated_through) & Seats.waiting.between(1, free)


def these_are_next(seats: Seats) -> Condition:
    """Require that the head of the waitlist and the number of free seats are as they were read."""
    same_queue = (Seats.seated_through == seats.seated_through) & (Seats.waitlist_exits == seats.waitlist_exits)
    return same_queue & (Seats.registered == seats.registered)


def exits_are(seats: Seats) -> Condition:
    """Require that no user left the waitlist since the read, so that the exit counts may be replaced."""
    return (Seats.seated_through == seats.seated_through) & (Seats.waitlist_exits == seats.waitlist_exits)


@cache
def exits_are_counted_by(width: int) -> Condition:
    """Require that the exits are still counted in ranges of `width` tickets."""
    return Seats.exit_width == width
