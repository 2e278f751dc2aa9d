"""The events table: each event is an item collection.

    eventId  item                              what it holds
    e1       event                             the description: long, rarely written
    e1       seats                             the counters: short, rewritten by every registration
    e1       tickets#<made>#gone#<chunk>       the tickets of this chunk whose people left the queue
    e1       tickets#<made>#promoted#<ticket>  when the queue moved up to this ticket
    e1       tickets#<made>#turnstile          how many have taken a number to wait for the seats with
    e1       tickets#<made>#told#<ticket>      who was in, while the event that was deleted is being forgotten

Only descriptions carry the index keys, so a registration writes to no index:

    status-date      status                 date#eventId
    organizer-date   organizerId#status     date#eventId

The description and the seats are written together or one by one; `settings` in both tells which belong together.
`incarnation` is drawn anew for each event that is made: what belongs to a deleted event never counts for its successor.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, Self, TypeVar

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, MapAttribute, NumberSetAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import stretch, together
from eventsite.dynamodb.records import Record, WholeNumberAttribute
from eventsite.dynamodb.retries import retry_lost_race
from eventsite.dynamodb.shapes import text
from eventsite.dynamodb.transactions import snapshot
from eventsite.ids import is_id

E = TypeVar("E", bound="EventItem")

DRAFT = "draft"
STATUSES = (DRAFT, "scheduled", "published", "active", "cancelled", "completed")
OPEN_STATUSES = frozenset({"scheduled", "published", "active"})
"""An event with one of these admits people (CONTRACT, rule 8)."""
IMPORTING = "importing"
"""What a draft has in the place of the ids of its edits while an import writes the event."""


class StatusDateIndex(GlobalSecondaryIndex["Event"]):
    """All events of one status, by date."""

    class Meta:
        index_name = "status-date"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)


class OrganizerDateIndex(GlobalSecondaryIndex["Event"]):
    """All events of one organizer and status, by date."""

    class Meta:
        index_name = "organizer-date"
        projection = AllProjection()

    organizer_status = UnicodeAttribute(hash_key=True, attr_name="organizerStatus")
    sort = UnicodeAttribute(range_key=True)


class EventItem(Record):
    """What all items of an event have in common: the keys of the table and of its indexes."""

    class Meta(Record.Meta):
        table_name = settings.EVENTS_TABLE
        billing_mode = "PAY_PER_REQUEST"
        expires_by = "expiresAt"  # markers of keyed requests do
        stream_view_type = "NEW_AND_OLD_IMAGES"  # what changed is told from it (registrations.notices)

    ITEM = ""

    event_id = UnicodeAttribute(hash_key=True, attr_name="eventId")
    item = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    organizer_status = UnicodeAttribute(attr_name="organizerStatus", null=True)
    organizer_id = UnicodeAttribute(attr_name="organizerId", null=True)
    incarnation = UnicodeAttribute(default="")

    by_status = StatusDateIndex()
    by_organizer = OrganizerDateIndex()

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Any:
        """The item as what it is: a query of the table finds several kinds, the indexes hold descriptions."""
        if cls is not EventItem:
            return super().from_raw_data(data)
        kinds: dict[str, type[EventItem]] = {Event.ITEM: Event, Seats.ITEM: Seats}
        kind = kinds.get(text(data, "item"))
        return kind.from_raw_data(data) if kind else super().from_raw_data(data)

    @classmethod
    def get(cls: type[E], hash_key: Any, range_key: Any = None, *args: Any, **options: Any) -> E:
        """Read this item of an event by the event's id: ``Event.get("party")``. Raises `DoesNotExist`."""
        return super().get(hash_key, range_key or cls.ITEM, *args, **options)

    @classmethod
    def key(cls: type[E], event_id: str) -> E:
        """A record that carries only the key: what an update or a delete needs."""
        return cls(event_id, cls.ITEM)

    @classmethod
    def find(cls: type[E], event_id: str) -> E | None:
        """Find this item of an event, read consistently, or None."""
        if not is_id(event_id):
            return None
        try:
            return cls.get(event_id, cls.ITEM, consistent_read=True)
        except cls.DoesNotExist:
            return None


