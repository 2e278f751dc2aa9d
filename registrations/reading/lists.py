"""Lists of registrations: an event's in the order of its tickets, a user's with the events they are for.

An event's list is read in several calls: the seats, the lines, what is not applied yet, and the seats once more.
Where these show a change of the page in between, it is read again; so a page is that of one moment, unless the event is
too busy for it: after `TRIES` times each line still was true at some moment while it was read.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from events.ledger import log, queue
from events.ledger.models import Promotion, Seats
from events.services import EventNotFound, check_access, may_be_seen
from events.whole import WholeEvent, find_events
from eventsite.auth.scope import EVERYTHING, Scope
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.steps import run
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import (
    ACTIVE,
    CANCELLED,
    REGISTERED,
    WAITLISTED,
    EventTicket,
    Registration,
    UserRegistration,
    registrations_of,
)
from registrations.reading import one as reading
from registrations.reading.one import unapplied
from registrations.reading.owners import particulars
from users import services
from users.services import UserNotFound

TRIES = 8


class Attendance(NamedTuple):
    """A registration with its event."""

    registration: Registration
    whole_event: WholeEvent


class Line(NamedTuple):
    """One ticket of an event's list."""

    ticket: int
    waited: bool
    registration: Registration


@retry_on_conflict
def of_event(
    event_id: str, *, scope: Scope, status: str, limit: int, after: int | None
) -> tuple[list[Registration], int | None]:
    """One page of an event's registrations, strongly consistent.

    Takes: who asks; a status or `ACTIVE`; how many at most; the ticket the last page ended with.
    Returns: the registrations in the order of their tickets, so those with a seat come before those who wait, who have
    their positions; the ticket to continue after (None on the last page).
    Raises: `EventNotFound`; `EventNotYours`; `errors.Unavailable` where the page cannot be told in time.
    """
    seats = Seats.find(event_id)
    if seats is None:
        raise EventNotFound
    check_access(seats, scope)
    for attempt in range(TRIES):
        page = _Page(seats, status, after, limit)
        lines = page.read()
        now = Seats.find(event_id)
        if now is None or now.incarnation != seats.incarnation:
            raise EventNotFound
        if lines is not None and (attempt == TRIES - 1 or page.still_stands(now)):
            return [line.registration for line in lines], page.following
        seats = now
    raise Conflict  # what is being written takes long to appear, so wait for it


