"""Import guest lists of other services, which are recognised by their columns.

Each line is a person. People sign up by the same rule as all users: first those with a seat, in the order of their
registration, then those who waited. So an import is safe beside live traffic, and can be repeated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eventsite.auth.scope import EVERYTHING
from registrations import seating
from registrations.errors import AlreadyRegistered, EventFull
from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.sheet import normalized
from registrations.transfer import moments, notes, people, planned, sheets, write
from registrations.transfer.notes import Notes
from registrations.transfer.planned import Refused
from registrations.transfer.sheets import Broken, Cells, Table
from users import services as users

NAME, FIRST, LAST, EMAIL, USER_ID, STATUS, ASKED, TIME, COMPANIONS = ROLES = (
    *("name", "first", "last", "email", "userId", "status", "asked", "time", "companions"),
)
"""The roles of columns, for `--map`."""

HEADERS: dict[str, tuple[str, ...]] = {
    NAME: ("Attendee name", "Name", "Full name", "Your name", "Display name", "Guest name", "Vor- und Nachname"),
    FIRST: ("Attendee first name", "Attendee name: Given name", "First name", "Given name", "Vorname"),
    LAST: ("Attendee last name", "Attendee name: Family name", "Last name", "Family name", "Surname", "Nachname"),
    EMAIL: (
        *("Attendee email", "Email", "Email address", "E-mail 1 - Value", "Your email", "Mail", "Mail address"),
        *("Buyer email", "Contact email", "E-Mail-Adresse"),
    ),
    USER_ID: ("userId",),
    STATUS: ("Attendee status", "Approval status", "RSVP", "Status", "Order status", "Response"),
    ASKED: (
        *("registeredAt", "Order date", "Created at", "Created date", "Timestamp", "Zeitstempel", "RSVPed on"),
        *("Registration time", "Date and time", "Date created", "Registered on"),
    ),
    TIME: ("Order time",),
    COMPANIONS: ("Guests",),
}
"""The headers of Eventbrite, Luma, Meetup, pretix, Hi.Events, Google Forms, Google and Outlook contacts, and ours.