class Event(EventItem):
    """The description of an event."""

    ITEM = "event"

    title = UnicodeAttribute()
    description = UnicodeAttribute()
    date = UnicodeAttribute()
    end_date = UnicodeAttribute(attr_name="endDate", null=True)
    location = UnicodeAttribute()
    organizer = UnicodeAttribute()
    start_time = UnicodeAttribute(attr_name="startTime", null=True)
    end_time = UnicodeAttribute(attr_name="endTime", null=True)
    time_zone = UnicodeAttribute(attr_name="timeZone", null=True)
    registration_opens_at = UnicodeAttribute(attr_name="registrationOpensAt", null=True)
    registration_closes_at = UnicodeAttribute(attr_name="registrationClosesAt", null=True)
    version = WholeNumberAttribute()
    settings = WholeNumberAttribute(default=1)
    edits = UnicodeAttribute(default="")
    """The ids of the last edits, so that an edit whose answer was lost is recognised as done."""
    created_at = UnicodeAttribute(attr_name="createdAt")
    updated_at = UnicodeAttribute(attr_name="updatedAt")

    def set_index_keys(self) -> None:
        """Set the keys of the indexes from the date, the status and the organizer."""
        self.sort = f"{self.date}#{self.event_id}"
        self.organizer_status = self.organizer_id and f"{self.organizer_id}#{self.status}"

    def index_key_updates(self) -> list[Action]:
        """The actions that move the stored description to where this one is placed. An event keeps its organizer."""
        actions: list[Action] = [Event.status.set(self.status), Event.sort.set(self.sort)]
        if self.organizer_status:
            actions.append(Event.organizer_status.set(self.organizer_status))
        return actions


class Seats(EventItem):
    """The counters of an event, and what decides who gets a seat (docs/protocol.md).

    Everybody who is let in gets the next ticket, 1, 2, 3 and so on. Whose ticket is at most `served` has a seat; whose
    ticket is above it waits.
    """

    ITEM = "seats"

    capacity = WholeNumberAttribute()
    waitlist_enabled = BooleanAttribute(attr_name="waitlistEnabled")
    open = BooleanAttribute()
    settings = WholeNumberAttribute(default=1)
    opens_at = WholeNumberAttribute(attr_name="opensAt", null=True)
    closes_at = WholeNumberAttribute(attr_name="closesAt", null=True)
    ends_at = WholeNumberAttribute(attr_name="endsAt", null=True)
    """The window: seconds since the epoch; None where there is no such limit."""
    registered = WholeNumberAttribute(default=0)
    waiting = WholeNumberAttribute(default=0)
    tickets = WholeNumberAttribute(default=0)
    served = WholeNumberAttribute(default=0)
    moved = WholeNumberAttribute(default=0)
    """The first ticket of the queue's last move."""
    quits = WholeNumberAttribute(default=0)
    left = WholeNumberAttribute(default=0)
    gone: MapAttribute[str, Any] = MapAttribute(default=dict)
    """By chunk of tickets: how many people of it left the queue."""
    records: MapAttribute[str, Any] = MapAttribute(default=dict)
    """What was committed here and is perhaps not yet written elsewhere, by ``operation~user``."""
    passed = WholeNumberAttribute(default=0)
    """The number at the turnstile of who committed last, of those who had one."""
    generation = WholeNumberAttribute(default=0)
    """Drawn at random for each event, and one more with each fence: a commit planned before it is refused."""

    @property
    def committed(self) -> dict[str, Any]:
        """The records, as they are read."""
        return _plain(self.records)

    @property
    def gone_by_chunk(self) -> dict[str, int]:
        """How many people of each chunk left the queue, by its number as text."""
        return {chunk: int(count) for chunk, count in _plain(self.gone).items()}

    @property
    def admits(self) -> bool:
        """True if a newcomer could get a seat or a place in the queue, whatever the time."""
        return bool(self.open and (self.waitlist_enabled or (self.free and not self.waiting)))

    def has_ended(self, now: int) -> bool:
        """Return whether the event is over: then it admits and promotes nobody."""
        return self.ends_at is not None and now >= self.ends_at

    def has_opened(self, now: int) -> bool:
        """Return whether attendees may sign up already."""
        return self.opens_at is None or now >= self.opens_at

    def has_closed(self, now: int) -> bool:
        """Return whether attendees may no longer sign up."""
        return self.has_ended(now) or (self.closes_at is not None and now >= self.closes_at)

    def promotes(self, now: int) -> bool:
        """Return whether a freed seat goes to the head of the queue."""
        return bool(self.open and not self.has_ended(now))

    @property
    def free(self) -> int:
        """How many people could be admitted now: none while the event is closed."""
        return max(0, int(self.capacity - self.registered)) if self.open else 0


def _plain(values: Any) -> dict[str, Any]:
    """What a map holds: one that was read is a dict already."""
    return dict(values.as_dict() if isinstance(values, MapAttribute) else values)


class GoneTickets(EventItem):
    """The tickets of one chunk whose people left the queue without having had a seat."""

    tickets = NumberSetAttribute()


