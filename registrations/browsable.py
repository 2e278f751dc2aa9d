"""The pages of registrations: who is coming to an event, what somebody signed up for, and signing up itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property

from events import services
from events.browsable import row as event_row
from events.browsable import today
from events.models import OPEN_STATUSES
from events.serializers import shape as shape_event
from eventsite.auth.permissions import LIST_REGISTRATIONS, LIST_USERS, READ_USER, REGISTER, Reach
from eventsite.errors import DomainError
from eventsite.pages import growth, humanize
from eventsite.pages import page as pages
from eventsite.pages.forms import Field, Form
from eventsite.pages.page import Link, Page, Part, Question, Seen
from registrations.errors import RegistrationNotFound
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration
from registrations.reading import lists
from registrations.reading import one as reading
from users import services as users

MOST_SHOWN = 1000
"""An event's page tells how sign-ups grew up to so many: what one query reads."""
MOST_MOVED = 100
"""Up to so many who moved up are counted in a message."""


@pages.navigation(20)
def own_registrations(seen: Seen) -> Link | None:
    """What one has signed up for."""
    if seen.principal is None:
        return None
    return Link("My registrations", pages.url("user-registrations", "me"), about="Your seats and your places in line.")


def names(user_ids: Iterable[str]) -> dict[str, str]:
    """What people are called, by their ids; an id stands for itself where nobody has it."""
    ids = list(user_ids)
    found = users.find_many(ids)
    return {user_id: found[user_id].name if user_id in found else user_id for user_id in ids}


def state(registration: dict[str, Any]) -> str:
    """``registered``, ``number 3 in line``, ``cancelled``."""
    place = registration["waitlistPosition"]
    return f"number {humanize.number(place)} in line" if place else str(registration["status"])


def since(registration: dict[str, Any]) -> str:
    """When somebody asked."""
    return humanize.moment(registration["registeredAt"])


def promoted(registration: dict[str, Any]) -> str:
    """When somebody moved up; empty where that never was."""
    return humanize.moment(registration["promotedAt"]) if registration["promotedAt"] else ""


def leave_form(event_id: str, user_id: str, label: str, **hidden: str) -> Form:
    """The button that gives a registration up."""
    return Form(pages.url("registration", event_id, user_id), label, "DELETE", hidden=hidden, look="plain")


class Registering(Seen):
    """What pages and parts about one event share."""

    @property
    def event_id(self) -> str:
        """The event it is about."""
        return self.kwargs["event_id"]

    @property
    def event_url(self) -> str:
        """Its page."""
        return pages.url("event", self.event_id)

    def queue(self, count: int) -> list[Registration]:
        """The next in line."""
        try:
            scope = self.view.scope(LIST_REGISTRATIONS)
            return lists.of_event(self.event_id, scope=scope, status=WAITLISTED, limit=count, after=None)[0]
        except DomainError:
            return []


def everybody(part: Part, data: Any) -> list[Registration]:
    """Who has a seat and who waits, read once for all parts of an event's page; nobody, for who may not see that."""
    known = vars(part.page)
    if "everybody" not in known:
        count = data["registeredCount"] + data["waitlistCount"]
        whole = getattr(data.serializer, "instance", None)  # what the answer was made from
        shown = 0 < count <= MOST_SHOWN and part.owns(LIST_REGISTRATIONS, data)
        known["everybody"] = lists.everybody(whole.seats, MOST_SHOWN) if whole and shown else []
    found: list[Registration] = known["everybody"]
    return found


@pages.part("event")
class SignUp(Part, Registering):
    """For who looks at an event: sign up, where one stands, give it up."""

    template = "registrations/sign_up.html"
    place = 0

    def context(self, data: Any) -> dict[str, Any] | None:
        """One's own registration, or the way to it."""
        offers = data["status"] in OPEN_STATUSES and data["date"] >= today()
        if self.principal is None:
            return {"log_in": True} if offers and self.reach(REGISTER) is Reach.NONE else None
        own = self._own(self.principal.sub, data)
        if own and own.status != CANCELLED:
            gives_up = "Give up my seat" if own.status == REGISTERED else "Leave the queue"
            form = leave_form(self.event_id, own.user_id, gives_up, _next=self.request.path)
            return {"form": form, "standing": own.status, "number": own.position}
        return self._offer(data) if offers else None

    def _own(self, sub: str, data: Any) -> Registration | None:
        """One's own registration: out of those that the page shows all the same, or read by itself."""
        if rows := everybody(self, data):
            return next((row for row in rows if row.user_id == sub), None)
        try:
            return reading.read(self.event_id, sub, scope=self.view.scope(READ_USER, sub))
        except RegistrationNotFound:
            return None

    def _offer(self, data: Any) -> dict[str, Any]:
        full = data["waitlistCount"] > 0 or data["registeredCount"] >= data["capacity"]
        if full and not data["waitlistEnabled"]:
            return {"full": True}
        label = "Join the waitlist" if full else "Sign up"
        url = pages.url("registrations", self.event_id)
        return {
            "form": Form(url, label, hidden={"_next": self.request.path}),
            "in_line": full and data["waitlistCount"] + 1,
        }


