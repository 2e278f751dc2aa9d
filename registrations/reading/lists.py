"""Lists of registrations: an event's in the order of its tickets, a user's with the events they are for.

An event's list is read in several calls: the seats, the tickets, the operations that are not settled yet, and the
seats once more. Where these show that somebody came, went or moved up in between, as far as it concerns the page, it
is read again; so a page is that of one moment, unless the event is too busy for it: after `TRIES` times each line
still was true at some moment while it was read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from events.ledger import log, queue
from events.ledger.models import Promotion, Seats
from events.services import EventNotFound, check_access, may_be_seen
from events.whole import WholeEvent, find_events
from eventsite.auth.scope import EVERYTHING, Scope
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.ids import is_id
from registrations.errors import RegistrationNotFound
from registrations.models import (
    ACTIVE,
    CANCELLED,
    REGISTERED,
    WAITLISTED,
    ActiveItem,
    EventTicket,
    PastItem,
    Registration,
    active_items,
    past_items,
)
from registrations.reading import one as reading
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
        """What is written of the lines.

        With what is committed and not written yet: more than a page, if there is more. Raises `Conflict` where somebody
        is written in as we look: the registration says so, and the list does not show it yet.
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
        for record in log.of(self.seats) if not cancelled else ():
            if record.leaving:  # whatever of it is written by now
                lines.pop(record.ticket, None)
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
        """What is committed and not written to the list yet: each line, and whether it is of somebody who left."""
        known = log.of(self.seats)
        keys = [(ActiveItem, *ActiveItem.key_of(self.seats.event_id, record.user_id)) for record in known]
        items = batch_get(*keys, consistent=True)
        found = []
        for record, item in zip(known, items, strict=True):
            if item is not None and item.lock == record.operation:
                found.append((_unsettled(item, record), bool(record.leaving)))
            elif item is not None and item.ticket == record.ticket and not record.leaving:
                self._written.add(record.ticket)
        return found

    def _tell(self, lines: list[Line]) -> None:
        """Complete the lines: who waits and where, and when the others moved up."""
        waiting = [line for line in lines if line.ticket > self.seats.served]
        position = queue.position(self.seats, waiting[0].ticket) if waiting else None
        if waiting and position is None:
            raise Conflict(immediate=True)
        for place, line in enumerate(waiting, start=position or 1):
            line.registration.status, line.registration.position = WAITLISTED, place
        moved = [line for line in lines if line.waited and line.ticket <= self.seats.served]
        times = promotion_times(self.seats, [line.ticket for line in moved])
        for line in moved:
            line.registration.promoted_at = times[line.ticket]

    def _without_returned(self, lines: list[Line]) -> list[Line]:
        """Without those who registered again, or left again, since: a line may be left over from before."""
        users = [line.registration.user_id for line in lines]
        keys = [(model, *model.key_of(self.seats.event_id, user)) for user in users for model in (ActiveItem, PastItem)]
        found = iter(batch_get(*keys, consistent=True))
        return [line for line, active, past in zip(lines, found, found, strict=True) if _is_last(line, active, past)]


def _is_last(line: Line, active: ActiveItem | None, past: PastItem | None) -> bool:
    """Whether a line of the history is of the user's last registration: that is still being given up, or is past."""
    if active and active.ticket is not None:
        return bool(active.ticket == line.ticket)
    return past is None or bool(past.ticket == line.ticket)


def _unsettled(item: ActiveItem, record: log.LogEntry) -> Line:
    if record.leaving:
        told = item.told(event_id=item.event_id, user_id=item.user_id, status=CANCELLED)
        told.cancelled_at = item.lock_at
        return Line(record.ticket, item.waited, told)
    told = Registration(item.event_id, item.user_id, str(item.lock_registration_id), REGISTERED, str(item.lock_at))
    told.ticket = record.ticket
    return Line(record.ticket, record.waited, told)


