"""Whatever shape an engine's answer has, a request ends with an answer of its own, or an honest 503."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsite.dynamodb import shapes
from tests.api import EVENT, Api, problem
from tests.eventsite.dynamodb.test_client import Serve, ask, client_of, http, serve  # noqa: F401 (a fixture)
from tests.faults import Clock, Fault, Request, answered, counting, disturbed, failing

DEEP = b"[" * 200_000 + b"]" * 200_000
NO_ANSWERS = [
    b"null", b"[]", b"5", b"true", b'"text"', b"", b"{", DEEP, b'{"Item":' * 100_000 + b"1" + b"}" * 100_000,
    b"\xff\xfe", b'{"Item": ' + b"9" * 5000 + b"}", b"NaN",
]  # fmt: skip


@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: repr(body[:12]))
def test_an_answer_that_is_no_object_is_none(body: bytes) -> None:
    for operation in shapes.SHAPES:
        with pytest.raises(ResponseStreamingError):
            shapes.read(operation, body)


CANCELLED = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "Message": "cancelled"}


@pytest.mark.parametrize(
    "reasons",
    [None, [], {}, "Code", 5, [None], [5], [{}], [{"Code": None}], [{"Code": "None"}, {"Message": "no code"}], [[]]],
    ids=repr,
)
def test_a_cancellation_that_does_not_say_why_is_no_answer(reasons: Any) -> None:
    for refusal in (CANCELLED, CANCELLED | {"CancellationReasons": reasons}):
        with pytest.raises(ResponseStreamingError):
            shapes.read_refusal(json.dumps(refusal).encode())


@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: repr(body[:12]))
def test_a_refusal_that_cannot_be_read_counts_by_its_status(serve: Serve, body: bytes) -> None:  # noqa: F811
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        ask(client_of(serve(http(body, 502))))
    assert caught.value.response["Error"]["Code"] == "502"


# Whole requests.


class Requests:
    """One request of each kind, on an event of its own each time."""

    def __init__(self, api: Api) -> None:
        self.api, self.number = api, 0

    def scene(self, **changes: Any) -> str:
        self.number += 1
        event = self.api.event(eventId=f"e{self.number}", capacity=1, **changes)
        for name in ("ann", "bob", "cy"):
            self.api.user(f"{name}-{event}")
        self.api.register(event, f"ann-{event}")
        self.api.register(event, f"bob-{event}")
        return event


def _create(requests: Requests, event: str) -> Any:
    return requests.api.post("/events", EVENT | {"eventId": f"new-{event}"}, idempotency_key=f"key-{event}")


REQUESTS: dict[str, Callable[[Requests, str], Any]] = {
    "read": lambda each, event: each.api.get(f"/events/{event}"),
    "list": lambda each, _: each.api.get("/events"),
    "list one status": lambda each, _: each.api.get("/events?status=published&limit=1"),
    "create": _create,
    "edit": lambda each, event: each.api.patch(f"/events/{event}", {"title": "New", "capacity": 2}),
    "delete": lambda each, event: each.api.delete(f"/events/{event}"),
    "register": lambda each, event: each.api.register(event, f"cy-{event}"),
    "leave": lambda each, event: each.api.leave(event, f"ann-{event}"),
    "registration": lambda each, event: each.api.get(f"/events/{event}/registrations/bob-{event}"),
    "registrations": lambda each, event: each.api.get(f"/events/{event}/registrations?expand=user"),
    "waitlist": lambda each, event: each.api.get(f"/events/{event}/waitlist"),
    "user": lambda each, event: each.api.get(f"/users/ann-{event}"),
    "users": lambda each, _: each.api.get("/users?limit=1"),
    "user's registrations": lambda each, event: each.api.get(f"/users/bob-{event}/registrations"),
    "health": lambda each, _: each.api.get("/health"),
    "page": lambda each, event: each.api.get(f"/events/{event}", accept="text/html,application/xhtml+xml"),
}


WRITES = {"create", "edit", "delete", "register", "leave"}


def scenes(requests: Requests, name: str) -> Callable[[], str]:
    """Return a maker of the event to ask about: one for all reads, a new one for each write."""
    return requests.scene if name in WRITES else cache(requests.scene)


@pytest.fixture
def requests(api: Api, monkeypatch: pytest.MonkeyPatch) -> Requests:
    Clock().install(monkeypatch)
    return Requests(api)


def _says(body: bytes, status: int = 200) -> Fault:
    def fault(request: Request) -> Any:
        return answered(request, status, body)

    return fault


FAULTS: dict[str, Fault] = {
    "200 null": _says(b"null"),
    "200 deep": _says(b"[" * 5000 + b"]" * 5000),
    "200 {}": _says(b"{}"),
    "400 without reasons": _says(json.dumps(CANCELLED).encode(), 400),
    "400 null": _says(b"null", 400),
    "204": _says(b"{}", 204),
}


@pytest.mark.parametrize("share", [3, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
@pytest.mark.parametrize("name", REQUESTS)
def test_an_engine_that_answers_nonsense_is_out_of_reach(requests: Requests, name: str, share: int) -> None:
    scene = scenes(requests, name)
    with counting() as calls:
        REQUESTS[name](requests, scene())
    for fault in list(FAULTS.values())[list(REQUESTS).index(name) % share :: share]:
        event = scene()
        for number in range(len(calls.made)):
            with failing(fault, at=number, lasting=True):
                _is_honest(REQUESTS[name](requests, event))


def _is_honest(answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, answer.content
    if answer.status_code == 503 and answer.headers["Content-Type"] == "application/problem+json":
        assert problem(answer) == (503, "service_unavailable")


# Answers that are nearly right: somewhere in them, another thing.

OTHERS: tuple[Any, ...] = (None, [], {}, 5, True, "text")


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value where something else could be."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield from _places(held, (*path, key))


def _differs(value: Any, path: tuple[Any, ...], other: Any) -> bool:
    """Whether there is something of another type at this place."""
    for part in path:
        value = value[part]
    return type(value) is not type(other)


def _with(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _with(value[path[0]], path[1:], other)
    return changed


@pytest.mark.parametrize("examples", [3, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_with_another_shape_somewhere_in_it_is_no_defect(
    requests: Requests, name: str, examples: int
) -> None:
    scene = scenes(requests, name)

    @settings(max_examples=examples)
    @given(st.integers(0, 6), st.integers(0, 10**9))
    def search(at: int, seed: int) -> None:
        event, chance = scene(), Random(seed)

        def spoilt(request: Request) -> Any:
            answer = request.send()
            body = json.loads(answer.body)
            places = [(path, other) for path in _places(body) for other in OTHERS if _differs(body, path, other)]
            return answered(request, answer.status, json.dumps(_with(body, *chance.choice(places))).encode())

        with disturbed(lambda number, _: spoilt if number == at else None):
            _is_honest(REQUESTS[name](requests, event))

    search()