@pages.part("event")
class Attendees(Part, Registering):
    """For who runs an event: who is next, and how sign-ups grew."""

    template = "registrations/attendees.html"
    place = 10
    _waited: list[Registration] = []

    def context(self, data: Any) -> dict[str, Any] | None:
        """The figures, and the ways to the lists."""
        if not self.owns(LIST_REGISTRATIONS, data):
            return None
        count = data["registeredCount"] + data["waitlistCount"]
        rows = everybody(self, data)
        heads = [row.user_id for row in rows if row.status == WAITLISTED][: humanize.NAMED]
        return {
            "below": True,
            "lists": [
                Link(f"Registrations ({humanize.number(count)})", pages.url("registrations", self.event_id)),
                Link(f"Waitlist ({humanize.number(data['waitlistCount'])})", pages.url("waitlist", self.event_id)),
            ],
            "next": humanize.names(list(names(heads).values())) if heads else "",
            "growth": growth.of([row.registered_at for row in rows]),
        }

    def prepare(self) -> None:
        """See who waits before an edit that may let people move up."""
        submission = self.submission
        if submission and self.request.method == "PUT" and {"capacity", "status"} & set(submission.values()):
            self._waited = self.queue(MOST_MOVED)

    def told(self, data: Any) -> str:
        """Who moved up."""
        if not self._waited or self.request.method != "PUT":
            return ""
        head = next(iter(self.queue(1)), None)
        waited = [row.registration_id for row in self._waited]
        moved = waited.index(head.registration_id) if head and head.registration_id in waited else len(waited)
        if not moved:
            return ""
        first = list(names(row.user_id for row in self._waited[: min(moved, humanize.NAMED)]).values())
        return f"{humanize.names(first, moved)} moved up."


@dataclass
class Row:
    """Somebody in the list of an event."""

    number: str
    name: str
    url: str
    status: str
    state: str
    since: str
    promoted: str
    leave_url: str


