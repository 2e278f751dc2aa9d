"""The events table: each event is an item collection.

    eventId  item                              content
    e1       event                             the description: long, seldom written
    e1       in#<made>                         the number of checked-in people
    e1       seats                             the counters: short, rewritten by every registration
    e1       tickets#<made>#exits#<number>     the tickets, of 128, that left the waitlist
    e1       tickets#<made>#promoted#<ticket>  the time when the waitlist was promoted up to this ticket
    e1       tickets#<made>#outbox#<ticket>    people of a deleted event whose cancellation is to be reported
    e1       view#<user>                       its place in the private list of a user, or (*) of the admins
    e1       days                              its place in the list of events of several days

Only descriptions and places carry index keys, so a registration writes to no index:

                    status-date                        organizer-date
    description     status          date#eventId       organizerId#status        date#eventId
    private place   private#<user>  date#eventId       <user>#status#private     date#eventId
    days            long or longer  date#eventId       organizerId#long          date#eventId

An unlisted event has private places only: its owner's and the admins'. A co-organizer has one for every event. Lists
find the events that are running through the third kind.

The description and the seats are written together or one by one. `settings` is equal in two that belong together.
Each event has a random `incarnation`, so that items of a deleted event do not count for the next one with its id.
"""

from base64 import b64encode
from datetime import date
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from events.window import Times
from eventsite.dynamodb.base_model import BaseModel, WholeNumberAttribute
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.shapes import text
from eventsite.ids import is_id

E = TypeVar("E", bound="EventItem")

DRAFT = "draft"
STATUSES = (DRAFT, "scheduled", "published", "active", "cancelled", "completed")
OPEN_STATUSES = frozenset({"scheduled", "published", "active"})
"""The statuses in which an event accepts registrations (CONTRACT, rule 8)."""
ADMINS = "*"
"""The owner of the private list of all unlisted events. No user has this id."""
LONG, LONGER = "long", "longer"
"""The lists of events of several days."""
LOOK_BACK = {LONG: 31, LONGER: 366}
"""The days before a list in which a running event may have begun. With more, more ended events are read."""
MARK = 16  # characters, of 6 bits each
MIDNIGHT = "00:00"
IMPORTING = "importing"
"""The value of `edits` in a draft that an import is writing."""


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


class EventItem(BaseModel):
    """The base of all items of an event, with the keys of the table and of its indexes."""

    class Meta(BaseModel.Meta):
        table_name = settings.EVENTS_TABLE
        billing_mode = "PAY_PER_REQUEST"
        expires_by = "expiresAt"  # markers of keyed requests do
        stream_view_type = "NEW_AND_OLD_IMAGES"  # notices are made from it (registrations.notices)

    ITEM = ""
    kinds: ClassVar[dict[str, type["EventItem"]]] = {}
    """The models with a fixed range key, by that key. Each registers itself."""

    event_id = UnicodeAttribute(hash_key=True, attr_name="eventId")
    item = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    organizer_status = UnicodeAttribute(attr_name="organizerStatus", null=True)
    organizer_id = UnicodeAttribute(attr_name="organizerId", null=True)
    incarnation = UnicodeAttribute(default="")

    by_status = StatusDateIndex()
    by_organizer = OrganizerDateIndex()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.ITEM:
            EventItem.kinds[cls.ITEM] = cls

    @classmethod
    def from_raw_data(cls, data: RawItem) -> Any:
        """Return the item as its own model, because a query of an event finds several."""
        if cls is not EventItem:
            return super().from_raw_data(data)
        kind = EventItem.kinds.get(text(data, "item").partition("#")[0])
        return kind.from_raw_data(data) if kind else super().from_raw_data(data)

    @classmethod
    def get(cls: type[E], event_id: str, item: str = "", **options: Any) -> E:  # type: ignore[override]
        """Read this item of an event by the id of the event, as PynamoDB does: ``Event.get("party")``."""
        return super().get(event_id, item or cls.ITEM, **options)

    @classmethod
    def key(cls: type[E], event_id: str) -> E:
        """Return an item with only its key, for an update or a deletion."""
        return cls.named(event_id, cls.ITEM)

    @classmethod
    def find(cls: type[E], event_id: str) -> E | None:
        """Return this item of an event, read consistently, or None."""
        return cls.read(event_id, cls.ITEM) if is_id(event_id) else None


class Place(EventItem):
    """The place of an event in a private list, or in a list of events of several days."""

    end_date = UnicodeAttribute(attr_name="endDate", null=True)
    state = UnicodeAttribute(null=True)
    """The status of the event, in a list of events of several days."""


def private(user_id: str, status: str | None = None) -> str:
    """Return the index key of a private list: without a status in one index, with it in the other."""
    return f"private#{user_id}" if status is None else f"{user_id}#{status}#private"


