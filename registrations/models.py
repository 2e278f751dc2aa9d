"""The registrations table (docs/protocol.md).

    key                             item                    what it holds
    <user>                          registration#<event>    the user's registration, active or given up
    <event>#<incarnation>#<0 or 1>  ticket#<ticket>         the owner of the ticket: the event's people in order
    <event>#<incarnation>#<0 or 1>  cancelled#<ticket>      the owner of a ticket that was given up

The table does not record whether a ticket has a seat or waits. That follows from the watermark in the seats.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from heapq import merge
from itertools import islice
from typing import Any, Self

from django.conf import settings
from pynamodb.attributes import BooleanAttribute, JSONAttribute, UnicodeAttribute

from events.ledger import operations
from events.ledger.models import Seats
from eventsite.dynamodb.base_model import BaseModel, WholeNumberAttribute
from eventsite.dynamodb.connection import Call, RawItem
from eventsite.dynamodb.reads import Page, Range, query_pages
from eventsite.dynamodb.shapes import text
from eventsite.ids import is_id

REGISTERED, WAITLISTED, CANCELLED = "registered", "waitlisted", "cancelled"
EVERYBODY = "everybody"
"""As the status to list: registered and waitlisted people of an event."""
ACTIVE = "active"
"""Registered or waitlisted."""
REMEMBERED_OPERATIONS = 8  # ids; an operation that is older than these is not recognised as applied
EVERY_ITEM = "!", "~"
"""Below and above all range keys."""
EVERY_LINE = 10**9  # lines, more than any event has; DynamoDB takes a limit of 32 bits
PARTITIONS = 2  # for the lines of an event; with one, applying (2 write units) would be slower than committing (1)
SPARE = 4  # lines read from a partition beyond its share, because some tickets are not in use any more


@dataclass
class Registration:
    """The registration of one user for one event, as the API shows it."""

    event_id: str
    user_id: str
    registration_id: str
    status: str
    registered_at: str
    promoted_at: str | None = None
    cancelled_at: str | None = None
    position: int | None = None
    """The 1-based position on the waitlist; None unless waitlisted."""
    ticket: int = 0
    """The ticket, which orders all registrations for the event."""
    waited: bool = False
    """True if the user joined the waitlist at first."""
    answers: dict[str, Any] | None = None
    """The answers to the event's questions, by the question's id."""
    checked_in_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return all fields, so that `Registration(**fields)` is equal to this one."""
        return asdict(self)


class RegistrationItem(BaseModel):
    """The attributes that all items of the table have in common."""

    class Meta(BaseModel.Meta):
        table_name = settings.REGISTRATIONS_TABLE
        billing_mode = "PAY_PER_REQUEST"

    FORMER_ITEMS = "active#"

    key = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)
    ticket = WholeNumberAttribute(null=True)
    waited = BooleanAttribute(default=False)
    """True if the ticket was given for the waitlist, not for a seat."""
    registration_id = UnicodeAttribute(attr_name="registrationId", null=True)
    registered_at = UnicodeAttribute(attr_name="registeredAt", null=True)
    promoted_at = UnicodeAttribute(attr_name="promotedAt", null=True)
    cancelled_at = UnicodeAttribute(attr_name="cancelledAt", null=True)
    incarnation = UnicodeAttribute(default="")
    answers = JSONAttribute(null=True)
    """The answers to the event's questions, by the question's id."""
    checked_in_at = UnicodeAttribute(attr_name="checkedInAt", null=True)


class UserRegistration(RegistrationItem):
    """A user's registration for an event: the active one, or else the last one that was given up."""

    active = BooleanAttribute()
    operations = UnicodeAttribute(default="")
    """The ids of the last operations that changed it; the last one is its tag."""
    successor = WholeNumberAttribute(null=True)
    """The ticket that got the seat when the user left last, if any."""
    left_by = UnicodeAttribute(attr_name="leftBy", null=True)
    """The id of that leaving. A request whose answer was lost recognises its own outcome by it."""

    PREFIX = "registration#"

    @classmethod
    def key_of(cls, event_id: str, user_id: str) -> tuple[str, str]:
        return user_id, f"{cls.PREFIX}{event_id}"

    @property
    def user_id(self) -> str:
        return str(self.key)

    @property
    def event_id(self) -> str:
        return str(self.item).removeprefix(self.PREFIX)

    def was_changed_by(self, operation: str) -> bool:
        """Return True if an operation is among the last ones that changed the registration."""
        return operation in self.operations.split()

    def operations_and(self, operation: str) -> str:
        """Return the value of `operations` after one more operation."""
        return " ".join([*self.operations.split(), operation][-REMEMBERED_OPERATIONS:])

    @staticmethod
    def tag(row: "UserRegistration | None", incarnation: str) -> str:
        """Return the tag of a registration, or an empty string if there is none for this incarnation."""
        if row is None or row.incarnation != incarnation:
            return ""
        return operations.tag_of(row.operations.rpartition(" ")[2])

    def is_in(self, incarnation: str) -> bool:
        """Return True if the user has a seat or waits in this incarnation of the event."""
        return bool(self.active and self.incarnation == incarnation)


