"""The pages of an event's history, and of a message to its people."""

from typing import Any

from django.conf import settings
from rest_framework.exceptions import ValidationError

from events.browsable.forms import LABELS as EVENT_LABELS
from eventsite.pages import page as pages
from eventsite.pages import paging
from eventsite.pages.forms import Form, fields
from eventsite.pages.page import Link, Page
from eventsite.text import humanize
from registrations.browsable.wording import OfEvent
from registrations.models import EVERYBODY, REGISTERED, WAITLISTED
from registrations.notices import occasions, organizer_messages
from registrations.serializers import MessageSerializer
from users.browsable import names

LABELS = {"to": "To", "subject": "Subject", "text": "Message"}
RECIPIENTS = {REGISTERED: "People with a seat", WAITLISTED: "People on the waitlist", EVERYBODY: "Both"}
COUNTS = {REGISTERED: "registeredCount", WAITLISTED: "waitlistCount"}
"""The field of an event that counts these recipients."""
SENTENCES = {
    "event.created": "The event was created",
    "event.changed": "The event was changed",
    "event.cancelled": "The event was cancelled",
    "registration.registered": "Got a seat",
    "registration.waitlisted": "Joined the waitlist",
    "registration.promoted": "Got a seat",
    "registration.cancelled": "Left",
    "registration.checked_in": "Checked in",
    "mail.sent": "Got a mail",
    "mail.bounced": "A mail came back",
    "mail.complained": "Complained about a mail",
    "message.sent": "A message was sent",
}


WORDS = {
    "event.changed": EVENT_LABELS | {"questions": "Questions", "organizers": "Co-organizers"},
    "mail.sent": {
        occasions.OFF: "cancelled",
        occasions.DELETED: "cancelled",
        occasions.WAITING: "on the waitlist",
        occasions.PROMOTED: "got a seat",
    },
}
"""The words for details that the API returns in its own terms."""


class OfPeople(Page, OfEvent):
    """A page below the list of an event's people."""

    def trail(self) -> list[Link]:
        return self.above_people


class HistoryPage(OfPeople, routes=["event-history"]):
    template = "registrations/history.html"

    def title(self, data: Any) -> str:
        return f"History: {self.event['title']}" if self.event else "History"

    def context(self, data: Any) -> dict[str, Any]:
        called = names({person for entry in data for person in (entry["userId"], entry["by"]) if person})
        rows = [
            {
                "at": self.moment(entry["at"]),
                "what": SENTENCES.get(entry["what"], entry["what"]),
                "name": called.get(entry["userId"], ""),
                "by": _by(entry, called),
                "detail": _in_words(entry),
            }
            for entry in data
        ]
        steps = paging.steps(self.request, self.response)
        writes = settings.MAIL_FROM and self.event and has_people(self.event)
        message = message_form(self.event_id, self.event, prefix="message") if writes else None
        return {"rows": rows, "steps": steps, "message": message}


def _in_words(entry: dict[str, Any]) -> str:
    """Return the details: the labels of changed fields, the reason of a mail, or what the API returns."""
    known = WORDS.get(entry["what"], {})
    return ", ".join(known.get(part, part) for part in (entry["detail"] or "").split(", "))


def _by(entry: dict[str, Any], called: dict[str, str]) -> str:
    """Return the name of the person who did it, or an empty string for the person of the entry."""
    by = entry["by"]
    if not by or by == entry["userId"]:
        return ""
    return "An admin or organizer" if called[by] == by else called[by]


class MessagePage(OfPeople, routes=["event-messages"]):
    name = "Write to people"

    def form(self, method: str) -> Form | None:
        return message_form(self.event_id, self.event) if method == "POST" else None

    def translate(self, values: Any) -> None:
        """Check that the message has a recipient.

        Raises:
            ValidationError: No one would get it.
        """
        if self.event and self.event.get(COUNTS.get(values.get("to"), "")) == 0:
            raise ValidationError({"to": [organizer_messages.NO_ONE]})

    def outcome(self, data: Any) -> str:
        return str(data["message"])

    def next_url(self, data: Any) -> str:
        return pages.url("event-history", self.event_id)


def has_people(event: dict[str, Any]) -> bool:
    return any(event[name] for name in COUNTS.values())


def message_form(event_id: str, event: dict[str, Any], prefix: str = "field") -> Form:
    asked = fields(MessageSerializer(), LABELS, helps={"text": "Answers go to the organizer."}, prefix=prefix)
    for option in asked[0].options:
        count = event.get(COUNTS.get(option.value, ""))
        shown = "" if count is None else f" ({humanize.number(count)})"
        option.label = RECIPIENTS.get(option.value, option.label) + shown
    return Form(pages.url("event-messages", event_id), "Send", "POST", asked)
