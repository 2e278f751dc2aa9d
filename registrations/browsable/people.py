"""The lists of the people of an event, and their check-in."""

from itertools import accumulate, takewhile
from typing import Any

from django.utils.html import escape

from eventsite.auth.permissions import LIST_REGISTRATIONS
from eventsite.dynamodb import retries
from eventsite.pages import page as pages
from eventsite.pages import paging
from eventsite.pages.forms import FALSE, TRUE, Form, text
from eventsite.pages.page import Link, Page
from eventsite.pages.paging import Steps
from eventsite.text import humanize
from eventsite.text.folding import Search, fold
from eventsite.web import pagination
from eventsite.web.fields import whole_number
from registrations import checkin
from registrations.browsable import answers
from registrations.browsable.adding import AddingPage
from registrations.browsable.wording import OfEvent, state
from registrations.models import ACTIVE, CANCELLED, REGISTERED, WAITLISTED
from registrations.reading.lists import named
from registrations.serializers import shape_attendee
from users.browsable import OfUser

ALL = pagination.MAX_LIMIT
OF_WHOLE_LISTS = ("checkedIn", "q", "sort", "print")
KEPT = ("status", *OF_WHOLE_LISTS)
"""The query parameters that a link to the same list keeps."""
MOST_READ = 50_000  # people; the most that a search or a printed list reads
LEAVES_SECONDS = 8.0  # seconds before the request's deadline; a search stops then, with a note
MOST_FOUND = 200  # matches; the most that a search shows
MOST_BYTES = 5_000_000  # of rows; Lambda answers at most 6,291,556 bytes
ROW_BYTES, PRINTED_ROW_BYTES, ANSWER_BYTES = 1500, 620, 100  # of a row without its texts, and of an answer
EMPTY_LISTS = {
    ACTIVE: "No one has signed up yet.",
    REGISTERED: "No one has a seat yet.",
    WAITLISTED: "No one is waiting.",
    CANCELLED: "No one has cancelled.",
}
"""The sentence on an empty list, by its status."""


