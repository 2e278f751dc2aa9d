"""The registrations table: one item per event and user, so a second active registration cannot exist.

`standing` is one sort key for every question about status and order:

    registered#<since when>     waitlisted#<since when>     cancelled#<since when>

    event-standing  (local)   eventId, standing    who is in, who waits and in what order; strongly consistent
    user-standing   (global)  userId, standing     a user's registrations, waitlists and history
"""

from django.conf import settings
from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex

from events.models import Event
from eventsite.dynamodb.records import Record
from eventsite.ids import is_id

REGISTERED, WAITLISTED, CANCELLED = "registered", "waitlisted", "cancelled"
KEYS = ("eventId", "userId", "standing")
ACTIVE = "active"
"""Registered or waitlisted: the two are neighbours in the order of `standing`, and cancelled comes before both."""


class EventStandingIndex(LocalSecondaryIndex["Registration"]):
    """An event's registrations by standing; strongly consistent, so the head of the queue is never stale."""

    class Meta:
        index_name = "event-standing"
        projection = AllProjection()

    event_id = UnicodeAttribute(hash_key=True, attr_name="eventId")
    standing = UnicodeAttribute(range_key=True)


class UserStandingIndex(GlobalSecondaryIndex["Registration"]):
    """A user's registrations by standing."""

    class Meta:
        index_name = "user-standing"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    standing = UnicodeAttribute(range_key=True)


class Registration(Record):
    """What one user has to do with one event."""

    class Meta(Record.Meta):
        table_name = settings.REGISTRATIONS_TABLE
        billing_mode = "PAY_PER_REQUEST"

    event_id = UnicodeAttribute(hash_key=True, attr_name="eventId")
    user_id = UnicodeAttribute(range_key=True, attr_name="userId")
    standing = UnicodeAttribute()
    registration_id = UnicodeAttribute(attr_name="registrationId")
    registered_at = UnicodeAttribute(attr_name="registeredAt")
    promoted_at = UnicodeAttribute(attr_name="promotedAt", null=True)
    cancelled_at = UnicodeAttribute(attr_name="cancelledAt", null=True)

    by_event = EventStandingIndex()
    by_user = UserStandingIndex()

    position: int | None = None
    """The rank in the queue, from 1; not stored, set by `seating` where an answer needs it."""

    @property
    def status(self) -> str:
        """registered, waitlisted or cancelled."""
        return str(self.standing.partition("#")[0])

    @property
    def is_active(self) -> bool:
        """Whether the user holds a seat or waits for one."""
        return self.status != CANCELLED

    def is_of(self, event: Event) -> bool:
        """Whether this is about the event as it is: the history of one that was deleted may bear the same id."""
        return self.is_active or self.registered_at >= event.created_at

    @classmethod
    def find(cls, event_id: str, user_id: str) -> "Registration | None":
        """The registration, read consistently, or None."""
        if not (is_id(event_id) and is_id(user_id)):
            return None
        try:
            return cls.get(event_id, user_id, consistent_read=True)
        except cls.DoesNotExist:
            return None

    @classmethod
    def queue(cls, event_id: str, count: int) -> "list[Registration]":
        """The next in line: the `count` who have waited longest."""
        found = cls.by_event.query(event_id, has_status(WAITLISTED), consistent_read=True, limit=count)
        return list(found)

    @classmethod
    def rank(cls, waiting: "Registration") -> int:
        """The place in the queue of somebody who waits, from 1; of somebody who just moved up, the last one before."""
        before = waiting.standing[:-1]  # sorts right before the whole of it
        ahead = cls.standing.between(f"{WAITLISTED}#", before)
        return 1 + cls.by_event.count(waiting.event_id, ahead, consistent_read=True)


def has_status(status: str) -> Condition:
    """The key condition, or write condition, that a registration has this status (or is `ACTIVE`)."""
    if status == ACTIVE:
        return Registration.standing >= f"{REGISTERED}#"
    return Registration.standing.startswith(f"{status}#")


def cancelled_since(at: str) -> Condition:
    """The key condition that a registration was cancelled at this time or later."""
    return Registration.standing.between(f"{CANCELLED}#{at}", f"{CANCELLED}#~")


def cancelled_until(at: str) -> Condition:
    """The key condition that a registration was cancelled at this time or before."""
    return Registration.standing.between(f"{CANCELLED}#", f"{CANCELLED}#{at}")


def cancelled(at: str) -> list[Action]:
    """The actions that turn any registration into a cancelled one."""
    return [Registration.standing.set(f"{CANCELLED}#{at}"), Registration.cancelled_at.set(at)]


def promoted(waiting: Registration, at: str) -> list[Action]:
    """The actions that give a waiting user a seat; people promoted together stay in the order of the queue."""
    since = waiting.standing.partition("#")[2]
    return [Registration.standing.set(f"{REGISTERED}#{at}#{since}"), Registration.promoted_at.set(at)]


def cursor_of(registration: Registration) -> list[str]:
    """Where a page that ends with this registration continues."""
    return [registration.event_id, registration.user_id, registration.standing]


def start_after(after: list[str] | None) -> dict[str, dict[str, str]] | None:
    """The ExclusiveStartKey of both indexes for a cursor."""
    return {name: {"S": part} for name, part in zip(KEYS, after, strict=True)} if after else None
