"""The pages of events: the list, and one event with what may be done to it."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from events import services
from events.models import DRAFT, OPEN_STATUSES
from events.serializers import shape
from eventsite import clock
from eventsite.auth.permissions import CHANGE_EVENT, CREATE_EVENT, READ_DRAFT, SEE_EVENTS, Reach
from eventsite.errors import DomainError
from eventsite.pages import forms, humanize
from eventsite.pages import page as pages
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Page, Question, Seen
from eventsite.web.fields import whole_number

LABELS = {
    "title": "Title",
    "description": "Description",
    "date": "Date",
    "startTime": "Starts at",
    "endTime": "Ends at",
    "timeZone": "Time zone",
    "location": "Place",
    "capacity": "Seats",
    "waitlistEnabled": "Waitlist on",
    "organizer": "Organizer",
    "status": "Status",
    "eventId": "Short name for the address",
}
HELPS = {
    "startTime": "Without a time, the event takes the whole day.",
    "endTime": "An end before the start is on the next day.",
    "timeZone": "Needed with a time, such as Europe/Berlin.",
    "capacity": "With 0, everybody waits.",
    "waitlistEnabled": "When all seats are taken, people may wait in line and move up by themselves.",
    "status": "Scheduled, published and active events take registrations. Only you see drafts.",
    "eventId": "Letters, digits and dashes, such as spring-party. It cannot be changed later.",
}
FILTERS = {
    "status": "Status",
    "organizerId": "Organizer's id",
    "from": "From",
    "to": "Until",
    "order": "Order",
    "limit": "Per page",
}
SHORT = ("title", "date", "startTime", "endTime", "location", "capacity", "status")
"""The fields that the button to delete compares with: what may be a reason to keep the event after all."""
ASKED = (*FILTERS, "cursor")
"""The parameters that say which events; without any, a person sees those to come."""


@pages.navigation(10)
def events(seen: Seen) -> Link:
    """The list of events."""
    return Link("Events", pages.url("events"), about="What is on, and how many seats are left.")


def today() -> str:
    """The day it is, UTC."""
    return clock.now()[:10]


def when(event: dict[str, Any]) -> str:
    """``Sat 12 Dec 2026, 19:00 to 22:00``, with a dash."""
    times = "–".join(filter(None, [event.get("startTime"), event.get("endTime")]))  # noqa: RUF001 (a range)
    return ", ".join(filter(None, [humanize.day(event["date"]), times]))


def standing(event: dict[str, Any]) -> str:
    """``published · full``."""
    words = [event["status"]]
    if event["status"] in OPEN_STATUSES:
        if event["date"] < today():
            words.append("past")
        elif event["registeredCount"] >= event["capacity"]:
            words.append("full")
    return " · ".join(words)


def seats(event: dict[str, Any]) -> str:
    """``120/120 · 31 waiting``."""
    taken = f"{humanize.number(event['registeredCount'])}/{humanize.number(event['capacity'])}"
    return f"{taken} · {humanize.number(event['waitlistCount'])} waiting" if event["waitlistCount"] else taken


@dataclass
class Row:
    """An event in the list."""

    url: str
    title: str
    date: str
    when: str
    place: str
    standing: str
    seats: str
    taken: int
    look: str
    badge: str


def row(event: dict[str, Any]) -> Row:
    """What the list shows of an event."""
    past = event["date"] < today()
    look = "cancelled" if event["status"] == "cancelled" else "past" if past else ""
    badge = "open" if event["status"] in OPEN_STATUSES and not past else event["status"]
    taken = humanize.share(event["registeredCount"], event["capacity"])
    url = pages.url("event", event["eventId"])
    said = (when(event), event["location"], standing(event), seats(event))
    return Row(url, event["title"], event["date"], *said, taken, look, badge)


@pages.page("events")
class EventsPage(Page):
    """The list of events."""

    template = "events/list.html"
    name = "Events"
    labels, helps = LABELS, HELPS
    field_of_code = {"event_exists": "eventId"}

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """Who asks for nothing in particular means the events to come."""
        return {} if any(query.get(name) for name in ASKED if name not in ("limit", "cursor")) else {"from": today()}

    def title(self, data: Any) -> str:
        """The heading: the list, or the form that was refused."""
        return "New event" if self.request.method == "POST" else self.name

    def trail(self) -> list[Link]:
        """From a refused form, the list."""
        return [Link("Events", pages.url("events"))] if self.request.method == "POST" else []

    def context(self, data: Any) -> dict[str, Any]:
        """The rows, the tabs, the way on, and the form of a new event."""
        steps = pages.steps(self.request, self.response)
        return {
            "rows": [row(event) for event in data],
            "tabs": self._tabs(),
            "filters": self._filters(),
            "steps": steps,
            "range": steps.range(len(data)),
            "new": self.form("POST") if self.reach(CREATE_EVENT) is not Reach.NONE else None,
            "calendar_url": self.in_format("ics") if "ics" in self.shown_formats() else "",
        }

    def _tabs(self) -> list[Link]:
        query = self.request.query_params
        asked = {name: query.getlist(name) for name in FILTERS if query.get(name) and name != "limit"}
        yesterday = str(date.fromisoformat(today()) - timedelta(days=1))
        tabs = {"Upcoming": {}, "Past": {"to": yesterday, "order": "desc"}}
        if self.principal:
            tabs["Mine"] = {"organizerId": "me"}
        if self.reach(READ_DRAFT) is not Reach.NONE:
            tabs["Drafts"] = {"status": DRAFT}
        return [
            Link(label, pages.address(self.request.path, wanted), {k: [v] for k, v in wanted.items()} == asked)
            for label, wanted in tabs.items()
        ]

    def _filters(self) -> Form:
        query = self.view.queries["list"]()
        shown = forms.fields(query, FILTERS, helps={}, values=self.request.query_params, prefix="filter")
        for field in shown:
            field.optional = False  # all of them are, and it need not be said
        return Form(self.request.path, "Show", "GET", shown)

    def form(self, method: str) -> Form | None:
        """The form of a new event."""
        if method != "POST":
            return None
        who = self.principal.name if self.principal else ""
        values = {"status": "published", "organizer": who}
        return self.make_form("POST", "Create event", values=values)

    def told(self, data: Any) -> str:
        """That there is a new event."""
        return f"“{data['title']}” is created."

    def next_url(self, data: Any) -> str:
        """The new event."""
        return pages.url("event", data["eventId"]) if data else super().next_url(data)


@pages.page("event")
class EventPage(Page):
    """One event."""

    template = "events/event.html"
    labels = {name: label for name, label in LABELS.items() if name != "eventId"}
    helps = HELPS
    _now: dict[str, Any] | None = None

    def title(self, data: Any) -> str:
        """What the event is called; over a refused form, what it was about."""
        return str(data["title"]) if "eventId" in data else "Edit event"

    def trail(self) -> list[Link]:
        """The list; from a form, the event."""
        above = [Link("Events", pages.url("events"))]
        if self.request.method not in ("GET", "HEAD"):
            above.append(Link("The event", self.request.path))
        return above

    def context(self, data: Any) -> dict[str, Any]:
        """The event in words, and the forms that change it."""
        mine = self.owns(CHANGE_EVENT, data)
        return {
            "event": data,
            "row": row(data),
            "edit": self._edit(data) if mine else None,
            "delete": self._delete(data) if mine else None,
            "calendar_url": self.in_format("ics") if "ics" in self.shown_formats() else "",
        }

    def form(self, method: str) -> Form | None:
        """The form that edits the event."""
        return self.make_form("PUT", "Save", hidden={}) if method in ("PUT", "PATCH") else None

    def _edit(self, data: Any) -> Form:
        return self.make_form("PUT", "Save", values=data).show_before(data["version"])

    def _delete(self, data: Any) -> Form:
        before = {name: forms.text(data[name]) for name in SHORT}
        shown = {"_version": str(data["version"]), "_before": json.dumps(before)}
        return Form(self.request.path, "Delete", "DELETE", hidden=shown, look="danger")

    def current(self) -> dict[str, Any] | None:
        """The event as it is now."""
        if self._now is None:
            try:
                self._now = shape(
                    services.read(self.kwargs["event_id"], scope=self.view.scope(SEE_EVENTS)), inside=True
                )
            except DomainError:
                return None
        return self._now

    def question(self) -> Question | None:
        """Whether an edit or a deletion that touches people is meant."""
        if self.request.method == "DELETE":
            return self._before_deleting()
        return self._before_editing() if self.submission else None

    def _before_deleting(self) -> Question | None:
        now = self.current()
        if now is None or not self.owns(CHANGE_EVENT, now):
            return None
        title, people = f"Delete “{now['title']}”?", _people(now)
        if not people:
            return Question(title, "Delete it", ["This cannot be undone."])
        facts = [*people, "All of their registrations are cancelled first. This cannot be undone."]
        return Question(title, "Cancel all registrations and delete it", facts, query="registrations=cancel")

    def _before_editing(self) -> Question | None:
        asked = self.submission.values() if self.submission else {}
        if not {"capacity", "status"} & set(asked):
            return None
        now = self.current()
        if now is None or not self.owns(CHANGE_EVENT, now) or not _people(now):
            return None
        if asked.get("status") in ("cancelled", DRAFT) and now["status"] not in ("cancelled", DRAFT):
            verb = "Cancel" if asked["status"] == "cancelled" else "Withdraw"
            facts = [*_people(now), "Nobody can sign up and nobody moves up any more. Registrations are kept."]
            return Question(f"{verb} “{now['title']}”?", f"{verb} the event", facts)
        seats = whole_number(asked.get("capacity", ""))
        if seats is not None and 0 <= seats < now["registeredCount"]:
            return Question(
                f"Only {humanize.counted(seats, 'seat')} for “{now['title']}”?",
                "Save",
                [
                    *_people(now),
                    "Nobody loses a seat. Nobody moves up until fewer are registered than there are seats.",
                ],
            )
        return None

    def told(self, data: Any) -> str:
        """What was changed."""
        submission = self.submission
        if submission is None:
            return "Saved."
        if self.request.method == "DELETE":
            return f"“{submission.before.get('title', 'The event')}” is deleted."
        changed = [name for name in submission.before if name in submission.sent and submission.is_changed(name)]
        if changed == ["capacity"]:
            return f"Seats {submission.before['capacity']} → {data['capacity']}."
        return f"Saved: {humanize.names([forms.label_of(name, self.labels) for name in changed])}."

    def next_url(self, data: Any) -> str:
        """The event, or the list when there is no event any more."""
        deleted = self.request.method == "DELETE" and data != {}
        return pages.url("events") if deleted else self.request.path


def _people(event: dict[str, Any]) -> list[str]:
    """How many people it is about; empty where it is nobody."""
    found = []
    if event["registeredCount"]:
        found.append(f"{humanize.counted(event['registeredCount'], 'person has a seat', 'people have a seat')}.")
    if event["waitlistCount"]:
        found.append(f"{humanize.counted(event['waitlistCount'], 'person is', 'people are')} waiting.")
    return found
