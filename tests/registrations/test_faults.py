"""Whatever single thing goes wrong with DynamoDB, nobody gets a wrong answer and the seats stay right.

Every operation of the service, every DynamoDB call that it makes, every fault, once and until further notice,
enumerated: a dry run counts the calls. After the fault the client sends its request again, as clients do, and what
the tables hold then is what they hold when nothing goes wrong.
"""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import Settings

from registrations.seating import ends
from tests.api import EVENT, Api
from tests.dying import DEAD
from tests.faults import (
    PASSING,
    SECRET,
    Clock,
    Fault,
    Killed,
    answer_lost,
    busy,
    conflict,
    connection_cut,
    counting,
    failing,
    internal_error,
    killed,
    throttled,
)
from tests.registrations.auditing import differences, stored
from tests.registrations.scenes import lay, moment
from users.models import User

Body = dict[str, Any]
STATUSES = ("registered", "waitlisted", "cancelled")
_numbers = itertools.count(1)
_VOLATILE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|\"version\":\d+",
)


@dataclass(frozen=True)
class Scene:
    """What there is before the request: one event, with people in it."""

    capacity: int = 2
    seated: str = ""
    waiting: str = ""
    cancelled: str = ""
    strangers: str = "z"
    status: str = "published"
    waitlist: bool = True

    def lay(self) -> str:
        """Write it into the tables, and return the number that makes all its ids its own."""
        number = str(next(_numbers))
        people = {
            kind: [f"{name}-{number}" for name in getattr(self, kind)] for kind in ("seated", "waiting", "cancelled")
        }
        lay(f"party-{number}", capacity=self.capacity, status=self.status, waitlist=self.waitlist, **people)
        with User.batch_write() as batch:
            for name in self.seated + self.waiting + self.cancelled + self.strangers:
                batch.save(User(f"{name}-{number}", name=name, created_at=moment(0)))
        return number


@dataclass(frozen=True)
class Operation:
    """One request. ``{}`` in its path, body and headers is the number of the scene."""

    name: str
    method: str
    path: str
    scene: Scene = Scene()
    body: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)
    done: tuple[int, ...] = ()
    """What the client takes for 'it was done before' when it sends the request again."""

    def send(self, number: str) -> Any:
        body = self.body and {name: _numbered(value, number) for name, value in self.body.items()}
        headers = {name: _numbered(value, number) for name, value in self.headers.items()}
        return Api().call(self.method, self.path.replace("{}", number), body, **headers)


def _numbered(value: Any, number: str) -> Any:
    return value.replace("{}", number) if isinstance(value, str) else value


KEY = {"Idempotency-Key": "key-{}"}
NEW_EVENT = {name: value for name, value in EVENT.items() if name != "eventId"}
PARTY = "/events/party-{}"
SEATS = f"{PARTY}/registrations"
FULL = Scene(seated="ab", waiting="cde")
Z = {"userId": "z-{}"}

