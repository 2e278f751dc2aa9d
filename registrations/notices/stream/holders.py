"""Who holds the tickets that moved up: as the seats say, where they do not as the registrations table does.

A ticket is in the seats' records until its registration is written down; then in its line, under ``ticket#`` while its
owner is in, under ``cancelled#`` afterwards. Who left and came back, or was deleted, is found no more, and is not told.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.reads import Key, batch_get
from eventsite.dynamodb.retries import retry_on_conflict
from eventsite.dynamodb.transactions import transact_get
from registrations.models import EVERY_LINE, EventTicket
from registrations.notices.stream.changes import StreamRecord

AT_ONCE = 50
"""A batch and a transaction read a hundred items; whoever has a ticket is under one of two keys."""

Event = tuple[str, str]
"""An event's id, and its incarnation."""


class Holders:
    """Finds out who holds tickets; what it has seen in the seats of several moments it need not look up."""

    def __init__(self) -> None:
        self._seen: dict[Event, dict[int, str | None]] = {}

    def learn(self, seats: Seats) -> None:
        """Take down what the seats say of who has, or had, which ticket; those who quit the queue moved up nowhere."""
        seen = self._seen.setdefault((seats.event_id, seats.incarnation), {})
        for record in log.of(seats):
            if record.leaving == log.QUIT:
                seen[record.ticket] = None
            else:
                seen.setdefault(record.ticket, record.user_id)

    def learn_from(self, record: StreamRecord) -> None:
        """Take down what a record of the stream says of them."""
        with suppress(Exception):  # whoever tells the record finds out what is wrong with it
            if record["dynamodb"]["Keys"]["item"]["S"] == Seats.ITEM:
                self.learn(Seats.parse(record["dynamodb"]["NewImage"]))

    def __call__(self, seats: Seats, first: int, last: int) -> dict[int, str]:
        """Who of the queue had the tickets from one to another when these moved up, in the order of the tickets.

        Takes: the seats as they were then. Raises: `Unavailable`.
        """
        self.learn(seats)
        event = seats.event_id, seats.incarnation
        seen = self._seen[event]
        wanted = [ticket for ticket in range(first, last + 1) if ticket not in seen]
        found = seen | _looked_up(event, wanted)
        return {ticket: user_id for ticket in range(first, last + 1) if (user_id := found.get(ticket))}


def knowing(records: Iterable[StreamRecord]) -> Holders:
    """Who finds the holders of tickets, and knows what some records of the stream say of them."""
    holders = Holders()
    for record in records:
        holders.learn_from(record)
    return holders


def _looked_up(event: Event, wanted: list[int]) -> dict[int, str | None]:
    found = _of_a_range(event, wanted[0], wanted[-1]) if len(wanted) > AT_ONCE else {}
    missing = iter([ticket for ticket in wanted if ticket not in found])
    while some := list(islice(missing, AT_ONCE)):
        found |= _of_some(event, some)
    return found


def _of_a_range(event: Event, first: int, last: int) -> dict[int, str | None]:
    """By queries, which read the lines of thousands in a few calls."""
    found: dict[int, str | None] = {}
    for left in (False, True):
        lines = EventTicket.in_order(*event, EventTicket.range(first, last, cancelled=left), limit=EVERY_LINE)
        found |= _by_ticket(lines)
    return found


@retry_on_conflict
def _of_some(event: Event, wanted: list[int]) -> dict[int, str | None]:
    found = _by_ticket(batch_get(*_keys(event, wanted), consistent=True))
    missing = [ticket for ticket in wanted if ticket not in found]
    # Or their leaving is just being written: one line vanishes, the other appears.
    return found | (_by_ticket(transact_get(*_keys(event, missing))) if missing else {})


def _keys(event: Event, wanted: list[int]) -> list[Key]:
    keys = [EventTicket.key_of(*event, ticket, cancelled=left) for ticket in wanted for left in (False, True)]
    return [(EventTicket, *key) for key in keys]


def _by_ticket(lines: Iterable[EventTicket | None]) -> dict[int, str | None]:
    """Who has, or had, each ticket; None for those who quit the queue."""
    return dict(_owners(lines))


def _owners(lines: Iterable[EventTicket | None]) -> Iterator[tuple[int, str | None]]:
    for line in lines:
        if line is not None:
            had_a_seat = line.is_active or not line.waited or line.promoted_at
            yield int(line.ticket or 0), str(line.user_id) if had_a_seat else None
