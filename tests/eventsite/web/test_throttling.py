"""One caller who calls too often is refused, and nobody else."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from eventsite.web import throttling
from tests.api import Api, problem
from tests.metering import Meter
from tests.signing_in import As, alice, olivia


class Clock:
    """A time that passes only when a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Two requests a second, five at once."""
    settings.CALLER_RATE, settings.CALLER_BURST = 2, 5
    made = Clock()
    monkeypatch.setattr(throttling, "time", made)
    throttling.buckets.clear()
    yield made
    throttling.buckets.clear()


def test_a_caller_above_the_limit_is_refused_with_a_time_to_come_back(api: Api, clock: Clock, meter: Meter) -> None:
    assert [api.get("/events").status_code for _ in range(6)] == [200] * 5 + [429]
    meter.reset()
    refused = api.post("/users", {"name": "Alice"})
    assert problem(refused) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "1"
    assert meter.calls == []
    clock.now += 1
    assert [api.get("/events").status_code for _ in range(3)] == [200, 200, 429]
    clock.now += 1000
    assert [api.get("/events").status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.usefixtures("cognito")
def test_nobody_else_is(clock: Clock) -> None:
    for _ in range(6):
        busy = As(alice().access).get("/events")
    assert busy.status_code == 429
    assert As(olivia().access).get("/events").status_code == 200
    assert As(None).get("/events").status_code == 200


FORGED = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.e30"
REFUSED: list[tuple[str, str, str | None]] = [
    ("GET", "/events", FORGED),
    ("GET", "/users", "x"),
    ("GET", "/users/me", None),
    ("GET", "/users", None),
    ("POST", "/events", None),
    ("DELETE", "/events/party", FORGED),
]


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize(("method", "path", "token"), REFUSED)
def test_a_call_that_is_not_authenticated_counts(clock: Clock, method: str, path: str, token: str | None) -> None:
    statuses = [As(token).call(method, path, {}).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize(("method", "path"), [("GET", "/users"), ("POST", "/events")])
def test_a_call_that_is_not_permitted_counts(clock: Clock, method: str, path: str) -> None:
    statuses = [As(alice().access).call(method, path, {}).status_code for _ in range(7)]
    assert statuses == [403] * 5 + [429] * 2
    assert As(olivia().access).get("/events").status_code == 200


def test_the_number_of_remembered_callers_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_CALLERS", 3)
    for name in "abcdef":
        throttling.take(name)
    assert list(throttling.buckets) == ["d", "e", "f"]


def test_without_a_limit_nothing_is_remembered(api: Api) -> None:
    before = dict(throttling.buckets)
    assert {api.get("/").status_code for _ in range(50)} == {200}
    assert throttling.buckets == before
