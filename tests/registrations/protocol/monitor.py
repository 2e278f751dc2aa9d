"""What the requests may answer: the reference, moved along by every write of the seats.

Each change takes effect at its one write of the seats, so the reference makes the same step there, and must agree.
A request that changed something answers what the reference answered then; any other must answer what the reference
would have answered at some moment between its beginning and its end. That is linearizability, with the moments known.
"""

from typing import Any, NamedTuple

from tests.registrations.protocol import steps
from tests.registrations.protocol.items import Record, Seats
from tests.registrations.protocol.steps import Write
from tests.registrations.reference import Seating


class Broken(Exception):
    """Something that must never happen."""

    def __init__(self, what: str, step: str) -> None:
        super().__init__(what)
        self.step = step


class Asked(NamedTuple):
    """What a request may answer so far."""

    kind: str
    user: str
    begun: bool = False
    over: bool = False
    committed: Any = None
    """What the reference answered when its change took effect."""
    allowed: frozenset[Any] = frozenset()
    """What the reference would have answered at some moment so far, without changing anything."""


class Monitor(NamedTuple):
    """The event by the reference, and the promises to those who ask."""

    seating: Seating
    version: int
    tickets: tuple[tuple[str, int], ...]
    """Who is active, with which ticket."""
    asked: tuple[Asked, ...]
    users: str

    @classmethod
    def begin(cls, scenario: Any) -> "Monitor":
        """Nobody has asked yet."""
        people = scenario.seated + scenario.waiting
        seating = Seating(
            scenario.capacity,
            scenario.waitlist,
            scenario.is_open,
            tuple(scenario.seated),
            tuple(scenario.waiting),
        )
        asked = tuple(
            Asked(kind, str(arguments[0]) if kind in ("register", "leave", "look") else "")
            for kind, *arguments in scenario.requests
        )
        users = "".join(sorted({*people, *(one.user for one in asked if one.user)}))
        return cls(seating, 1, tuple((user, ticket) for ticket, user in enumerate(people, 1)), asked, users)

    def began(self, index: int) -> "Monitor":
        """A request makes its first step."""
        one = self.asked[index]
        return self if one.begun else self._with(index, one._replace(begun=True, allowed=self._possible(one)))

    def changed(self, old: Seats, new: Seats, call: Write, label: str) -> "Monitor":
        """The seats were written: the reference makes the same change. Raises: `Broken` where it would not."""
        if call.rule in ("fence", "clear"):
            return self
        if len(new.records) > new.room:
            raise Broken("there are more records than there is room for", label)
        if call.rule == "edit":
            (name, _), settings, *_ = call.arguments
            after = self._edited("ABCDEF".index(name), *settings, label=label)
        else:
            record = new.record(call.arguments[0])
            assert record
            after = self._committed(record, new, label)
        return after._agreeing(new, label)._widened()

    def _edited(self, index: int, capacity: int, is_open: bool, waitlist: bool, *, label: str) -> "Monitor":
        seating = self.seating.edit(capacity=capacity, open=is_open, waitlist=waitlist)
        after = self._replace(seating=seating, version=self.version + 1)
        return after._promised(index, after._event(), label)

    def _committed(self, record: Record, new: Seats, label: str) -> "Monitor":
        user, index = record.user, "ABCDEF".index(record.op[0])
        ask = self.seating.register if record.kind in ("seat", "wait") else self.seating.leave
        seating, answer = ask(user)
        tickets = tuple(pair for pair in self.tickets if pair[0] != user)
        if record.kind in ("seat", "wait"):
            tickets = tuple(sorted((*tickets, (user, record.ticket))))
        expected = {
            "seat": ("registered", None),
            "wait": ("waitlisted", new.waiting),
            "quit": ("left", None),
            "free": ("left", None),
            "hand": ("left", next((who for who, ticket in tickets if ticket == new.served), "nobody")),
        }[record.kind]
        if answer != expected:
            raise Broken(f"{record.kind} of {user}: the reference says {answer}, not {expected}", label)
        return self._replace(seating=seating, tickets=tickets)._promised(index, answer, label)

    def _promised(self, index: int, answer: Any, label: str) -> "Monitor":
        one = self.asked[index]
        if one.committed is not None:
            raise Broken("one request takes effect twice", label)
        if one.over:
            raise Broken("a request takes effect after it was answered", label)
        return self._with(index, one._replace(committed=answer))

    def _agreeing(self, seats: Seats, label: str) -> "Monitor":
        """The seats say the same as the reference: how many, and who."""
        counts = len(self.seating.seated), len(self.seating.queue)
        if (seats.registered, seats.waiting) != counts:
            raise Broken(f"the seats count {seats.registered} and {seats.waiting}, not {counts}", label)
        seated = {who for who, ticket in self.tickets if ticket <= seats.served}
        queue = [who for ticket, who in sorted((ticket, who) for who, ticket in self.tickets) if ticket > seats.served]
        if seated != set(self.seating.seated) or tuple(queue) != self.seating.queue:
            raise Broken(f"by their tickets {sorted(seated)} have seats and {queue} wait, not {self.seating}", label)
        return self

    def _widened(self) -> "Monitor":
        asked = tuple(
            one._replace(allowed=one.allowed | self._possible(one))
            if one.begun and not one.over and one.committed is None
            else one
            for one in self.asked
        )
        return self._replace(asked=asked)

    def answered(self, index: int, answer: Any, label: str) -> "Monitor":
        """A request ends. Raises: `Broken` where its answer was never right."""
        one = self.asked[index]
        if answer not in (steps.UNKNOWN, ("swept",)):
            if one.committed is not None and not _is_same(one.committed, answer):
                raise Broken(f"{one.kind} is answered {answer}, not {one.committed}", label)
            if one.committed is None and answer not in one.allowed:
                raise Broken(
                    f"{one.kind} is answered {answer}, and only {sorted(one.allowed, key=str)} were right", label
                )
        over = one._replace(over=answer != steps.UNKNOWN, allowed=frozenset())
        return self._with(index, over)

    def _possible(self, one: Asked) -> frozenset[Any]:
        """What a request may answer at this moment without having changed anything."""
        if one.kind in ("register", "leave"):
            following, answer = getattr(self.seating, one.kind)(one.user)
            return frozenset([answer] if following == self.seating else [])
        if one.kind == "look":
            return frozenset([self._standing(one.user)])
        return frozenset([self._event()] if one.kind == "event" else [])

    def _event(self) -> Any:
        counts = self.seating.capacity, len(self.seating.seated), len(self.seating.queue)
        return "event", self.version, *counts

    def _standing(self, user: str) -> Any:
        if user in self.seating.queue:
            return "waitlisted", self.seating.queue.index(user) + 1
        if user in self.seating.seated:
            return "registered", None
        return ("cancelled" if user in self.seating.past else "none"), None

    def _with(self, index: int, one: Asked) -> "Monitor":
        return self._replace(asked=(*self.asked[:index], one, *self.asked[index + 1 :]))

    def at_rest(self, items: dict[Any, Any]) -> None:
        """What is stored when nobody is at work any more. Raises: `Broken`."""
        for wrong in self._wrong(items, items[steps.SEATS]):
            raise Broken(f"at rest: {wrong}", "at rest")

    def _wrong(self, items: dict[Any, Any], seats: Seats) -> Any:
        for user in self.users:
            row, past = items.get(steps.row_of(user)), items.get(steps.past_of(user))
            ticket = dict(self.tickets).get(user)
            if (row and row.ticket) != ticket:
                yield f"{user} has the row {row}, and the ticket {ticket}"
            if row and row.lock:
                yield f"{user}'s row is still locked"
            if bool(past) != (user in self.seating.past):
                yield f"{user}'s history is {past}"
        places = {key[1]: value for key, value in items.items() if key[0] == "place"}
        if places != {ticket: user for user, ticket in self.tickets}:
            yield f"the places are {places}, the tickets {self.tickets}"
        if len(items.get(steps.LEFT, ())) != seats.quits:
            yield f"{seats.quits} left the queue, {items.get(steps.LEFT)} are known"


def _is_same(committed: Any, answer: Any) -> bool:
    """Whether an answer tells what was done; what it leaves open is counted by another look."""
    return answer == ("done",) or (
        len(answer) == len(committed)
        and all(said in (true, None) for true, said in zip(committed, answer, strict=True))
    )
