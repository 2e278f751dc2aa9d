"""The call table of the contract, the URL configuration and the OpenAPI document say the same."""

from typing import Any, NamedTuple

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from eventsite.urls import Lazily
from tests.api import Api
from tests.openapi import resolved
from tests.signing_in import As


class Row(NamedTuple):
    """One call: the status and headers of its success, its error codes, its query parameters and request headers."""

    call: str
    status: int
    headers: str = ""
    codes: str = ""
    query: str = ""
    takes: str = ""


PAGE, FILTERED = "limit cursor", "limit cursor status"
EXPANDED = f"{PAGE} expand bom separator format"
REGISTERING = (
    "event_not_found user_not_found already_registered event_full registration_not_open registration_closed "
    "idempotency_key_reused"
)
EDITING = "event_not_found permission_denied precondition_failed validation_error"

CHECKING_IN = "event_not_found permission_denied registration_not_found not_registered"

TABLE = [
    Row("GET /", 200),
    Row("GET /health", 200),
    Row("GET /docs", 200),
    Row("GET /redoc", 200),
    Row("GET /schema", 200, query="format"),
    Row("GET /openapi.json", 200),
    Row(
        "POST /events",
        201,
        "Location ETag",
        "event_exists validation_error idempotency_key_reused permission_denied",
        takes="Idempotency-Key",
    ),
    Row("GET /events", 200, "Link", "invalid_cursor validation_error", f"{FILTERED} organizerId from to order format"),
    Row("GET /events/{eventId}", 200, "ETag", "event_not_found", "format"),
    Row("PUT /events/{eventId}", 200, "ETag", EDITING, takes="If-Match"),
    Row("PATCH /events/{eventId}", 200, "ETag", EDITING, takes="If-Match"),
    Row(
        "DELETE /events/{eventId}",
        204,
        "",
        "event_not_found event_has_registrations permission_denied precondition_failed validation_error",
        query="registrations",
        takes="If-Match",
    ),
    Row(
        "POST /users",
        201,
        "Location",
        "user_exists validation_error idempotency_key_reused permission_denied",
        takes="Idempotency-Key",
    ),
    Row("GET /users", 200, "Link", "invalid_cursor validation_error permission_denied", f"{PAGE} name email"),
    Row("GET /users/{userId}", 200, "", "user_not_found"),
    Row("PUT /users/{userId}", 200, "", "user_not_found validation_error"),
    Row("PATCH /users/{userId}", 200, "", "user_not_found validation_error"),
    Row("DELETE /users/{userId}", 204, "", "user_not_found"),
    Row("POST /events/{eventId}/registrations", 201, "Location", REGISTERING, takes="Idempotency-Key"),
    Row("POST /events/{eventId}/register", 201, "Location", REGISTERING, takes="Idempotency-Key"),
    Row(
        "GET /events/{eventId}/registrations",
        200,
        "Link",
        "event_not_found invalid_cursor validation_error permission_denied",
        f"{FILTERED} expand bom separator format checkedIn",
    ),
    Row(
        "GET /events/{eventId}/waitlist",
        200,
        "Link",
        "event_not_found invalid_cursor permission_denied",
        EXPANDED,
    ),
    Row("GET /events/{eventId}/registrations/{userId}", 200, "", "registration_not_found"),
    Row(
        "PATCH /events/{eventId}/registrations/{userId}",
        200,
        "",
        "registration_not_found registration_closed validation_error",
    ),
    Row("PUT /events/{eventId}/registrations/{userId}/check-in", 200, "", CHECKING_IN),
    Row("DELETE /events/{eventId}/registrations/{userId}/check-in", 200, "", CHECKING_IN),
    Row("DELETE /events/{eventId}/registrations/{userId}", 200, "", "registration_not_found permission_denied"),
    Row("DELETE /events/{eventId}/register/{userId}", 200, "", "registration_not_found permission_denied"),
    Row(
        "POST /events/{eventId}/messages",
        202,
        "",
        "event_not_found permission_denied mail_is_off too_many_messages validation_error idempotency_key_reused",
        takes="Idempotency-Key",
    ),
    Row(
        "GET /events/{eventId}/history",
        200,
        "Link",
        "event_not_found invalid_cursor validation_error permission_denied",
        PAGE,
    ),
    Row("GET /users/{userId}/registrations", 200, "Link", "user_not_found invalid_cursor", FILTERED),
    Row("GET /users/{userId}/calendar", 200, "", "user_not_found", "format"),
    Row("PUT /users/{userId}/calendar", 200, "", "user_not_found"),
    Row("DELETE /users/{userId}/calendar", 204, "", "user_not_found"),
    Row("GET /calendars/{token}.ics", 200, "", "user_not_found"),
    Row("GET /users/{userId}/waitlists", 200, "Link", "user_not_found invalid_cursor", PAGE),
]
CALLS = {row.call for row in TABLE}
KEPT = {"GET /", "GET /docs", "GET /redoc", "GET /schema", "GET /openapi.json"}
KEPT |= {row.call for row in TABLE if row.call.startswith(("GET /events", "GET /users"))} - {
    "GET /users/{userId}/calendar"
}
"""The reads that open mode lets clients keep."""
FOR_ANYONE = {call for call in KEPT if call.count("/") == 1} - {"GET /users"} | {"GET /events/{eventId}"}
"""Those that everyone may keep where people sign in."""
FILES = {row.call for row in TABLE if "format" in row.query.split()} - {"GET /schema"} | {"GET /calendars/{token}.ics"}
"""The calls that may answer with a sheet or a calendar."""
WITHOUT_A_BODY = {"PUT /users/{userId}/calendar", "PUT /events/{eventId}/registrations/{userId}/check-in"}
SIGN_IN = {"/login", "/login/callback", "/logout", "/acting"}
SIGN_IN |= {"/confirmations/<str:token>", "/robots.txt", "/favicon.ico"}
"""Routes that only browsers and crawlers use: see `eventsite.auth`, `users.confirming`, `eventsite.service`."""


