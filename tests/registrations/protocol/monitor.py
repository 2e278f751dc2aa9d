"""Check the answers of requests against the reference model, which follows every write of the seats.

Each change takes effect at its one write of the seats. There the reference makes the same step, and must agree.
A request that changed something must give the answer of the reference at that write. Any other request must give an
answer of the reference at some moment between its beginning and its end. That is linearizability, with known moments.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from events.ledger import log
from events.ledger.models import Seats
from tests.registrations.reference import Seating

ALWAYS_RIGHT = (("swept",), ("erased",), ("replaced",), ("dropped",), ("made",))
"""The answers of requests whose outcome has no details."""
INSTEAD = frozenset([("user_not_found", None), ("waitlisted", None)])
"""The further answers to a joining that was undone: with a position before, and without one afterwards."""
UNKNOWN = ("unknown",)
"""A 503: the request gave up, and its outcome is unknown to the client."""


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, what: str, step: str) -> None:
        super().__init__(what)
        self.step = step


class Asked(NamedTuple):
    """The answers that a request may give so far."""

    kind: str
    user: str
    begun: bool = False
    over: bool = False
    committed: Any = None
    """The answer of the reference when the change took effect."""
    allowed: frozenset[Any] = frozenset()
    """The answers of the reference so far, if the request changes nothing."""
    is_keyed: bool = False
    given: Any = None
    """The first answer to a keyed request, which its other copies must give too."""
    erased: bool = False
    """True if the user was absent at some moment since the request began."""


class Monitor(NamedTuple):
    """The event of the reference, and the allowed answers of each request."""

    seating: Seating
    tickets: tuple[tuple[str, int], ...]
    """The active users with their tickets."""
    asked: tuple[Asked, ...]
    places: tuple[int, ...]
    """The index in `asked` of each request. The copies of a keyed request share one."""
    users: str
    exists: bool = True
    """False while the event is deleted."""
    erased: frozenset[str] = frozenset()
    """The deleted users."""
    returned: frozenset[str] = frozenset()
    """The users that were created again. First joinings that were planned before are not theirs."""
    orphans: frozenset[int] = frozenset()
    """The active tickets of users who were deleted. They are given up, also if the user is created again."""
    closes: bool = False
    """True if the window closes before the time that the late clocks show."""

    @classmethod
    def begin(cls, scenario: Any) -> "Monitor":
        """Return the monitor before the first step."""
        seated = scenario.crowd + scenario.seated
        people, capacity = seated + scenario.waiting, scenario.capacity + len(scenario.crowd)
        waiting, past = tuple(scenario.waiting), frozenset(scenario.past)
        seating = Seating(capacity, scenario.waitlist, scenario.is_open, tuple(seated), waiting, past)
        requests = scenario.requests + scenario.then
        distinct = list(dict.fromkeys((one, 0 if one[0] == "keyed" else n) for n, one in enumerate(requests)))
        places = tuple(distinct.index((one, 0 if one[0] == "keyed" else n)) for n, one in enumerate(requests))
        asked = tuple(_asked(*one) for one, _ in distinct)
        users = "".join(sorted({*people, *scenario.past, *(one.user for one in asked if one.user)}))
        first = len(scenario.past) + 1
        tickets = tuple((user, ticket) for ticket, user in enumerate(people, first))
        return cls(seating, tickets, asked, places, users, closes=scenario.closes)

    def began(self, index: int) -> "Monitor":
        """Record the first step of a request."""
        place = self.places[index]
        one = self.asked[place]
        if one.begun:
            return self
        begun = one._replace(begun=True, allowed=self._possible(one), erased=one.user in self.erased)
        return self._with(place, begun)

    def forgot(self, user: str) -> "Monitor":
        """Record that a registration that was given up is deleted."""
        past = self.seating.past - {user}
        if past == self.seating.past:
            return self
        asked = tuple(_open(one) if one.kind == "leave" and one.user == user else one for one in self.asked)
        return self._replace(seating=replace(self.seating, past=past), asked=asked)._widened()

    def deleted_user(self, user: str) -> "Monitor":
        """Record that a user is deleted."""
        asked = tuple(one._replace(erased=True) if one.user == user and one.begun else one for one in self.asked)
        orphans = self.orphans | {ticket for who, ticket in self.tickets if who == user}
        return self._replace(erased=self.erased | {user}, asked=asked, orphans=orphans)._widened()

    def created_user(self, user: str) -> "Monitor":
        """Record that a user is created again."""
        return self._replace(erased=self.erased - {user}, returned=self.returned | {user})._widened()

    def deleted(self) -> "Monitor":
        """Record that the event is deleted, with all registrations.

        A joining that took effect in it may answer so, or take effect in the next event of the same id. A leaving has
        to answer that the user left, but cannot name the user who got the seat.
        """
        empty = replace(self.seating, seated=(), queue=(), past=frozenset())
        left = ("left", None)
        asked = tuple(
            one._replace(allowed=one.allowed | {left}) if one.kind == "leave" and one.committed else _open(one)
            for one in self.asked
        )
        return self._replace(seating=empty, tickets=(), exists=False, asked=asked)._widened()

    def created(self, new: Seats) -> "Monitor":
        """Record that the event is created again."""
        empty = Seating(int(new.capacity), new.waitlist_enabled, new.open)
        return self._replace(seating=empty, tickets=(), exists=True, closes=new.closes_at is not None)._widened()

    def changed(self, index: int, old: Seats, new: Seats, label: str) -> "Monitor":
        """Make the step of the reference for a write of the seats.

        Raises:
            Broken: The reference would not make this step.
        """
        index = self.places[index]
        entries = [entry for entry in log.of(new) if entry.name not in old.committed]
        if new.settings != old.settings:
            after = self._edited(index, new, label)
        elif entries:
            after = self._committed(index, entries[0], new, label)
        else:  # a fence, or entries that were trimmed
            return self._agreeing(new, label)
        return after._agreeing(new, label)._widened()

    def _edited(self, index: int, new: Seats, label: str) -> "Monitor":
        settings: Any = {"capacity": int(new.capacity), "open": new.open, "waitlist": new.waitlist_enabled}
        after = self._replace(seating=self.seating.edit(**settings), closes=new.closes_at is not None)
        return after._promised(index, after._event(), label)

    def _committed(self, index: int, entry: log.LogEntry, new: Seats, label: str) -> "Monitor":
        user = str(entry.user_id)
        seating, answer = (self.seating.leave if entry.leaving else self.seating.register)(user)
        tickets = tuple(pair for pair in self.tickets if pair[0] != user)
        if not entry.leaving:
            tickets = tuple(sorted((*tickets, (user, entry.ticket))))
        successor = next((who for who, ticket in tickets if ticket == entry.successor), None)
        joined = ("waitlisted", int(new.waiting)) if entry.waited else ("registered", None)
        expected = ("left", successor) if entry.leaving else joined
        if answer != expected:
            raise Broken(f"{entry}: the reference says {answer}, not {expected}", label)
        after = self._replace(seating=seating, tickets=tickets, orphans=self._orphans_after(entry))
        one = self.asked[index]
        if entry.ticket in self.orphans:  # its own request may have to find out that it was undone
            after = after._replace(asked=tuple(_orphaned(each, user) for each in after.asked))
        if one.kind == "erase":
            return after
        if one.kind == "late" and self.closes and not entry.leaving:
            raise Broken("a user joins after the window closed", label)
        if entry.ticket in self.orphans and (one.kind != "leave" or one.user != user):  # a joining is undone
            return after
        return after._promised(index, answer, label)

    def _orphans_after(self, entry: log.LogEntry) -> frozenset[int]:
        user = str(entry.user_id)
        is_of_the_deleted = user in self.erased or (user in self.returned and entry.before == log.FIRST)
        return (
            self.orphans | {entry.ticket} if is_of_the_deleted and not entry.leaving else self.orphans - {entry.ticket}
        )

    def _promised(self, index: int, answer: Any, label: str) -> "Monitor":
        one = self.asked[index]
        if one.committed is not None:
            raise Broken("one request takes effect twice", label)
        if one.over:
            raise Broken("a request takes effect after it was answered", label)
        return self._with(index, one._replace(committed=answer))

    def _agreeing(self, seats: Seats, label: str) -> "Monitor":
        """Check that the seats have the counts and the users of the reference."""
        counts = len(self.seating.seated), len(self.seating.queue)
        if (seats.registered, seats.waiting) != counts:
            raise Broken(f"the seats count {seats.registered} and {seats.waiting}, not {counts}", label)
        seated = {who for who, ticket in self.tickets if ticket <= seats.seated_through}
        queue = [
            who
            for ticket, who in sorted((ticket, who) for who, ticket in self.tickets)
            if ticket > seats.seated_through
        ]
        if seated != set(self.seating.seated) or tuple(queue) != self.seating.queue:
            raise Broken(f"by their tickets {sorted(seated)} have seats and {queue} wait, not {self.seating}", label)
        return self

    def _widened(self) -> "Monitor":
        asked = tuple(
            one._replace(allowed=one.allowed | self._possible(one)) if one.begun and not one.over else one
            for one in self.asked
        )
        return self._replace(asked=asked)

    def answered(self, index: int, answer: Any, label: str) -> "Monitor":
        """Record the answer of a request.

        Raises:
            Broken: The answer was right at no moment.
        """
        index = self.places[index]
        one = self.asked[index]
        if one.is_keyed and (answer == UNKNOWN or one.given is not None):
            if answer not in (UNKNOWN, one.given):
                raise Broken(f"a copy is answered {answer}, and the first one was {one.given}", label)
            return self
        if answer not in (UNKNOWN, *ALWAYS_RIGHT):
            if one.committed is not None and not self._is_right(one, answer):
                raise Broken(f"{one.kind} is answered {answer}, not {one.committed}", label)
            if one.committed is None and answer not in one.allowed:
                right = sorted(one.allowed, key=str)
                raise Broken(f"{one.kind} is answered {answer}, and only {right} were right", label)
        over = one._replace(over=answer != UNKNOWN, allowed=frozenset(), given=answer if one.is_keyed else None)
        return self._with(index, over)

    def _is_right(self, one: Asked, answer: Any) -> bool:
        """Return True if an answer is right at the commit or at a later moment."""
        if answer in (one.committed, ("waitlisted", None)):  # or given up since, and answered as it began
            return True
        if answer == ("user_not_found", None):  # this request or the deletion undoes the joining
            return one.erased
        if one.kind == "leave" and answer == ("left", None):  # the user who got the seat is deleted, or the event
            return one.committed[1] in self.erased or answer in one.allowed
        return answer in one.allowed and answer[0] in ("waitlisted", "registered", "event")

    def _possible(self, one: Asked) -> frozenset[Any]:
        """Return the answers that are right at this moment for a request that changed nothing."""
        if one.kind == "look" or (one.kind in ("register", "late") and one.committed is not None):
            return frozenset([self.standing(one.user)])
        if one.kind in ("register", "late", "leave"):
            return frozenset(self._refusals(one))
        if one.kind in ("erase", "create"):
            of_absent, of_present = ("user_not_found", "erased") if one.kind == "erase" else ("created", "user_exists")
            return frozenset([(of_absent if one.user in self.erased else of_present, None)])
        if one.kind == "check in":
            return frozenset((answer, None) for answer in self._at_the_door(one.user))
        return frozenset(self._of_event(one))

    def _of_event(self, one: Asked) -> Iterator[Any]:
        """Yield the right answers at this moment to a request for the event."""
        if one.kind == "make" or not self.exists:
            if (one.kind == "make") == self.exists:
                yield "event_exists" if self.exists else "event_not_found", None
        elif one.kind == "drop" and self.seating.seated + self.seating.queue:
            yield "event_has_registrations", None
        elif one.kind in ("event", "edit", "window"):
            yield self._event()

    def _at_the_door(self, user: str) -> tuple[str, ...]:
        if not self.exists:  # its registrations are deleted too
            return "event_not_found", "registration_not_found"
        instead = {"registered": "checked_in", "registration_not_found": "registration_not_found"}
        return (instead.get(self.standing(user)[0], "not_registered"),)

    def _refusals(self, one: Asked) -> Iterator[Any]:
        """Yield the refusals that are right at this moment."""
        if not self.exists:
            yield "registration_not_found" if one.kind == "leave" else "event_not_found", None
            return
        if one.kind != "leave" and one.user in self.erased:
            yield "user_not_found", None
        following, answer = getattr(self.seating, "leave" if one.kind == "leave" else "register")(one.user)
        if following == self.seating:
            yield answer
        elif one.kind == "late" and self.closes:
            yield "registration_closed", None

    def _event(self) -> Any:
        return "event", self.seating.capacity, len(self.seating.seated), len(self.seating.queue)

    def without_erased(self, undone: Collection[int]) -> "Monitor":
        """Return the monitor after the recovery, which gives up the joinings of users whose deletion is answered.

        Args:
            undone: The tickets of the joinings that were not applied. They are given up also if the deletion crashed.
        """
        gone = {one.user for one in self.asked if one.kind == "erase" and one.over}
        seating = self.seating
        lost = {who for who, ticket in self.tickets if ticket in self.orphans and (who in gone or ticket in undone)}
        for user in sorted(lost):
            seating, _ = seating.leave(user)
            if user in self.erased:
                seating = replace(seating, past=seating.past - {user})
        tickets = tuple(pair for pair in self.tickets if pair[0] in seating.seated + seating.queue)
        return self._replace(seating=seating, tickets=tickets)

    def standing(self, user: str) -> Any:
        """Return the answer to a read of a registration."""
        if user in self.seating.queue:
            return "waitlisted", self.seating.queue.index(user) + 1
        if user in self.seating.seated:
            return "registered", None
        return ("cancelled" if user in self.seating.past else "registration_not_found"), None

    def _with(self, index: int, one: Asked) -> "Monitor":
        return self._replace(asked=(*self.asked[:index], one, *self.asked[index + 1 :]))


def _open(one: Asked) -> Asked:
    """Return a request after what it changed is deleted: it may still give its answer, or act again."""
    if one.committed is None or one.over:
        return one
    return one._replace(committed=None, allowed=one.allowed | {one.committed, ("waitlisted", None)})


def _orphaned(one: Asked, user: str) -> Asked:
    """Return a request after the joining of a deleted user is given up: it may answer so, or join again."""
    joined = one.kind in ("register", "late") and one.user == user and one.erased
    if not joined or one.committed is None or one.over:
        return one
    return one._replace(committed=None, allowed=one.allowed | {one.committed, *INSTEAD})


def _asked(kind: str, *arguments: Any) -> Asked:
    user = (
        str(arguments[0])
        if kind in ("register", "tidy", "leave", "look", "keyed", "late", "check in", "erase", "create")
        else ""
    )
    return Asked("register" if kind in ("keyed", "tidy") else kind, user, is_keyed=kind == "keyed")
