"""The items of the seat protocol: counters, exit tombstones, promotions and the admission queue."""

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Self

from pynamodb.attributes import BooleanAttribute, JSONAttribute, MapAttribute, NumberSetAttribute, UnicodeAttribute

from events.ledger import operations
from events.models import Event, EventItem, mark
from eventsite.dynamodb.base_model import WholeNumberAttribute, WholeNumbersAttribute
from eventsite.dynamodb.expiring import ExpiringItem

OF_ONE_MOMENT = ("incarnation", "settings")
"""The attributes that are equal in a description and the seats that belong together."""
COUNTS = ("capacity", "waitlist_enabled", "registered", "waiting")
"""The attributes of the seats that the API shows."""
BUCKETS = 24  # of users; more would lengthen the seats, fewer would make more users share a fencing epoch


class Seats(EventItem):
    """The counters of an event, whose conditional update decides every registration (docs/protocol.md).

    Each user who joins gets the next ticket: 1, 2, 3 and so on. `seated_through` is a watermark: an active ticket up
    to it has a seat, an active ticket above it waits.
    """

    ITEM = "seats"

    capacity = WholeNumberAttribute()
    waitlist_enabled = BooleanAttribute(attr_name="waitlistEnabled")
    open = BooleanAttribute()
    organizer_marks = UnicodeAttribute(attr_name="organizerMarks", null=True)
    """The marks of the co-organizers (`events.models.mark`), separated by spaces."""
    asks = BooleanAttribute(null=True)
    """True if the event asks questions at sign-up."""
    settings = WholeNumberAttribute(default=1)
    edited_at = WholeNumberAttribute(attr_name="at", null=True)
    """When an edit or the audit last changed the seats, in microseconds since the Unix epoch, for the stream."""
    opens_at = WholeNumberAttribute(attr_name="opensAt", null=True)
    closes_at = WholeNumberAttribute(attr_name="closesAt", null=True)
    ends_at = WholeNumberAttribute(attr_name="endsAt", null=True)
    """The window, in seconds since the Unix epoch; None is no limit."""
    registered = WholeNumberAttribute(default=0)
    waiting = WholeNumberAttribute(default=0)
    tickets = WholeNumberAttribute(default=0)
    seated_through = WholeNumberAttribute(attr_name="served", default=0)
    moved = WholeNumberAttribute(default=0)
    """The first ticket of the last promotion."""
    waitlist_exits = WholeNumberAttribute(attr_name="quits", default=0)
    left = WholeNumberAttribute(default=0)
    exit_counts: MapAttribute[str, Any] = MapAttribute(attr_name="gone", default=dict)
    """The number of waitlist exits by range of tickets (`events.ledger.queue`)."""
    exit_width = WholeNumberAttribute(attr_name="exitWidth", default=512)
    """Tickets in one range of `exit_counts`."""
    exits_from = WholeNumberAttribute(attr_name="exitsFrom", default=0)
    """The first ticket that `exit_counts` counts."""
    log_entries: MapAttribute[str, Any] = MapAttribute(attr_name="records", default=dict)
    """The commit log (`events.ledger.log`)."""
    now_serving = WholeNumberAttribute(attr_name="passed", default=0)
    """The ticket of the admission queue whose request committed last."""
    by = UnicodeAttribute(null=True)
    """The caller who requested the last committed operation (`operations.actor`), for the stream; None if unknown."""
    epochs = WholeNumbersAttribute(BUCKETS)
    """The fencing epochs: for each bucket of users, the number of their operations that were committed or fenced."""

    @classmethod
    @cache
    def shown(cls) -> tuple[str, ...]:
        """Return the stored names of the attributes that a list of events reads. The others are most of the item."""
        attributes = cls.get_attributes()
        return tuple(attributes[name].attr_name for name in ("event_id", "item", *OF_ONE_MOMENT, *COUNTS))

    def is_run_by(self, user_id: str) -> bool:
        """Return True if the user is the owner or a co-organizer."""
        return user_id == self.organizer_id or mark(user_id) in (self.organizer_marks or "").split()

    @property
    def committed(self) -> dict[str, Any]:
        """Return the commit log as it is stored."""
        return _plain(self.log_entries)

    @property
    def exits(self) -> dict[int, int]:
        """Return the number of waitlist exits by the number of their range."""
        return {int(number): int(count) for number, count in _plain(self.exit_counts).items()}

    @property
    def width(self) -> int:
        """Return the number of tickets in one range of `exits`."""
        return int(self.exit_width)

    def bucket_of(self, user_id: str) -> int:
        """Return the index in `epochs` that belongs to a user."""
        return self.bucket_of_token(operations.token_of(user_id))

    def bucket_of_token(self, token: str) -> int:
        """Return the index in `epochs` that belongs to the user of a log entry."""
        return zlib.crc32(token.encode()) % len(self.epochs)

    @classmethod
    @cache
    def epoch_of(cls, bucket: int) -> Any:
        """Return the path of the epoch of a bucket, to compare or to set it."""
        return cls.epochs[bucket]

    def is_unchanged_for(self, user_id: str, before: "Seats") -> bool:
        """Return True if no operation of the user was committed since `before` was read.

        False is also possible after an operation of another user in the same bucket.
        """
        bucket = self.bucket_of(user_id)
        return bool(self.incarnation == before.incarnation and self.epochs[bucket] == before.epochs[bucket])

    @property
    def admits(self) -> bool:
        """Return True if the counters let another user join, whatever the window."""
        return bool(self.open and (self.waitlist_enabled or (self.free and not self.waiting)))

    def has_ended(self, now: int) -> bool:
        """Return True if the event is over, so that no user is admitted or promoted.

        Args:
            now: Seconds since the Unix epoch.
        """
        return self.ends_at is not None and now >= self.ends_at

    def has_opened(self, now: int) -> bool:
        return self.opens_at is None or now >= self.opens_at

    def has_closed(self, now: int) -> bool:
        """Return True if attendees may no longer sign up. Organizers may add people until the event ends."""
        return self.has_ended(now) or (self.closes_at is not None and now >= self.closes_at)

    def promotes(self, now: int) -> bool:
        """Return True if a freed seat goes to the head of the waitlist."""
        return bool(self.open and not self.has_ended(now))

    @property
    def free(self) -> int:
        """Return the number of free seats. A closed event has none."""
        return max(0, int(self.capacity - self.registered)) if self.open else 0