OPERATIONS = [
    Operation("check the health", "GET", "/health"),
    Operation("read an event", "GET", PARTY),
    Operation("read a user", "GET", "/users/z-{}"),
    Operation("read a place in the queue", "GET", f"{SEATS}/d-{{}}", FULL),
    Operation("list all events", "GET", "/events"),
    Operation("list events of one status", "GET", "/events?status=published"),
    Operation("list users", "GET", "/users"),
    Operation("list registrations", "GET", SEATS, FULL),
    Operation("list the second page of the waitlist", "GET", f"{PARTY}/waitlist?limit=1", FULL),
    Operation("list a user's registrations", "GET", "/users/d-{}/registrations", FULL),
    Operation("list a user's waitlists", "GET", "/users/d-{}/waitlists", FULL),
    Operation("create an event", "POST", "/events", body=NEW_EVENT | {"eventId": "new-{}"}, done=(409,)),
    Operation("create an event, keyed", "POST", "/events", body=NEW_EVENT, headers=KEY),
    Operation("create a user", "POST", "/users", body={"userId": "new-{}", "name": "N"}, done=(409,)),
    Operation("create a user, keyed", "POST", "/users", body={"name": "N"}, headers=KEY),
    Operation("take a seat", "POST", SEATS, body=Z, done=(409,)),
    Operation("take a seat, keyed", "POST", SEATS, body=Z, headers=KEY),
    Operation("join the queue", "POST", SEATS, FULL, Z, done=(409,)),
    Operation("join the queue, keyed", "POST", SEATS, FULL, Z, KEY),
    Operation("come back", "POST", SEATS, Scene(seated="a", cancelled="zx", strangers=""), Z, done=(409,)),
    Operation("come back, keyed", "POST", SEATS, Scene(seated="ab", cancelled="zx", strangers=""), Z, KEY),
    Operation("be refused at a full event", "POST", SEATS, Scene(1, "a", waitlist=False), Z),
    Operation("be refused at a closed event", "POST", SEATS, Scene(status="draft"), Z),
    Operation("be refused a second seat", "POST", SEATS, Scene(seated="z", strangers=""), Z),
    Operation("be refused as a stranger", "POST", SEATS, body={"userId": "nobody"}),
    Operation("be refused as a stranger, in the queue", "POST", SEATS, FULL, {"userId": "nobody"}),
    Operation("leave a seat to nobody", "DELETE", f"{SEATS}/a-{{}}", Scene(seated="ab"), done=(404,)),
    Operation("leave a seat to the queue", "DELETE", f"{SEATS}/a-{{}}", FULL, done=(404,)),
    Operation("leave the queue", "DELETE", f"{SEATS}/d-{{}}", FULL, done=(404,)),
    Operation("leave the head of the queue", "DELETE", f"{SEATS}/c-{{}}", FULL, done=(404,)),
    Operation("leave an overfull event", "DELETE", f"{SEATS}/a-{{}}", Scene(1, "ab", "c"), done=(404,)),
    Operation("leave a closed event", "DELETE", f"{SEATS}/a-{{}}", Scene(2, "ab", "c", status="draft"), done=(404,)),
    Operation("leave without having come", "DELETE", f"{SEATS}/z-{{}}", FULL),
    Operation("edit a text", "PATCH", PARTY, FULL, {"title": "New"}),
    Operation("edit one version", "PATCH", PARTY, FULL, {"title": "New"}, {"If-Match": '"1"'}, done=(412,)),
    Operation("make room for two", "PATCH", PARTY, FULL, {"capacity": 4}),
    Operation("make room for all and more", "PUT", PARTY, FULL, {"capacity": 9}),
    Operation("reopen", "PATCH", PARTY, Scene(2, "a", "bc", status="draft"), {"status": "active"}),
    Operation("close", "PATCH", PARTY, FULL, {"status": "cancelled"}),
    Operation("delete an event", "DELETE", PARTY, Scene(cancelled="xyw"), done=(404,)),
    Operation("be refused a deletion", "DELETE", PARTY, FULL),
]


def plain(text: str, number: str) -> str:
    """A text without what differs from scene to scene and from time to time."""
    return _VOLATILE.sub("~", text).replace(f"-{number}", "")


def answer_of(response: Any, number: str) -> tuple[int, str]:
    assert SECRET not in response.content.decode()
    return response.status_code, plain(response.content.decode(), number)


def tables_of(number: str) -> Any:
    """Return the state after the request, without the history of a deleted event.

    The recount holds, too.
    """
    kept = stored(f"party-{number}")
    overfull = kept.seats is not None and kept.seats.registered > kept.seats.capacity
    assert differences(kept, shrunk=overfull) == []
    if kept.seats is None or kept.event is None:
        return None
    people = [[user.partition("-")[0] for user in kept.having(status)] for status in STATUSES]
    seats = [getattr(kept.seats, name) for name in ("capacity", "open", "registered", "waiting", "status")]
    return people, seats, kept.event.title


@dataclass
class Undisturbed:
    """How an operation goes when nothing goes wrong."""

    number: str
    calls: list[str]
    answer: tuple[int, str]
    tables: Any


def undisturbed(operation: Operation) -> Undisturbed:
    number = operation.scene.lay()
    with counting() as calls:
        answer = answer_of(operation.send(number), number)
    return Undisturbed(number, calls.made, answer, tables_of(number))


def is_patience(response: Any) -> bool:
    """A 503 with a time to come back."""
    return response.status_code == 503 and int(response.headers["Retry-After"]) > 0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.install(monkeypatch)
    return clock


class Trial:
    """One operation, disturbed in one way."""

    def __init__(self, operation: Operation, right: Undisturbed, disturbance: str) -> None:
        self.operation, self.right = operation, right
        self.name = f"{operation.name}: {disturbance}"
        self.number = right.number if operation.method == "GET" else operation.scene.lay()

    def request(self, fault: Fault, at: int, *, lasting: bool) -> Any:
        """Send the request while DynamoDB misbehaves. Returns: None if the process died."""
        try:
            with failing(fault, at=at, lasting=lasting) as calls:
                return self.operation.send(self.number)
        except Killed:
            return None
        finally:
            assert calls.failed, f"{self.name}: the fault did not happen"

    def expect_right(self, response: Any) -> None:
        assert answer_of(response, self.number) == self.right.answer, self.name

    def again(self) -> None:
        """The client tries again, and learns that it is done."""
        response = self.operation.send(self.number)
        if response.status_code not in self.operation.done:
            self.expect_right(response)

    def expect_right_tables(self) -> None:
        if self.operation.method != "GET":
            assert tables_of(self.number) == self.right.tables, self.name


