"""Servers whose clocks are hours apart: order, identity and positions are the same as with one right clock."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.api import EVENT, Api
from tests.registrations.auditing import audit
from tests.registrations.reference import Answer, Seating
from tests.servers import Remote, Reply, serving

ID = "under-one-id"
PEOPLE = ("ada", "bela", "cleo", "dora", "emil", "fred")
STEPS = 30


class Clocks(NamedTuple):
    """Three servers: one's clock is right, one's is an hour ahead, one's an hour behind."""

    right: Remote
    ahead: Remote
    behind: Remote


@pytest.fixture(scope="module")
def clocks(engine: str) -> Iterator[Clocks]:
    with ExitStack() as stack:
        yield Clocks(*(stack.enter_context(serving(1, ahead=hours)) for hours in (0, 1, -1)))


@pytest.fixture(autouse=True)
def people(api: Api) -> None:
    for name in PEOPLE:
        api.user(name)


def make(server: Remote, **settings: Any) -> str:
    """Make the event under its id."""
    assert server.call("POST", "/events", EVENT | {"eventId": ID} | settings).status == 201
    return ID


def names(reply: Reply) -> list[str]:
    """Who is in a list, in its order."""
    assert reply.status == 200
    return [row["userId"] for row in reply.document]


def error(reply: Reply, *, hours: int = 0) -> timedelta:
    """Return how far the time of a registration is from a clock that is some hours ahead."""
    return abs(datetime.fromisoformat(reply.document["registeredAt"]) - datetime.now(UTC) - timedelta(hours=hours))


def test_people_are_listed_in_the_order_in_which_they_came_whatever_their_times(clocks: Clocks) -> None:
    event = make(clocks.right, capacity=3)
    servers = (clocks.ahead, clocks.behind, clocks.right) * 2
    replies = [server.register(event, name) for server, name in zip(servers, PEOPLE, strict=True)]
    times = [reply.document["registeredAt"] for reply in replies]
    assert times[1] < times[2] < times[0], "the clocks are not apart"
    assert [reply.document["waitlistPosition"] for reply in replies] == [None, None, None, 1, 2, 3]
    for server in clocks:
        assert names(server.call("GET", f"/events/{event}/registrations")) == list(PEOPLE)
        assert names(server.call("GET", f"/events/{event}/waitlist")) == list(PEOPLE[3:])


def test_a_clock_that_is_ahead_does_not_change_the_times_of_those_who_come_after(clocks: Clocks) -> None:
    event = make(clocks.right, capacity=1)
    assert error(clocks.ahead.register(event, "ada"), hours=1) < timedelta(minutes=1)
    assert error(clocks.right.register(event, "bela")) < timedelta(minutes=1)
    assert error(clocks.behind.register(event, "cleo"), hours=-1) < timedelta(minutes=1)


def test_seats_are_handed_on_in_the_order_of_the_queue(clocks: Clocks) -> None:
    event = make(clocks.right, capacity=1)
    for server, name in zip((clocks.right, clocks.ahead, clocks.behind, clocks.right), PEOPLE, strict=False):
        server.register(event, name)
    promoted = [clocks.behind.leave(event, "ada"), clocks.right.leave(event, "bela"), clocks.ahead.leave(event, "cleo")]
    assert [reply.document["promotedUser"] for reply in promoted] == ["bela", "cleo", "dora"]


@pytest.mark.parametrize("joined", Clocks._fields)
@pytest.mark.parametrize("left", Clocks._fields)
def test_cancelled_registrations_stay_in_their_lists(joined: str, left: str, clocks: Clocks) -> None:
    event = make(clocks.ahead)
    getattr(clocks, joined).register(event, "ada")
    getattr(clocks, left).leave(event, "ada")
    for server in clocks:
        assert names(server.call("GET", f"/events/{event}/registrations?status=cancelled")) == ["ada"]
        listed = server.call("GET", "/users/ada/registrations?status=cancelled").document
        assert [one["registration"]["eventId"] for one in listed] == [event]
        assert server.call("GET", f"/events/{event}/registrations/ada").document["status"] == "cancelled"


