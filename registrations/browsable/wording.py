"""The wording of registrations on pages."""

from typing import Any

from django.conf import settings
from django.utils.functional import cached_property

from events import services as events
from events.browsable import wording as event_wording
from events.serializers import shape as shape_event
from eventsite.auth.permissions import FIND_USER, LIST_REGISTRATIONS, LIST_USERS, Reach
from eventsite.auth.scope import EVERYTHING
from eventsite.errors import DomainError
from eventsite.pages import page as pages
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Seen
from eventsite.text import humanize
from registrations.models import CANCELLED, REGISTERED, WAITLISTED, Registration
from registrations.reading.lists import of_event
from users import services as users
from users.models import User

STATES = {REGISTERED: "Has a seat", CANCELLED: "Cancelled"}
OWN_SENTENCES = {
    "already_registered": "You are already signed up.",
    "registration_not_found": "You are not signed up for this event.",
    "registration_closed": "Sign-up is closed.",
    "registration_not_open": "Sign-up has not opened yet.",
    "event_full": "This event is full, and there is no waitlist.",
    "event_not_found": "This event does not exist any more.",
}
"""The sentence for users about their own registration, by the code of the problem."""
ALREADY_LEFT = "You have already given up your seat."
MOST_OF_AN_ADDRESS = 20  # users; the most with one address that are looked at


def called(seen: Seen, typed: str) -> list[User]:
    """Return the users with exactly this address or, for admins, this name.

    Organizers find verified addresses only, as by the API: another person may have typed any other.
    """
    sees_all = seen.reach(LIST_USERS) is Reach.ALL
    if "@" in typed and seen.reach(FIND_USER) is Reach.ALL:
        found = users.page(limit=MOST_OF_AN_ADDRESS, after=None, email=typed)[0]
        return [user for user in found if sees_all or user.has_verified_email]
    found = users.called(typed) if sees_all else []
    return [user for user in found if user.name.casefold() == typed.casefold()]


def hears_of_a_seat(user_id: str) -> str:
    """Return a sentence on how a waiting person is notified of a seat."""
    user = User.find(user_id) if settings.MAIL_FROM else None
    if user is None:
        return "Look at this page again to see when you have a seat."
    if user.is_reachable and user.notify:
        return "We will e-mail you when you get a seat."
    if user.email and not user.has_verified_email:
        return "Confirm your e-mail address, and we will e-mail you when you get a seat: the link is in your mailbox."
    return "Enter an e-mail address on your profile, with notifications on, and we will e-mail you when you get a seat."


def state(registration: dict[str, Any]) -> str:
    """Return ``Has a seat``, ``Checked in``, ``Number 3 on the waitlist`` or ``Cancelled``."""
    if registration["status"] == REGISTERED and registration["checkedInAt"]:
        return "Checked in"
    place = registration["waitlistPosition"]
    return f"Number {humanize.number(place)} on the waitlist" if place else STATES[registration["status"]]


def own_state(registration: dict[str, Any], event: dict[str, Any]) -> str:
    """Return the state of the user's own registration: ``You have a seat``, or why there is none.

    Both the user and an organizer may have cancelled a registration.
    """
    if event.get("status") == event_wording.CANCELLED:
        return "The event is cancelled"
    if registration["status"] == CANCELLED:
        return STATES[CANCELLED]
    if not event:
        return "The event is withdrawn"
    if registration["status"] == REGISTERED:
        return "You had a seat" if event_wording.is_over(event) else "You have a seat"
    return state(registration)


def sign_up_label(event: dict[str, Any]) -> str:
    waits = bool(event) and event_wording.sign_up(event) == event_wording.WAITLIST
    return "Join the waitlist" if waits else "Sign up"


def leave_label(status: str) -> str:
    return "Give up my seat" if status == REGISTERED else "Leave the waitlist"


def leave_form(event_id: str, user_id: str, label: str, **hidden: str) -> Form:
    return Form(pages.url("registration", event_id, user_id), label, "DELETE", hidden=hidden, look="plain")


class OfEvent(Seen):
    """The common base of pages and parts of one event."""

    @property
    def event_id(self) -> str:
        return self.kwargs["event_id"]

    @property
    def event_url(self) -> str:
        return pages.url("event", self.event_id)

    @property
    def above(self) -> list[Link]:
        """The breadcrumb trail of a page below that of the event."""
        return [Link("Events", pages.url("events")), Link(self.event.get("title", "The event"), self.event_url)]

    @property
    def above_people(self) -> list[Link]:
        """The breadcrumb trail of a page below the list of people, which only those who run the event may see."""
        sees_people = self.event and self.runs(LIST_REGISTRATIONS, self.event)
        people = [Link("People", pages.url("registrations", self.event_id))] if sees_people else []
        return self.above + people

    @cached_property
    def event(self) -> dict[str, Any]:
        """Return the event, or an empty object if the user may not see it."""
        return self.find_event(LIST_REGISTRATIONS)

    @property
    def clock(self) -> str:
        """The name of the clock by which `moment` shows times."""
        return event_wording.clock_of(self.event)

    def moment(self, text: str) -> str:
        """Return a time in the time zone of the event, or in UTC if it has none."""
        return humanize.moment(text, event_wording.place_of(self.event))

    def find_event(self, call: str, user_id: str | None = None) -> dict[str, Any]:
        """Return the event, or an empty object if the call does not reach it."""
        try:
            found = events.read(self.event_id, scope=self.view.scope(call, user_id))
        except DomainError:
            return {}
        return shape_event(found, own=EVERYTHING)

    def queue(self, count: int) -> list[Registration]:
        """Return the head of the waitlist, at most `count` registrations."""
        try:
            scope = self.view.scope(LIST_REGISTRATIONS)
            return of_event(self.event_id, scope=scope, status=WAITLISTED, limit=count, after=None)[0]
        except DomainError:
            return []