@pages.page("registrations", "waitlist", "register")
class RegistrationsPage(Page, Registering):
    """Who is coming to an event, and who waits."""

    template = "registrations/list.html"
    labels = {"userId": "Name or id"}
    field_of_code = {"user_not_found": "userId", "already_registered": "userId"}

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event; empty where it cannot be had."""
        try:
            return shape_event(services.read(self.event_id, scope=self.view.scope(LIST_REGISTRATIONS)), inside=True)
        except DomainError:
            return {}

    def title(self, data: Any) -> str:
        """The heading."""
        what = "Waitlist" if self.view.action == "waitlist" else "Registrations"
        return f"{what}: {self.event['title']}" if self.event else what

    def trail(self) -> list[Link]:
        """The list of events, and the event."""
        return [Link("Events", pages.url("events")), Link(self.event.get("title", "The event"), self.event_url)]

    def context(self, data: Any) -> dict[str, Any]:
        """The rows, tabs, the way on, and the form that adds somebody."""
        steps = pages.steps(self.request, self.response)
        called = self._called(data)
        rows = [self._row(entry, called, (steps.before or 0) + place) for place, entry in enumerate(data, start=1)]
        sought = self.request.query_params.get("q", "").strip()
        return {
            "rows": [row for row in rows if sought.casefold() in row.name.casefold()] if sought else rows,
            "sought": sought,
            "tabs": self._tabs(),
            "steps": steps,
            "range": steps.range(len(data), self._count()),
            "add": self._add(),
            "find_url": pages.url("registrations", self.event_id),
            "most": MOST_SHOWN,
            "csv_url": self.in_format("csv") if "csv" in self.shown_formats() else "",
            "leaving": Form("", "", "DELETE", hidden={"_next": self.request.get_full_path()}),
        }

    def _called(self, data: Any) -> dict[str, str]:
        """What the people are called: the answer says it where it was asked for that, as a search does."""
        told = {entry["userId"]: entry["user"]["name"] for entry in data if entry.get("user")}
        lacking = [entry["userId"] for entry in data if entry["userId"] not in told]
        return told | (names(lacking) if lacking else {})

    def _row(self, entry: dict[str, Any], called: dict[str, str], number: int) -> Row:
        return Row(
            number=humanize.number(number),
            name=called[entry["userId"]],
            url=pages.url("registration", self.event_id, entry["userId"]),
            status=entry["status"],
            state=state(entry),
            since=since(entry),
            promoted=promoted(entry),
            leave_url="" if entry["status"] == CANCELLED else pages.url("registration", self.event_id, entry["userId"]),
        )

    def _tabs(self) -> list[Link]:
        path, asked = pages.url("registrations", self.event_id), self.request.query_params.get("status", "")
        asked = WAITLISTED if self.view.action == "waitlist" else asked
        tabs = {"Everybody": "", "Registered": REGISTERED, "Waiting": WAITLISTED, "Cancelled": CANCELLED}
        return [
            Link(label, pages.address(path, {"status": status} if status else {}), status == asked)
            for label, status in tabs.items()
        ]

    def _count(self) -> int | None:
        """How many there are altogether, where the event tells."""
        asked = WAITLISTED if self.view.action == "waitlist" else self.request.query_params.get("status", "")
        registered, waiting = self.event.get("registeredCount", 0), self.event.get("waitlistCount", 0)
        return {"": registered + waiting, REGISTERED: registered, WAITLISTED: waiting}.get(asked)

    def _add(self) -> Form:
        form = self.form("POST") or Form(self.request.path, "")
        form.hidden["_next"] = self.request.get_full_path()
        return form

    def form(self, method: str) -> Form | None:
        """The form that adds somebody."""
        if method != "POST":
            return None
        by_name = self.reach(LIST_USERS) is Reach.ALL
        field = Field("userId", "Name or id" if by_name else "Id of the person", "text", required=True)
        return Form(pages.url("registrations", self.event_id), "Add", fields=[field])

    def suggestions(self, data: Any) -> list[Form]:
        """Who may be meant, where nobody has the id that was typed: people of that name."""
        typed = self.submission.sent.get("userId", "").strip() if self.submission else ""
        if data["status"] not in (404, 422) or not typed or self.reach(LIST_USERS) is not Reach.ALL:
            return []
        hidden = {"_next": self.submission.sent.get("_next", "")} if self.submission else {}
        return [
            Form(self.request.path, f"Add {user.name} ({user.user_id})", hidden={**hidden, "userId": user.user_id})
            for user in users.called(typed)
        ]

    def told(self, data: Any) -> str:
        """Who has a seat or a place in line."""
        if self.principal and data["userId"] == self.principal.sub:
            return str(data["message"])
        who = names([data["userId"]])[data["userId"]]
        return f"{who} has a seat." if data["status"] == REGISTERED else f"{who} is {state(data)}."

    def next_url(self, data: Any) -> str:
        """The event."""
        return self.event_url


@pages.page("registration", "unregister")
class RegistrationPage(Page, Registering):
    """What somebody has to do with an event."""

    template = "registrations/registration.html"
    name = "Registration"

    @property
    def user_id(self) -> str:
        """Whose registration it is."""
        asked = self.kwargs["user_id"]
        return self.principal.sub if asked == "me" and self.principal else asked

    @property
    def is_own(self) -> bool:
        """Whether people look at their own."""
        return self.principal is not None and self.user_id == self.principal.sub

    @cached_property
    def called(self) -> str:
        """What the person is called."""
        return names([self.user_id])[self.user_id]

    def title(self, data: Any) -> str:
        """Whose it is."""
        return "My registration" if self.is_own else f"Registration of {self.called}" if "userId" in data else self.name

    def trail(self) -> list[Link]:
        """The list of events, the event, and its list where one may see it."""
        above = [Link("Events", pages.url("events")), Link("The event", self.event_url)]
        if self.reach(LIST_REGISTRATIONS) is not Reach.NONE:
            above.append(Link("Registrations", pages.url("registrations", self.event_id)))
        return above

    def context(self, data: Any) -> dict[str, Any]:
        """The facts, and the button that gives it up."""
        active = data.get("status") in (REGISTERED, WAITLISTED)
        label = "Give up my seat" if self.is_own else "Cancel the registration"
        return {
            "registration": data,
            "state": state(data),
            "since": since(data),
            "promoted": promoted(data),
            "cancelled": data["cancelledAt"] and humanize.moment(data["cancelledAt"]),
            "person_url": pages.url("user", self.user_id),
            "form": leave_form(self.event_id, self.user_id, label, _next=self.request.path) if active else None,
        }

    def question(self) -> Question | None:
        """Whether somebody else's registration is to be cancelled: whom it is about, and what follows."""
        if self.request.method != "DELETE" or self.is_own:
            return None
        try:
            found = reading.read(self.event_id, self.user_id, scope=self.view.scope(LIST_REGISTRATIONS))
        except DomainError:
            return None
        if found.status == CANCELLED:
            return None
        return Question(f"Cancel the registration of {self.called}?", "Cancel the registration", [self._follows(found)])

    def _follows(self, found: Registration) -> str:
        if found.status == WAITLISTED:
            return f"{self.called} leaves the queue (number {found.position} in line)."
        head = next(iter(self.queue(1)), None)
        follows = f"{names([head.user_id])[head.user_id]} moves up." if head else "Nobody waits: the seat is free then."
        return f"{self.called} gives up the seat. {follows}"

    def told(self, data: Any) -> str:
        """Who gave up what, and who has the seat."""
        mine = "You gave it up." if self.is_own else f"{self.called} is not registered any more."
        successor = data["promotedUser"]
        return f"{mine} {names([successor])[successor]} has the seat now." if successor and not self.is_own else mine

    def next_url(self, data: Any) -> str:
        """The event."""
        return self.event_url


