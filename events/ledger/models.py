"""The items that give the seats of an event: counters, exits, promotions and the admission queue."""

import zlib
from typing import Any

from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
)
from pynamodb.constants import LIST

from events.ledger import operations
from events.models import EventItem, mark
from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem

BUCKETS = 24  # of users; more would make the seats longer, fewer would let more users collide


class EpochsAttribute(Attribute[list[int]]):
    """A list of integers."""

    attr_type = LIST

    def serialize(self, value: list[int]) -> list[dict[str, str]]:
        """Return the list as DynamoDB has it."""
        return [{"N": str(number)} for number in value]

    def deserialize(self, value: list[dict[str, str]]) -> list[int]:
        """Return the list that DynamoDB has."""
        return [int(number["N"]) for number in value]


class Seats(EventItem):
    """The counters of an event, and what decides who gets a seat (docs/protocol.md).

    Everybody who is let in gets the next ticket, 1, 2, 3 and so on. Whose ticket is at most `served` has a seat; whose
    ticket is above it waits.
    """

    ITEM = "seats"

    capacity = WholeNumberAttribute()
    waitlist_enabled = BooleanAttribute(attr_name="waitlistEnabled")
    open = BooleanAttribute()
    organizer_marks = UnicodeAttribute(attr_name="organizerMarks", null=True)
    """The marks of the co-organizers, separated by spaces."""
    asks = BooleanAttribute(null=True)
    """True where the event asks questions at sign-up."""
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
    """How many left the queue, by range of tickets: see `events.ledger.queue`."""
    exit_width = WholeNumberAttribute(attr_name="exitWidth", default=512)
    """Tickets in a range."""
    exits_from = WholeNumberAttribute(attr_name="exitsFrom", default=0)
    """The first ticket that the counts are about."""
    records: MapAttribute[str, Any] = MapAttribute(default=dict)
    """The commit log: see `events.ledger.log`."""
    now_serving = WholeNumberAttribute(attr_name="passed", default=0)
    """The ticket of the admission queue that committed last."""
    epochs = EpochsAttribute(default=lambda: [0] * BUCKETS)
    """The fencing epochs, by bucket of users: how many of their operations were committed, or fenced off."""

    def is_run_by(self, user_id: str) -> bool:
        """Return whether a user is the owner or a co-organizer."""
        return user_id == self.organizer_id or mark(user_id) in (self.organizer_marks or "").split()

    @property
    def committed(self) -> dict[str, Any]:
        """Return the commit log as it is stored."""
        return _plain(self.records)

    @property
    def exits(self) -> dict[int, int]:
        """Return how many left the queue, by the number of the range."""
        return {int(number): int(count) for number, count in _plain(self.gone).items()}

    @property
    def width(self) -> int:
        """Return how many tickets are in a range of the exits."""
        return int(self.exit_width)

    def bucket_of(self, user_id: str) -> int:
        """Return which of the epochs belongs to a user."""
        return self.bucket_of_token(operations.token_of(user_id))

    def bucket_of_token(self, token: str) -> int:
        """Return which of the epochs belongs to the user of a log entry."""
        return zlib.crc32(token.encode()) % len(self.epochs)

    def is_unchanged_for(self, user_id: str, before: "Seats") -> bool:
        """Return whether no operation of a user was committed since an earlier look."""
        bucket = self.bucket_of(user_id)
        return bool(self.incarnation == before.incarnation and self.epochs[bucket] == before.epochs[bucket])

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


class CheckIns(EventItem):
    """How many people are in. It lies between the description and the seats, so that one query reads all three."""

    ITEM = "in"

    people = WholeNumberAttribute(default=0)
    user_id = UnicodeAttribute(attr_name="userId", null=True)
    """The last person who came in, with their ticket and the time: the stream shows each to `registrations.notices`."""
    ticket = WholeNumberAttribute(null=True)
    at = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    """The helper who checked the person in, where people sign in."""

    @staticmethod
    def name(incarnation: str) -> str:
        """Return the range key of the count of an event."""
        return f"in#{incarnation}"

    @staticmethod
    def is_named(item: str) -> bool:
        """Return whether a range key is that of such a count."""
        return item.startswith("in#")


def _plain(values: Any) -> dict[str, Any]:
    """What a map holds: one that was read is a dict already."""
    return dict(values.as_dict() if isinstance(values, MapAttribute) else values)


class ExitTombstones(EventItem):
    """The tickets, of some that follow one another, whose owners left the queue."""

    exits = NumberSetAttribute(attr_name="tickets")

    @staticmethod
    def name(incarnation: str, number: int) -> str:
        """Return the range key of the item with this number."""
        return f"tickets#{incarnation}#exits#{number:08}"


class Promotion(EventItem):
    """One move of the queue: everybody who waited with a ticket from `first` to the one in its key got a seat."""

    first = WholeNumberAttribute()
    at = UnicodeAttribute()


class AdmissionQueue(ExpiringItem):
    """How many requests have drawn a ticket to wait for the seats of an event; it has a partition of its own."""

    ITEM = "admission-queue"

    entered = WholeNumberAttribute(default=0)

    @classmethod
    def key_of(cls, seats: Seats) -> tuple[str, str]:
        """Return the key of an event's queue."""
        return f"queue#{seats.event_id}#{seats.incarnation}", cls.ITEM


class Intent(ExpiringItem):
    """What an operation needs to be applied and the log has no space for; it goes when the operation is applied."""

    ITEM = "intent"

    user_id = UnicodeAttribute(attr_name="userId")
    answers = JSONAttribute(null=True)

    @classmethod
    def key_of(cls, seats: Seats, operation: str) -> tuple[str, str]:
        """Return the key of an operation's intent."""
        return f"intent#{seats.incarnation}#{operation}", cls.ITEM


class CancellationOutbox(EventItem):
    """Some of the people whose registrations ended with an event: written for its stream, and soon removed."""

    people = UnicodeAttribute()
    """``5:alice 7:bob``: their tickets and their ids."""
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
