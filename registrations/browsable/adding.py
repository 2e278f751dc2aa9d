"""The form that adds a person to an event, and the one by which users sign up themselves."""

from typing import Any

from rest_framework.exceptions import ValidationError

from eventsite.auth.login import login_url
from eventsite.auth.permissions import LIST_REGISTRATIONS, LIST_USERS, REGISTER, Reach
from eventsite.pages import page as pages
from eventsite.pages.forms import Field, Form
from eventsite.pages.page import Page
from eventsite.text import humanize
from registrations.browsable import answers
from registrations.browsable.wording import OWN_SENTENCES, OfEvent, called, hears_of_a_seat, sign_up_label
from registrations.errors import RegistrationNotFound
from registrations.models import REGISTERED, WAITLISTED
from registrations.reading import one as reading
from users import services as users
from users.browsable import name_of

EMPTY, EMPTY_ADDRESS = "Enter a name or an e-mail address.", "Enter an e-mail address."
ALREADY = "This person is already signed up."
NO_ROLE = "You do not act as an attendee any more. Act as one to sign up."
UNKNOWN = "No one has this name, address or id."
UNKNOWN_ADDRESS = "No one with this e-mail address has signed in here."
SEVERAL = "Several people have this name: choose one, or enter the e-mail address."
ADD_BY_NAME, ADD_BY_ADDRESS = "Add a person: name or e-mail", "Add a person: e-mail"


class AddingPage(Page, OfEvent):
    """A page with a form that adds a person to an event."""

    field_of_code = {"user_not_found": "userId", "already_registered": "userId"}

    @property
    def is_by_hand(self) -> bool:
        """True if the form adds another person, False if the user signs up."""
        return self.submission is not None and "userId" in self.submission.sent

    def form(self, method: str) -> Form | None:
        if method != "POST":
            return None
        asked = answers.fields(self.event.get("questions")) if self.submission else []
        if self.submission and not self.is_by_hand:
            return Form(pages.url("registrations", self.event_id), sign_up_label(self.event), fields=asked)
        field = Field("userId", ADD_BY_NAME if self.finds_names else ADD_BY_ADDRESS, "text", required=True)
        return Form(pages.url("registrations", self.event_id), "Add", fields=[field, *asked])

    def translate(self, values: Any) -> None:
        """Convert a name or an address to the id, if only one person has it, and collect the answers.

        Raises:
            ValidationError: The form names no person, or comes from a role that was left meanwhile.
        """
        if self.is_by_hand and self.submission and not str(self.submission.sent["userId"]).strip():
            raise ValidationError({"userId": [EMPTY if self.finds_names else EMPTY_ADDRESS]})
        if any(name.startswith(answers.PREFIX) for name in values):
            answers.gather(values, self.event.get("questions"))
        typed = str(values.get("userId", "")).strip()
        if not self.is_by_hand:
            if self.principal is None:
                raise ValidationError([NO_ROLE])
            values["userId"] = self.principal.sub  # an open service requires it
            return
        if not typed or self.reach(REGISTER) not in (Reach.ALL, Reach.ONESELF_OR_OWN):
            return
        found = called(self, typed)
        is_id = "@" not in typed and users.find_many([typed])
        if len(found) != 1 and not is_id and self.event:
            raise ValidationError({"userId": [self._not_one(len(found))]})
        values["userId"] = found[0].user_id if len(found) == 1 and not is_id else typed
        if self.event.get("questions") and self._is_signed_up(values["userId"]):
            raise ValidationError({"userId": [ALREADY]})  # before the questions are asked

    def _is_signed_up(self, user_id: str) -> bool:
        try:
            found = reading.read(self.event_id, user_id, scope=self.view.scope(LIST_REGISTRATIONS))
        except RegistrationNotFound:
            return False
        return found.status in (REGISTERED, WAITLISTED)

    @property
    def finds_names(self) -> bool:
        """True if the user may look people up by name. Organizers may by address only."""
        return self.reach(LIST_USERS) is Reach.ALL

    def _not_one(self, count: int) -> str:
        if not self.finds_names:
            return UNKNOWN_ADDRESS
        return SEVERAL if count else UNKNOWN

    def sentence(self, data: Any) -> str:
        """Return the sentence about the refused addition of another person."""
        if not self.is_by_hand:
            return ""
        if data["code"] == "already_registered":
            return ALREADY
        return OWN_SENTENCES[data["code"]] if data["code"] in ("event_full", "registration_closed") else ""

    def suggestions(self, data: Any) -> list[Form]:
        """Return a button for each person with the name that was typed."""
        typed = self.submission.sent.get("userId", "").strip() if self.submission else ""
        wrong = {error["field"] for error in data.get("errors", [])}
        is_unknown = data["code"] == "user_not_found" or "userId" in wrong
        if not is_unknown or not typed or not self.finds_names:
            return []
        hidden = {"_next": self.submission.sent.get("_next", "")} if self.submission else {}
        return [
            Form(self.request.path, f"Add {_called(user)}", hidden={**hidden, "userId": user.user_id})
            for user in users.called(typed)
        ]

    def refused(self, data: Any) -> tuple[str, str] | None:
        """Redirect a user who cannot sign up to the event, or to the login."""
        if self.is_by_hand or self.view.action != "create" or data["status"] in (403, 404, 422):
            return None
        if data["status"] == 401:
            return None if self.typed_form() else (login_url(self.event_url), "")
        return self.event_url, OWN_SENTENCES.get(data["code"], data["detail"])

    def outcome(self, data: Any) -> str:
        if self.principal and data["userId"] == self.principal.sub:
            return _own_outcome(data)
        who = name_of(data["userId"])
        if data["status"] == REGISTERED:
            return f"{who} has a seat."
        return f"{who} is number {humanize.number(data['waitlistPosition'])} on the waitlist."

    def next_url(self, data: Any) -> str:
        return self.event_url


def _called(user: Any) -> str:
    return f"{user.name} ({user.email or user.user_id})"


def _own_outcome(data: Any) -> str:
    if data["status"] == REGISTERED:
        return "You have a seat."
    place = f"You are number {humanize.number(data['waitlistPosition'])} on the waitlist."
    return f"{place} {hears_of_a_seat(data['userId'])}"