def trials(operation: Operation, faults: list[Fault], *, in_turn: bool = False) -> Iterator[tuple[Trial, Fault, int]]:
    """Yield every fault at every call, or one fault at each call, in turn."""
    right = undisturbed(operation)
    first = OPERATIONS.index(operation)
    for at, call in enumerate(right.calls):
        for fault in [faults[(first + at) % len(faults)]] if in_turn else faults:
            yield Trial(operation, right, f"{fault.__name__} at call {at} ({call})"), fault, at


every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@pytest.mark.parametrize("in_turn", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["in turn", "every fault"])
@every_operation
def test_a_fault_that_passes_is_not_noticed(operation: Operation, in_turn: bool) -> None:
    for trial, fault, at in trials(operation, PASSING, in_turn=in_turn):
        trial.expect_right(trial.request(fault, at, lasting=False))
        trial.expect_right_tables()


LASTING = pytest.param([answer_lost], id="a lost answer")
OTHERS = [conflict, connection_cut, throttled, busy, internal_error]


@pytest.mark.parametrize("faults", [LASTING, pytest.param(OTHERS, id="the other faults", marks=pytest.mark.slow)])
@every_operation
def test_a_fault_that_lasts_is_answered_in_time_and_harms_nothing(
    operation: Operation, faults: list[Fault], clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUEST_SECONDS = 1.5  # so that there are fewer attempts until the time is up
    monkeypatch.setattr(ends, "RESERVED_SECONDS", 0.5)
    for trial, fault, at in trials(operation, faults):
        clock.waited = 0.0
        response = trial.request(fault, at, lasting=True)
        assert clock.waited < settings.REQUEST_SECONDS, trial.name
        if not is_patience(response):
            trial.expect_right(response)
        trial.again()
        trial.expect_right_tables()


@every_operation
def test_a_death_after_any_call_harms_nothing(operation: Operation) -> None:
    for trial, fault, at in trials(operation, [killed]):
        assert trial.request(fault, at, lasting=False) is None
        trial.again()
        trial.expect_right_tables()


def test_a_done_deletion_is_answered_as_done_although_clearing_up_fails(api: Api) -> None:
    number = Scene(cancelled="xy").lay()
    with failing(connection_cut, at=2, lasting=True):
        assert api.delete(f"/events/party-{number}").status_code == 204
    assert api.get(f"/events/party-{number}").status_code == 404


def process_that_dies(operation: Operation, number: str, at: int) -> int:
    """Send the request in a process that dies right after a call. Returns: its exit status."""
    body = json.dumps({name: _numbered(value, number) for name, value in (operation.body or {}).items()})
    key = operation.headers.get("Idempotency-Key", "").replace("{}", number)
    path = operation.path.replace("{}", number)
    command = [sys.executable, "-m", "tests.dying", operation.method, path, body, key, str(at)]
    return subprocess.run(command, check=False).returncode


def _last_write(calls: list[str]) -> list[int]:
    return [max(number for number, call in enumerate(calls) if call == "TransactWriteItems")]


def _every_call(calls: list[str]) -> list[int]:
    return list(range(len(calls)))


WRITES = [operation for operation in OPERATIONS if operation.method != "GET"]
BY_NAME = {operation.name: operation for operation in OPERATIONS}
CHOSEN = [BY_NAME[name] for name in ("join the queue, keyed", "leave a seat to the queue", "make room for two")]


@pytest.mark.parametrize(
    ("operation", "moments"),
    [pytest.param(operation, _last_write, id=f"{operation.name}, last write") for operation in CHOSEN]
    + [
        pytest.param(operation, _every_call, id=f"{operation.name}, every call", marks=pytest.mark.slow)
        for operation in WRITES
    ],
)
def test_a_real_process_may_die_too(operation: Operation, moments: Any) -> None:
    right = undisturbed(operation)
    for at in moments(right.calls):
        trial = Trial(operation, right, f"process gone after call {at} ({right.calls[at]})")
        assert process_that_dies(operation, trial.number, at) == DEAD
        trial.again()
        trial.expect_right_tables()
