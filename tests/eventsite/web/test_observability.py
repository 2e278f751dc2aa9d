"""What an operator sees of a request: the correlation id, the line of log, the metrics."""

import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from django.test import Client

from eventsite.web import observability
from tests.api import Api
from tests.faults import conflict, failing

GATEWAY = {"requestContext": {"requestId": "gateway-1", "identity": {"sourceIp": "192.0.2.7"}}}
Metrics = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def on_lambda(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The service believes that it runs on Lambda, freshly started."""
    settings.ON_LAMBDA, settings.LAMBDA_FUNCTION = True, "eventsite-test"
    monkeypatch.setattr(observability, "metrics", None)
    monkeypatch.setattr(observability, "_cold", True)
    yield
    if observability.metrics is not None:
        observability.metrics.clear_metrics()


@pytest.fixture
def lines(on_lambda: None) -> Iterator[list[dict[str, Any]]]:
    """The lines of log about requests from now on, as they appear on Lambda."""
    written: list[dict[str, Any]] = []
    formatter = LambdaPowertoolsFormatter()
    handler = logging.Handler()
    handler.addFilter(observability.CorrelationFilter())
    handler.emit = lambda record: written.append(json.loads(formatter.format(record)))  # type: ignore[method-assign]
    observability.logger.addHandler(handler)
    yield written
    observability.logger.removeHandler(handler)


@pytest.fixture
def metrics(on_lambda: None, capsys: pytest.CaptureFixture[str]) -> Metrics:
    """What was written for CloudWatch to count, since it was last asked."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]

    return read


def test_a_correlation_id_comes_back(api: Api) -> None:
    assert api.get("/", x_correlation_id="order-7").headers["X-Correlation-Id"] == "order-7"
    assert api.get("/nowhere", x_correlation_id="order-8").headers["X-Correlation-Id"] == "order-8"


@pytest.mark.parametrize("sent", ["", "two words", "a" * 129, "umlaut-ä", 'quote"', "<script>"])
def test_one_that_could_do_harm_is_replaced(api: Api, sent: str) -> None:
    answered = api.get("/", x_correlation_id=sent).headers["X-Correlation-Id"]
    assert answered != sent and observability.CORRELATION_ID.fullmatch(answered)


def test_without_one_it_is_the_id_of_api_gateway() -> None:
    answer = Client().get("/", **{"lambda.event": GATEWAY})  # type: ignore[arg-type] # Zappa's way of passing it
    assert answer.headers["X-Correlation-Id"] == "gateway-1"


def test_the_address_is_the_one_that_api_gateway_saw() -> None:
    forged = {"X-Forwarded-For": "203.0.113.9"}
    answer = Client().get("/", headers=forged, **{"lambda.event": GATEWAY})  # type: ignore[arg-type]
    assert answer.wsgi_request.META["REMOTE_ADDR"] == "192.0.2.7"


def test_a_request_is_one_line_without_anything_about_people(lines: list[dict[str, Any]], api: Api) -> None:
    user = api.user("alice-the-first")
    api.get(f"/users/{user}?token=secret", x_correlation_id="order-7", authorization="Bearer secret")
    line = lines[-1]
    assert (line["method"], line["route"], line["status"]) == ("GET", "users/<str:user_id>", 200)
    assert line["correlation_id"] == "order-7"
    assert 0 < line["duration_ms"] < 10_000
    assert "alice" not in json.dumps(line).lower() and "secret" not in json.dumps(line)


@pytest.mark.parametrize("value", ["é\u2028\n", "\ud800", 2**70, float("inf"), b"bytes", {1: 2}])
def test_a_line_holds_whatever_is_logged(value: Any) -> None:
    line = observability.as_json({"message": value})
    assert "\n" not in line
    assert json.loads(line)["message"] in (value, str(value), {"1": 2}, None)


def test_only_the_first_request_of_a_process_is_a_cold_start(lines: list[dict[str, Any]], api: Api) -> None:
    api.get("/")
    api.get("/nowhere")
    assert [(line["cold_start"], line.get("route")) for line in lines] == [(True, ""), (False, None)]


def test_a_caller_can_be_followed_but_not_named(rf: Any, settings: Any) -> None:
    def seen(sub: str) -> str | None:
        request = rf.get("/")
        request.user = SimpleNamespace(sub=sub)
        return observability.caller_of(request)

    alice = seen("alice")
    assert alice == seen("alice") != seen("bob")
    settings.SECRET_KEY = "another"
    assert alice != seen("alice") and "alice" not in str(alice)


def test_people_are_counted_by_what_became_of_them(metrics: Metrics, api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob, carol = api.users(3)
    counted: list[dict[str, float]] = []
    for act in (
        lambda: [api.register(event, user) for user in (alice, bob, carol)],
        lambda: [api.leave(event, alice)],
        lambda: [api.patch(f"/events/{event}", {"capacity": 2})],
        lambda: [api.register(event, alice), api.register(event, alice)],
    ):
        act()
        names = ("Registrations", "Waitlisted", "Promotions", "Cancellations")
        written = metrics()
        totals = {name: sum(sum(line.get(name, [])) for line in written) for name in names}
        counted.append({name: total for name, total in totals.items() if total})
    assert counted == [
        {"Registrations": 1, "Waitlisted": 2},
        {"Promotions": 1, "Cancellations": 1},
        {"Promotions": 1},
        {"Waitlisted": 1},
    ]


def test_a_safe_retry_counts_once(metrics: Metrics, api: Api) -> None:
    event, user = api.event(), api.user()
    for _ in range(3):
        api.register(event, user, idempotency_key="again")
    assert sum(sum(line.get("Registrations", [])) for line in metrics()) == 1


def test_metrics_are_separated_by_function(metrics: Metrics, api: Api) -> None:
    api.register(api.event(), api.user())
    line = metrics()[-1]
    assert (line["service"], line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) == ("eventsite-test", [["service"]])


def test_a_failure_on_our_side_is_counted(metrics: Metrics, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventsite.service._state", lambda _: "unavailable")
    assert api.get("/health").status_code == 503
    assert [line["ServerErrors"] for line in metrics()] == [[1.0]]


def test_conflicts_and_missed_deadlines_are_counted(metrics: Metrics, settings: Any, api: Api) -> None:
    settings.REQUEST_SECONDS = 0.3
    with failing(conflict, lasting=True):
        assert api.post("/users", {"name": "Ann"}).status_code == 503
    counted = metrics()[-1]
    assert sum(counted["ConflictsRetried"]) >= 1
    assert (counted["DeadlineMisses"], counted["ServerErrors"]) == ([1.0], [1.0])


def test_nothing_is_counted_elsewhere(capsys: pytest.CaptureFixture[str], api: Api) -> None:
    api.register(api.event(), api.user())
    assert "_aws" not in capsys.readouterr().out


@pytest.mark.parametrize("broken", ["add_metric", "flush_metrics"])
def test_a_registration_that_cannot_be_counted_has_happened(
    on_lambda: None, api: Api, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    event, alice, bob = api.event(capacity=1), *api.users(2)
    monkeypatch.setattr(f"aws_lambda_powertools.Metrics.{broken}", fail)
    assert api.register(event, alice).status_code == 201
    assert api.register(event, bob).json()["waitlistPosition"] == 1
    assert api.leave(event, alice).json()["promotedUser"] == bob
    assert api.get("/nothing").status_code == 404


def test_a_line_that_cannot_be_written_changes_no_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(observability, "caller_of", fail)
    assert api.get("/events").status_code == 200