@dataclass
class _Page:
    """One look at a page of an event's list."""

    seats: Seats
    status: str
    after: int | None
    limit: int
    following: int | None = None
    _last: int = 0
    _written: set[int] = field(default_factory=set)
    """Tickets that the seats still record, and that the list must have by now."""

    def still_stands(self, now: Seats) -> bool:
        """Whether nothing happened to the page since the seats were read first."""
        unchanged = self.seats.left == now.left and self.seats.settings == now.settings
        if self._last > self.seats.served or self.status == REGISTERED:
            unchanged = unchanged and self.seats.served == now.served
        return bool(unchanged and (self.seats.tickets == now.tickets or self._last < self.seats.tickets))

    def read(self) -> list[Line] | None:
        """The lines of the page; None where the seats are too old to tell."""
        first, last = self._range()
        try:
            lines = self._merged(first, last)
        except Conflict:
            return None
        page = lines[: self.limit]
        self.following = page[-1].ticket if len(lines) > self.limit else None
        self._last = self.following or last
        if self.status == CANCELLED:
            return self._without_returned(page)
        try:
            self._tell(page)
        except Conflict:
            return None
        return page

    def _merged(self, first: int, last: int) -> list[Line]:
        """Return what is written of the lines, and what is committed and not applied yet.

        It is more than a page, if there is more. Raises `Conflict` where a line is just being written: the registration
        shows it, and the list does not yet.
        """
        pending, cancelled = self._pending(), self.status == CANCELLED
        limit = self.limit + 1 + len(pending)
        lines = {line.ticket: line for line in self._stored(first, last, limit, cancelled=cancelled)}
        end = max(lines) if len(lines) >= limit else last
        if not cancelled and any(first <= ticket <= end and ticket not in lines for ticket in self._written):
            raise Conflict(immediate=True)
        for line, leaving in pending:
            if leaving == cancelled and first <= line.ticket <= end:
                lines[line.ticket] = line
        for entry in log.of(self.seats) if not cancelled else ():
            if entry.leaving:  # whatever of it is written by now
                lines.pop(entry.ticket, None)
        return [lines[ticket] for ticket in sorted(lines)]

    def _range(self) -> tuple[int, int]:
        first, last = (self.after or 0) + 1, int(self.seats.tickets)
        if self.status == REGISTERED:
            last = int(self.seats.served)
        elif self.status == WAITLISTED:
            first = max(first, int(self.seats.served) + 1)
        return first, last

    def _stored(self, first: int, last: int, limit: int, *, cancelled: bool) -> Iterable[Line]:
        if first > last:
            return
        wanted = EventTicket.range(first, last, cancelled=cancelled)
        for item in EventTicket.in_order(self.seats.event_id, self.seats.incarnation, wanted, limit=limit):
            status = CANCELLED if cancelled else REGISTERED
            told = item.told(event_id=self.seats.event_id, user_id=str(item.user_id), status=status)
            yield Line(int(item.ticket or 0), item.waited, told)

    def _pending(self) -> list[tuple[Line, bool]]:
        """Return what is committed and perhaps not in the list yet: each line, and whether it is of a leaving."""
        owned = [(entry, *run(particulars(self.seats, entry))) for entry in log.of(self.seats)]
        known = [(entry, user_id, answers) for entry, user_id, answers in owned if user_id is not None]
        keys = [(UserRegistration, *UserRegistration.key_of(self.seats.event_id, user)) for _, user, _ in known]
        found = []
        for (entry, user_id, answers), row in zip(known, batch_get(*keys, consistent=True), strict=True):
            is_applied = row is not None and row.was_changed_by(entry.operation)
            if entry.leaving and row is not None and row.ticket == entry.ticket:
                found.append((_left(row, entry), True))
            elif not entry.leaving and is_applied and row.ticket == entry.ticket:
                self._written.add(entry.ticket)
            elif not entry.leaving and not is_applied:
                joined = unapplied(self.seats, entry, user_id, answers)
                found.append((Line(entry.ticket, entry.waited, joined), False))
        return found

    def _tell(self, lines: list[Line]) -> None:
        """Complete the lines: who waits and where, and when the others moved up."""
        waiting = [line for line in lines if line.ticket > self.seats.served]
        position = run(queue.position(self.seats, waiting[0].ticket)) if waiting else None
        if waiting and position is None:
            raise Conflict(immediate=True)
        for place, line in enumerate(waiting, start=position or 1):
            line.registration.status, line.registration.position = WAITLISTED, place
        moved = [line for line in lines if line.waited and line.ticket <= self.seats.served]
        times = promotion_times(self.seats, [line.ticket for line in moved])
        for line in moved:
            line.registration.promoted_at = times[line.ticket]

    def _without_returned(self, lines: list[Line]) -> list[Line]:
        """Return the lines without those of users who registered again, or left again, since."""
        users = [line.registration.user_id for line in lines]
        rows = batch_get(
            *((UserRegistration, *UserRegistration.key_of(self.seats.event_id, user)) for user in users),
            consistent=True,
        )
        return [line for line, row in zip(lines, rows, strict=True) if self._is_last(line, row)]

    def _is_last(self, line: Line, row: UserRegistration | None) -> bool:
        """Return whether a line of the history is of the user's last registration."""
        if row is None or row.incarnation != self.seats.incarnation or row.ticket != line.ticket:
            return False
        entry = log.of_user(self.seats, row.user_id)
        return bool(entry.leaving) if entry else not row.active


def _left(row: UserRegistration, entry: log.LogEntry) -> Line:
    left = row.told(event_id=row.event_id, user_id=row.user_id, status=CANCELLED)
    left.cancelled_at = entry.at
    return Line(entry.ticket, row.waited, left)


def promotion_times(seats: Seats, moved: list[int]) -> dict[int, str | None]:
    """When the queue moved past each of some tickets, which are in order: one query, backwards from the last one.

    Raises: `Conflict` where the seats are old.
    """
    if not moved:
        return {}
    recorded = {entry.successor: entry.at for entry in log.of(seats) if entry.successor}
    event_id, upto = queue.promotion_key(seats, moved[-1])
    since = queue.promotion_key(seats, 0)[1]
    moves: list[tuple[int, str]] = [(first, at) for first, at in recorded.items() if first]
    for move in Promotion.query(
        event_id, Promotion.item.between(since, upto), consistent_read=True, scan_index_forward=False
    ):
        moves.append((int(move.first), move.at))
        if move.first <= moved[0]:
            break
    if moved[-1] >= seats.moved and all(first != seats.moved for first, _ in moves):
        raise Conflict(immediate=True)
    moves.sort()
    return {ticket: next((at for first, at in reversed(moves) if first <= ticket), None) for ticket in moved}


FEW = 100
"""So many items DynamoDB gives in one call."""


def _few(seats: Seats) -> list[EventTicket]:
    tickets_given = range(1, int(seats.tickets) + 1)
    keys = [(EventTicket, *EventTicket.key_of(seats.event_id, seats.incarnation, ticket)) for ticket in tickets_given]
    return [item for item in batch_get(*keys, consistent=True) if item is not None]


