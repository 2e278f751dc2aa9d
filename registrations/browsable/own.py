"""The pages of one registration, of all registrations of a user, and of their calendar."""

from typing import Any

from django.utils.functional import cached_property
from django.utils.safestring import mark_safe

from events.browsable import wording as event_wording
from eventsite.auth.permissions import CHANGE_EVENT, LIST_REGISTRATIONS, READ_USER, REGISTER, Reach
from eventsite.errors import DomainError
from eventsite.pages import page as pages
from eventsite.pages import paging
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Page, Part, Question, Seen
from eventsite.text import humanize
from registrations.browsable import answers, organizers
from registrations.browsable.wording import (
    ALREADY_LEFT,
    OWN_SENTENCES,
    OfEvent,
    leave_form,
    leave_label,
    own_state,
    state,
)
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration
from registrations.reading.one import read
from users.browsable import OfUser, name_of


@pages.navigation(20)
def own_registrations(seen: Seen) -> Link | None:
    return Link("My registrations", pages.url("user-registrations", "me")) if seen.principal else None


class RegistrationPage(Page, OfEvent, OfUser, routes=["registration", "unregister"]):
    template = "registrations/registration.html"
    name = "Registration"

    @cached_property
    def event(self) -> dict[str, Any]:
        """Return the event, or an empty object if the user may not see it."""
        return self.find_event(READ_USER, self.user_id)

    def title(self, data: Any) -> str:
        return "My registration" if self.is_own else f"Registration of {self.called}" if "userId" in data else self.name

    def trail(self) -> list[Link]:
        return self.above_people

    def context(self, data: Any) -> dict[str, Any]:
        active = data["status"] in (REGISTERED, WAITLISTED)
        if self.is_own and self.event:
            active = active and not event_wording.is_over(self.event)
        return {
            "event": event_wording.row(self.event) | {"room": ""} if self.event else None,
            "called": "" if self.is_own else self.called,
            "state": own_state(data, self.event) if self.is_own else state(data),
            "look": _look(data, self.event),
            "facts": self._facts(data),
            "person_url": pages.url("user", self.user_id) if self.view.reaches_user(READ_USER, self.user_id) else "",
            "form": self._leave(data) if active else None,
            "change": self._change(data.get("answers")) if active and self.is_own else None,
            "organizes": organizers.offer(self, self.user_id) if not self.is_own else None,
            "door": self._door(data) if data["status"] == REGISTERED else None,
            "code": self._code() if self._is_admitted(data) else "",
        }

    def _change(self, known: dict[str, Any] | None = None) -> Form | None:
        """Return the form that changes the user's answers, or None if the event asks nothing."""
        asked = answers.fields(self.event.get("questions"), known)
        return Form(self.request.path, "Save answers", "PATCH", asked) if asked else None

    def form(self, method: str) -> Form | None:
        return self._change() if method == "PATCH" else None

    def translate(self, values: Any) -> None:
        if self.request.method == "PATCH":
            answers.gather(values, self.event.get("questions"), changes=True)

    def _is_admitted(self, data: Any) -> bool:
        """Return True if the user has a seat for an event that still takes place."""
        is_on = bool(self.event) and event_wording.is_on(self.event)
        return self.is_own and data["status"] == REGISTERED and is_on

    def _facts(self, data: Any) -> list[tuple[str, str]]:
        times = {
            "Signed up": data["registeredAt"],
            "Got a seat": data["promotedAt"],
            "Cancelled": data["cancelledAt"],
            "Checked in": data["checkedInAt"],
        }
        said = [(label, f"{self.moment(at)} {self.clock}") for label, at in times.items() if at]
        said += answers.shown(data.get("answers"), self.event.get("questions"))
        return [*said, ("Reference", data["registrationId"])]

    def _door(self, data: Any) -> Form | None:
        """Return the button that checks the person in, or takes the check-in back, for those who run the event."""
        if not self.event or not self.runs(CHANGE_EVENT, self.event):
            return None
        url, back = pages.url("check-in", self.event_id, self.user_id), {"_next": self.request.path}
        if data["checkedInAt"]:
            return Form(url, "Undo the check-in", "DELETE", hidden=back, look="plain")
        return Form(url, "Check in", "PUT", hidden=back)

    def _code(self) -> str:
        """Return a QR code of the address of this registration, as SVG."""
        import segno

        address = self.request.build_absolute_uri(pages.url("registration", self.event_id, self.user_id))
        drawing = segno.make_qr(address, error="m").svg_inline(omitsize=True, border=2)
        return mark_safe(drawing)  # noqa: S308 (made of numbers alone)

    def _leave(self, data: Any) -> Form:
        label = leave_label(data["status"]) if self.is_own else "Cancel the registration"
        return leave_form(self.event_id, self.user_id, label, _next=self.request.path, _was=data["status"])

    def question(self) -> Question | None:
        """Ask before the cancellation of another person, or of a seat that other people wait for."""
        if self.request.method != "DELETE":
            return None
        call, whose = (REGISTER, self.user_id) if self.is_own else (LIST_REGISTRATIONS, None)
        try:
            found = read(self.event_id, self.user_id, scope=self.view.scope(call, whose))
        except DomainError:
            return None
        if found.status == CANCELLED:
            return None
        if self.is_own:
            return self._before_own_seat(found)
        return Question(f"Cancel the registration of {self.called}?", "Cancel the registration", [self._follows(found)])

    def _before_own_seat(self, found: Registration) -> Question | None:
        if found.status != REGISTERED or not self.event or not event_wording.passes_seats_on(self.event):
            return None
        waiting = self.event["waitlistCount"]
        are_waiting = humanize.counted(waiting, "person is waiting", "people are waiting")
        facts = [
            f"{are_waiting}: the first of them gets your seat at once.",
            f"If you sign up again, you will be number {humanize.number(waiting)} on the waitlist.",
        ]
        return Question("Give up your seat?", "Give up my seat", facts)

    def _follows(self, found: Registration) -> str:
        if found.status == WAITLISTED:
            return f"{self.called} leaves the waitlist (number {humanize.number(found.position or 0)})."
        head = next(iter(self.queue(1)), None)
        follows = f"{name_of(head.user_id)} moves up." if head else "No one is waiting: the seat is free then."
        if head and not (self.event and event_wording.passes_seats_on(self.event)):
            follows = "No one moves up."
        return f"{self.called} gives up the seat. {follows}"

    def sentence(self, data: Any) -> str:
        if data["code"] != "registration_not_found":
            return ""
        return OWN_SENTENCES[data["code"]] if self.is_own else "This person is not signed up for this event."

    @property
    def _waited(self) -> bool:
        """True if the form gives up a place on the waitlist."""
        return self.submission is not None and self.submission.sent.get("_was") == WAITLISTED

    def refused(self, data: Any) -> tuple[str, str] | None:
        """Redirect to the event, or to the page with the form, if the registration is cancelled already."""
        if self.request.method != "DELETE" or data["code"] != "registration_not_found":
            return None
        if self.is_own:
            return self.event_url, "You have already left the waitlist." if self._waited else ALREADY_LEFT
        named = self.submission is not None and "_next" in self.submission.sent
        return (self.return_url({}), self.sentence(data)) if named else None

    def outcome(self, data: Any) -> str:
        if self.request.method == "PATCH":
            return "Your answers are saved."
        if self.is_own and self._waited:
            return "You have left the waitlist."
        if self.is_own:
            return "You have given up your seat."
        successor = data["promotedUser"]
        moved = f" {name_of(successor)} has the seat now." if successor else ""
        return f"{self.called} is not registered any more.{moved}"

    def next_url(self, data: Any) -> str:
        return self.request.path if self.request.method == "PATCH" else self.event_url


