"""The parts that registrations add to the page and to the list of events."""

from typing import Any

from django.conf import settings

from events.browsable import wording as event_wording
from eventsite.auth.permissions import LIST_REGISTRATIONS, READ_USER, REGISTER, Reach
from eventsite.errors import DomainError
from eventsite.pages import growth
from eventsite.pages import page as pages
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Part
from eventsite.text import humanize
from registrations.browsable import answers
from registrations.browsable.contact import has_people
from registrations.browsable.wording import OfEvent, leave_form, leave_label, sign_up_label
from registrations.errors import RegistrationNotFound
from registrations.models import ACTIVE, CANCELLED, REGISTERED, WAITLISTED, Registration
from registrations.reading.attendances import of_user
from registrations.reading.lists import all_of_event
from registrations.reading.one import read
from users.browsable import names

MOST_SHOWN = 1000  # people, read by one query; the page of a larger event has no chart
MOST_MOVED = 100  # people; the most promotions that a message counts
MOST_MARKED = 100  # registrations of the user that the list of events looks up


def everybody(part: Part, data: Any) -> list[Registration]:
    """Return the people who have a seat or wait, read once for all parts of an event's page.

    Returns:
        The registrations; none if the user may not see them, or if there are more than `MOST_SHOWN`.
    """
    known = vars(part.page)
    if "everybody" not in known:
        count = data["registeredCount"] + data["waitlistCount"]
        whole = getattr(part.page.response, "whole", None)
        shown = 0 < count <= MOST_SHOWN and part.runs(LIST_REGISTRATIONS, data)
        known["everybody"] = all_of_event(whole.seats, MOST_SHOWN) if whole and shown else []
    found: list[Registration] = known["everybody"]
    return found


class SignUp(Part, OfEvent, routes=["event"]):
    """The user's own registration on the page of an event: sign up, see the place, cancel."""

    template = "registrations/sign_up.html"
    place = 0

    def context(self, data: Any) -> dict[str, Any] | None:
        state = event_wording.sign_up(data)
        offers = state in (event_wording.OPEN, event_wording.WAITLIST)
        if self.principal is None:
            return {"log_in": True, "state": state} if offers and self.reach(REGISTER) is Reach.NONE else None
        own = self._own(self.principal.sub, data)
        if own and own.status != CANCELLED:
            return self._standing(own, data)
        return self._offer(data, state) if offers else None

    def _standing(self, own: Registration, data: Any) -> dict[str, Any]:
        if data["status"] == event_wording.CANCELLED:
            return {"standing": "off"}
        if event_wording.is_over(data):
            return {"standing": "over" if own.status == REGISTERED else "over-waiting"}
        label, was = leave_label(own.status), {"_next": self.request.path, "_was": own.status}
        form = leave_form(self.event_id, own.user_id, label, **was)
        return {"form": form, "standing": own.status, "number": humanize.number(own.position or 0)}

    def _own(self, sub: str, data: Any) -> Registration | None:
        """Return the user's own registration: from the people of the page, or by a read of its own."""
        if rows := everybody(self, data):
            return next((row for row in rows if row.user_id == sub), None)
        try:
            return read(self.event_id, sub, scope=self.view.scope(READ_USER, sub))
        except RegistrationNotFound:
            return None

    def _offer(self, data: Any, state: str) -> dict[str, Any]:
        full = state == event_wording.WAITLIST
        url, asked = pages.url("registrations", self.event_id), answers.fields(data.get("questions"))
        form = Form(url, sign_up_label(data), fields=asked, hidden={"_next": self.request.path})
        return {"form": form, "in_line": humanize.number(data["waitlistCount"] + 1) if full else ""}


class People(Part, OfEvent, routes=["event"]):
    """The figures for organizers: the counts, the head of the waitlist, and the growth of sign-ups."""

    template = "registrations/people.html"
    place = 10
    _waited: list[Registration] = []

    def context(self, data: Any) -> dict[str, Any] | None:
        if not self.runs(LIST_REGISTRATIONS, data):
            return None
        rows = everybody(self, data)
        waiting = [row.user_id for row in rows if row.status == WAITLISTED]
        heads = waiting[: humanize.NAMED] if event_wording.passes_seats_on(data) else []
        write = f"{pages.url('event-history', self.event_id)}#write"
        return {
            "below": True,
            "bar": [Link("Message", write)] if settings.MAIL_FROM and has_people(data) else [],
            "lists": self._lists(data),
            "next": humanize.names(list(names(heads).values())) if heads else "",
            "growth": growth.of([row.registered_at for row in rows], event_wording.place_of(data)),
            "clock": event_wording.clock_of(data),
        }

    def _lists(self, data: Any) -> list[Link]:
        everybody, waiting = (pages.url(name, self.event_id) for name in ("registrations", "waitlist"))
        return [
            Link("in", f"{everybody}?status={REGISTERED}", about=humanize.number(data["registeredCount"])),
            Link("waiting", waiting, about=humanize.number(data["waitlistCount"])),
            Link("checked in", f"{everybody}?checkedIn=true", about=humanize.number(data.get("checkedInCount") or 0)),
        ]

    def prepare(self) -> None:
        """Read the waitlist before an edit that may promote people."""
        submission = self.submission
        if submission and self.request.method == "PUT" and {"capacity", "status"} & set(submission.values()):
            self._waited = self.queue(MOST_MOVED)

    def outcome(self, data: Any) -> str:
        if not self._waited or self.request.method != "PUT":
            return ""
        head = next(iter(self.queue(1)), None)
        waited = [row.registration_id for row in self._waited]
        moved = waited.index(head.registration_id) if head and head.registration_id in waited else len(waited)
        if not moved:
            return ""
        first = list(names(row.user_id for row in self._waited[: min(moved, humanize.NAMED)]).values())
        return f"{humanize.names(first, moved)} moved up."


class Marks(Part, routes=["events"]):
    """The marks of the user's own registrations in the list of events."""

    def context(self, data: Any) -> None:
        """Return None: the template of the list shows the marks."""

    def marks(self, data: Any) -> dict[str, str]:
        """Return ``You're in`` or ``You're on the waitlist`` by the id of the event."""
        if self.principal is None or not data:
            return {}
        try:
            scope = self.view.scope(READ_USER, self.principal.sub)
            found, _ = of_user(self.principal.sub, scope=scope, status=ACTIVE, limit=MOST_MARKED, after=None)
        except DomainError:
            return {}
        return {row.registration.event_id: _mark(row.registration.status) for row in found}


def _mark(status: str) -> str:
    return "You're in" if status == REGISTERED else "You're on the waitlist"
