"""The reasons for mails: which notices are mailed, and whether the mail is still right.

The current state is read before each mail, so that no mail is sent for a change that was reversed, or for an event that
is over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.models import OPEN_STATUSES, Event
from events.whole import find_event
from events.window import Times
from eventsite import clock
from registrations.models import CANCELLED

Notice = dict[str, Any]
"""A CloudEvent in its JSON format."""

SIGNED_UP, WAITING, PROMOTED = "signed up", "waiting", "promoted"
OFF, DELETED, ON_AGAIN, MOVED = "off", "deleted", "on again", "moved"
REMINDER, MESSAGE = "reminder", "message"
WITHOUT_ASKING = frozenset({OFF, DELETED, MESSAGE})
"""Mails that ignore the user's setting: cancellations, and messages of organizers."""

REMINDER_NOTICE, MESSAGE_NOTICE = "event.reminder", "event.message"
"""Notices for mail only. They do not come from the stream."""

WHEN = ("date", "endDate", "startTime", "endTime", "timeZone")
MAILED_FIELDS = (*WHEN, "location")
"""The fields of an event whose changes are mailed."""
ATTRIBUTES = {
    known.attr_name: name for name, known in Event.get_attributes().items() if known.attr_name in MAILED_FIELDS
}
"""Their names in the model."""
OF_A_PERSON = {
    "registration.registered": SIGNED_UP,
    "registration.waitlisted": WAITING,
    "registration.promoted": PROMOTED,
}


@dataclass(frozen=True)
class Occasion:
    """The reason of a mail, with the event in its current state."""

    kind: str
    event: Event
    before: dict[str, Any] = field(default_factory=dict)
    """The values before the change, of the changed fields among `MAILED_FIELDS`."""
    place: int = 0
    """The waitlist position of the user; 0 if the user does not wait."""
    subject: str = ""
    text: str = ""
    """The message of an organizer."""


def concerns_people(notice: Notice) -> bool:
    """Return True if a notice of the stream is mailed."""
    what, data = notice["type"], notice["data"]
    if what == "event.changed":
        return data["previous"].get("status") == CANCELLED or any(name in MAILED_FIELDS for name in data["changed"])
    if what == "registration.cancelled":
        return bool(data.get("reason") == "event_deleted" and data.get("event"))
    return what in OF_A_PERSON or what == "event.cancelled"


def occasion_of(notice: Notice) -> Occasion | None:
    """Return the reason to mail a notice, or None if there is none any more."""
    if notice["type"] == "registration.cancelled":
        return _of_a_deleted(notice["data"])
    whole = find_event(notice["data"]["eventId"])
    if whole is None or whole.event.incarnation != incarnation_of(notice):
        return None
    return _of_an_event(whole.event, notice["type"], notice["data"])


def _of_an_event(event: Event, what: str, data: dict[str, Any]) -> Occasion | None:
    if what == MESSAGE_NOTICE:
        return Occasion(MESSAGE, event, subject=data["subject"], text=data["text"])
    if what == "event.changed":
        return _of_a_change(event, data)
    if what == "event.cancelled":
        return Occasion(OFF, event) if event.status == CANCELLED and not _is_over(event) else None
    if event.status not in OPEN_STATUSES or _is_over(event):
        return None
    if what == REMINDER_NOTICE:
        return Occasion(REMINDER, event) if event.date == data["date"] else None
    return Occasion(OF_A_PERSON[what], event)


def incarnation_of(notice: Notice) -> str:
    """Return the incarnation of the event that a notice belongs to."""
    return str(notice["id"].split(".")[1])


def _of_a_deleted(data: dict[str, Any]) -> Occasion | None:
    known = {attribute.attr_name: name for name, attribute in Event.get_attributes().items()}
    values = {known[name]: value for name, value in data["event"].items() if name in known}
    last = {"description": "", "status": CANCELLED, "version": (values.get("version") or 0) + 1}
    event = Event(**(values | last))
    if data["event"].get("status", "published") not in OPEN_STATUSES or _is_over(event):
        return None
    return Occasion(DELETED, event)


def _of_a_change(event: Event, data: dict[str, Any]) -> Occasion | None:
    now = {name: getattr(event, attribute) for name, attribute in ATTRIBUTES.items()}
    before = {name: was for name, was in data["previous"].items() if name in now and was != now[name]}
    earlier = Event(**{ATTRIBUTES[name]: value for name, value in (now | before).items()})
    if event.status not in OPEN_STATUSES or (_is_over(event) and _is_over(earlier)):
        return None
    if data["previous"].get("status") == CANCELLED:
        return Occasion(ON_AGAIN, event, before)
    return Occasion(MOVED, event, before) if before else None


def _is_over(event: Event) -> bool:
    """Return True if an event has ended, so that no mail is needed."""
    return Times.of(event).ends_at <= datetime.fromisoformat(clock.now()).timestamp()
