"""Notices as lines of text for an operator."""

from datetime import datetime
from typing import Any

from eventsite.text import humanize
from registrations.notices.occasions import Notice


def line(notice: Notice) -> str:
    """Return a notice as a line: the time, the type, the user and the taken seats."""
    return f"{datetime.fromisoformat(notice['time']):%H:%M:%S}Z {notice['type']:24} {_in_words(notice)}"


def _in_words(notice: Notice) -> str:
    data = notice["data"]
    event = data["eventId"]
    kind, _, what = notice["type"].partition(".")
    if kind == "event":
        return f"{event} {_of_an_event(what, data)}"
    return f"{data['userId']} {_of_a_registration(what, data)} {event}{_counts(data)}"


def _of_an_event(what: str, data: Any) -> str:
    what_happened = f"is {what}" if what != "cancelled" else "is called off"
    if not data.get("changed"):
        return what_happened
    changes = [f"{name} was {data['previous'][name]}, is {data['event'][name]}" for name in data["changed"]]
    return f"{what_happened}: {'; '.join(changes)}"


def _of_a_registration(what: str, data: Any) -> str:
    if what == "cancelled":
        if data["reason"] != "left":
            return "has lost the registration for the deleted event"
        return "gave up a seat of" if data["freedSeat"] else "left the waitlist of"
    words = {"registered": "has a seat of", "waitlisted": "waits for", "promoted": "moved up to a seat of"}
    return (words | {"checked_in": "came in to"})[what]


def _counts(data: Any) -> str:
    if "capacity" not in data:
        return ""
    taken, seats, waiting = (humanize.number(data[name]) for name in ("registeredCount", "capacity", "waitlistCount"))
    return f" ({taken} of {seats} seats taken, {waiting} waiting)"