def promotion_times(seats: Seats, moved: list[int]) -> dict[int, str | None]:
    """When the queue moved past each of some tickets, which are in order: one query, backwards from the last one.

    Raises: `Conflict` where the seats are old.
    """
    if not moved:
        return {}
    recorded = {record.successor: record.at for record in log.of(seats) if record.successor}
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
    items: list[Any] = list((past_items if status == CANCELLED else active_items)(user_id, after, limit + 1))
    following = items[limit - 1].event_id if len(items) > limit else None
    items = items[:limit]
    if not items:
        services.read(user_id)  # who has registrations exists; who has none may not
    whole = {
        event_id: one
        for event_id, one in find_events(item.event_id for item in items).items()
        if may_be_seen(one.event, scope)
    }
    known = [(item, whole[item.event_id]) for item in items if item.event_id in whole]
    if status == CANCELLED:
        return _past(known), following
    wanted = (REGISTERED, WAITLISTED) if status == ACTIVE else (status,)
    return [one for one in _active(known) if one.registration.status in wanted], following


def _past(known: list[tuple[PastItem, WholeEvent]]) -> list[Attendance]:
    """A user's cancelled registrations, without those for events where the user is registered again."""
    current = [(item, whole) for item, whole in known if item.incarnation == whole.seats.incarnation]
    keys = [(ActiveItem, *ActiveItem.key_of(item.event_id, item.user_id)) for item, _ in current]
    again = batch_get(*keys, consistent=True)
    return [
        Attendance(item.told(event_id=item.event_id, user_id=item.user_id, status=CANCELLED), whole)
        for (item, whole), active in zip(current, again, strict=True)
        if active is None or active.ticket is None
    ]


def _active(known: list[tuple[ActiveItem, WholeEvent]]) -> list[Attendance]:
    """A user's active registrations, with positions and times of promotion, in three more calls for all of them.

    Whoever never waited has a seat, and that is all there is to know. Of the others the seats decide, and those were
    read up to date only if they are read again.
    """
    waited = [item for item, _ in known if item.waited and not item.lock]
    seats = batch_get(*((Seats, item.event_id, Seats.ITEM) for item in waited), consistent=True)
    told = _told_by_seats([(item, one) for item, one in zip(waited, seats, strict=True) if one])
    found: list[Attendance] = []
    for item, whole in known:
        registration = told.get(item.event_id)
        if registration is None:
            simple = not item.lock and not item.waited and item.incarnation == whole.seats.incarnation
            registration = _seated(item) if simple else _read(item)
        if registration:
            found.append(Attendance(registration, whole))
    return found


def _told_by_seats(waited: list[tuple[ActiveItem, Seats]]) -> dict[str, Registration]:
    """Those of whom the seats alone tell whether they wait, and where, or when they moved up."""
    current = [(item, seats) for item, seats in waited if item.incarnation == seats.incarnation]
    waiting = [(item, seats) for item, seats in current if item.ticket > seats.served]
    moved = [(item, seats) for item, seats in current if item.ticket <= seats.served]
    told: dict[str, Registration] = {}
    places = queue.positions([(seats, int(item.ticket)) for item, seats in waiting])
    for (item, _), place in zip(waiting, places, strict=True):
        if place:
            status = WAITLISTED
            told[item.event_id] = item.told(event_id=item.event_id, user_id=item.user_id, status=status, position=place)
    moves = batch_get(
        *((Promotion, *queue.promotion_key(one, int(item.ticket))) for item, one in moved), consistent=True
    )
    for (item, _), move in zip(moved, moves, strict=True):
        if move:
            told[item.event_id] = _seated(item)
            told[item.event_id].promoted_at = move.at
    return told


def _seated(item: ActiveItem) -> Registration:
    return item.told(event_id=item.event_id, user_id=item.user_id, status=REGISTERED)


def _read(item: ActiveItem) -> Registration | None:
    try:
        found = reading.read(item.event_id, item.user_id, scope=EVERYTHING)
    except RegistrationNotFound:
        return None
    return found if found.status != CANCELLED else None
