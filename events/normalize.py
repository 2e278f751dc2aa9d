"""Normalize an edit. Clients send back everything that they have read, with a part of it changed."""

from typing import Any

from events import window
from events.whole import WholeEvent
from events.window import Times
from eventsite.errors import WrongValues

LISTS = ("organizers", "questions")
OF_THE_WINDOW = ("registration_opens_at", "registration_closes_at")


def normalize(before: WholeEvent, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes with one waitlist switch, and times that fit together.

    Args:
        before: The event.
        changes: The changed fields by their Python names. `has_waitlist` is beside `waitlist_enabled` if both names of
            the switch were sent with different values. The one that differs from the stored value counts.

    Raises:
        WrongValues: The times of the event would not be valid.
    """
    changes = {name: [] if value is None and name in LISTS else value for name, value in changes.items()}
    if "has_waitlist" in changes:
        changes.pop("has_waitlist")
        changes["waitlist_enabled"] = not before.seats.waitlist_enabled
    after = {name: changes.get(name, getattr(before.event, name)) for name in (*Times._fields, *OF_THE_WINDOW)}
    if (after.keys() & changes.keys()) and (wrong := wrong_times(after)):
        raise WrongValues(wrong)
    return changes


def wrong_times(values: dict[str, Any]) -> dict[str, str]:
    """Return a sentence for each field with a wrong time, by its name in JSON.

    Args:
        values: The fields by their Python names, each valid by itself.
    """
    times = Times(**{name: values[name] for name in Times._fields if values.get(name)})
    return times.wrong() | window.closes_first(*(values.get(name) for name in OF_THE_WINDOW))