def _routed(patterns: list[Any], prefix: str = "/") -> set[str]:
    """Every ``METHOD /path`` of the URL configuration."""
    found: set[str] = set()
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= _routed(pattern.url_patterns, path)
            continue
        assert isinstance(pattern, URLPattern)
        if path in SIGN_IN:
            continue
        named = path.replace("<str:event_id>", "{eventId}").replace("<str:user_id>", "{userId}")
        named = named.replace("<str:token>", "{token}")
        methods = ["get"] if isinstance(pattern.callback, Lazily) else pattern.callback.actions  # type: ignore[attr-defined]
        found |= {f"{method.upper()} {named}" for method in methods if method != "head"}
    return found


def test_the_calls_of_the_table_are_routed_and_no_others() -> None:
    assert _routed(get_resolver().url_patterns) == CALLS


def test_the_calls_of_the_table_are_documented_and_no_others(document: Any) -> None:
    documented = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert documented == CALLS


def _codes(answer: Any) -> set[str]:
    content = answer.get("content", {}).get("application/problem+json", {})
    return set(content["examples"]) if content else set()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.call)
def test_each_call_is_documented_as_in_the_table(document: Any, row: Row) -> None:
    method, _, path = row.call.partition(" ")
    operation = document["paths"][path][method.lower()]
    answers = {status: resolved(document, answer) for status, answer in operation["responses"].items()}
    kept, files = row.call in KEPT, row.call in FILES
    assert [status for status in answers if status < "400"] == [str(row.status), *["304"] * kept]
    headers = {*row.headers.split(), *["ETag"] * kept, *["Content-Disposition"] * files}
    assert set(answers[str(row.status)].get("headers", {})) == headers
    parameters = [resolved(document, part) for part in operation.get("parameters", [])]
    assert {part["name"] for part in parameters if part["in"] == "query"} == set(row.query.split())
    assert {part["name"] for part in parameters if part["in"] == "header"} == {
        *row.takes.split(),
        *["If-None-Match"] * kept,
    }
    assert all(part["required"] for part in parameters if part["in"] == "path")
    assert set(row.codes.split()) <= set().union(*map(_codes, answers.values()))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.call)
def test_each_call_is_documented_with_what_may_go_wrong_anywhere(document: Any, row: Row) -> None:
    method, _, path = row.call.partition(" ")
    answers = document["paths"][path][method.lower()]["responses"]
    has_body = method[0] == "P" and row.call not in WITHOUT_A_BODY
    expected = {"400", "401", "406", "413", "415", "429", "503"} | ({"422"} if has_body else set())
    expected |= set() if method == "GET" else {"403"}
    assert expected <= set(answers)
    assert "500" not in answers
    assert "WWW-Authenticate" in resolved(document, answers["401"])["headers"]
    assert all("Retry-After" in resolved(document, answers[status])["headers"] for status in ("429", "503"))


def _reads(api: Api) -> dict[str, str]:
    """The path of each read, with an event, a user and a calendar that there are."""
    event, user = api.event(), api.user()
    api.register(event, user)
    token = api.put(f"/users/{user}/calendar").json()["url"].rpartition("/")[2].removesuffix(".ics")
    paths = {row.call: row.call.partition(" ")[2] for row in TABLE if row.call.startswith("GET ")}
    found = {call: path.format(eventId=event, userId=user, token=token) for call, path in paths.items()}
    return found | {"GET /events/{eventId}": f"/events/{api.event()}"}  # its tag is exact until someone signs up


def _kept(document: Any) -> set[str]:
    return {
        f"GET {path}" for path, item in document["paths"].items() if "304" in item.get("get", {}).get("responses", ())
    }


def test_answers_that_are_kept_and_files_are_documented(api: Api, document: Any) -> None:
    for call, path in _reads(api).items():
        operation = document["paths"][call.partition(" ")[2]]["get"]
        answers = [api.get(path)] + [api.get(f"{path}?format={form}") for form in ("csv", "ics", "yaml")]
        again = api.get(path, if_none_match="*").status_code
        named = {name for answer in answers if answer.status_code == 200 for name in answer.headers}
        documented = operation["responses"]["200"].get("headers", {})
        assert (again == 304) == ("304" in operation["responses"]), path
        assert named & {"ETag", "Content-Disposition", "Link"} <= documented.keys(), path


@pytest.mark.usefixtures("cognito")
def test_where_people_sign_in_only_what_all_may_read_is_kept() -> None:
    assert _kept(As(None).get("/schema").json()) == FOR_ANYONE


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.call)
def test_other_methods_are_refused_with_the_allowed_ones(api: Api, row: Row) -> None:
    path = row.call.partition(" ")[2].format(eventId="party", userId="alice", token="no-token")
    allowed = {call.partition(" ")[0] for call in CALLS if call.partition(" ")[2] == row.call.partition(" ")[2]}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
        answer = api.call(method, path, {})
        assert answer.status_code == 405, method
        assert allowed <= set(answer.headers["Allow"].split(", "))