@pages.page("user-registrations", "user-waitlists")
class AttendancePage(Page):
    """What somebody has signed up for."""

    template = "registrations/attendance.html"

    @property
    def user_id(self) -> str:
        """Whose page it is."""
        asked = self.kwargs["user_id"]
        return self.principal.sub if asked == "me" and self.principal else asked

    @property
    def is_own(self) -> bool:
        """Whether people look at their own."""
        return self.principal is not None and self.user_id == self.principal.sub

    def title(self, data: Any) -> str:
        """Whose registrations they are."""
        if self.is_own:
            return "My registrations"
        return f"Registrations of {names([self.user_id])[self.user_id]}" if isinstance(data, list) else "Registrations"

    def trail(self) -> list[Link]:
        """The person, where it is not oneself."""
        return [] if self.is_own else [Link("The person", pages.url("user", self.user_id))]

    def context(self, data: Any) -> dict[str, Any]:
        """The rows, tabs and the way on."""
        return {
            "rows": [self._row(entry["registration"], entry["event"]) for entry in data],
            "tabs": self._tabs(),
            "steps": pages.steps(self.request, self.response),
            "leaving": Form("", "", "DELETE", hidden={"_next": self.request.get_full_path()}),
        }

    def _row(self, registration: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        active = registration["status"] != CANCELLED
        return {
            "event": event_row(event),
            "status": registration["status"],
            "state": state(registration),
            "leave_url": pages.url("registration", event["eventId"], self.user_id) if active else "",
            "leave": "Give up my seat" if registration["status"] == REGISTERED else "Leave the queue",
        }

    def _tabs(self) -> list[Link]:
        whose, asked = self.kwargs["user_id"], self.request.query_params.get("status", "")
        everything, waiting = pages.url("user-registrations", whose), pages.url("user-waitlists", whose)
        waits = self.view.action == "waitlists"
        return [
            Link("Seats and places in line", everything, not waits and not asked),
            Link("Waiting", waiting, waits or asked == WAITLISTED),
            Link("Cancelled", pages.address(everything, {"status": CANCELLED}), asked == CANCELLED),
        ]


@pages.part("user")
class AttendanceOf(Part):
    """The way from a person to what they signed up for."""

    template = "registrations/of_user.html"

    def context(self, data: Any) -> dict[str, Any] | None:
        """The ways."""
        if self.reach(READ_USER) is Reach.NONE or "userId" not in data:
            return None
        whose = self.kwargs["user_id"]
        return {"url": pages.url("user-registrations", whose), "waiting_url": pages.url("user-waitlists", whose)}