class EventTicket(RegistrationItem):
    """A line in the list of an event: the owner, or former owner, of a ticket."""

    user_id = UnicodeAttribute(attr_name="userId", null=True)

    @property
    def is_active(self) -> bool:
        """Return True if the ticket has not been given up."""
        return str(self.item).startswith("ticket#")

    @staticmethod
    def partitions(event_id: str, incarnation: str) -> list[str]:
        """Return the hash keys of an event's lines. Its tickets go to them in turn."""
        return [f"{event_id}#{incarnation}#{number}" for number in range(PARTITIONS)]

    @classmethod
    def in_order(
        cls, event_id: str, incarnation: str, between: tuple[str, str] = EVERY_ITEM, *, limit: int
    ) -> "Iterator[Self]":
        """Yield an event's lines in the order of their range keys, strongly consistent.

        Args:
            event_id: The event.
            incarnation: The incarnation of the event.
            between: The lowest and the highest range key.
            limit: The maximum number of lines. Each partition is read in pages of about its share.
        """
        ranges, share = cls._ranges(event_id, incarnation, between), limit // PARTITIONS + SPARE
        pages = query_pages(*(one.page(limit=share) for one in ranges))
        streams = [_lines(one, page, share) for one, page in zip(ranges, pages, strict=True)]
        for line in islice(merge(*streams, key=lambda line: text(line, "item")), limit):
            yield cls.parse(line)

    @classmethod
    def first_pages(cls, event_id: str, incarnation: str, between: tuple[str, str], *, limit: int) -> list[Call]:
        """Return the first calls of `in_order` for the same lines."""
        return [one.page(limit=limit // PARTITIONS + SPARE) for one in cls._ranges(event_id, incarnation, between)]

    @classmethod
    def _ranges(cls, event_id: str, incarnation: str, between: tuple[str, str]) -> list[Range]:
        return [Range(cls, partition, between, consistent=True) for partition in cls.partitions(event_id, incarnation)]

    @classmethod
    def key_of(cls, event_id: str, incarnation: str, ticket: int, *, cancelled: bool = False) -> tuple[str, str]:
        """Return the key of the line of an active ticket, or of one that was given up."""
        partition = cls.partitions(event_id, incarnation)[ticket % PARTITIONS]
        return partition, f"{'cancelled' if cancelled else 'ticket'}#{ticket:010}"

    @classmethod
    def keys_between(cls, first: int, last: int, *, cancelled: bool = False) -> tuple[str, str]:
        """Return the range keys of the tickets `first` and `last`."""
        kind = "cancelled" if cancelled else "ticket"
        return f"{kind}#{first:010}", f"{kind}#{last:010}"


def _lines(wanted: Range, page: Page, share: int) -> Iterator[RawItem]:
    """Yield the items of a range from its first page on."""
    items, after = page
    yield from items
    if after:
        yield from wanted.items(share, after)


KEPT = tuple(RegistrationItem.get_attributes().keys() - {"key", "item"})
"""The attributes that a registration and its line have in common. A new attribute of the model is one of them."""
FIXED = {"ticket", "waited", "registration_id", "registered_at", "promoted_at", "cancelled_at", "incarnation"}
"""Those of them that do not change while the registration is active."""
ANNOTATIONS = tuple(name for name in KEPT if name not in FIXED)
SHOWN = tuple(one.name for one in fields(Registration) if one.name in KEPT)
"""The attributes that the API shows as they are stored."""


def standing(ticket: int, seats: Seats, cancelled: bool) -> str:
    """Return the status of a registration: up to the watermark a ticket has a seat, above it waits."""
    if cancelled:
        return CANCELLED
    return REGISTERED if ticket <= seats.seated_through else WAITLISTED


def first_standing(waited: bool) -> str:
    """Return the status that a registration had when it was made."""
    return WAITLISTED if waited else REGISTERED


def registration_of(
    item: UserRegistration | EventTicket, event_id: str, status: str, position: int | None = None
) -> Registration:
    """Return the registration of an item."""
    values = item.attribute_values  # the attributes would take a fifth of the CPU time of a list
    shown: dict[str, Any] = {name: values.get(name) for name in SHOWN}
    shown["ticket"] = shown["ticket"] or 0
    return Registration(event_id=event_id, user_id=item.user_id, status=status, position=position, **shown)


def registration_as_of(
    seats: Seats, item: UserRegistration | EventTicket, *, cancelled: bool, position: int | None = None
) -> Registration:
    """Return the registration of an item, as of the moment at which the seats were read."""
    status = standing(item.attribute_values.get("ticket") or 0, seats, cancelled)
    return registration_of(item, seats.event_id, status, position)


def registrations_of(
    user_id: str, *, active: bool, first: int = 100, after: str | None = None
) -> Iterator[UserRegistration]:
    """Yield a user's registrations in the order of the event ids, strongly consistent.

    Args:
        user_id: The user.
        active: True for the active registrations, False for those that were given up.
        first: The number of registrations that the caller probably takes.
        after: The event id to start after.
    """
    if not is_id(user_id):
        return
    prefix = UserRegistration.PREFIX
    start = {"key": {"S": user_id}, "item": {"S": f"{prefix}{after}"}} if after else None
    wanted = Range(UserRegistration, user_id, (f"{prefix}{after or ''}", f"{prefix}~"), consistent=True)
    for item in wanted.items(first, start):
        row = UserRegistration.parse(item)
        if row.active == active:
            yield row