class AttendancePage(Page, OfUser, routes=["user-registrations", "user-waitlists"]):
    template = "registrations/attendance.html"
    signed_out = "Log in to see your registrations."

    def title(self, data: Any) -> str:
        if self.is_own:
            return "My registrations"
        return f"Registrations of {self.called}" if isinstance(data, list) else "Registrations"

    def trail(self) -> list[Link]:
        return [] if self.is_own else [Link("The person", pages.url("user", self.user_id))]

    def context(self, data: Any) -> dict[str, Any]:
        coming = [one for one in data if not event_wording.is_over(one["event"])]
        past = [one for one in data if event_wording.is_over(one["event"])]
        return {
            "groups": [
                ("Coming up", [self._row(**one) for one in sorted(coming, key=_day)]),
                ("Past", [self._row(**one) for one in sorted(past, key=_day, reverse=True)]),
            ],
            "nothing": "" if data else self._nothing(),
            "tabs": self._tabs(),
            "steps": paging.steps(self.request, self.response),
            "calendar_url": pages.url("user-calendar", self.named),
            "leaving": Form("", "", "DELETE", hidden={"_next": self.request.get_full_path()}),
        }

    def _nothing(self) -> str:
        if not self.is_own:
            return "There are no registrations."
        if self.view.action == "waitlists":
            return "You are on no waitlist."
        is_cancelled = self.request.query_params.get("status") == CANCELLED
        return "None of your registrations is cancelled." if is_cancelled else "You have no registrations yet."

    def _row(self, registration: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        status = registration["status"]
        leaves = status != CANCELLED and event_wording.is_on(event)
        url = pages.url("registration", event["eventId"], self.user_id)
        return {
            "event": event_wording.row(event),
            "status": status,
            "look": _look(registration, event),
            "state": own_state(registration, event) if self.is_own else state(registration),
            "open": "Show my code" if self.is_own and leaves and status == REGISTERED else "Details",
            "url": url,
            "leave_url": url if leaves else "",
            "leave": leave_label(status) if self.is_own else "Cancel the registration",
        }

    def _tabs(self) -> list[Link]:
        whose, asked = self.kwargs["user_id"], self.request.query_params.get("status", "")
        everything, waiting = pages.url("user-registrations", whose), pages.url("user-waitlists", whose)
        waits = self.view.action == "waitlists"
        return [
            Link("Current", everything, not waits and not asked),
            Link("Waiting", waiting, waits or asked == WAITLISTED),
            Link("Cancelled", paging.address(everything, {"status": CANCELLED}), asked == CANCELLED),
        ]


def _look(registration: dict[str, Any], event: dict[str, Any]) -> str:
    """Return the class of the badge of a registration."""
    is_off = not event or event["status"] == event_wording.CANCELLED
    return CANCELLED if is_off else str(registration["status"])


def _day(one: dict[str, Any]) -> tuple[str, str]:
    return one["event"]["date"], one["event"].get("startTime") or ""


class CalendarPage(Page, OfUser, routes=["user-calendar"]):
    """The user's calendar: its secret address for calendar programs, and the calendar as a file."""

    template = "registrations/calendar.html"

    def title(self, data: Any) -> str:
        return "My calendar" if self.is_own else f"Calendar of {self.called}"

    def trail(self) -> list[Link]:
        label = "My registrations" if self.is_own else "Registrations"
        return [Link(label, pages.url("user-registrations", self.named))]

    def context(self, data: Any) -> dict[str, Any]:
        path, url = self.request.path, data["url"]
        make = ("Make another address", "") if url else ("Make an address", "primary")
        is_hidden = self.principal is not None and not self.is_own
        return {
            "make": None if is_hidden else Form(path, make[0], "PUT", look=make[1]),
            "revoke": Form(path, "Revoke the address", "DELETE", look="plain") if url or is_hidden else None,
            "file_url": self.in_format("ics"),
        }

    def question(self) -> Question | None:
        """Ask before a deletion, after which programs do not find the calendar."""
        if self.request.method != "DELETE":
            return None
        return Question("Revoke the address?", "Revoke the address", ["Programs that use it do not find your events."])

    def outcome(self, data: Any) -> str:
        return "The address is made." if data else "The address is revoked."


class AttendanceOf(Part, OfUser, routes=["user"]):
    """The link from a person to the registrations."""

    template = "registrations/of_user.html"

    def context(self, data: Any) -> dict[str, Any] | None:
        """Return the context, or None if the user may not see the registrations, or has them in the navigation."""
        return None if self.is_own or self.reach(READ_USER) is Reach.NONE or "userId" not in data else {}
