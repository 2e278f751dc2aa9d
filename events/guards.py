"""Every condition under which an event changes, one function each, named after what it makes sure of.

They stand on the description; its seats are written and removed in the same transactions, so they need none of
their own but the last.
"""

from pynamodb.expressions.condition import Condition

from events.models import Event, Seats


def is_new() -> Condition:
    """The id is not taken."""
    return Event.event_id.does_not_exist()


def is_unedited(event: Event) -> Condition:
    """Nobody edited, deleted or took over the event since it was read.

    The time of creation tells it from an event that was deleted and created anew under its id: versions begin at 1.
    """
    unedited = (Event.version == event.version) & (Event.created_at == event.created_at)
    return unedited & (Event.organizer_id == event.organizer_id) if event.organizer_id else unedited


def has_nobody() -> Condition:
    """Nobody is registered or waiting."""
    return (Seats.registered == 0) & (Seats.waiting == 0)
