"""A request for one registration, and the memory of a process."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from events.ledger import operations
from events.ledger.models import Seats
from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.steps import Draw, Now, Steps
from registrations.models import UserRegistration

REMEMBERED_EVENTS = 256  # events; more would take memory, fewer would cost reads


class TakenOver(Exception):
    """Another copy of the keyed request has taken the request over, because this one seemed to have crashed."""


class Memory:
    """What one server process remembers to save reads. No guarantee depends on it."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, Seats] = OrderedDict()
        self._applied: OrderedDict[str, set[str]] = OrderedDict()
        self._guard = threading.Lock()

    def last_look(self, event_id: str) -> Seats | None:
        """Return the seats as last read if they admitted no user then, else None."""
        return self._looks.get(event_id)

    def look(self, seats: Seats, *, admits: bool) -> None:
        """Remember the seats of an event that admits no user, and forget those of an event that does."""
        with self._guard:
            self._looks.pop(seats.event_id, None)
            if not admits:
                self._looks[seats.event_id] = seats
                if len(self._looks) > REMEMBERED_EVENTS:
                    self._looks.popitem(last=False)

    def applied(self, event_id: str) -> set[str]:
        """Return the applied operations of an event whose entries may still be in the log."""
        with self._guard:
            return set(self._applied.get(event_id, ()))

    def remember(self, event_id: str, operation: str) -> None:
        """Record that an operation is applied."""
        with self._guard:
            self._applied.setdefault(event_id, set()).add(operation)
            self._applied.move_to_end(event_id)
            if len(self._applied) > REMEMBERED_EVENTS:
                self._applied.popitem(last=False)

    def keep_only(self, event_id: str, operations: set[str]) -> None:
        """Forget the operations that are not in the log any more.

        Args:
            event_id: The event.
            operations: The operations in the log.
        """
        with self._guard:
            known = self._applied.get(event_id)
            if known is not None:
                known &= operations
                if not known:
                    del self._applied[event_id]


MEMORY = Memory()  # of this process


@dataclass
class Request:
    """A request to register or to leave. Each attempt is an operation with an id of its own."""

    event_id: str
    user_id: str
    scope: Scope
    organizes: Scope = NOTHING
    answers: dict[str, Any] | None = None
    keyed: IdempotentRequest | None = None
    by: str | None = None
    """The id of the caller; None if the caller is not signed in, or is the service itself."""
    memory: Memory = field(default_factory=lambda: MEMORY)
    ticket: int = 0
    """Its ticket in the admission queue; 0 while it has met no contention."""
    operation: str = ""
    """The id of the present operation; empty before the first."""
    seen: Seats | None = None
    """The seats as last read."""
    first: str = ""
    """What a first joining follows: the tag of the user, once the user is read."""
    in_doubt: bool = False
    """True if an operation may have been executed for an event that is gone."""
    at_once: bool = True
    """True while an attempt to commit and apply in one transaction is worthwhile."""

    @property
    def has_long_id(self) -> bool:
        """Return True if the log can hold only a hash of the user's id."""
        return operations.user_of(operations.token_of(self.user_id)) is None

    def before(self, row: UserRegistration | None, seats: Seats) -> str:
        """Return what the operation follows, for its log entry: the tag of the registration, or else of the user."""
        return UserRegistration.tag(row, seats.incarnation) or self.first

    def draw(self) -> Steps[str]:
        """Return the id of a new operation."""
        return operations.new_id((yield Now()), (yield Draw(operations.DRAWS)))

    def begin(self) -> Steps[str]:
        """Start an operation: draw its id, and announce the id if the request is keyed.

        Call it after the seats are read and before the commit. A copy that takes a keyed request over prevents all
        later announcements, and fences the operations that were announced before.

        Raises:
            TakenOver: Another copy has taken the request over.
        """
        self.operation = yield from self.draw()
        if self.keyed and not (yield from self.keyed.go_on_as(self.operation)):
            raise TakenOver
        return self.operation
