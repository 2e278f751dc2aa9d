"""The events table: each event is an item collection of two halves, read together in one query.

    eventId  item     what it holds
    e1       event    the description: long, rarely written
    e1       seats    the counters: short, rewritten by every registration

Both halves carry the index keys, so a page of events with their counts is one contiguous query of an index:

    status-date      status                 date#eventId#item
    organizer-date   organizerId#status     date#eventId#item
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.records import Record
from eventsite.ids import is_id

H = TypeVar("H", bound="EventItem")

DRAFT = "draft"
STATUSES = (DRAFT, "scheduled", "published", "active", "cancelled", "completed")
OPEN_STATUSES = frozenset({"scheduled", "published", "active"})
"""An event with one of these admits people (CONTRACT, rule 8)."""


class StatusDateIndex(GlobalSecondaryIndex["EventItem"]):
    """All events of one status, by date."""

    class Meta:
        index_name = "status-date"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)


class OrganizerDateIndex(GlobalSecondaryIndex["EventItem"]):
    """All events of one organizer and status, by date."""

    class Meta:
        index_name = "organizer-date"
        projection = AllProjection()

    organizer_status = UnicodeAttribute(hash_key=True, attr_name="organizerStatus")
    sort = UnicodeAttribute(range_key=True)


class EventItem(Record):
    """What both halves of an event have in common: the keys."""

    class Meta(Record.Meta):
        table_name = settings.EVENTS_TABLE
        billing_mode = "PAY_PER_REQUEST"
        expires_by = "expiresAt"  # markers of keyed requests do

    ITEM = ""

    event_id = UnicodeAttribute(hash_key=True, attr_name="eventId")
    item = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()
    sort = UnicodeAttribute()
    organizer_id = UnicodeAttribute(attr_name="organizerId", null=True)
    organizer_status = UnicodeAttribute(attr_name="organizerStatus", null=True)

    by_status = StatusDateIndex()
    by_organizer = OrganizerDateIndex()

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Any:
        """The half that an item is: a query of the table or of an index finds both kinds."""
        if cls is not EventItem:
            return super().from_raw_data(data)
        return (Event if data["item"]["S"] == Event.ITEM else Seats).from_raw_data(data)

    @classmethod
    def get(cls: type[H], hash_key: Any, range_key: Any = None, *args: Any, **options: Any) -> H:
        """Read this half of an event by its id: ``Event.get("party")``. Raises `DoesNotExist`."""
        return super().get(hash_key, range_key or cls.ITEM, *args, **options)

    @classmethod
    def key(cls: type[H], event_id: str) -> H:
        """A record that carries only the key: what an update or a delete needs."""
        return cls(event_id, cls.ITEM)

    @classmethod
    def find(cls: type[H], event_id: str) -> H | None:
        """Find this half of an event, read consistently, or None."""
        if not is_id(event_id):
            return None
        try:
            return cls.get(event_id, cls.ITEM, consistent_read=True)
        except cls.DoesNotExist:
            return None

    def set_index_keys(self, *, date: str, status: str, organizer_id: str | None) -> None:
        """Set the index keys."""
        self.status = status
        self.sort = f"{date}#{self.event_id}#{self.ITEM}"
        self.organizer_id = organizer_id
        self.organizer_status = organizer_id and f"{organizer_id}#{status}"

    def index_key_updates(self) -> list[Action]:
        """The actions that move the stored half to where this one is placed. An event keeps its organizer."""
        actions: list[Action] = [EventItem.status.set(self.status), EventItem.sort.set(self.sort)]
        if self.organizer_status:
            actions.append(EventItem.organizer_status.set(self.organizer_status))
        return actions


class Event(EventItem):
    """The description of an event."""

    ITEM = "event"

    title = UnicodeAttribute()
    description = UnicodeAttribute()
    date = UnicodeAttribute()
    location = UnicodeAttribute()
    organizer = UnicodeAttribute()
    start_time = UnicodeAttribute(attr_name="startTime", null=True)
    end_time = UnicodeAttribute(attr_name="endTime", null=True)
    time_zone = UnicodeAttribute(attr_name="timeZone", null=True)
    version = NumberAttribute()
    created_at = UnicodeAttribute(attr_name="createdAt")
    updated_at = UnicodeAttribute(attr_name="updatedAt")


class Seats(EventItem):
    """The counters of an event, and what decides who gets a seat."""

    ITEM = "seats"

    capacity = NumberAttribute()
    waitlist_enabled = BooleanAttribute(attr_name="waitlistEnabled")
    open = BooleanAttribute()
    registered = NumberAttribute(default=0)
    waiting = NumberAttribute(default=0)
    # When the last person joined the queue. The next one joins at a later time or not at all, which makes the
    # time of joining a ticket: the order of the queue is the order in which the joining was committed.
    last_joined_at = UnicodeAttribute(attr_name="lastJoinedAt", default="")

    @property
    def free(self) -> int:
        """How many people could be admitted now: none while the event is closed."""
        return max(0, int(self.capacity - self.registered)) if self.open else 0

    @property
    def queue_can_move(self) -> bool:
        """Whether somebody waits for a seat that is free: true only for the moment before `seating.fill`."""
        return self.free > 0 and self.waiting > 0


class WholeEvent(NamedTuple):
    """A whole event: both halves."""

    event: Event
    seats: Seats


def whole(halves: Iterable[EventItem]) -> WholeEvent | None:
    """The event that these halves make, or None where one is missing."""
    event = next((half for half in halves if isinstance(half, Event)), None)
    seats = next((half for half in halves if isinstance(half, Seats)), None)
    return WholeEvent(event, seats) if event and seats else None


def find(event_id: str) -> WholeEvent | None:
    """A whole event, read in one strongly consistent query, or None."""
    if not is_id(event_id):
        return None
    return whole(list(EventItem.query(event_id, consistent_read=True)))


def find_many(event_ids: set[str]) -> dict[str, WholeEvent]:
    """Whole events by their ids, those that exist, read in batches (eventually consistent)."""
    keys = [(event_id, item) for event_id in event_ids for item in (Event.ITEM, Seats.ITEM)]
    halves: dict[str, list[EventItem]] = {event_id: [] for event_id in event_ids}
    for half in EventItem.batch_get(keys):
        halves[half.event_id].append(half)
    found = {event_id: whole(pair) for event_id, pair in halves.items()}
    return {event_id: whole_event for event_id, whole_event in found.items() if whole_event}
