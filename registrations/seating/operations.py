"""One operation: what one request does to one registration, under an id by which everybody can recognise it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from eventsite import clock
from eventsite.auth.scope import NOTHING, Scope
from eventsite.dynamodb.idempotency import IdempotentRequest
from registrations.models import JOIN


class TakenOver(Exception):
    """Another copy of the keyed request gave this one up for dead, and carries the request out itself."""


def new_id() -> str:
    """An id for one attempt of one operation; the seats carry it until it is settled, so it is short."""
    return uuid.uuid4().hex[:10]


@dataclass
class Operation:
    """A joining or a leaving."""

    kind: str
    event_id: str
    user_id: str
    keyed: IdempotentRequest | None = None
    """The keyed request that it carries out, if any: it is announced there under its id."""
    organizes: Scope = NOTHING
    """For which events the caller is an organizer."""
    answers: dict[str, Any] | None = None
    """The answers to the event's questions, if any."""
    id: str = field(default_factory=new_id)
    registration_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: str = field(default_factory=clock.now)
    """The time to show; nothing is decided by it."""
    _begun: bool = False

    @property
    def joins(self) -> bool:
        """Whether it is a joining."""
        return self.kind == JOIN

    def begin(self) -> None:
        """Start an attempt. Each has an id of its own: the last one's may be in for a fence. Raises: `TakenOver`."""
        if self._begun or self.keyed:  # the announcement counts only if it stands after the seats were read
            self.renew()
        self._begun = True

    def renew(self) -> str:
        """Take a new id, because a fence may have been meant for this one. Returns the old one.

        Raises: `TakenOver`.
        """
        before, self.id = self.id, new_id()
        if self.keyed and not self.keyed.go_on_as(self.id):
            raise TakenOver
        return before
