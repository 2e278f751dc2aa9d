"""List registrations: those of an event in the order of its tickets, those of a user with their events.

A page of an event is read in several calls: the seats, the lines, the unapplied operations, and the seats again. If the
seats show that the page changed meanwhile, it is read again, so a page is true for a single point in time. If the event
is too busy for that, the page is returned after `TRIES` reads. Then each line was true at some moment of the read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from events.ledger import log, promotions, queue
from events.ledger.models import Seats
from events.services import EventNotFound, check_access
from eventsite.auth.scope import Scope
from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Get, Steps, retrying, run
from eventsite.ids import is_id
from registrations.models import (
    CANCELLED,
    REGISTERED,
    WAITLISTED,
    EventTicket,
    Registration,
    UserRegistration,
    registration_as_of,
)
from registrations.reading.one import left, unapplied
from registrations.reading.owners import particulars
from users import services
from users.models import User

TRIES = 8

Listed = tuple[list[Registration], int | None]
"""A page of registrations, and the ticket to continue after; None on the last page."""


class Attendee(NamedTuple):
    """A registration and its user: None if the user was deleted since."""

    registration: Registration
    user: User | None


def named(registrations: Iterable[Registration]) -> list[Attendee]:
    """Return registrations with their users, which are read in batches of 100."""
    rows = list(registrations)
    users = services.find_many(row.user_id for row in rows)
    return [Attendee(row, users.get(row.user_id)) for row in rows]


def of_event(event_id: str, *, scope: Scope, status: str, limit: int, after: int | None) -> Listed:
    """Return one page of an event's registrations, strongly consistent.

    Args:
        event_id: The event.
        scope: The caller's scope.
        status: A status or `ACTIVE`.
        limit: The maximum number of registrations.
        after: The last ticket of the page before; None for the first page.

    Returns:
        The registrations in the order of their tickets, so registered people come before waiting people. Waiting people
        have their positions.

    Raises:
        EventNotFound: There is no such event, or it is a draft that the caller may not see.
        EventNotYours: The caller may not see its registrations.
        Unavailable: The page could not be read in time.
    """
    if not is_id(event_id):
        raise EventNotFound
    return run(retrying(partial(_of_event, event_id, scope, status, limit, after)))


def _of_event(event_id: str, scope: Scope, status: str, limit: int, after: int | None) -> Steps[Listed]:
    seats = yield Get((Seats, event_id, Seats.ITEM))
    if seats is None:
        raise EventNotFound
    check_access(seats, scope)
    for attempt in range(TRIES):
        page = _Page(seats, status, after, limit)
        try:
            lines = page.read()
        except Conflict:
            lines = None
        now = yield Get((Seats, event_id, Seats.ITEM))
        if now is None or now.incarnation != seats.incarnation:
            raise EventNotFound
        if lines is not None and (attempt == TRIES - 1 or page.still_stands(now)):
            return lines, page.following
        seats = now
    raise Conflict  # an operation takes long to become visible, so wait before the next read


@dataclass
class _Page:
    """One read of a page of an event's list."""

    seats: Seats
    status: str
    after: int | None
    limit: int
    following: int | None = None
    _last: int = 0
    _written: set[int] = field(default_factory=set)
    """The tickets of applied joinings in the log; each must be in the list."""

    def still_stands(self, now: Seats) -> bool:
        """Return True if nothing on the page changed since the seats were first read.

        Args:
            now: The seats, read after the page.
        """
        unchanged = self.seats.left == now.left and self.seats.settings == now.settings
        if self._last > self.seats.seated_through or self.status == REGISTERED:
            unchanged = unchanged and self.seats.seated_through == now.seated_through
        return bool(unchanged and (self.seats.tickets == now.tickets or self._last < self.seats.tickets))

    def read(self) -> list[Registration]:
        """Return the lines of the page.

        Raises:
            Conflict: The seats are out of date.
        """
        first, last = self._range()
        lines = self._merged(first, last)
        page = lines[: self.limit]
        self.following = page[-1].ticket if len(lines) > self.limit else None
        self._last = self.following or last
        if self.status == CANCELLED:
            return self._without_returned(page)
        self._complete(page)
        return page

    def _merged(self, first: int, last: int) -> list[Registration]:
        """Return the stored lines between two tickets, with the unapplied operations of the log.

        They are more than `limit` if there is another page. They may be read before or after the operations, because
        they are requested first.

        Raises:
            Conflict: A joining is visible in the registration and not yet in the list.
        """
        if first > last:
            return []
        cancelled, entries = self.status == CANCELLED, log.of(self.seats)
        limit = self.limit + 1 + len(entries)
        wanted = self.seats.event_id, self.seats.incarnation, EventTicket.keys_between(first, last, cancelled=cancelled)
        with connection().ahead(EventTicket.first_pages(*wanted, limit=limit)):
            pending = self._pending(entries)
            stored = EventTicket.in_order(*wanted, limit=limit)
            read = [registration_as_of(self.seats, item, cancelled=cancelled) for item in stored]
        lines = {line.ticket: line for line in read}
        end = max(lines) if len(lines) >= limit else last
        if not cancelled and any(first <= ticket <= end and ticket not in lines for ticket in self._written):
            raise Conflict(immediate=True)
        for line in pending:
            if (line.status == CANCELLED) is cancelled and first <= line.ticket <= end:
                lines[line.ticket] = line
        for entry in entries if not cancelled else ():
            if entry.leaving:  # whether it is applied or not
                lines.pop(entry.ticket, None)
        return [lines[ticket] for ticket in sorted(lines)]

    def _range(self) -> tuple[int, int]:
        first, last = (self.after or 0) + 1, int(self.seats.tickets)
        if self.status == REGISTERED:
            last = int(self.seats.seated_through)
        elif self.status == WAITLISTED:
            first = max(first, int(self.seats.seated_through) + 1)
        return first, last

    def _pending(self, entries: list[log.LogEntry]) -> list[Registration]:
        """Return the lines of log entries that may not be in the list yet.

        Tickets whose joining is applied are added to `_written` instead.
        """
        owned = [(entry, *run(particulars(self.seats, entry))) for entry in entries]
        known = [(entry, user_id, answers) for entry, user_id, answers in owned if user_id is not None]
        found = []
        for (entry, user_id, answers), row in zip(known, self._rows(user for _, user, _ in known), strict=True):
            is_applied = row is not None and row.was_changed_by(entry.operation)
            is_of_ticket = row is not None and row.ticket == entry.ticket
            if row and entry.leaving and is_of_ticket:
                found.append(left(self.seats, row, entry))
            elif not entry.leaving and is_applied and is_of_ticket:
                self._written.add(entry.ticket)
            elif not entry.leaving and not is_applied:
                found.append(unapplied(self.seats, entry, user_id, answers))
        return found

    def _rows(self, user_ids: Iterable[str]) -> list[UserRegistration | None]:
        event_id = self.seats.event_id
        keys = [(UserRegistration, *UserRegistration.key_of(event_id, user_id)) for user_id in user_ids]
        return batch_get(*keys, consistent=True)

    def _complete(self, lines: list[Registration]) -> None:
        """Set the position of waiting people, and the time of promotion of the others."""
        waiting = [line for line in lines if line.status == WAITLISTED]
        position = run(queue.position(self.seats, waiting[0].ticket)) if waiting else None
        if waiting and position is None:
            raise Conflict(immediate=True)
        for place, line in enumerate(waiting, start=position or 1):
            line.position = place
        moved = [line for line in lines if line.waited and line.status == REGISTERED]
        times = run(promotions.times_of(self.seats, [line.ticket for line in moved]))
        for line in moved:
            line.promoted_at = times[line.ticket]

    def _without_returned(self, lines: list[Registration]) -> list[Registration]:
        """Return the lines without those of users who have registered or left again since."""
        rows = self._rows(line.user_id for line in lines)
        return [line for line, row in zip(lines, rows, strict=True) if self._is_last(line, row)]

    def _is_last(self, line: Registration, row: UserRegistration | None) -> bool:
        """Return True if a line of the history is of the user's last registration."""
        if row is None or row.incarnation != self.seats.incarnation or row.ticket != line.ticket:
            return False
        entry = log.of_user(self.seats, row.user_id)
        return bool(entry.leaving) if entry else not row.active


FEW = 100  # items; the most that one BatchGetItem may ask for


def all_of_event(seats: Seats, most: int) -> list[Registration]:
    """Return the first registered and waiting people of an event, in the order of their tickets.

    Up to `FEW` tickets are read in one call by their keys, more by one query of each partition.

    Args:
        seats: The seats of an event that the caller owns.
        most: The maximum number of people, for an event with more than `FEW` tickets.
    """
    event, last = (seats.event_id, seats.incarnation), int(seats.tickets)
    if last <= FEW:
        keys = [(EventTicket, *EventTicket.key_of(*event, ticket)) for ticket in range(1, last + 1)]
        items: Iterable[EventTicket] = filter(None, batch_get(*keys, consistent=True))
    else:
        items = EventTicket.in_order(*event, EventTicket.keys_between(1, last), limit=most)
    found = [registration_as_of(seats, item, cancelled=False) for item in items]
    waiting = (registration for registration in found if registration.status == WAITLISTED)
    for position, registration in enumerate(waiting, start=1):
        registration.position = position
    return found