class Promotion(EventItem):
    """One move of the queue: everybody who waited with a ticket from `first` to the one in its key got a seat."""

    first = WholeNumberAttribute()
    at = UnicodeAttribute()


class Turnstile(EventItem):
    """How many have taken a number, in all the crowds there ever were before the seats."""

    entered = WholeNumberAttribute(default=0)


class Farewell(EventItem):
    """Some of the people whose registrations ended with an event: written for its stream, and soon removed."""

    people = UnicodeAttribute()
    """``5:alice 7:bob``: their tickets and their ids."""
    title = UnicodeAttribute(null=True)
    date = UnicodeAttribute(null=True)
    location = UnicodeAttribute(null=True)
    organizer = UnicodeAttribute(null=True)
    start_time = UnicodeAttribute(attr_name="startTime", null=True)
    end_time = UnicodeAttribute(attr_name="endTime", null=True)
    time_zone = UnicodeAttribute(attr_name="timeZone", null=True)
    version = WholeNumberAttribute(null=True)
    created_at = UnicodeAttribute(attr_name="createdAt", null=True)
    updated_at = UnicodeAttribute(attr_name="updatedAt", null=True)

    @staticmethod
    def name(incarnation: str, ticket: int) -> str:
        """The range key of the one that begins with a ticket."""
        return f"tickets#{incarnation}#told#{ticket:010}"

    @staticmethod
    def is_named(item: str) -> bool:
        """Whether a range key is that of a farewell."""
        return item.startswith("tickets#") and "#told#" in item

    @property
    def holders(self) -> dict[int, str]:
        """Who had which ticket."""
        pairs = (one.partition(":") for one in self.people.split())
        return {int(ticket): user_id for ticket, _, user_id in pairs}


OF_ONE_MOMENT = itemgetter("incarnation", "settings")


class WholeEvent(NamedTuple):
    """A description and the seats that go with it."""

    event: Event
    seats: Seats

    @property
    def fits(self) -> bool:
        """Whether both are of one moment, as far as they were edited: reads of two items promise nothing."""
        return bool(OF_ONE_MOMENT(self.event.attribute_values) == OF_ONE_MOMENT(self.seats.attribute_values))

    @classmethod
    def of(cls, items: Iterable[EventItem]) -> Self | None:
        """The event that these items make, or None where one is missing."""
        found = {type(item): item for item in items}
        event, seats = found.get(Event), found.get(Seats)
        return cls(event, seats) if isinstance(event, Event) and isinstance(seats, Seats) else None


def find(event_id: str) -> WholeEvent | None:
    """A whole event, or None: one strongly consistent query, and where an edit is just being written, one snapshot."""
    if not is_id(event_id):
        return None
    items, _ = stretch(EventItem, event_id, (Event.ITEM, Seats.ITEM), consistent=True)
    whole = WholeEvent.of(map(EventItem.parse, items))
    if whole is None and not items:
        return None
    return whole if whole and whole.fits else _find_at_once(event_id)


@retry_lost_race
def _find_at_once(event_id: str) -> WholeEvent | None:
    items = snapshot((Event, event_id, Event.ITEM), (Seats, event_id, Seats.ITEM))
    return WholeEvent.of(item for item in items if item)


def find_many(event_ids: Iterable[str]) -> dict[str, WholeEvent]:
    """Whole events by their ids, those that exist, read in batches (eventually consistent)."""
    wanted = list(set(event_ids))
    halves = together(*((half, one, half.ITEM) for one in wanted for half in (Event, Seats)), consistent=False)
    pairs = zip(wanted, halves[::2], halves[1::2], strict=True)
    return _checked({event_id: (event, seats) for event_id, event, seats in pairs if event or seats})


def with_seats(events: Sequence[Event]) -> list[WholeEvent | None]:
    """The events with their seats, in the same order; None for those that are gone (eventually consistent)."""
    ids = [event.event_id for event in events]
    seats = together(*((Seats, event_id, Seats.ITEM) for event_id in ids), consistent=False)
    whole = _checked(dict(zip(ids, zip(events, seats, strict=True), strict=True)))
    return [whole.get(event_id) for event_id in ids]


def _checked(found: dict[str, tuple[Event | None, Seats | None]]) -> dict[str, WholeEvent]:
    """What was read item by item; where the items of an event do not fit, that event is read anew."""
    whole = {event_id: _fitting(*pair) or find(event_id) for event_id, pair in found.items()}
    return {event_id: one for event_id, one in whole.items() if one}


def _fitting(event: Event | None, seats: Seats | None) -> WholeEvent | None:
    whole = WholeEvent(event, seats) if event and seats else None
    return whole if whole and whole.fits else None
