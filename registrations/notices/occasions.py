"""The reasons for mails: which notices are mailed, and whether the mail is still right.

The current state is read before each mail, so that no mail is sent for a change that was reversed, or for an event that
is over.
"""

from dataclasses import dataclass, field, replace
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
ATTRIBUTES = {attribute.attr_name: name for name, attribute in Event.get_attributes().items()}
"""The names of fields in the model."""
KINDS = {
    "registration.registered": SIGNED_UP,
    "registration.waitlisted": WAITING,
    "registration.promoted": PROMOTED,
    "event.cancelled": OFF,
    REMINDER_NOTICE: REMINDER,
    MESSAGE_NOTICE: MESSAGE,
}
"""The kinds of mails by the types of notices of which all are mailed."""


@dataclass(frozen=True)
class Occasion:
    """The reason of a mail, with the event in its current state."""

    kind: str
    event: Event
    before: dict[str, Any] = field(default_factory=dict)
    """The values before the change, of the changed fields among `MAILED_FIELDS`."""
    place: int = 0
    """The waitlist position of the user; 0 if it is not mailed, or the user does not wait."""
    is_waiting: bool = False
    """True for a mail to a user who waits."""
    seated_through: int = 0
    """The last ticket that has a seat."""
    subject: str = ""
    text: str = ""
    """The message of an organizer."""


def kind_of(notice: Notice) -> str | None:
    """Return the kind of the mails about a notice, or None if it is not mailed."""
    data = notice["data"]
    if notice["type"] == "event.changed":
        before = data["previous"].get("status")
        if before and before not in OPEN_STATUSES:  # an event that was never open has no people
            return ON_AGAIN
        return MOVED if any(name in MAILED_FIELDS for name in data["changed"]) else None
    if notice["type"] == "registration.cancelled":
        return DELETED if data.get("event") else None
    return KINDS.get(notice["type"])


def occasion_of(notice: Notice) -> Occasion | None:
    """Return the reason to mail a notice, or None if there is none any more."""
    kind = kind_of(notice)
    if kind == DELETED:
        return _of_a_deleted(notice["data"])
    whole = find_event(notice["data"]["eventId"])
    if kind is None or whole is None or whole.event.incarnation != incarnation_of(notice):
        return None
    found = _of_an_event(kind, whole.event, notice["data"])
    return found and replace(found, seated_through=int(whole.seats.seated_through))


def _of_an_event(kind: str, event: Event, data: dict[str, Any]) -> Occasion | None:
    if kind == MESSAGE:
        return Occasion(kind, event, subject=data["subject"], text=data["text"])
    if kind == OFF:
        return Occasion(kind, event) if event.status == CANCELLED and not _is_over(event) else None
    if event.status not in OPEN_STATUSES:
        return None
    if kind in (MOVED, ON_AGAIN):
        return _of_a_change(kind, event, data["previous"])
    if _is_over(event) or (kind == REMINDER and event.date != data["date"]):
        return None
    return Occasion(kind, event)


def incarnation_of(notice: Notice) -> str:
    """Return the incarnation of the event that a notice belongs to."""
    return str(notice["id"].split(".")[1])


def _of_a_deleted(data: dict[str, Any]) -> Occasion | None:
    values = {ATTRIBUTES[name]: value for name, value in data["event"].items() if name in ATTRIBUTES}
    last = {"description": "", "status": CANCELLED, "version": (values.get("version") or 0) + 1}
    event = Event(**(values | last))
    if data["event"].get("status", "published") not in OPEN_STATUSES or _is_over(event):
        return None
    return Occasion(DELETED, event)


def _of_a_change(kind: str, event: Event, previous: dict[str, Any]) -> Occasion | None:
    now = {name: getattr(event, ATTRIBUTES[name]) for name in MAILED_FIELDS}
    before = {name: was for name, was in previous.items() if name in now and was != now[name]}
    earlier = Event(**{ATTRIBUTES[name]: value for name, value in (now | before).items()})
    if (_is_over(event) and _is_over(earlier)) or not (before or kind == ON_AGAIN):
        return None
    return Occasion(kind, event, before)


def takes_place(event: Event) -> bool:
    """Return True if people can still come to the event, or give their registrations up for others."""
    return event.status in OPEN_STATUSES and not _is_over(event)


def _is_over(event: Event) -> bool:
    """Return True if an event has ended, so that no mail is needed."""
    return Times.of(event).ends_at <= datetime.fromisoformat(clock.now()).timestamp()
