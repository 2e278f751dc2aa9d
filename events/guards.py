"""Every condition under which an event changes, one function each, named after what it makes sure of."""

from pynamodb.expressions.condition import Condition

from events.models import Event, Seats
from eventsite.auth.scope import EVERYBODYS, Scope

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


def is_same_event(seats: Seats) -> Condition:
    """The event is the one that was read, not another one made under its id."""
    return Seats.incarnation == seats.incarnation


def is_within_reach(scope: Scope) -> Condition:
    """The event is one that the caller may touch."""
    return Seats.event_id.exists() if scope.touches == EVERYBODYS else Seats.organizer_id == scope.touches


def has_settings(seats: Seats) -> Condition:
    """Nobody changed the capacity, the status or the waitlist switch since they were read."""
    return Seats.settings == seats.settings


def has_nobody() -> Condition:
    """Nobody is registered or waiting."""
    return (Seats.registered == 0) & (Seats.waiting == 0)


def has_no_records() -> Condition:
    """Whatever was committed in the seats is written everywhere else too."""
    return Seats.records == {}


def nothing_to_promote(*, open_: bool, capacity: int) -> Condition | None:
    """With these settings nobody moves up: it is closed (None: no condition), nobody waits, or no seat is free."""
    return (Seats.waiting == 0) | (Seats.registered >= capacity) if open_ else None


def everybody_fits(seats: Seats, free: int) -> Condition:
    """All who wait, and whoever joins them meanwhile, still fit into so many free seats."""
    return _queue_stands(seats) & Seats.waiting.between(1, free)


def these_are_next(seats: Seats, people: int) -> Condition:
    """The next so many people in the queue are the ones that were found, and no more of them fit than then."""
    return _queue_stands(seats) & (Seats.quits == seats.quits) & (Seats.waiting >= people)


def _queue_stands(seats: Seats) -> Condition:
    """No seat was taken or given since the seats were read."""
    return (Seats.served == seats.served) & (Seats.registered == seats.registered)