def _many(seats: Seats, most: int) -> Iterable[EventTicket]:
    wanted = EventTicket.range(1, int(seats.tickets))
    return EventTicket.in_order(seats.event_id, seats.incarnation, wanted, limit=most)


def everybody(seats: Seats, most: int) -> list[Registration]:
    """The first so many who have a seat or wait. Takes: the seats of an event that the caller owns.

    Up to `FEW` tickets are read in one call, by their keys; more of them by one query of each partition.
    """
    found: list[Registration] = []
    for item in _few(seats) if seats.tickets <= FEW else _many(seats, most):
        told = item.told(event_id=seats.event_id, user_id=str(item.user_id), status=REGISTERED)
        if item.ticket > seats.served:
            before = found[-1].position if found else None
            told.status, told.position = WAITLISTED, (before or 0) + 1
        found.append(told)
    return found


def of_user(
    user_id: str, *, scope: Scope, status: str, limit: int, after: str | None
) -> tuple[list[Attendance], str | None]:
    """One page of a user's registrations with their events, in the order of the events' ids.

    Takes: who asks: a registration is left out while its event is a draft that they may not see; a status or `ACTIVE`;
    how many at most; the event the last page ended with.
    Returns: as `of_event`; with a status asked for, a page may be shorter and others follow all the same.
    Raises: `users.services.UserNotFound`.
    """
    if not is_id(user_id):
        raise UserNotFound
    rows = list(islice(registrations_of(user_id, active=status != CANCELLED, after=after), limit + 1))
    following = rows[limit - 1].event_id if len(rows) > limit else None
    rows = rows[:limit]
    if not rows:
        services.read(user_id)  # a user with registrations exists; one without may not
    whole = {
        event_id: one
        for event_id, one in find_events(row.event_id for row in rows).items()
        if may_be_seen(one.event, scope)
    }
    known = [(row, whole[row.event_id]) for row in rows if row.event_id in whole]
    wanted = (REGISTERED, WAITLISTED) if status == ACTIVE else (status,)
    return [one for one in _told(known) if one.registration.status in wanted], following


def _told(known: list[tuple[UserRegistration, WholeEvent]]) -> list[Attendance]:
    """Return a user's registrations, with positions and times of promotion, in three more calls for all of them.

    A registration that never waited has a seat, and that is all there is to know. Of the others the seats decide, and
    those were read up to date only if they are read again. Where the log has something of the user, it decides.
    """
    waited = [row for row, whole in known if row.active and row.waited and _is_plain(row, whole.seats)]
    seats = batch_get(*((Seats, row.event_id, Seats.ITEM) for row in waited), consistent=True)
    told = _told_by_seats([(row, one) for row, one in zip(waited, seats, strict=True) if one])
    found: list[Attendance] = []
    for row, whole in known:
        registration = told.get(row.event_id)
        if registration is None:
            simple = _is_plain(row, whole.seats) and not (row.active and row.waited)
            registration = _as_written(row) if simple else _read(row)
        if registration:
            found.append(Attendance(registration, whole))
    return found


def _is_plain(row: UserRegistration, seats: Seats) -> bool:
    """Return whether the log has nothing of the user that is not applied."""
    entry = log.of_user(seats, row.user_id)
    is_applied = entry is None or row.operations.endswith(entry.operation)
    return bool(row.incarnation == seats.incarnation and is_applied and row.ticket <= seats.tickets)


def _told_by_seats(waited: list[tuple[UserRegistration, Seats]]) -> dict[str, Registration]:
    """Return those of whom the seats alone tell whether they wait, and where, or when they were promoted."""
    current = [(row, seats) for row, seats in waited if _is_plain(row, seats)]
    line = [(row, seats) for row, seats in current if row.ticket > seats.served]
    moved = [(row, seats) for row, seats in current if row.ticket <= seats.served]
    told: dict[str, Registration] = {}
    for row, seats in line:
        with suppress(Conflict):  # then it is read by itself
            place = run(queue.position(seats, int(row.ticket or 0)))
            if place:
                told[row.event_id] = row.told(
                    event_id=row.event_id, user_id=row.user_id, status=WAITLISTED, position=place
                )
    moves = batch_get(
        *((Promotion, *queue.promotion_key(one, int(row.ticket or 0))) for row, one in moved), consistent=True
    )
    for (row, _), move in zip(moved, moves, strict=True):
        if move:
            told[row.event_id] = _as_written(row)
            told[row.event_id].promoted_at = move.at
    return told


def _as_written(row: UserRegistration) -> Registration:
    status = REGISTERED if row.active else CANCELLED
    return row.told(event_id=row.event_id, user_id=row.user_id, status=status)


def _read(row: UserRegistration) -> Registration | None:
    with suppress(RegistrationNotFound):
        return reading.read(row.event_id, row.user_id, scope=EVERYTHING)
    return None
