"""Find the owners of promoted tickets, in the commit log or else in the registrations table.

A ticket is in the log until its entry is applied. Then its item has the key ``ticket#`` while the registration is
active, and ``cancelled#`` afterwards. An owner who left and came back, or was deleted, is not found, and gets no
notice. That of a log entry with only a hash of the id is not found either.
"""

from collections.abc import Iterable
from functools import partial
from itertools import islice

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.reads import Key
from eventsite.dynamodb.steps import BatchGet, Steps, TransactGet, retrying, run
from registrations.models import EVERY_LINE, EventTicket
from registrations.reading.owners import particulars

AT_ONCE = 50  # tickets of a batch or a transaction, which reads a hundred items: each ticket has two possible keys

Event = tuple[str, str]
"""The id of an event, and its incarnation."""


class Holders:
    """A finder of the owners of tickets that keeps the owners from the commit log."""

    def __init__(self) -> None:
        self._seen: dict[Event, dict[int, str | None]] = {}

    def learn(self, seats: Seats) -> None:
        """Keep the owners of the tickets in the commit log, except those who left the waitlist."""
        seen = self._seen.setdefault((seats.event_id, seats.incarnation), {})
        for record in log.of(seats):
            if record.leaving == log.QUIT:
                seen[record.ticket] = None
            elif record.user_id is not None:
                seen.setdefault(record.ticket, record.user_id)

    def owner(self, seats: Seats, entry: log.LogEntry) -> str | None:
        """Return the user of a log entry, or None if the registration is gone.

        For a log entry with only a hash of the id, the intent has the id until the operation is applied, and the
        registration from then on. So None is final: the user is deleted or has registered again, or the event is
        deleted.
        """
        return entry.user_id or run(particulars(seats, entry))[0]

    def __call__(self, seats: Seats, tickets: range) -> dict[int, str]:
        """Return the owners of promoted tickets in order, without users who had left the waitlist.

        The seats are those of the moment at which the tickets were promoted.
        """
        self.learn(seats)
        event = seats.event_id, seats.incarnation
        seen = self._seen[event]
        found = seen | _looked_up(event, [ticket for ticket in tickets if ticket not in seen])
        return {ticket: user_id for ticket in tickets if (user_id := found.get(ticket))}


def _looked_up(event: Event, wanted: list[int]) -> dict[int, str | None]:
    found = _of_a_range(event, wanted[0], wanted[-1]) if len(wanted) > AT_ONCE else {}
    missing = iter([ticket for ticket in wanted if ticket not in found])
    while some := list(islice(missing, AT_ONCE)):
        found |= run(retrying(partial(_of_some, event, some)))
    return found


def _of_a_range(event: Event, first: int, last: int) -> dict[int, str | None]:
    """Return the owners of a range of tickets by queries, which read thousands of items in a few calls."""
    found: dict[int, str | None] = {}
    for left in (False, True):
        lines = EventTicket.in_order(*event, EventTicket.keys_between(first, last, cancelled=left), limit=EVERY_LINE)
        found |= _by_ticket(lines)
    return found


def _of_some(event: Event, wanted: list[int]) -> Steps[dict[int, str | None]]:
    found = _by_ticket((yield BatchGet(_keys(event, wanted))))
    missing = [ticket for ticket in wanted if ticket not in found]
    # Or the cancellation is being written: one item is deleted, the other one created.
    return found | (_by_ticket((yield TransactGet(_keys(event, missing)))) if missing else {})


def _keys(event: Event, wanted: list[int]) -> list[Key]:
    keys = [EventTicket.key_of(*event, ticket, cancelled=left) for ticket in wanted for left in (False, True)]
    return [(EventTicket, *key) for key in keys]


def _by_ticket(lines: Iterable[EventTicket | None]) -> dict[int, str | None]:
    """Return the present or last owner of each ticket, or None if the owner left the waitlist."""
    return {
        int(line.ticket or 0): str(line.user_id) if line.is_active or not line.waited or line.promoted_at else None
        for line in lines
        if line is not None
    }
