"""What people are told by e-mail, and whether there is still something to tell.

What was true when it happened is looked at again before a mail is sent: nobody is told of a change that was taken back,
nor of anything about an event that is over.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from events.models import OPEN_STATUSES, Event
from events.whole import find_event
from eventsite import clock
from registrations.models import CANCELLED

Notice = dict[str, Any]
"""A CloudEvent, as JSON has it."""

PROMOTED, OFF, DELETED, ON_AGAIN, MOVED = "promoted", "off", "deleted", "on again", "moved"
TOLD = ("date", "startTime", "endTime", "timeZone", "location")
"""The fields of an event whose changes people are told."""


@dataclass(frozen=True)
class Occasion:
    """What people are to be told."""

    kind: str
    event: Event
    before: dict[str, Any]
    """What fields in `TOLD` were before, those that changed."""


def concerns_people(notice: Notice) -> bool:
    """Whether people are mailed about it: who moved up; whose event is off, on again, or not when or where it was."""
    what, data = notice["type"], notice["data"]
    if what == "event.changed":
        return data["previous"].get("status") == CANCELLED or any(name in TOLD for name in data["changed"])
    if what == "registration.cancelled":
        return bool(data.get("reason") == "event_deleted" and data.get("event"))
    return what in ("registration.promoted", "event.cancelled")


def occasion_of(notice: Notice) -> Occasion | None:
    """What people are to be told about a notice, as things are now; None where that is nothing any more."""
    what, data = notice["type"], notice["data"]
    if what == "registration.cancelled":
        return _of_a_deleted(data)
    whole = find_event(data["eventId"])
    if whole is None or whole.event.incarnation != notice["id"].split(".")[1]:
        return None
    event = whole.event
    if what == "event.changed":
        return _of_a_change(event, data)
    if what == "event.cancelled":
        return Occasion(OFF, event, {}) if event.status == CANCELLED and not _is_past(event.date) else None
    return Occasion(PROMOTED, event, {}) if event.status in OPEN_STATUSES and not _is_past(event.date) else None


def _of_a_deleted(data: dict[str, Any]) -> Occasion | None:
    told = data["event"]
    if told.get("status", "published") not in OPEN_STATUSES or _is_past(told["date"]):
        return None
    known = {attribute.attr_name: name for name, attribute in Event.get_attributes().items()}
    values = {known[name]: value for name, value in told.items() if name in known}
    last = {"description": "", "status": CANCELLED, "version": (values.get("version") or 0) + 1}
    return Occasion(DELETED, Event(**(values | last)), {})


def _of_a_change(event: Event, data: dict[str, Any]) -> Occasion | None:
    before = {name: value for name, value in data["previous"].items() if name in TOLD and value != _now(event, name)}
    if event.status not in OPEN_STATUSES or (_is_past(event.date) and _is_past(before.get("date", event.date))):
        return None
    if data["previous"].get("status") == CANCELLED:
        return Occasion(ON_AGAIN, event, before)
    return Occasion(MOVED, event, before) if before else None


def _now(event: Event, name: str) -> Any:
    attribute = next(one for one, known in Event.get_attributes().items() if known.attr_name == name)
    return getattr(event, attribute)


def _is_past(day: str) -> bool:
    """Whether a day is over everywhere on Earth."""
    return date.fromisoformat(day) < date.fromisoformat(clock.now()[:10]) - timedelta(days=1)