def mark(user_id: str) -> str:
    """Return the mark of a co-organizer in the seats. It is short, so that the seats stay small."""
    return b64encode(sha256(user_id.encode()).digest())[:MARK].decode()


class _ListAttribute(JSONAttribute):
    """A list as JSON. An empty one is not stored: each page of a list reads a hundred descriptions."""

    def serialize(self, value: Any) -> str | None:
        return str(super().serialize(value)) if value else None


class _FlagAttribute(BooleanAttribute):
    """A flag that is stored only if it is True."""

    def serialize(self, value: Any) -> bool | None:
        return super().serialize(value) if value else None  # type: ignore[no-untyped-call]


class Event(EventItem):
    """The description of an event."""

    ITEM = "event"

    title = UnicodeAttribute()
    description = UnicodeAttribute()
    date = UnicodeAttribute()
    end_date = UnicodeAttribute(attr_name="endDate", null=True)
    location = UnicodeAttribute()
    organizer = UnicodeAttribute()
    organizers = _ListAttribute(null=True, default=list)
    """The ids of the co-organizers."""
    questions = _ListAttribute(null=True, default=list)
    """The questions at sign-up, in the format of the API."""
    unlisted = _FlagAttribute(null=True, default=False)
    start_time = UnicodeAttribute(attr_name="startTime", null=True)
    end_time = UnicodeAttribute(attr_name="endTime", null=True)
    time_zone = UnicodeAttribute(attr_name="timeZone", null=True)
    registration_opens_at = UnicodeAttribute(attr_name="registrationOpensAt", null=True)
    registration_closes_at = UnicodeAttribute(attr_name="registrationClosesAt", null=True)
    version = WholeNumberAttribute()
    settings = WholeNumberAttribute(default=1)
    edits = UnicodeAttribute(default="")
    """The ids of the last edits, so that a repeated edit is recognised."""
    created_at = UnicodeAttribute(attr_name="createdAt")
    updated_at = UnicodeAttribute(attr_name="updatedAt")

    checked_in: int | None = None
    """The number of checked-in people; None if it was not read. It is not stored in this item."""

    def is_run_by(self, user_id: str) -> bool:
        """Return True if the user is the owner or a co-organizer."""
        return user_id in (self.organizer_id, *(self.organizers or ()))

    @property
    def place(self) -> str:
        """The sort key of the event in every list."""
        values = self.attribute_values  # the attributes would take three times as long, which a list notices
        return f"{values['date']}#{values['event_id']}"

    @property
    def index_keys(self) -> dict[str, str | None]:
        """The keys of the indexes by the date, the status and the organizer. An unlisted event is in none."""
        owned = f"{self.organizer_id}#{self.status}" if self.organizer_id else None
        return {"sort": None if self.unlisted else self.place, "organizer_status": owned}

    def set_index_keys(self) -> dict[str, str | None]:
        """Set the keys of the indexes, and return those that have changed."""
        changed = {name: key for name, key in self.index_keys.items() if getattr(self, name) != key}
        for name, key in changed.items():
            setattr(self, name, key)
        return changed

    @property
    def places(self) -> dict[str, EventItem]:
        """The places of the event in further lists, by their range keys."""
        owner, length = self.organizer_id, self.length
        users = {*(self.organizers or ()), *((owner, ADMINS) if self.unlisted else ())} - {None}
        places = [self._place(f"view#{one}", private(one), private(one, self.status)) for one in sorted(users)]
        if length and not self.unlisted:
            places.append(self._place("days", length, owner and f"{owner}#{length}", state=self.status))
        return {place.item: place for place in places}

    def _place(self, item: str, status: str, organizer_status: str | None, state: str | None = None) -> Place:
        """Return the place in the lists that have these keys in the two indexes."""
        keys: dict[str, Any] = {"status": status, "organizer_status": organizer_status, "sort": self.place}
        return Place(self.event_id, item, incarnation=self.incarnation, end_date=self.later_day, state=state, **keys)

    @property
    def length(self) -> str | None:
        """`LONG` or `LONGER` for an event that runs on several days, else None."""
        if (last := self.later_day) is None:
            return None
        days = (date.fromisoformat(last) - date.fromisoformat(self.date)).days
        return LONG if days <= LOOK_BACK[LONG] else LONGER

    @property
    def later_day(self) -> str | None:
        """The last day, if it is not the first. An event that ends at midnight has no second one."""
        if not (self.end_date or self.end_time):
            return None
        times = Times.of(self)
        last = times.end_date if times.end_time == MIDNIGHT else times.last_day.isoformat()
        return last if last and last > self.date else None
