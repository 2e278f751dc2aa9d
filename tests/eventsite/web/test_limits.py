"""The limits of input and of quotations: depth, size, duplicate names, unseen names."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from eventsite.text import MAX_CHARACTERS
from eventsite.web.parsers import MAX_DEPTH
from tests.api import EVENT, Api, problem

PAGE = {"accept": "text/html"}
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
WRITES = [("POST", "/events"), ("POST", "/users"), ("PATCH", "/events/party"), ("PUT", "/events/party")]
WRITES += [("POST", "/events/party/registrations"), ("PATCH", "/users/alice")]


@pytest.fixture(autouse=True)
def world(api: Api) -> None:
    api.event(eventId="party")
    api.user("alice")


def nested(depth: int, kind: str) -> str:
    opening, closing = {"array": ("[", "]"), "object": ('{"a":', "}")}[kind]
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize("kind", ["array", "object"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_body_may_be_nested_so_deep_and_no_deeper(api: Api, kind: str, accept: str) -> None:
    for method, path in WRITES:
        for depth in (MAX_DEPTH, MAX_DEPTH + 1, *range(900, 1000, 9), 5000):
            for body in (nested(depth, kind), f'{{"title": {nested(depth - 1, kind)}, "name": ""}}'):
                answer = api.call(method, path, raw=body, accept=accept)
                assert answer.status_code == (422 if depth <= MAX_DEPTH else 400), (method, path, depth)


@given(text=st.recursive(st.just("1"), lambda inner: st.lists(inner, max_size=3).map(lambda v: f"[{','.join(v)}]")))
def test_a_wide_document_is_not_deep(api: Api, text: str) -> None:
    assert problem(api.post("/users", raw=f'{{"x": [{",".join([text] * 200)}], "name": ""}}')) == (
        422,
        "validation_error",
    )


@pytest.mark.parametrize(
    "body", ['{"name": "a", "name": "b"}', '{"name": "a", "x": {"y": 1, "y": 2}}', '{"a": 1, "\\u0061": 2}']
)
def test_a_name_that_comes_twice_is_malformed(api: Api, body: str) -> None:
    for method, path in WRITES:
        assert problem(api.call(method, path, raw=body)) == (400, "malformed_json")
    assert [user["userId"] for user in api.get("/users").json()] == ["alice"]


LARGE = {
    "application/json": b'{"name": "' + b"x" * settings.REQUEST_BYTES + b'"}',
    FORM: b"name=" + b"x" * settings.REQUEST_BYTES,
    PARTS: b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
    + b"x" * settings.REQUEST_BYTES
    + b"\r\n--b--\r\n",
    "text/plain": b"x" * (settings.REQUEST_BYTES + 1),
}


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("mode", ["open", "cognito"])
def test_no_body_escapes_the_limit(api: Api, request: Any, kind: str, accept: str, mode: str) -> None:
    if mode == "cognito":
        request.getfixturevalue("cognito")
    for method, path in [*WRITES, ("DELETE", "/events/party"), ("POST", "/logout"), ("POST", "/nothing")]:
        answer = api.call(method, path, raw=LARGE[kind], content_type=kind, accept=accept)
        assert answer.status_code == 413


UNSEEN = "\u200b\u200c\u200d\u2060\u3164\u2800\u115f\u1160\uffa0\u00ad\u034f\u061c\u180e\ufeff\ufe0f\u2062\u2066"
UNSEEN += "\U000e0020\U000e0100\U0001d173"


@pytest.mark.parametrize("field", ["title", "location", "organizer"])
def test_what_nobody_sees_is_blank(api: Api, field: str) -> None:
    for text in [*UNSEEN, UNSEEN, " \t\u3000" + UNSEEN, "\u200b" * 100]:
        assert problem(api.post("/events", EVENT | {field: text})) == (422, "validation_error")
        assert problem(api.post("/users", {"name": text})) == (422, "validation_error")
        assert api.post("/users", {"name": f"{text}a"}).status_code == 201
        answer = api.patch("/events/party", {field: text})
        assert answer.json()["errors"] == [{"field": field, "code": "blank", "detail": "This field may not be blank."}]


LONG = "".join(chr(ord("a") + number % 26) + str(number) for number in range(3000))
VALUES: list[Any] = ["\ud800", "\udfff" + LONG, LONG, f"{LONG}\ud800", [LONG], {"a": LONG}, [LONG] * 50]
FIELDS = [*EVENT, "eventId", "userId", "name", "email", "hasWaitlist", "startTime", "endTime", "timeZone"]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_no_error_quotes_a_long_text_or_one_that_cannot_be_encoded(api: Api, value: Any, accept: str) -> None:
    for method, path in WRITES:
        for field in FIELDS:
            body = {"capacity": -1, "name": "", "userId": " "} | {field: value}
            answer = api.call(method, path, raw=json.dumps(body), accept=accept)
            assert answer.status_code == 422, (method, path, field)
            shown = 2000 if accept == "text/html" else MAX_CHARACTERS
            for start in range(0, len(LONG) - shown, shown):
                assert LONG[start : start + shown + 1] not in answer.content.decode()


def test_the_status_is_quoted_in_part(api: Api) -> None:
    for method, path in [("POST", "/events"), ("PATCH", "/events/party")]:
        (error,) = [
            error for error in api.call(method, path, {"status": LONG}).json()["errors"] if error["field"] == "status"
        ]
        assert LONG[: MAX_CHARACTERS - 1] + "…" in error["detail"]
        assert len(error["detail"]) < MAX_CHARACTERS + 60


def test_a_form_shows_again_what_fits_its_fields(api: Api) -> None:
    sent = urlencode({"title": "Spring", "description": "y" * 1999, "status": LONG, "capacity": LONG})
    page = api.post("/events", raw=sent, content_type=FORM, **PAGE).content.decode()
    assert "Spring" in page and "y" * 1999 in page
    assert LONG[:200] not in page


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/events", {"content_type": f"text/{LONG}"}),
        ("X" * 3000, "/events", {}),
        ("GET", f"/events?status={LONG[:4000]}", {}),
        ("GET", f"/events?format={LONG[:4000]}", {}),
        ("GET", "/events", {"accept": LONG}),
        ("PATCH", "/events/party", {"if_match": LONG}),
        ("POST", "/users", {"idempotency_key": LONG}),
        ("GET", "/events", {"authorization": LONG}),
        ("GET", "/events", {"host": LONG[:200]}),
    ],
)
def test_no_header_is_said_again_at_length(api: Api, method: str, path: str, headers: dict[str, str]) -> None:
    answer = api.call(method, path, {"title": "x"} if method in ("POST", "PATCH") else None, **headers)
    document = json.dumps(answer.json() | {"instance": ""}) if answer.status_code >= 400 else ""
    assert LONG[: MAX_CHARACTERS + 1] not in document
    assert "X" * (MAX_CHARACTERS + 1) not in document