class PeoplePage(AddingPage, routes=["registrations", "waitlist", "register"]):
    """The people who have a seat, and the waitlist."""

    template = "registrations/list.html"
    read_until = 0
    """The last ticket that was read of a whole list before its time was over; 0 if it was read to the end."""

    @staticmethod
    def defaults(query: Any) -> dict[str, str]:
        """Show names and e-mail addresses, which the API returns only on request."""
        whole = {"limit": str(ALL)} if any(query.get(name) for name in OF_WHOLE_LISTS) else {}
        return {"expand": "user"} | whole

    @property
    def is_waitlist(self) -> bool:
        """True if the page lists only the waitlist."""
        return bool(self.view.action == "waitlist")

    @property
    def status(self) -> str:
        """The requested status, by default `ACTIVE`: all people who have a seat or wait."""
        return WAITLISTED if self.is_waitlist else self.request.query_params.get("status") or ACTIVE

    @property
    def checked_in(self) -> bool | None:
        """True if the page lists only people who are checked in, False for the others, None for all."""
        asked = self.request.query_params.get("checkedIn", "").lower()
        return {TRUE: True, FALSE: False}.get(asked)

    @property
    def empty_sentence(self) -> str:
        """The sentence on an empty list."""
        if self.checked_in:
            return "No one is checked in yet."
        other = "There is no one here."
        return EMPTY_LISTS.get(self.status, other) if self.checked_in is None else other

    @property
    def sought(self) -> str:
        return str(self.request.query_params.get("q", "")).strip()

    @property
    def prints(self) -> bool:
        """True if the page is the whole list, for print."""
        return bool(self.request.query_params.get("print"))

    @property
    def sorts(self) -> bool:
        """True if the page is the whole list, by name."""
        return self.request.query_params.get("sort") == "name"

    @property
    def is_whole(self) -> bool:
        """True if the page needs the whole list. Pages of the API that are filtered are uneven, and may be empty."""
        return bool(self.sought or self.prints or self.sorts or self.checked_in is not None)

    def title(self, data: Any) -> str:
        signs_up = self.submission is not None and not self.is_by_hand
        what = "Sign up" if signs_up else "Waitlist" if self.is_waitlist else "People"
        return f"{what}: {self.event['title']}" if self.event else what

    def trail(self) -> list[Link]:
        return self.above

    def context(self, data: Any) -> dict[str, Any]:
        steps = paging.steps(self.request, self.response)
        found = self._found(data, steps)
        rows, steps = self._part_of(found) if self.is_whole else (found, steps)
        return {
            "rows": rows,
            "any_promoted": any(row["promoted"] for row in rows),
            "found": self._found_sentence(len(found)) if self.sought else "",
            "tabs": self._tabs(),
            "steps": steps,
            "range": steps.range(len(rows), len(found) if self.is_whole else self._count()),
            "add": self._add(),
            "sort_url": self._with(sort="name"),
            "order_url": self._with(sort=""),
            "print_url": f"{self._with(print='yes', sort='name')}#now",
            "back_url": self._with(print="", sort=""),
            "clear_url": self._with(q=""),
            "csv_url": self.in_format("csv"),
            "addresses": ", ".join(row["email"] for row in (found if self.sought else rows) if row["email"]),
            "addresses_url": "" if self.sought else self._with(sort="", print="", limit=str(ALL), expand="user"),
            "leaving": Form("", "", "DELETE", hidden={"_next": self.request.get_full_path()}),
        }

    def _with(self, **changes: str) -> str:
        """Return the address of the first page of this list with a changed query."""
        query = {name: self.request.query_params.get(name, "") for name in KEPT} | changes
        return paging.address(self.request.path, {name: value for name, value in query.items() if value})

    def _found(self, data: Any, steps: Steps) -> list[dict[str, Any]]:
        """Return the rows of the page of the API, or of the whole list as it is searched and sorted."""
        is_here = not steps.next and not {"after", "cursor"} & self.request.query_params.keys()
        entries, before = (self._whole(), 0) if self.is_whole and not is_here else (data, steps.before or 0)
        search = Search(self.sought) if self.sought else None
        rows = [
            self._row(entry, number)
            for number, entry in enumerate(entries, start=before + 1)
            if search is None or search.finds(*_name_and_address(entry))
        ]
        if self.sorts:
            rows.sort(key=lambda row: fold(row["name"]))
        if search:
            rows.sort(key=lambda row: not search.is_exactly(row["name"], row["email"]))
        return rows

    def _whole(self) -> list[dict[str, Any]]:
        """Return the people of the tab until the list or the time ends."""
        found: list[dict[str, Any]] = []
        after = whole_number(self.request.query_params.get("after", ""))
        asked: Any = {"scope": self.view.scope(LIST_REGISTRATIONS), "status": self.status, "limit": ALL}
        while True:
            rows, after = checkin.page(self.event_id, **asked, after=after, checked_in=self.checked_in)
            found += map(shape_attendee, named(rows))
            if after is None or len(found) >= MOST_READ or retries.time_left() < LEAVES_SECONDS:
                self.read_until = after or 0
                return found

    def _part_of(self, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Steps]:
        """Return the rows of a whole list that fit into this answer, and the step to the next ones."""
        rest = self._with(after=str(self.read_until)) if self.read_until else ""
        skipped = whole_number(self.request.query_params.get("skip", "")) or 0
        first = skipped if skipped < len(rows) else 0  # people may have left since
        each = PRINTED_ROW_BYTES if self.prints else ROW_BYTES
        filled = accumulate(each + _weight(row) for row in rows[first:])
        fitting = max(1, sum(1 for _ in takewhile(MOST_BYTES.__ge__, filled)))
        last = first + (min(fitting, MOST_FOUND) if self.sought else fitting)
        if last < len(rows):
            rest = self._with(after=self.request.query_params.get("after", ""), skip=str(last))
        return rows[first:last], Steps(next=rest, before=first)

    def _found_sentence(self, count: int) -> str:
        if not count:
            said = f"Nobody matches “{self.sought}”."
        else:
            said = f"{humanize.people(count)} {'matches' if count == 1 else 'match'} “{self.sought}”."
        return f"{said} The list is very long: continue with “Next”." if self.read_until else said

    def _row(self, entry: dict[str, Any], number: int) -> dict[str, Any]:
        name, email = _name_and_address(entry)
        return entry | {
            "number": humanize.number(number),
            "name": name or entry["userId"],
            "email": email,
            "url": pages.url("registration", self.event_id, entry["userId"]),
            "state": state(entry),
            "since": self.moment(entry["registeredAt"]),
            "promoted": self.moment(entry["promotedAt"]) if entry["promotedAt"] else "",
            "cancelled": self.moment(entry["cancelledAt"]) if entry["cancelledAt"] else "",
            "answers": answers.shown(entry.get("answers"), self.event.get("questions")),
        }

    def _tabs(self) -> list[Link]:
        path = pages.url("registrations", self.event_id)
        tabs = {
            "Everybody": {},
            "Registered": {"status": REGISTERED},
            "Checked in": {"checkedIn": TRUE},
            "Waiting": {"status": WAITLISTED},
            "Cancelled": {"status": CANCELLED},
        }
        now = {"status": self.status} if self.status != ACTIVE else {}
        now |= {"checkedIn": text(self.checked_in)} if self.checked_in is not None else {}
        return [Link(label, paging.address(path, wanted), wanted == now) for label, wanted in tabs.items()]

    def _count(self) -> int | None:
        """Return the number of people of the tab, or None if the event does not count them."""
        registered, waiting = self.event.get("registeredCount", 0), self.event.get("waitlistCount", 0)
        return {ACTIVE: registered + waiting, REGISTERED: registered, WAITLISTED: waiting}.get(self.status)

    def _add(self) -> Form:
        form = self.form("POST") or Form(self.request.path, "")
        form.hidden["_next"] = self.request.get_full_path()
        return form


class CheckInPage(Page, OfEvent, OfUser, routes=["check-in"]):
    """The page behind the check-in buttons of the list of people."""

    name = "Check-in"

    def trail(self) -> list[Link]:
        return self.above_people

    def refused(self, data: Any) -> tuple[str, str] | None:
        """Redirect to the people if the person has left meanwhile: the next person is at the door."""
        is_gone = data["code"] in ("not_registered", "registration_not_found")
        return (self.return_url({}), "This person has no seat for this event any more.") if is_gone else None

    def outcome(self, data: Any) -> str:
        return f"{self.called} is {'checked in' if self.request.method == 'PUT' else 'not checked in any more'}."

    def next_url(self, data: Any) -> str:
        return pages.url("registrations", self.event_id)


def _name_and_address(entry: dict[str, Any]) -> tuple[str, str]:
    user = entry.get("user") or {}
    return user.get("name") or "", user.get("email") or ""


def _weight(row: dict[str, Any]) -> int:
    """Return the bytes that the texts of a row take in an answer."""
    texts = [row["name"], row["name"], row["name"], row["email"], *(text for pair in row["answers"] for text in pair)]
    return pagination.weight(escape("".join(texts)).encode()) + ANSWER_BYTES * len(row["answers"])
