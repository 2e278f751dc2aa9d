"""Read whole events: a description and its seats, as of a single point in time."""

from collections.abc import Iterable
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
    return WholeEvent.of(filter(None, (event, seats, inside)))


def find_events(event_ids: Iterable[str], known: Iterable[Event] | None = None) -> dict[str, WholeEvent]:
    """Return the events that exist, by their ids, read in batches and eventually consistently.

    Descriptions that are `known` need no second read; None if the ids are not from a list of events. An event of a list
    may be too new for these reads, so it is read again. If all are known, the seats have only the counts.
    """
    wanted, events = list(dict.fromkeys(event_ids)), {event.event_id: event for event in known or ()}
    unknown = [event_id for event_id in wanted if event_id not in events]
    keys = [(Seats, event_id, Seats.ITEM) for event_id in wanted] + [(Event, one, Event.ITEM) for one in unknown]
    read = batch_get(*keys, consistent=False, only=None if unknown else Seats.shown())
    events |= dict(zip(unknown, read[len(wanted) :], strict=True))
    found = {}
    for event_id, seats in zip(wanted, read, strict=False):
        event = events[event_id]
        whole = WholeEvent(event, seats) if event and seats else None
        if not (whole and whole.fits):
            whole = find_event(event_id) if event or seats or known is not None else None
        if whole:
            found[event_id] = whole
    return found
