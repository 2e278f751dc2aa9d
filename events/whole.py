"""Read whole events: a description and its seats, as of a single point in time."""

from collections.abc import Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple, Self

from events.ledger.models import OF_ONE_MOMENT, CheckIns, Seats
from events.models import Event, EventItem
from eventsite.dynamodb.reads import batch_get
from eventsite.dynamodb.steps import Get, Query, Steps, TransactGet, retrying, run
from eventsite.ids import is_id

_moment = itemgetter(*OF_ONE_MOMENT)


class WholeEvent(NamedTuple):
    """A description and its seats."""

    event: Event
    seats: Seats

    @property
    def fits(self) -> bool:
        """Return True if no edit came between the two reads, which DynamoDB does not make atomic."""
        return bool(_moment(self.event.attribute_values) == _moment(self.seats.attribute_values))

    @classmethod
    def of(cls, items: Iterable[EventItem]) -> Self | None:
        """Return the event that some items form, or None if the description or the seats are missing."""
        found = {str(item.item): item for item in items}
        event, seats = found.get(Event.ITEM), found.get(Seats.ITEM)
        if not (isinstance(event, Event) and isinstance(seats, Seats)):
            return None
        inside = found.get(CheckIns.name(event.incarnation))
        event.checked_in = int(inside.people) if isinstance(inside, CheckIns) else 0
        return cls(event, seats)


def find_event(event_id: str) -> WholeEvent | None:
    """Return a whole event, or None.

    It takes one strongly consistent query, and a TransactGetItems if an edit is being written.
    """
    return run(find(event_id))


def find(event_id: str) -> Steps[WholeEvent | None]:
    """Return a whole event, as `find_event`, in steps."""
    if not is_id(event_id):
        return None
    items = yield Query(EventItem, event_id, (Event.ITEM, Seats.ITEM))
    whole = WholeEvent.of(items)
    if whole is None and not items:
        return None
    return whole if whole and whole.fits else (yield from retrying(partial(_find_at_once, event_id)))


def _find_at_once(event_id: str) -> Steps[WholeEvent | None]:
    event, seats = yield TransactGet(((Event, event_id, Event.ITEM), (Seats, event_id, Seats.ITEM)))
    if event is None or seats is None:
        return None
    inside = yield Get((CheckIns, event_id, CheckIns.name(event.incarnation)))
    event.checked_in = int(inside.people) if inside else 0
    return WholeEvent(event, seats)


def find_events(event_ids: Iterable[str]) -> dict[str, WholeEvent]:
    """Return the events that exist, by their ids, read in batches and eventually consistently."""
    wanted = list(set(event_ids))
    halves = batch_get(*((half, one, half.ITEM) for one in wanted for half in (Event, Seats)), consistent=False)
    pairs = zip(wanted, halves[::2], halves[1::2], strict=True)
    return _checked({event_id: (event, seats) for event_id, event, seats in pairs if event or seats})


def completed(items: Sequence[EventItem]) -> list[WholeEvent | None]:
    """Return the whole events of some items in the same order, or None for deleted ones (eventually consistent).

    Their seats may have only the counts (`Seats.shown`).

    Args:
        items: Descriptions, which need no second read, or other items of events.
    """
    ids = [item.event_id for item in items]
    unknown = [item.event_id for item in items if not isinstance(item, Event)]
    keys = [(Seats, event_id, Seats.ITEM) for event_id in ids] + [(Event, one, Event.ITEM) for one in unknown]
    read = batch_get(*keys, consistent=False, only=None if unknown else Seats.shown())
    events = dict(zip(unknown, read[len(ids) :], strict=True)) | {
        item.event_id: item for item in items if isinstance(item, Event)
    }
    whole = _checked({event_id: (events[event_id], seats) for event_id, seats in zip(ids, read, strict=False)})
    return [whole.get(event_id) for event_id in ids]


def _checked(found: dict[str, tuple[Event | None, Seats | None]]) -> dict[str, WholeEvent]:
    """Return the events whose items fit, and read the others again."""
    whole = {event_id: _fitting(*pair) or find_event(event_id) for event_id, pair in found.items()}
    return {event_id: one for event_id, one in whole.items() if one}


def _fitting(event: Event | None, seats: Seats | None) -> WholeEvent | None:
    whole = WholeEvent(event, seats) if event and seats else None
    return whole if whole and whole.fits else None
