"""The co-organizers on the page of an event: its owner adds and removes them."""

from typing import Any

from rest_framework.exceptions import ValidationError

from events.serializers import MOST_ORGANIZERS
from eventsite.auth.permissions import LIST_USERS, Reach
from eventsite.pages.forms import Field, Form
from eventsite.pages.page import Part
from registrations.browsable.wording import OfEvent, called
from users.browsable import name_of, names

TYPED, ADDED, REMOVED = "organizers.typed", "organizers.added", "organizers.removed"
UNKNOWN = "No one with this address has signed in here. A person from the list of people can be added on their page."
SEVERAL = "Several people have this name: enter the address."
EMPTY = "Enter an e-mail address."
HELP = (
    "They may do what you may, but for deleting the event and changing this list. "
    "Only organizers can: others first ask an admin to become one."
)
FULL = f"An event has at most {MOST_ORGANIZERS} co-organizers."
IS_OWNER, IS_ONE = "This person owns the event.", "This person is a co-organizer already."


class CoOrganizers(Part, OfEvent, routes=["event"]):
    """The co-organizers of an event, for its owner and admins."""

    template = "registrations/organizers.html"
    place = 30
    _person = ""

    def context(self, data: Any) -> dict[str, Any] | None:
        if not self.owns(data):
            return None
        named = names(data.get("organizers") or [])
        remove = [button(self.event_url, user_id, f"Remove {name}", REMOVED) for user_id, name in named.items()]
        return {"below": True, "remove": remove, "add": self._typed(data)}

    def form(self, method: str) -> Form | None:
        if self._sent(TYPED) is None:
            return None
        return self._typed(self.page.current() or {"version": self._sent("_version")})

    def translate(self, values: Any) -> None:
        """Convert the person into the list of the API.

        Raises:
            ValidationError: No person, or more than one, has the typed address or name, or the list is full.
        """
        typed, added, removed = (self._sent(name) for name in (TYPED, ADDED, REMOVED))
        now = self.page.current() if (typed, added, removed) != (None, None, None) else None
        if now is None:
            return
        added = added or (self._meant(typed, now) if typed is not None else None)
        for name in (TYPED, ADDED, REMOVED):
            values.pop(name, None)
        known = [one for one in now.get("organizers") or [] if one != removed]
        if added and len(known) >= MOST_ORGANIZERS:
            raise ValidationError([FULL] if typed is None else {TYPED: [FULL]})
        values.setlist("organizers", [*known, *([added] if added else [])])
        self._person = added or removed or ""

    def outcome(self, data: Any) -> str:
        if not self._person:
            return ""
        is_one = self._person in (data.get("organizers") or [])
        return f"{name_of(self._person)} {'is a co-organizer now' if is_one else 'is no co-organizer any more'}."

    def _sent(self, name: str) -> str | None:
        sent = self.submission.sent if self.submission else {}
        return str(sent[name]).strip() if name in sent else None

    def _typed(self, event: dict[str, Any]) -> Form:
        label = "Add a co-organizer: name or e-mail" if self.reach(LIST_USERS) is Reach.ALL else "E-mail of a person"
        field = Field(TYPED, label, "text", required=True, prefix="organizer")
        field.help = HELP
        return Form(self.event_url, "Add", "PUT", [field], hidden={"_version": str(event["version"])})

    def _meant(self, typed: str, event: dict[str, Any]) -> str:
        """Return the id of the person with this address or, for admins, this name.

        Only a verified address counts, because another person may have typed it.

        Raises:
            ValidationError: It is not one person, or the person cannot become a co-organizer.
        """
        if not typed:
            raise ValidationError({TYPED: [EMPTY]})
        found = [user for user in called(self, typed) if "@" not in typed or user.has_verified_email]
        if len(found) != 1:
            raise ValidationError({TYPED: [SEVERAL if found else UNKNOWN]})
        user_id, organizers = str(found[0].user_id), event.get("organizers") or []
        if user_id in organizers:
            raise ValidationError({TYPED: [IS_ONE]})
        if user_id == event["organizerId"]:
            raise ValidationError({TYPED: [IS_OWNER]})
        return user_id


def button(event_url: str, user_id: str, label: str, name: str, **hidden: str) -> Form:
    return Form(event_url, label, "PUT", hidden={name: user_id, **hidden}, look="plain")


def offer(page: OfEvent, user_id: str) -> Form | None:
    """Return the button for a person of an event, or None if the user does not own the event."""
    event = page.event
    if not event or not page.owns(event) or user_id == event["organizerId"]:
        return None
    is_one = user_id in (event.get("organizers") or [])
    label, name = ("Remove as co-organizer", REMOVED) if is_one else ("Make co-organizer", ADDED)
    return button(page.event_url, user_id, label, name, _next=page.request.path)
