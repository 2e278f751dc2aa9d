"""Programs in browsers, on pages of any origin, may use the service."""

import pytest

from tests.api import Api
from tests.eventsite.openapi.test_contract import TABLE

ORIGIN = "https://app.example.org"
PATHS = sorted({row.call.partition(" ")[2].format(eventId="party", userId="alice", token="any") for row in TABLE})


@pytest.mark.parametrize("path", [*PATHS, "/events/"])
def test_a_preflight_is_answered_everywhere(api: Api, path: str) -> None:
    asked = "authorization, content-type, idempotency-key, if-match"
    answer = api.call(
        "OPTIONS",
        path,
        origin=ORIGIN,
        access_control_request_method="PUT",
        access_control_request_headers=asked,
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert set(asked.split(", ")) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"PUT", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


@pytest.mark.parametrize("headers", [{}, {"origin": ORIGIN}], ids=["no origin", "an origin"])
def test_a_cache_keeps_answers_apart_by_their_origin(api: Api, headers: dict[str, str]) -> None:
    assert "origin" in api.call("GET", "/events", **headers).headers["Vary"].lower()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/events", 200),
        ("GET", "/events/none", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/events", 422),
        ("PUT", "/events", 405),
        ("GET", "/schema", 200),
    ],
)
def test_answers_and_errors_may_be_read_with_their_headers(api: Api, method: str, path: str, status: int) -> None:
    answer = api.call(method, path, {} if method != "GET" else None, origin=ORIGIN)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"Content-Disposition", "ETag", "Link", "Location", "Retry-After"} <= exposed


def test_no_origin_may_send_cookies(api: Api) -> None:
    assert "Access-Control-Allow-Credentials" not in api.get("/events", origin=ORIGIN).headers
