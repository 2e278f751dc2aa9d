"""One request for one registration, and what its process remembers of events."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from events.ledger import operations
from events.ledger.models import Seats
from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.dynamodb.steps import Draw, Now, Steps

REMEMBERED_EVENTS = 256


class TakenOver(Exception):
    """Another copy of the keyed request treats this one as crashed, and carries the request out itself."""


class Memory:
    """What one process remembers: it saves reads, and nothing rests on it."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, Seats] = OrderedDict()
        self._applied: OrderedDict[str, set[str]] = OrderedDict()
        self._guard = threading.Lock()

    def last_look(self, event_id: str) -> Seats | None:
        """Return the seats of an event that admitted nobody when this process looked last."""
        return self._looks.get(event_id)

    def look(self, seats: Seats, *, admits: bool) -> None:
        """Remember the seats of an event that admits nobody; forget them if it does."""
        with self._guard:
            self._looks.pop(seats.event_id, None)
            if not admits:
                self._looks[seats.event_id] = seats
                if len(self._looks) > REMEMBERED_EVENTS:
                    self._looks.popitem(last=False)

    def applied(self, event_id: str) -> set[str]:
        """Return the operations that this process has applied and whose entries may still be in the log."""
        with self._guard:
            return set(self._applied.get(event_id, ()))

    def remember(self, event_id: str, operation: str) -> None:
        """Take down that this process has applied an operation."""
        with self._guard:
            self._applied.setdefault(event_id, set()).add(operation)
            self._applied.move_to_end(event_id)
            if len(self._applied) > REMEMBERED_EVENTS:
                self._applied.popitem(last=False)

    def keep_only(self, event_id: str, operations: set[str]) -> None:
        """Forget what is no longer in the log."""
        with self._guard:
            known = self._applied.get(event_id)
            if known is not None:
                known &= operations
                if not known:
                    del self._applied[event_id]


MEMORY = Memory()
"""This process's."""


@dataclass
class Request:
    """A request to register or to leave; each attempt is an operation with an id of its own."""

    event_id: str
    user_id: str
    scope: Scope
    organizes: Scope = NOTHING
    answers: dict[str, Any] | None = None
    keyed: IdempotentRequest | None = None
    memory: Memory = field(default_factory=lambda: MEMORY)
    ticket: int = 0
    """Its number in the admission queue; 0 while it has met no contention."""
    operation: str = ""
    seen: Seats | None = None
    """The seats at the last look."""
    at_once: bool = True
    """Whether one transaction is worth an attempt."""

    @property
    def has_long_id(self) -> bool:
        """Return whether the log has no more than a hash of the user's id."""
        return operations.user_of(operations.token_of(self.user_id)) is None

    def draw(self) -> Steps[str]:
        """Return the id of a new operation."""
        return operations.new_id((yield Now()), (yield Draw(operations.DRAWS)))

    def begin(self) -> Steps[str]:
        """Start an operation: draw its id, and announce it where the request is keyed.

        It must stand between the look at the seats and the commit: whoever takes a keyed request over shuts out all
        that is announced later.

        Raises:
            TakenOver: Another copy carries the request out.
        """
        self.operation = yield from self.draw()
        if self.keyed and not (yield from self.keyed.go_on_as(self.operation)):
            raise TakenOver
        return self.operation
