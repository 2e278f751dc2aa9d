"""The pages of events: the list, and one event with the forms that change it."""

import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from events import editing, services
from events.browsable import consequences, questions, wording
from events.browsable.forms import FILTERS, HELPS, LABELS, MOMENTS, NEW, SHORT, edit_form, filters, new_form, to_moments
from events.browsable.wording import CANCELLED
from events.models import DRAFT, Event
from events.serializers import shape
from eventsite.auth.permissions import CHANGE_EVENT, CREATE_EVENT, READ_DRAFT, SEE_EVENTS, Reach
from eventsite.auth.scope import EVERYTHING
from eventsite.errors import DomainError
from eventsite.pages import forms, paging
from eventsite.pages import page as pages
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Page, Question, Seen
from eventsite.text import humanize
from eventsite.text.folding import Search

MINE, DRAFTS = {"organizerId": "me"}, {"status": DRAFT}
"""The filters of two tabs of the list."""
SEARCHED = 1000
"""The number of events that one page of a search reads."""


@pages.navigation(10)
def events(seen: Seen) -> Link:
    return Link("Events", pages.url("events"))


class EventsPage(Page, routes=["events"]):
    template = "events/list.html"
    name = "Events"
    labels, filter_labels = LABELS, FILTERS
    field_of_code = {"event_exists": "eventId"}

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """Show the events to come, unless the request has a filter. An event of yesterday may not be over yet."""
        today = wording.today()
        if query.get("when") == "past":
            return {"to": today, "order": "desc"}
        if chosen := _chosen(query):
            return {"order": "desc"} if chosen == MINE else {}
        last = {"week": wording.week_end, "month": wording.month_end}.get(query.get("when", ""))
        return {"from": wording.yesterday()} | ({"to": last(today)} if last else {})

    def title(self, data: Any) -> str:
        return "New event" if self.request.method == "POST" else self.name

    def about(self, data: Any) -> str:
        return "Upcoming events, and where there is room."

    def trail(self) -> list[Link]:
        return [Link("Events", pages.url("events"))] if self.request.method == "POST" else []

    def context(self, data: Any) -> dict[str, Any]:
        marks = {key: value for part in self.parts for key, value in part.marks(data).items()}
        query = self.request.query_params
        sought = query.get("q", "").strip()
        search = Search(sought) if sought else None
        rows = [wording.row(event, wording.mark(event, marks)) for event in data if self._is_wanted(event, search)]
        copied, is_tab = query.get("copy"), _chosen(query) in ({}, MINE, DRAFTS)
        kept = ("when", "seats", *(one for tab in (MINE, DRAFTS) if is_tab for one in tab))
        is_narrowed = bool(query.get("q") or query.get("seats") or query.get("when") in ("week", "month"))
        return {
            "rows": rows,
            "chips": self._chips(),
            "tabs": self._tabs(),
            "filters": filters(self, folded=is_tab),
            "filtered": is_narrowed or not is_tab,
            "nothing": self._nothing(is_narrowed),
            "sought": sought,
            "asked": [(name, query[name]) for name in kept if query.get(name)],
            "most": SEARCHED,
            "searched": humanize.number(SEARCHED),
            "steps": paging.steps(self.request, self.response),
            "new": self._new(copied, self._copied(copied)) if self.reach(CREATE_EVENT) is not Reach.NONE else None,
            "unfolded": "copy" in query,
            "calendar_url": self.in_format("ics"),
        }

    def _is_wanted(self, event: dict[str, Any], search: Search | None) -> bool:
        query = self.request.query_params
        if search and not search.finds(event["title"], event["location"]):
            return False
        if query.get("seats") and wording.sign_up(event) != wording.OPEN:
            return False
        return bool(_chosen(query)) or wording.has_ended(event) == (query.get("when") == "past")

    def _nothing(self, is_narrowed: bool) -> str:
        query = self.request.query_params
        chosen = _chosen(query)
        if is_narrowed or chosen not in ({}, MINE, DRAFTS):
            return "No event matches."
        if chosen == MINE:
            return "You have no events yet."
        if chosen == DRAFTS:
            return "There are no drafts."
        return "No past events." if query.get("when") == "past" else "No upcoming events."

    def _tabs(self) -> list[Link]:
        tabs: dict[str, dict[str, str]] = {"Upcoming": {}, "Past": {"when": "past"}}
        if self.principal and self.reach(CREATE_EVENT) is not Reach.NONE:
            tabs["Mine"] = MINE
        if self.reach(READ_DRAFT) is not Reach.NONE:
            tabs["Drafts"] = DRAFTS
        query = self.request.query_params
        now = _chosen(query) | ({"when": "past"} if query.get("when") == "past" else {})
        path = self.request.path
        return [Link(label, paging.address(path, wanted), wanted == now) for label, wanted in tabs.items()]

    def _chips(self) -> list[Link]:
        """Return links that add a filter to the address, or remove it."""
        query, links = self.request.query_params, []
        if _chosen(query) or query.get("when") == "past":
            return []
        asked = {name: query[name] for name in ("q", "when", "seats") if query.get(name)}
        chips = {"This week": ("when", "week"), "This month": ("when", "month"), "With seats": ("seats", "free")}
        for label, (name, value) in chips.items():
            is_on = asked.get(name) == value
            wanted = asked | {name: "" if is_on else value}
            url = paging.address(self.request.path, {name: value for name, value in wanted.items() if value})
            links.append(Link(label, url, is_on))
        return links

    def _new(self, copied: str | None, values: dict[str, Any]) -> Form:
        made = new_form(self, values)
        made.hidden |= {"copy": copied} if copied else {}
        return made

    def _copied(self, event_id: str | None) -> dict[str, Any]:
        """Return the values that a new event copies from another one: everything but its days and its id."""
        if not event_id:
            return {}
        try:
            found = shape(services.read(event_id, scope=self.view.scope(SEE_EVENTS)))
        except DomainError:
            return {}
        left_out = {"date", "endDate", "eventId", "status", *MOMENTS}
        return {name: value for name, value in found.items() if name not in left_out}

    def form(self, method: str) -> Form | None:
        copied = self.submission.sent.get("copy") if self.submission else None
        return self._new(copied, {}) if method == "POST" else None

    def translate(self, values: Any) -> None:
        to_moments(values, values.get("timeZone"))
        if copied := self._copied(values.get("copy")):
            values.setlist("questions", copied["questions"] or [])

    def outcome(self, data: Any) -> str:
        if data["status"] == DRAFT:
            return f"“{data['title']}” is saved as a draft. Only you see it."
        address = self.request.build_absolute_uri(pages.url("event", data["eventId"]))
        return f"“{data['title']}” is published. Share it: {address}"

    def next_url(self, data: Any) -> str:
        return pages.url("event", data["eventId"]) if data else super().next_url(data)


