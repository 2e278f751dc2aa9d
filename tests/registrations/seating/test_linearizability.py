"""Every concurrent history of an event could have happened one call after the other."""

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from pynamodb.expressions.operand import Path

from eventsite import clock
from registrations.seating import admission_queue, guards, trim
from tests.api import Api
from tests.registrations.auditing import audit
from tests.registrations.linearizability import Call, explain
from tests.registrations.reference import Seating, outcome
from users.models import User

pytestmark = pytest.mark.torn

CLIENTS, CALLS = 4, 6
PEOPLE = ("ada", "bela", "cleo", "dora", "emil")
WEIGHTS = {"register": 36, "leave": 24, "edit": 12, "event": 10, "people": 10, "standing": 8}


@pytest.fixture
def people() -> None:
    """The users of all histories."""
    with User.batch_write() as users:
        for name in PEOPLE:
            users.save(User(name, name=name, created_at=clock.now()))


class Recorder:
    """Makes calls of one event and writes down what was asked and answered, and when."""

    def __init__(self, event: str) -> None:
        self._event = f"/events/{event}"
        self._own = threading.local()

    def call(self, name: str, argument: Any) -> Call:
        """Make a call."""
        start = time.perf_counter_ns()
        answer = self._ask(name, argument)
        return Call(start, time.perf_counter_ns(), name, argument, answer)

    def _ask(self, name: str, argument: Any) -> Any:
        api = self.api_of_thread()
        match name:
            case "register":
                return outcome(api.post(f"{self._event}/registrations", {"userId": argument}))
            case "leave":
                return outcome(api.delete(f"{self._event}/registrations/{argument}"))
            case "edit":
                named = {"capacity": "capacity", "waitlist": "waitlistEnabled"}
                return _counts(_body(api.patch(self._event, {named[key]: value for key, value in argument.items()})))
            case "event":
                return _counts(_body(api.get(self._event)))
            case "people":
                return _people(_body(api.get(f"{self._event}/registrations")))
            case _:
                return _standing(api.get(f"{self._event}/registrations/{argument}").json())

    def api_of_thread(self) -> Api:
        if not hasattr(self._own, "api"):
            self._own.api = Api()
        api: Api = self._own.api
        return api


