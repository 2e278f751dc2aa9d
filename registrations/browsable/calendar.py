"""The page of a user's own calendar: its secret address for calendar programs, and the calendar as a file."""

from typing import Any

from eventsite.pages import page as pages
from eventsite.pages.forms import Form
from eventsite.pages.page import Link, Page, Question
from registrations.browsable.own import OfPerson


class CalendarPage(Page, OfPerson, routes=["user-calendar"]):
    template = "registrations/calendar.html"

    def title(self, data: Any) -> str:
        return "My calendar" if self.is_own else f"Calendar of {self.called}"

    def trail(self) -> list[Link]:
        label = "My registrations" if self.is_own else "Registrations"
        return [Link(label, pages.url("user-registrations", self.named))]

    def context(self, data: Any) -> dict[str, Any]:
        path, url = self.request.path, data["url"]
        return {
            "secret": url,
            "make": Form(
                path, "Make another address" if url else "Make an address", "PUT", look="" if url else "primary"
            ),
            "revoke": Form(path, "Revoke the address", "DELETE", look="plain") if url else None,
            "file_url": self.in_format("ics"),
        }

    def question(self) -> Question | None:
        """Ask before a deletion, after which programs do not find the calendar."""
        if self.request.method != "DELETE":
            return None
        return Question("Revoke the address?", "Revoke the address", ["Programs that use it do not find your events."])

    def outcome(self, data: Any) -> str:
        return "The address is made." if data else "The address is revoked."
