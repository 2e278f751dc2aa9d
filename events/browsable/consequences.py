"""The consequences of edits and deletions: what to ask before, and what to say after."""

from typing import Any

from django.conf import settings

from events.browsable.forms import LABELS, TIMETABLE
from events.browsable.wording import CANCELLED, has_ended, is_open
from events.models import DRAFT, OPEN_STATUSES
from eventsite.pages import forms
from eventsite.pages.page import Question
from eventsite.text import humanize
from eventsite.web.fields import whole_number

WITHOUT_MAIL = "No e-mail is sent about this: tell them yourself."


def outcome_of(name: str, before: str, data: Any) -> str:
    """Return the outcome of an edit with one changed field."""
    if name == "capacity":
        was = whole_number(before)
        return f"Seats {before if was is None else humanize.number(was)} → {humanize.number(data['capacity'])}."
    if name == "waitlistEnabled" and data[name]:
        return "The waitlist is on."
    if name == "waitlistEnabled":
        waiting = data["waitlistCount"]
        stay = f"; the {humanize.people(waiting)} in it {'stays' if waiting == 1 else 'stay'}" if waiting else ""
        return f"The waitlist is off{stay}."
    return _outcome_of_status(before, data) if name == "status" else f"Saved: {forms.label_of(name, LABELS)}."


def _outcome_of_status(before: str, data: Any) -> str:
    notified = _will_be_notified(data, not has_ended(data), "; ")
    if data["status"] == CANCELLED:
        return f"The event is cancelled{notified}."
    if before == CANCELLED and data["status"] in OPEN_STATUSES:
        return f"The event is on again{notified}."
    if before in OPEN_STATUSES or data["status"] not in OPEN_STATUSES:
        notified = ""
    outcomes = {"published": f"Published{notified}.", DRAFT: "It is a draft again. Only you see it."}
    return outcomes.get(data["status"], f"Saved{notified}.")


def _will_be_notified(event: dict[str, Any], is_mailed: bool, before: str = "") -> str:
    count = event["registeredCount"] + event["waitlistCount"]
    return f"{before}{humanize.people(count)} will be told" if count and is_mailed and settings.MAIL_FROM else ""


def _notice(event: dict[str, Any], is_mailed: bool) -> str:
    """Return a sentence on the mails about a change: `registrations.notices.occasions` decides in the same way."""
    notified = _will_be_notified(event, is_mailed)
    return f"{notified}." if notified else WITHOUT_MAIL


def before_deleting(now: dict[str, Any]) -> Question:
    title, affected = f"Delete “{now['title']}”?", people(now)
    if not affected:
        return Question(title, "Delete it", ["This cannot be undone."])
    cancelled = "All of their registrations are cancelled first. This cannot be undone."
    facts = [*affected, cancelled, _notice(now, is_open(now))]
    return Question(title, "Cancel all registrations and delete it", facts, query="registrations=cancel")


def before_editing(now: dict[str, Any], asked: Any) -> Question | None:
    title, status = now["title"], asked.get("status")
    if status in (CANCELLED, DRAFT) and now["status"] not in (CANCELLED, DRAFT):
        verb = "Cancel" if status == CANCELLED else "Withdraw"
        notice = _notice(now, status == CANCELLED and not has_ended(_after(now, asked)))
        facts = [*people(now), "No one can sign up, and no one moves up. Registrations are kept.", notice]
        if status == DRAFT:
            facts.insert(-1, "Only organizers and admins see the event.")
        return Question(f"{verb} “{title}”?", f"{verb} the event", facts)
    seats = whole_number(asked.get("capacity", ""))
    if seats is not None and 0 <= seats < now["registeredCount"]:
        facts = [*people(now), f"No one loses a seat. {_no_one_moves_up(seats)}"]
        counted = humanize.counted(seats, "seat")
        return Question(f"Only {counted} for “{title}”?", f"Set {counted}", facts)
    if TIMETABLE & set(asked) and _expect_it(now, asked):
        notice = _notice(now, is_mailed=True)
        yes = "Save" if notice == WITHOUT_MAIL else "Save and tell them"
        return Question(f"Move “{title}”?", yes, [*people(now), notice])
    return None


def before_removing_questions(now: dict[str, Any], changes: dict[str, Any]) -> Question | None:
    """Return the question before an edit that removes questions, which people may have answered."""
    kept = {question["questionId"] for question in changes.get("questions", now["questions"])}
    removed = [f"“{question['label']}”" for question in now["questions"] if question["questionId"] not in kept]
    if not removed:
        return None
    facts = [*people(now), "What they answered is no longer shown."]
    return Question(f"Ask {humanize.names(removed)} no more?", "Save", facts)


def _no_one_moves_up(seats: int) -> str:
    if seats == 0:
        return "No one moves up."
    if seats == 1:
        return "No one moves up until no one has a seat."
    return f"No one moves up until fewer than {humanize.number(seats)} people have a seat."


def _after(now: dict[str, Any], asked: Any) -> dict[str, Any]:
    """Return the status and the timetable of an event after an edit."""
    return now | {name: asked.get(name) or None for name in ("status", *TIMETABLE) if name in asked}


def _expect_it(now: dict[str, Any], asked: Any) -> bool:
    """Return True if people expect the event, before or after an edit. They do not if it is cancelled or over."""
    after = _after(now, asked)
    return after["status"] in OPEN_STATUSES and not (has_ended(now) and has_ended(after))


def people(event: dict[str, Any]) -> list[str]:
    """Return sentences with the number of people who have a seat and of those who wait."""
    found = []
    if event["registeredCount"]:
        found.append(f"{humanize.counted(event['registeredCount'], 'person has a seat', 'people have a seat')}.")
    if event["waitlistCount"]:
        found.append(f"{humanize.counted(event['waitlistCount'], 'person is', 'people are')} waiting.")
    return found