def _body(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def _counts(event: Any) -> tuple[int, int, int]:
    return event["capacity"], event["registeredCount"], event["waitlistCount"]


def _people(rows: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    queue = [row for row in rows if row["status"] == "waitlisted"]
    assert [row["waitlistPosition"] for row in queue] == list(range(1, len(queue) + 1))
    seated = sorted(row["userId"] for row in rows if row["status"] == "registered")
    return tuple(seated), tuple(row["userId"] for row in queue)


def _standing(row: Any) -> tuple[str, int | None]:
    if row["status"] in ("registered", "waitlisted"):
        return row["status"], row["waitlistPosition"]
    return "none", None


def plan(seed: int) -> tuple[Seating, list[list[tuple[str, Any]]]]:
    """How an event begins, and what each client is going to do."""
    dice = random.Random(seed)
    beginning = Seating(dice.choice((0, 1, 1, 2)), waitlist=dice.random() < 0.8)
    return beginning, [[_choose(dice) for _ in range(CALLS)] for _ in range(CLIENTS)]


def _choose(dice: random.Random) -> tuple[str, Any]:
    name = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if name == "edit":
        waitlist = {"waitlist": dice.random() < 0.7}
        return name, waitlist if dice.random() < 0.25 else {"capacity": dice.choice((0, 1, 2, 3))}
    return name, dice.choice(PEOPLE) if name in ("register", "leave", "standing") else None


def record(seed: int) -> tuple[Seating, list[Call], str]:
    """Let the clients loose on a new event. Returns: how it began, the history, the event's id."""
    beginning, plans = plan(seed)
    event = Api().event(capacity=beginning.capacity, waitlistEnabled=beginning.waitlist)
    recorder, together = Recorder(event), threading.Barrier(CLIENTS)

    def client(calls: list[tuple[str, Any]]) -> list[Call]:
        together.wait()
        return [recorder.call(name, argument) for name, argument in calls]

    with ThreadPoolExecutor(CLIENTS) as pool:
        histories = list(pool.map(client, plans))
    return beginning, list(itertools.chain.from_iterable(histories)), event


def check(seed: int) -> None:
    """Record a history and demand that it can be explained."""
    beginning, history, event = record(seed)
    listed = "\n".join(map(str, sorted(history, key=lambda call: call.start)))
    assert explain(history, beginning), f"seed {seed}: no order explains, from {beginning}:\n{listed}"
    assert audit(event, shrunk=True) == []


@pytest.fixture
def crowd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two clients be contention, and the commit log hold two entries."""
    if request.param:
        figures: list[tuple[Any, str, Any]] = [
            (admission_queue, "CONTENTION", 1),
            (admission_queue, "TOGETHER", 1),
            (admission_queue, "DOUBLED_AFTER", 0.005),
            (admission_queue, "FIRST_WAIT", 0.0005),
            (trim, "room", lambda seats: 2),
        ]
        for module, name, figure in figures:
            monkeypatch.setattr(module, name, figure)


EITHER = pytest.mark.parametrize("crowd", [False, True], ids=["few", "a crowd"], indirect=True)


@EITHER
@pytest.mark.usefixtures("people", "crowd")
def test_concurrent_histories_can_be_explained() -> None:
    for seed in range(5):
        check(seed)


@pytest.mark.slow
@EITHER
@pytest.mark.usefixtures("people", "crowd")
def test_many_more_histories_can_be_explained() -> None:
    for seed in range(1000, 1300):
        check(seed)


@pytest.mark.usefixtures("people")
def test_histories_without_a_guard_are_found_out() -> None:
    """The expected breach: the recorded calls really race, and the search sees what comes of it."""
    with patch.object(guards, "is_epoch", lambda *_: Path("nothing").does_not_exist()):
        assert not all(is_right(seed) for seed in range(20))


def is_right(seed: int) -> bool:
    """Record a history. Returns: False if it cannot be explained, or if a list has a gap in the queue."""
    try:
        beginning, history, _ = record(seed)
    except AssertionError:
        return False
    return explain(history, beginning)


# The checker itself, on histories made by hand. Times are small numbers; calls overlap where their spans do.


def history(*calls: tuple[int, int, str, Any, Any]) -> list[Call]:
    return [Call(*call) for call in calls]


ONE_SEAT, FULL = Seating(1), Seating(1, seated=("ada",))

EXPLICABLE = {
    "nothing": (ONE_SEAT, history()),
    "two at once, the later one first": (
        ONE_SEAT,
        history(
            (0, 9, "register", "ada", ("waitlisted", 1)),
            (1, 8, "register", "bela", ("registered", None)),
        ),
    ),
    "a read that sees a call that is under way": (
        ONE_SEAT,
        history((0, 9, "register", "ada", ("registered", None)), (1, 2, "event", None, (1, 1, 0))),
    ),
    "a read that does not see it yet": (
        ONE_SEAT,
        history((0, 9, "register", "ada", ("registered", None)), (1, 2, "event", None, (1, 0, 0))),
    ),
    "a look between the raising of the capacity and the promotion": (
        Seating(1, seated=("ada",), queue=("bela",)),
        history((0, 9, "edit", {"capacity": 2}, (2, 2, 0)), (1, 2, "event", None, (2, 1, 1))),
    ),
    "a seat that is handed on": (
        FULL,
        history((0, 1, "register", "bela", ("waitlisted", 1)), (2, 3, "leave", "ada", ("left", "bela"))),
    ),
    "a joining that is answered after the promotion": (
        FULL,
        history((0, 9, "register", "bela", ("registered", None)), (1, 2, "leave", "ada", ("left", "bela"))),
    ),
    "a joining that is answered after it was given up": (
        FULL,
        history((0, 9, "register", "bela", ("waitlisted", None)), (1, 2, "leave", "bela", ("left", None))),
    ),
}

INEXPLICABLE = {
    "a joining that is answered as if it was given up": (
        FULL,
        history((0, 1, "register", "bela", ("waitlisted", None))),
    ),
    "a joining that is answered before the promotion": (
        FULL,
        history((0, 1, "register", "bela", ("registered", None)), (2, 3, "leave", "ada", ("left", "bela"))),
    ),
    "one seat sold twice": (
        ONE_SEAT,
        history((0, 9, "register", "ada", ("registered", None)), (0, 9, "register", "bela", ("registered", None))),
    ),
    "the same place in the queue twice": (
        FULL,
        history((0, 9, "register", "bela", ("waitlisted", 1)), (0, 9, "register", "cleo", ("waitlisted", 1))),
    ),
    "the later one was first": (
        ONE_SEAT,
        history((0, 1, "register", "ada", ("waitlisted", 1)), (2, 3, "register", "bela", ("registered", None))),
    ),
    "a read that does not see what was done before it": (
        ONE_SEAT,
        history((0, 1, "register", "ada", ("registered", None)), (2, 3, "event", None, (1, 0, 0))),
    ),
    "two reads of one call, the second one older": (
        ONE_SEAT,
        history(
            (0, 9, "register", "ada", ("registered", None)),
            (1, 2, "event", None, (1, 1, 0)),
            (3, 4, "event", None, (1, 0, 0)),
        ),
    ),
    "a seat that two people gave to the same one": (
        Seating(2, seated=("ada", "bela"), queue=("cleo", "dora")),
        history((0, 9, "leave", "ada", ("left", "cleo")), (0, 9, "leave", "bela", ("left", "cleo"))),
    ),
    "a seat for who was not next": (
        Seating(1, seated=("ada",), queue=("bela", "cleo")),
        history((0, 1, "leave", "ada", ("left", "cleo"))),
    ),
    "an edit that is answered before the queue has moved": (
        Seating(1, seated=("ada",), queue=("bela",)),
        history((0, 1, "edit", {"capacity": 2}, (2, 1, 1))),
    ),
    "a queue that still has not moved after the edit": (
        Seating(1, seated=("ada",), queue=("bela",)),
        history((0, 1, "edit", {"capacity": 2}, (2, 2, 0)), (2, 3, "people", None, (("ada",), ("bela",)))),
    ),
    "a newcomer who overtakes while the queue moves": (
        Seating(1, seated=("ada",), queue=("bela",)),
        history((0, 9, "edit", {"capacity": 2}, (2, 2, 1)), (1, 2, "register", "cleo", ("registered", None))),
    ),
    "a promotion without a free seat": (
        Seating(1, seated=("ada",), queue=("bela",)),
        history((0, 1, "standing", "bela", ("registered", None))),
    ),
}


@pytest.mark.parametrize("name", EXPLICABLE)
def test_the_checker_finds_an_order_where_there_is_one(name: str) -> None:
    beginning, calls = EXPLICABLE[name]
    assert explain(calls, beginning)


@pytest.mark.parametrize("name", INEXPLICABLE)
def test_the_checker_refuses_what_cannot_have_happened(name: str) -> None:
    beginning, calls = INEXPLICABLE[name]
    assert not explain(calls, beginning)
