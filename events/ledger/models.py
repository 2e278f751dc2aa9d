"""The items that give the seats of an event: counters, exits, promotions and the admission queue."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, MapAttribute, NumberSetAttribute, UnicodeAttribute

from events.models import EventItem, mark
from eventsite.dynamodb.base_model import WholeNumberAttribute


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
    """By chunk of tickets: how many people of it left the queue."""
    records: MapAttribute[str, Any] = MapAttribute(default=dict)
    """What was committed here and is perhaps not yet written elsewhere, by ``operation~user``."""
    passed = WholeNumberAttribute(default=0)
    """The number at the turnstile of who committed last, of those who had one."""
    generation = WholeNumberAttribute(default=0)
    """Drawn at random for each event, and one more with each fence: a commit planned before it is refused."""

    def is_run_by(self, user_id: str) -> bool:
        """Return whether a user is the owner or a co-organizer."""
        return user_id == self.organizer_id or mark(user_id) in (self.organizer_marks or "").split()

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
    """The tickets of one chunk whose people left the queue without having had a seat."""

    tickets = NumberSetAttribute()


class Promotion(EventItem):
    """One move of the queue: everybody who waited with a ticket from `first` to the one in its key got a seat."""

    first = WholeNumberAttribute()
    at = UnicodeAttribute()


class AdmissionQueue(EventItem):
    """How many have taken a number, in all the crowds there ever were before the seats."""

    entered = WholeNumberAttribute(default=0)


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
