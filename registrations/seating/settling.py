"""Writing down everywhere what an operation has committed in the seats.

It may be done by the operation itself, or by anybody who finds it undone, after a fence; once or again. It is one
transaction, on items that nobody else contends for, and it takes place only while the lock is the operation's: so it
takes place once.
"""

from typing import Any, Literal

from events.ledger import log, queue
from events.ledger.log import LogEntry
from events.ledger.models import ExitTombstones, Promotion, Seats
from eventsite.dynamodb.retries import Conflict, retry_on_conflict
from eventsite.dynamodb.transactions import Transaction, transact_get
from registrations.models import ActiveItem, EventTicket, PastItem
from registrations.seating import guards

CARRIED = ("ticket", "waited", "registration_id", "registered_at", "incarnation", "answers", "checked_in_at")
"""What a registration keeps when it is given up."""


def settle(item: ActiveItem, seats: Seats, *, past_is: PastItem | Literal["unknown"] | None = "unknown") -> None:
    """Settle the operation that holds a registration's lock.

    Takes: the locked registration; the seats, with the operation's record in them; the user's last registration for
    the event, if there was one, where that is known.
    """
    record = log.read(item.record, seats.committed[item.record])
    if record.leaving:
        transaction = _leaving(item, record, seats)
    else:
        transaction = _joining(item, record, _last(item) if past_is == "unknown" else past_is)
    transaction.commit()  # if the lock is no longer the operation's, somebody else has settled it


@retry_on_conflict
def _last(item: ActiveItem) -> PastItem | None:
    """The user's last registration. A leaving that is just being written would show half of itself to a mere read."""
    past: PastItem | None = transact_get((PastItem, *PastItem.key_of(item.event_id, item.user_id)))[0]
    return past


def _joining(item: ActiveItem, record: LogEntry, past: PastItem | None) -> Transaction:
    transaction = Transaction()
    incarnation = str(item.lock_incarnation)
    known: dict[str, Any] = {"ticket": record.ticket, "waited": record.waited, "incarnation": incarnation}
    known |= {"registration_id": item.lock_registration_id, "registered_at": item.lock_at, "answers": item.answers}
    settled = ActiveItem(item.key, item.item, operations=_operations(item, past, record.operation), **known)
    transaction.put("registration", settled, guards.is_held_by(record.operation))
    key = EventTicket.key_of(item.event_id, incarnation, record.ticket)
    transaction.put("ticket", EventTicket(*key, user_id=item.user_id, **known))
    if past:
        transaction.delete("past", PastItem(past.key, past.item))
        old = EventTicket.key_of(item.event_id, past.incarnation, int(past.ticket or 0), cancelled=True)
        transaction.delete("history", EventTicket(*old))
    return transaction


def _operations(item: ActiveItem, past: PastItem | None, operation: str) -> str:
    return (past or item).operations_and(operation)


def _leaving(item: ActiveItem, record: LogEntry, seats: Seats) -> Transaction:
    transaction = Transaction()
    promoted_at: str | None = item.promoted_at
    if item.waited and not promoted_at and record.leaving != log.QUIT:
        promoted_at = promotion_time(seats, record.ticket)
    known = {name: getattr(item, name) for name in CARRIED}
    known |= {"promoted_at": promoted_at, "cancelled_at": item.lock_at}
    transaction.delete("registration", ActiveItem(item.key, item.item), guards.is_held_by(record.operation))
    past = PastItem(*PastItem.key_of(item.event_id, item.user_id), **known)
    past.operations, past.successor = item.operations_and(record.operation), record.successor
    transaction.put("past", past)
    transaction.delete("ticket", EventTicket(*EventTicket.key_of(item.event_id, item.incarnation, record.ticket)))
    key = EventTicket.key_of(item.event_id, item.incarnation, record.ticket, cancelled=True)
    transaction.put("history", EventTicket(*key, user_id=item.user_id, **known))
    if record.leaving == log.QUIT:
        gone = ExitTombstones(*queue.gone_key(seats, queue.chunk_of(record.ticket)))
        transaction.update("gone", gone, [ExitTombstones.tickets.add({record.ticket})])
    if record.successor:
        promotion = Promotion(*queue.promotion_key(seats, record.successor), at=record.at, first=record.successor)
        transaction.put("promotion", promotion)
    return transaction


@retry_on_conflict
def _promotion_time(event_id: str, incarnation: str, ticket: int) -> str | None:
    seats = Seats.find(event_id)
    if seats is None or seats.incarnation != incarnation:
        return None
    return find_promotion(seats, ticket)


def promotion_time(seats: Seats, ticket: int) -> str | None:
    """When somebody who had waited got a seat; None where the event is gone."""
    try:
        return find_promotion(seats, ticket)
    except Conflict:
        return _promotion_time(seats.event_id, seats.incarnation, ticket)


def find_promotion(seats: Seats, ticket: int) -> str | None:
    """When the queue moved past a ticket: said by a record, or else by the last move that began at it or before.

    Raises: `Conflict` where it is settled since the seats were read.
    """
    moves = {record.successor: record.at for record in log.of(seats) if record.successor}
    if ticket in moves:
        return moves[ticket]
    event_id, upto = queue.promotion_key(seats, ticket)
    first = queue.promotion_key(seats, 0)[1]
    found = Promotion.query(
        event_id, Promotion.item.between(first, upto), consistent_read=True, scan_index_forward=False, limit=1
    )
    latest = int(seats.moved) if ticket >= seats.moved else 0
    for move in found:
        if move.first >= latest:  # else the last move is just being written: the seats show it first
            return str(move.at)
    raise Conflict(immediate=True)
