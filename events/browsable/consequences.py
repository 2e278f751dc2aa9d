"""The consequences of edits and deletions: what to ask before, and what to say after."""

from typing import Any

from django.conf import settings

from events.browsable.forms import LABELS, TIMETABLE
from events.browsable.wording import CANCELLED
from events.models import DRAFT
from eventsite.pages import forms, humanize
from eventsite.pages.page import Question
from eventsite.web.fields import whole_number


def outcome_of(name: str, before: str, data: Any) -> str:
    """Return the outcome of an edit with one changed field."""
    if name == "capacity":
        return f"Seats {before} → {data['capacity']}."
    if name == "waitlistEnabled" and data[name]:
        return "The waitlist is on."
    if name == "waitlistEnabled":
        waiting = data["waitlistCount"]
        stay = f"; the {humanize.people(waiting)} on it {'stays' if waiting == 1 else 'stay'}" if waiting else ""
        return f"The waitlist is off{stay}."
    if name == "status" and data["status"] == CANCELLED:
        return f"The event is cancelled{_will_be_notified(data, '; ')}."
    if name == "status":
        return {"published": "Published.", DRAFT: "It is a draft again. Only you see it."}.get(data["status"], "Saved.")
    return f"Saved: {forms.label_of(name, LABELS)}."


def _will_be_notified(event: dict[str, Any], before: str = "") -> str:
    count = event["registeredCount"] + event["waitlistCount"]
    return f"{before}{humanize.people(count)} will be told" if count and settings.MAIL_FROM else ""


def before_deleting(now: dict[str, Any]) -> Question:
    title, affected = f"Delete “{now['title']}”?", people(now)
    if not affected:
        return Question(title, "Delete it", ["This cannot be undone."])
    facts = [*affected, "All of their registrations are cancelled first. This cannot be undone."]
    return Question(title, "Cancel all registrations and delete it", facts, query="registrations=cancel")


def before_editing(now: dict[str, Any], asked: Any) -> Question | None:
    title, notified = now["title"], _will_be_notified(now)
    notice = f"{notified}." if notified else "No e-mail is sent here: tell them yourself."
    if asked.get("status") in (CANCELLED, DRAFT) and now["status"] not in (CANCELLED, DRAFT):
        verb = "Cancel" if asked["status"] == CANCELLED else "Withdraw"
        facts = [*people(now), "No one can sign up, and no one moves up. Registrations are kept.", notice]
        return Question(f"{verb} “{title}”?", f"{verb} the event", facts)
    seats = whole_number(asked.get("capacity", ""))
    if seats is not None and 0 <= seats < now["registeredCount"]:
        facts = [*people(now), f"No one loses a seat. No one moves up until fewer than {seats:,} people have a seat."]
        return Question(f"Only {humanize.counted(seats, 'seat')} for “{title}”?", f"Set {seats:,} seats", facts)
    if TIMETABLE & set(asked):
        return Question(f"Move “{title}”?", "Save and tell them" if notified else "Save", [*people(now), notice])
    return None


def people(event: dict[str, Any]) -> list[str]:
    """Return sentences with the number of people who have a seat and of those who wait."""
    found = []
    if event["registeredCount"]:
        found.append(f"{humanize.counted(event['registeredCount'], 'person has a seat', 'people have a seat')}.")
    if event["waitlistCount"]:
        found.append(f"{humanize.counted(event['waitlistCount'], 'person is', 'people are')} waiting.")
    return found
