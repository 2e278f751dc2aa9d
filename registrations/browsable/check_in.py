"""The page behind the check-in buttons of the list of people."""

from typing import Any

from eventsite.pages import page as pages
from eventsite.pages.page import Page
from registrations.browsable.wording import OfEvent, name_of


class CheckInPage(Page, OfEvent, routes=["check-in"]):
    """The check-in of one person, and its reversal."""

    name = "Check-in"

    def outcome(self, data: Any) -> str:
        who = name_of(self.kwargs["user_id"])
        return f"{who} is checked in." if self.request.method == "PUT" else f"{who} is not checked in any more."

    def next_url(self, data: Any) -> str:
        return pages.url("registrations", self.event_id)