class CheckIns(EventItem):
    """The number of people who are checked in, and the last of them.

    The range key sorts between those of the description and the seats, so that one query reads all three.
    """

    ITEM = "in"

    people = WholeNumberAttribute(default=0)
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    """The last person who was checked in, with their ticket and the time.

    Each change appears in the stream, where `registrations.notices` reads it.
    """
    ticket = WholeNumberAttribute(null=True)
    at = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    """The id of the helper who checked the person in; None if helpers do not sign in."""

    @staticmethod
    def name(incarnation: str) -> str:
        return f"in#{incarnation}"

    @classmethod
    def of(cls, seats: Seats) -> Self:
        """Return the key of the item of an event."""
        return cls.named(seats.event_id, cls.name(seats.incarnation))

    @staticmethod
    def is_named(item: str) -> bool:
        """Return True if `item` is a range key that `name` made."""
        return item.startswith("in#")


def _plain(values: Any) -> dict[str, Any]:
    """Return a map as a dict. PynamoDB reads a stored map as a dict, but the default is a `MapAttribute`."""
    return dict(values.as_dict() if isinstance(values, MapAttribute) else values)


class ExitTombstones(EventItem):
    """The waitlist exits among some consecutive tickets (`queue.PER_ITEM`)."""

    exits = NumberSetAttribute(attr_name="tickets")

    @staticmethod
    def name(incarnation: str, number: int) -> str:
        return f"tickets#{incarnation}#exits#{number:08}"


