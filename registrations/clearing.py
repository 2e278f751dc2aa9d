"""Keeping the seats small: records of operations that are settled go with a later commit.

A process remembers what it settled itself, so most records are cleared without a look. Those of processes that are
gone, or idle, are looked up when there are many.
"""

import threading
from collections import OrderedDict

from events.models import Seats
from eventsite.dynamodb.reads import together
from registrations import locking
from registrations.models import ActiveItem

MANY = 16
"""From so many records on, a commit first looks for settled ones."""
LOOKED_UP = 8
"""So many of them at a time."""
REMEMBERED_EVENTS = 256

_settled: OrderedDict[str, set[str]] = OrderedDict()
_guard = threading.Lock()


def remember(event_id: str, record: str) -> None:
    """Take down that a record's operation is settled."""
    with _guard:
        _settled.setdefault(event_id, set()).add(record)
        _settled.move_to_end(event_id)
        if len(_settled) > REMEMBERED_EVENTS:
            _settled.popitem(last=False)


def forget(event_id: str, records: list[str]) -> None:
    """Records are gone from the seats."""
    with _guard:
        known = _settled.get(event_id, set())
        known.difference_update(records)
        if not known:
            _settled.pop(event_id, None)


def settled_records(seats: Seats, user_id: str) -> list[str]:
    """The records that may be cleared, as far as they are known.

    Takes: the seats; the user whose registration the caller has locked: earlier operations on it are settled.
    """
    with _guard:
        known = set(_settled.get(seats.event_id, ()))
    names = list(seats.records.as_dict())
    clear = [name for name in names if name in known or name.partition("~")[2] == user_id]
    return clear or (_look_up(seats) if len(names) >= MANY else [])


def _look_up(seats: Seats) -> list[str]:
    """Some records whose operations hold no lock any more."""
    names = list(seats.records.as_dict())[:LOOKED_UP]
    keys = [(ActiveItem, *ActiveItem.key_of(seats.event_id, name.partition("~")[2])) for name in names]
    items = together(*keys, consistent=True)
    return [name for name, item in zip(names, items, strict=True) if item is None or item.record != name]


def settle_all(seats: Seats) -> None:
    """Settle every operation that is committed and not settled, and clear all records, for the event is about to go."""
    names = list(seats.records.as_dict())
    keys = [(ActiveItem, *ActiveItem.key_of(seats.event_id, name.partition("~")[2])) for name in names]
    for name, item in zip(names, together(*keys, consistent=True), strict=True):
        if item is not None and item.record == name:
            locking.make_way(item)
    if names:
        Seats.key(seats.event_id).update([Seats.records[name].remove() for name in names])