def _chosen(query: Any) -> dict[str, str]:
    """Return the values of the filters. Without any of them, the page lists the events to come."""
    return {name: query[name] for name in FILTERS if query.get(name) and name != "limit"}


class EventPage(Page, routes=["event"]):
    template = "events/event.html"
    labels, helps = {name: label for name, label in LABELS.items() if name != "eventId"}, HELPS
    _now: dict[str, Any] | None = None
    _stored: Event

    def title(self, data: Any) -> str:
        """Return the name of the event, or the purpose of a refused form."""
        return str(data["title"]) if "eventId" in data else "Edit event"

    def about(self, data: Any) -> str:
        return f"{wording.days(data)}, {data['location']}. {wording.room_sentence(data)}."

    def trail(self) -> list[Link]:
        above = [Link("Events", pages.url("events"))]
        if self.request.method not in ("GET", "HEAD"):
            above.append(Link("The event", self.request.path))
        return above

    def context(self, data: Any) -> dict[str, Any]:
        mine = self.runs(CHANGE_EVENT, data)
        return {
            "row": wording.row(data),
            "long_day": "" if wording.is_of_several_days(data) else humanize.long_day(data["date"]),
            "days": wording.days(data),
            "now_until": wording.now_until(data),
            "hours": wording.hours_and_zone(data),
            "room": wording.room_sentence(data),
            "closes": wording.closes(data),
            "map_url": wording.map_url(data),
            "calendar_url": self.in_format("ics") if data["status"] != CANCELLED else "",
            "runs": self._runs(data) if mine else None,
        }

    def _runs(self, data: Any) -> dict[str, Any]:
        opens, status = {DRAFT: "Publish", CANCELLED: "Open again"}, data["status"]
        switch = f"Switch the waitlist {'off' if data['waitlistEnabled'] else 'on'}"
        return {
            "edit": edit_form(self, forms_values(data)).show_before(data["version"]),
            "delete": self._button(data, "Delete", "risky", SHORT, method="DELETE") if self.owns(data) else None,
            "waitlist": self._button(data, switch, "plain", waitlistEnabled=forms.text(not data["waitlistEnabled"])),
            "open": self._button(data, opens[status], "primary", status="published") if status in opens else None,
            "cancel": self._button(data, "Cancel event", status=CANCELLED) if wording.is_open(data) else None,
            "copy_url": f"{pages.url('events')}?copy={data['eventId']}#new",
        }

    def _button(
        self, data: Any, label: str, look: str = "plain", shown: Iterable[str] = (), method: str = "PUT", **sent: str
    ) -> Form:
        """Return a button that changes the version that the page shows: it sends some values, or deletes the event."""
        before = {name: forms.text(data[name]) for name in shown or sent}
        hidden = sent | {"_before": json.dumps(before), "_version": str(data["version"])}
        return Form(self.request.path, label, method, hidden=hidden, look=look)

    def form(self, method: str) -> Form | None:
        return edit_form(self) if method in ("PUT", "PATCH") else None

    def translate(self, values: Any) -> None:
        now = self.current() if set(MOMENTS) & set(values) else None
        to_moments(values, values.get("timeZone") or (now or {}).get("timeZone"))

    def sentence(self, data: Any) -> str:
        is_gone = self.submission is not None and data["code"] == "event_not_found"
        return "This event does not exist any more." if is_gone else ""

    def current(self) -> dict[str, Any] | None:
        if self._now is None:
            try:
                found = services.read(self.kwargs["event_id"], scope=self.view.scope(SEE_EVENTS))
            except DomainError:
                return None
            now = forms_values(shape(found, own=EVERYTHING))
            self._now, self._stored = now | questions.values_of(now), found.event
        return self._now

    def question(self) -> Question | None:
        """Ask before an edit or a deletion that affects attendees."""
        now = self.current()
        if now is None or self.submission is None:
            return None
        if self.request.method == "DELETE":
            return consequences.before_deleting(now) if self.owns(now) else None
        changes = self.view.body(partial=True)
        if not consequences.people(now) or editing.wrong_together(self._stored, changes):
            return None  # the edit affects no person, or it is refused
        removing = consequences.before_removing_questions(now, changes)
        return removing or consequences.before_editing(now, self.submission.values())

    def outcome(self, data: Any) -> str:
        submission = self.submission
        if submission is None:
            return "Saved."
        if self.request.method == "DELETE":
            return f"“{submission.before.get('title', 'The event')}” was deleted."
        fields = [name for name in submission.before if name in submission.sent and "." not in name]  # not of a part
        changed = [name for name in fields if submission.is_changed(name)]
        if not changed:
            return ""  # the form of a part
        if len(changed) == 1:
            return consequences.outcome_of(changed[0], submission.before[changed[0]], data)
        return f"Saved: {humanize.names([forms.label_of(name, NEW | self.labels) for name in changed])}."

    def next_url(self, data: Any) -> str:
        deleted = self.request.method == "DELETE" and data != {}
        return pages.url("events") if deleted else self.request.path


def forms_values(data: Any) -> dict[str, Any]:
    """Return the values of an event for its form, with moments in the time zone of the event."""
    return forms.in_local_time(dict(data), MOMENTS, wording.place_of(data) or UTC)