class Promotion(EventItem):
    """One move of the waitlist: the waiting tickets from `first`, which is also in the range key, got seats."""

    first = WholeNumberAttribute()
    at = UnicodeAttribute()


class AdmissionQueue(ExpiringItem):
    """The number of requests that drew a ticket to wait for the seats of a busy event.

    It has a partition of its own, so that it takes no write capacity from the seats.
    """

    ITEM = "admission-queue"

    entered = WholeNumberAttribute(default=0)

    @classmethod
    def key_of(cls, seats: Seats) -> tuple[str, str]:
        return f"queue#{seats.event_id}#{seats.incarnation}", cls.ITEM


class Intent(ExpiringItem):
    """The part of an operation that is too long for the commit log.

    It is deleted when the operation is applied.
    """

    ITEM = "intent"

    user_id = UnicodeAttribute(attr_name="userId")
    answers = JSONAttribute(null=True)

    @classmethod
    def key_of(cls, seats: Seats, operation: str) -> tuple[str, str]:
        return f"intent#{seats.incarnation}#{operation}", cls.ITEM


class CancellationOutbox(EventItem):
    """Some of the people whose registrations ended with an event, and the event's description.

    It exists to appear in the stream, from which they are notified, and is deleted soon after. The first one, of no
    person, is written by the deletion itself: it has the description for the others, and shows that people may be left.
    """

    people = UnicodeAttribute()
    """Tickets and user ids, as in ``5:alice 7:bob``."""
    title = UnicodeAttribute(null=True)
    date = UnicodeAttribute(null=True)
    end_date = UnicodeAttribute(attr_name="endDate", null=True)
    location = UnicodeAttribute(null=True)
    organizer = UnicodeAttribute(null=True)
    start_time = UnicodeAttribute(attr_name="startTime", null=True)
    end_time = UnicodeAttribute(attr_name="endTime", null=True)
    time_zone = UnicodeAttribute(attr_name="timeZone", null=True)
    version = WholeNumberAttribute(null=True)
    created_at = UnicodeAttribute(attr_name="createdAt", null=True)
    updated_at = UnicodeAttribute(attr_name="updatedAt", null=True)

    @classmethod
    def of(cls, described: EventItem, people: Sequence[tuple[int, str]] = ()) -> Self:
        """Return the item for some people.

        Args:
            described: The description of the event, or another outbox of it.
            people: Their tickets and user ids; none for the first item.
        """
        first = people[0][0] if people else 0
        texts = " ".join(f"{ticket}:{user_id}" for ticket, user_id in people)
        outbox = cls(described.event_id, cls.name(described.incarnation, first), people=texts)
        for name in ("incarnation", "organizer_id", *OF_A_DELETED_EVENT):
            setattr(outbox, name, getattr(described, name))
        return outbox

    @staticmethod
    def name(incarnation: str, ticket: int) -> str:
        """Return the range key of the item whose first person has this ticket. The first item has ticket 0."""
        return f"tickets#{incarnation}#outbox#{ticket:010}"

    @staticmethod
    def is_named(item: str) -> bool:
        """Return True if `item` is a range key that `name` made."""
        return item.startswith("tickets#") and "#outbox#" in item

    @property
    def holders(self) -> dict[int, str]:
        """Return the user ids by ticket."""
        pairs = (one.partition(":") for one in self.people.split())
        return {int(ticket): user_id for ticket, _, user_id in pairs}


_DESCRIBED = CancellationOutbox.get_attributes().keys() & Event.get_attributes().keys()
OF_A_DELETED_EVENT = tuple(sorted(_DESCRIBED - EventItem.get_attributes().keys() | {"status"}))
"""The attributes of a deleted event that its people see in the cancellation notice."""