def test_a_user_who_comes_again_at_a_slower_clock_is_registered_at_the_end(clocks: Clocks) -> None:
    event = make(clocks.right, capacity=1)
    first = clocks.right.register(event, "ada")
    clocks.ahead.register(event, "bela")
    clocks.ahead.leave(event, "ada")
    again = clocks.behind.register(event, "ada")
    assert (again.document["status"], again.document["waitlistPosition"]) == ("waitlisted", 1)
    assert again.document["registrationId"] != first.document["registrationId"]
    for server in clocks:
        assert server.call("GET", f"/events/{event}/registrations/ada").document["status"] == "waitlisted"
        assert names(server.call("GET", f"/events/{event}/registrations?status=cancelled")) == []


@pytest.mark.parametrize(("old", "new"), [("ahead", "behind"), ("behind", "ahead")])
def test_a_recreated_event_has_no_history(old: str, new: str, clocks: Clocks) -> None:
    before, after = getattr(clocks, old), getattr(clocks, new)
    event = make(before, capacity=1)
    for call in (before.register, before.leave):
        call(event, "ada"), call(event, "bela")
    assert before.call("DELETE", f"/events/{event}").status == 204
    make(after, capacity=1)
    for server in clocks:
        assert names(server.call("GET", f"/events/{event}/registrations?status=cancelled")) == []
        assert server.call("GET", "/users/ada/registrations?status=cancelled").document == []
        assert server.call("GET", f"/events/{event}/registrations/ada").status == 404
        assert server.leave(event, "ada").status == 404
    assert after.register(event, "bela").word == "registered"
    assert before.register(event, "ada").document["waitlistPosition"] == 1
    assert names(clocks.right.call("GET", f"/events/{event}/registrations")) == ["bela", "ada"]
    assert audit(event) == []


def reported(reply: Reply) -> Answer:
    """An answer to registering or leaving, in the words of the reference."""
    if reply.status == 201:
        return reply.word, reply.document["waitlistPosition"]
    return ("left", reply.document["promotedUser"]) if reply.status == 200 else (reply.word, None)


class Mixed:
    """The servers beside the reference: each step is taken by one of them at random, and must be answered alike."""

    def __init__(self, clocks: Clocks, seed: int) -> None:
        self._clocks, self._dice = clocks, random.Random(seed)
        self.state = self._make()

    @property
    def server(self) -> Remote:
        """One of them."""
        return self._dice.choice(self._clocks)

    def _make(self) -> Seating:
        make(self.server, capacity=2)
        return Seating(2)

    def step(self) -> None:
        """Do something."""
        kind = self._dice.choices(("register", "leave", "resize", "anew"), (10, 7, 2, 1))[0]
        getattr(self, kind)(self._dice.choice(PEOPLE))

    def register(self, user: str) -> None:
        self.state, expected = self.state.register(user)
        assert reported(self.server.register(ID, user)) == expected

    def leave(self, user: str) -> None:
        self.state, expected = self.state.leave(user)
        assert reported(self.server.leave(ID, user)) == expected

    def resize(self, _: str) -> None:
        capacity = self._dice.choice((1, 2, 3))
        self.state = self.state.edit(capacity=capacity)
        assert self.server.resize(ID, capacity).status == 200

    def anew(self, _: str) -> None:
        for user in self.state.seated + self.state.queue:
            self.leave(user)
        assert self.server.call("DELETE", f"/events/{ID}").status == 204
        self.state = self._make()

    def look(self) -> None:
        """Compare everything that can be read."""
        rows = self.server.call("GET", f"/events/{ID}/registrations").document
        queue = list(enumerate(self.state.queue, start=1))
        expected = [(user, None) for user in self.state.seated] + [(user, place) for place, user in queue]
        assert [(row["userId"], row["waitlistPosition"]) for row in rows] == expected
        past = names(self.server.call("GET", f"/events/{ID}/registrations?status=cancelled"))
        assert sorted(past) == sorted(self.state.past)
        user = self._dice.choice(PEOPLE)
        place = self.server.call("GET", f"/events/{ID}/registrations/{user}")
        assert place.word == self.status(user)

    def status(self, user: str) -> str:
        """What the reference knows of somebody."""
        known = {"registered": self.state.seated, "waitlisted": self.state.queue, "cancelled": self.state.past}
        return next((status for status, users in known.items() if user in users), "registration_not_found")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_is_that_of_one_right_clock(seed: int, clocks: Clocks) -> None:
    mixed = Mixed(clocks, seed)
    for _ in range(STEPS):
        mixed.step()
        mixed.look()
    assert audit(ID, shrunk=True) == []
