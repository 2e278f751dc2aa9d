"""Keeping the seats small: records of operations that are settled go with a later commit.

A process remembers what it settled itself, so most records are cleared without a look. Those of processes that are
gone, or idle, are looked up when there are many.
"""

import random
import threading
from collections import OrderedDict

from events.ledger import log
from events.ledger.models import Seats
from eventsite.dynamodb.reads import Key, batch_get
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.transactions import transact_get
from registrations.models import ActiveItem, PastItem
from registrations.seating import locking

MANY = 6
"""From so many records of others on, a commit first looks for settled ones: each is written again by every commit."""
MOST = 12
"""So many records there may be: the seats are shorter than a kilobyte then, and a write of them costs one unit."""
LOOKED_UP = 8
"""So many of them at a time."""
REMEMBERED_EVENTS = 256
HALF_A_SNAPSHOT = 50
"""A transaction reads a hundred items, and a registration has two."""

_settled: OrderedDict[str, set[str]] = OrderedDict()
_guard = threading.Lock()


def remember(event_id: str, record: str) -> None:
    """Take down that a record's operation is settled."""
    with _guard:
        _settled.setdefault(event_id, set()).add(record)
        _settled.move_to_end(event_id)
        if len(_settled) > REMEMBERED_EVENTS:
            _settled.popitem(last=False)


def forget(event_id: str, names: list[str]) -> None:
    """Records are gone from the seats."""
    with _guard:
        known = _settled.get(event_id, set())
        known.difference_update(names)
        if not known:
            _settled.pop(event_id, None)


def settled_records(seats: Seats, user_id: str) -> list[str]:
    """The records that may be cleared, as far as they are known.

    Takes: the seats; the user whose registration the caller has locked: earlier operations on it are settled.
    """
    with _guard:
        known = set(_settled.get(seats.event_id, ()))
    names = list(seats.committed)
    clear = [name for name in names if name in known or name.partition("~")[2] == user_id]
    others = sorted(set(names).difference(clear))
    return clear + (_look_up(seats, others) if len(others) >= MANY else [])


def is_full(seats: Seats) -> bool:
    """Whether there is no room for another record, unless it takes the place of one."""
    return len(seats.committed) >= MOST


def _look_up(seats: Seats, others: list[str]) -> list[str]:
    """Some records that are settled, as the registrations bear witness: drawn, so that not all look at the same.

    First where each is to be expected, at half the price: a witness may be old, for what is settled stays so.
    """
    names = random.sample(others, min(len(others), LOOKED_UP))
    likely: list[Key] = []
    for record in (log.read(name, seats.committed[name]) for name in names):
        model = PastItem if record.leaving else ActiveItem
        likely.append((model, *model.key_of(seats.event_id, record.user_id)))
    found = batch_get(*likely, consistent=False)
    settled = [name for name, item in zip(names, found, strict=True) if item and item.was_changed_by(_id(name))]
    return settled or _look_closely(seats, names)


def _look_closely(seats: Seats, names: list[str]) -> list[str]:
    """Those of some records that are settled, wherever their users' registrations have gone since."""
    found = batch_get(*_items(seats, names), consistent=True)
    witnesses = {name: found[2 * number : 2 * number + 2] for number, name in enumerate(names)}
    settled = [name for name, items in witnesses.items() if any(one and one.was_changed_by(_id(name)) for one in items)]
    return settled + _gone(seats, [name for name, items in witnesses.items() if not any(items)])


def _gone(seats: Seats, names: list[str]) -> list[str]:
    """Those of some records whose users have no registration any more: it is forgotten, with its history."""
    try:
        found = transact_get(*_items(seats, names)) if names else []
    except Conflict:  # or one of them is just being written
        return []
    return [name for number, name in enumerate(names) if not any(found[2 * number : 2 * number + 2])]


def _id(name: str) -> str:
    return name.partition("~")[0]


def _items(seats: Seats, names: list[str]) -> list[Key]:
    users = [name.partition("~")[2] for name in names]
    return [(model, *model.key_of(seats.event_id, user)) for user in users for model in (ActiveItem, PastItem)]


def settle_one(seats: Seats) -> None:
    """Settle an operation whose process has not: else a crowd of the dead would stay for ever."""
    name = random.choice(list(seats.committed) or [""])  # noqa: S311 (no secret)
    item = ActiveItem.find(*ActiveItem.key_of(seats.event_id, name.partition("~")[2]))
    if item is not None and item.lock is not None and item.record == name:
        locking.make_way(item)


def settle_all(seats: Seats) -> None:
    """Settle every operation that is committed and not settled, and clear all records, for the event is about to go.

    Raises: `Conflict` while one of them is just being settled by somebody else.
    """
    names = list(seats.committed)
    for start in range(0, len(names), HALF_A_SNAPSHOT):
        chunk = names[start : start + HALF_A_SNAPSHOT]
        for number, item in enumerate(transact_get(*_items(seats, chunk))[::2]):
            if item is not None and item.record == chunk[number]:
                locking.make_way(item)
    if names:
        Seats.key(seats.event_id).update([Seats.records[name].remove() for name in names])


def clear_of(past: PastItem) -> None:
    """Remove what the seats still remember of a user who left: it is settled, as the registration bears witness."""
    seats = Seats.find(past.event_id)
    if seats is None or seats.incarnation != past.incarnation:
        return
    of_user = [name for name in seats.records if name.partition("~")[2] == past.user_id]
    own = [name for name in of_user if past.was_changed_by(_id(name))]
    if own:
        seats.update([Seats.records[name].remove() for name in own], condition=Seats.incarnation == past.incarnation)
        forget(past.event_id, own)
