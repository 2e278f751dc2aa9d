"""The rules of the seats (CONTRACT) in plain Python: what the service must do, without a database or a race.

A `Seating` is one event: immutable, so that it is a state of a search as well as a running record. What a call
answers is a tuple of a word and a detail: the position in the queue, or who was promoted.
"""

from dataclasses import dataclass, field, replace
from typing import Any

Answer = tuple[str, Any]


@dataclass(frozen=True)
class Seating:
    """Who has a seat and who waits, each in order; who had one and gave it up."""

    capacity: int
    waitlist: bool = True
    open: bool = True
    seated: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()
    past: frozenset[str] = field(default=frozenset())

    @property
    def can_promote(self) -> bool:
        """Somebody waits for a seat that is free."""
        return self.open and len(self.seated) < self.capacity and bool(self.queue)

    def register(self, user: str) -> tuple["Seating", Answer]:
        """Take a seat, or join the queue."""
        if user in self.seated + self.queue:
            return self, ("already_registered", None)
        if not self.open:
            return self, ("registration_closed", None)
        past = self.past - {user}
        if len(self.seated) < self.capacity and not self.queue:
            return replace(self, seated=(*self.seated, user), past=past), ("registered", None)
        if not self.waitlist:
            return self, ("event_full", None)
        return replace(self, queue=(*self.queue, user), past=past), ("waitlisted", len(self.queue) + 1)

    def leave(self, user: str) -> tuple["Seating", Answer]:
        """Give up a seat, which goes to the head of the queue, or a place in the queue."""
        if user not in self.seated + self.queue:
            return self, ("registration_not_found", None)
        hands_on = user in self.seated and self.open and len(self.seated) <= self.capacity and bool(self.queue)
        seated = tuple(one for one in self.seated if one != user)
        queue = tuple(one for one in self.queue if one != user)
        left = replace(self, seated=seated, queue=queue, past=self.past | {user})
        return (left.promote(), ("left", queue[0])) if hands_on else (left, ("left", None))

    def promote(self) -> "Seating":
        """Give a seat to the head of the queue."""
        return replace(self, seated=(*self.seated, self.queue[0]), queue=self.queue[1:])

    def edit(self, **changes: Any) -> "Seating":
        """Change the capacity, the waitlist switch or whether it is open, and let the queue move."""
        return replace(self, **changes).settled()

    def settled(self) -> "Seating":
        """After as many promotions as fit."""
        return self.promote().settled() if self.can_promote else self