Those of an attendee come before those of a buyer, who may have bought several tickets.
"""


@dataclass(frozen=True)
class Reading:
    """The options of one command."""

    named: dict[str, str] = field(default_factory=dict)
    """The values of ``--map``: a header for a role."""
    order: str = moments.ISO
    """The order of the parts of a date."""
    questions: list[dict[str, Any]] = field(default_factory=list)
    """The questions of the event. Columns with their labels are answers."""


@dataclass
class Guest:
    """A line of a guest list."""

    user: dict[str, Any]
    """The attributes of the user."""
    status: str
    asked: str
    place: str
    answers: dict[str, Any] | None = None

    @property
    def user_id(self) -> str:
        return str(self.user["user_id"])


def roles_of(table: Table, named: dict[str, str]) -> dict[str, list[int]]:
    """Return the columns of each role, best first. `named` has the header of some roles (``--map``).

    Raises:
        Broken: No column identifies a person, or a named column is missing.
    """
    place = sheets.at(table.name, 1, 1)
    by_name: dict[str, list[int]] = {}
    for number, header in enumerate(table.header):
        by_name.setdefault(normalized(header), []).append(number)
    found: dict[str, list[int]] = {}
    for role, headers in (HEADERS | {role: (header,) for role, header in named.items()}).items():
        found[role] = [number for name in map(normalized, headers) for number in by_name.get(name, ())]
        if role in named and not found[role]:
            raise Broken(f"{place}: there is no column {named[role]!r}. There are {', '.join(table.header)}.")
    if not any(found[role] for role in (NAME, FIRST, LAST, EMAIL)):
        example = "Name it, such as --map name='Who are you?'."
        raise Broken(f"{place}: no column holds a name or an e-mail address. {example}")
    return found


def guests(table: Table, reading: Reading, found: Notes, refused: list[str]) -> Iterator[Guest]:
    """Return the guests of a list, one after the other.

    Changes go to `found`, and a sentence on each line that is not valid to `refused`.

    Raises:
        Broken: No column identifies a person, or the order of the parts of a date has to be given.
    """
    roles = roles_of(table, reading.named)
    taken = {number for numbers in roles.values() for number in numbers}
    asked = planned.by_header(reading.questions)
    for number, header in enumerate(table.header):
        if number not in taken and normalized(header) not in asked and header:
            found.add(notes.COLUMNS, f"{table.name}: {header}")
    for number, cells in table.lines:
        try:
            yield from _guest(_Line(table, number, cells, roles), reading, found)
        except Refused as error:
            refused.append(str(error))


def in_order(listed: Iterable[Guest], found: Notes) -> list[Guest]:
    """Return each person once: first those with a seat, each group in the order of registration. Note all others."""
    ranked = sorted(listed, key=lambda one: ((REGISTERED, WAITLISTED).index(one.status), one.asked))
    once: dict[str, Guest] = {}
    for guest in ranked:
        if once.setdefault(guest.user_id, guest) is not guest:
            found.add(notes.LISTED_TWICE, f"{guest.place}: {str(guest.user['name'])[:60]}")
    return list(once.values())


@dataclass
class _Line:
    table: Table
    number: int
    cells: Cells
    roles: dict[str, list[int]]

    def cell(self, role: str) -> str:
        """Return the first non-empty cell of a role."""
        return next((self.cells[at].strip() for at in self.roles[role] if self.cells[at].strip()), "")

    def place(self, role: str) -> str:
        """Return the place of the first column of a role, or of the line if there is no such column."""
        if not self.roles.get(role):
            return f"{self.table.name}, line {self.number}"
        at = self.roles[role][0]
        return sheets.at(self.table.name, self.number, at + 1, self.table.header[at])


def _guest(line: _Line, reading: Reading, found: Notes) -> list[Guest]:
    """Return the guest of a line, or an empty list if the person declined."""
    word, place = line.cell(STATUS), line.place(STATUS)
    status = people.status_of(word, place, found)
    if status == CANCELLED:
        found.add(notes.DECLINED, f"{place}: {word}")
    if status is None or status == CANCELLED:
        return []
    if line.cell(COMPANIONS) not in ("", "0"):
        found.add(notes.COMPANIONS, f"{line.place(COMPANIONS)}: {line.cell(COMPANIONS)[:40]}")
    guest = Guest(_person(line, found), status, _asked(line, reading.order, found), line.place(""))
    written = {header: cell for header, cell in zip(line.table.header, line.cells, strict=True) if cell.strip()}
    guest.answers = planned.answers(reading.questions, written, line.place(""), found)
    return [guest]


def _person(line: _Line, found: Notes) -> dict[str, Any]:
    """Return the attributes of the user of a line. Refuse a line that identifies no person."""
    name = line.cell(NAME) or " ".join(filter(None, (line.cell(FIRST), line.cell(LAST))))
    address = people.address_of(line.cell(EMAIL), line.place(EMAIL), found)
    theirs = line.cell(USER_ID)
    if not (address or theirs):
        raise Refused(f"{line.place(EMAIL)}: this line has no e-mail address. Write one, or remove the line.")
    user_id = people.fitting_id(theirs) if theirs else id_of(str(address))
    values = {"name": name or (address or "").partition("@")[0], "email": address}
    return planned.user(user_id, values, line.place(NAME), found)


def id_of(address: str) -> str:
    """Return the id of the user with this verified address, or an id that is derived from the address."""
    known, _ = users.page(limit=10, after=None, email=address)
    return next((str(one.user_id) for one in known if one.has_verified_email), people.id_of_address(address))


def _asked(line: _Line, order: str, found: Notes) -> str:
    """Return the time of registration as sortable text. Lines without a time come last, in their order."""
    text = line.cell(ASKED)
    try:
        for written in (f"{text} {line.cell(TIME)}", text):
            if asked := moments.moment(written.replace(" UTC", "Z"), order):
                return asked
    except moments.Ambiguous as error:
        raise Broken(f"{line.place(ASKED)}: {error}") from None
    if text:
        found.add(notes.TIMES, f"{line.place(ASKED)}: {text[:40]!r}")
    return "~"


def admit(event_id: str, listed: Iterable[Guest], found: Notes) -> tuple[int, int]:
    """Create the users and sign them up, in order. Return the number of those with a seat, and of those who wait."""
    counts = {REGISTERED: 0, WAITLISTED: 0}
    for guest in listed:
        write.write_user(guest.user)
        try:
            registration = seating.register(
                event_id, guest.user_id, scope=EVERYTHING, organizes=EVERYTHING, answers=guest.answers
            )
        except AlreadyRegistered:
            found.add(notes.ALREADY, guest.user_id)
        except EventFull:
            found.add(notes.FULL, guest.place)
        else:
            counts[registration.status] += 1
            if registration.status != guest.status:
                found.add(notes.SEATED if registration.status == REGISTERED else notes.WAITING, guest.place)
    return counts[REGISTERED], counts[WAITLISTED]
