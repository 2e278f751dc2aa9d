"""What an edit means, given the event as it is: clients send back what they have read, with a part of it changed."""

from typing import Any

from events.models import WholeEvent
from eventsite.errors import WrongValues

TIMES = ("start_time", "end_time", "time_zone")
NEEDS_BOTH = "A time needs both startTime and timeZone."
NEEDS_START = "An end needs a startTime and a timeZone."


def meant(before: WholeEvent, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes with one waitlist switch, and times that fit together.

    Takes: the event; the changed fields by their Python names, `has_waitlist` beside `waitlist_enabled` where both
    names of the switch were sent and disagree: the one that differs from the stored value is meant.
    Raises: `WrongValues` when the event would have half a time.
    """
    changes = dict(changes)
    if "has_waitlist" in changes:
        changes.pop("has_waitlist")
        changes["waitlist_enabled"] = not before.seats.waitlist_enabled
    if wrong := half_a_time(*(changes.get(name, getattr(before.event, name)) for name in TIMES)):
        raise WrongValues(wrong)
    return changes


def half_a_time(start: str | None, end: str | None, zone: str | None) -> dict[str, str]:
    """What the times of an event lack: a sentence for each field, under its name in JSON."""
    if start and zone:
        return {}
    wrong = {"startTime": NEEDS_BOTH} if zone and not start else {"timeZone": NEEDS_BOTH} if start else {}
    return wrong | ({"endTime": NEEDS_START} if end else {})
