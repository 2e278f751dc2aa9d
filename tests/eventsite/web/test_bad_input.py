"""Whatever is sent, the answer is a clear problem document, never a 500, and nothing is changed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import EVENT, Api, problem

POSTS = ["/events", "/users", "/events/party/registrations", "/events/party/register"]
ROUTES = ["/", "/health", "/events", "/events/party", "/events/party/registrations", "/events/party/waitlist"]
ROUTES += ["/events/party/registrations/alice", "/events/party/register", "/events/party/register/alice"]
ROUTES += ["/users", "/users/alice", "/users/alice/registrations", "/users/alice/waitlists"]
BODIES: list[tuple[bytes, tuple[int, str]]] = [
    (b"{", (400, "malformed_json")),
    (b"", (422, "validation_error")),
    (b"nonsense", (400, "malformed_json")),
    (b'{"name": "a"', (400, "malformed_json")),
    (b"{'name': 'a'}", (400, "malformed_json")),
    (b'{"name": "\xff"}', (400, "malformed_json")),
    (b'\xef\xbb\xbf{"name": "a"}', (400, "malformed_json")),
    ('{"name": "a"}'.encode("utf-16"), (400, "malformed_json")),
    (b'{"name": NaN}', (400, "malformed_json")),
    (b"[" * 100_000, (400, "malformed_json")),
    (b'{"a":' * 50_000, (400, "malformed_json")),
    (b"[]", (422, "validation_error")),
    (b"null", (422, "validation_error")),
    (b'"text"', (422, "validation_error")),
    (b"17", (422, "validation_error")),
    (b"true", (422, "validation_error")),
    (b'[{"name": "a"}]', (422, "validation_error")),
    (b'{"name": "\\ud800", "userId": "\\udfff"}', (422, "validation_error")),
    (b"x" * 6_000_000, (413, "payload_too_large")),
]


@pytest.mark.parametrize("path", POSTS)
def test_a_broken_body_is_refused(api: Api, path: str) -> None:
    api.event(eventId="party")
    for body, expected in BODIES:
        assert problem(api.post(path, raw=body)) == expected, body[:40]
    assert len(api.get("/events").json()) == 1
    assert api.get("/users").json() == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_broken_body_changes_no_event(api: Api, method: str) -> None:
    api.event(eventId="party")
    before = api.get("/events/party").json()
    for body, expected in BODIES:
        assert problem(api.call(method, "/events/party", raw=body)) == expected, body[:40]
    assert api.get("/events/party").json() == before


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b'{"name": "a"}'),
        ("application/x-www-form-urlencoded", b"name=a&userId=b"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n',
        ),
        ("application/xml", b"<name>a</name>"),
        ("image/png", b"\x89PNG"),
        ("nonsense", b"x"),
        ("application/json5", b"{}"),
    ],
)
def test_other_kinds_of_content_are_refused(api: Api, path: str, content_type: str, body: bytes) -> None:
    assert problem(api.post(path, raw=body, content_type=content_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=latin-1", "application/json; charset=", "APPLICATION/JSON"]
)
def test_json_is_utf_8_in_any_charset(api: Api, content_type: str) -> None:
    assert api.post("/users", raw='{"name": "Zoë"}'.encode(), content_type=content_type).json()["name"] == "Zoë"


@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_method_is_refused_with_the_right_ones(api: Api, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        answer = api.call(method, path)
        assert answer.status_code < 500, method
        if answer.status_code == 405:
            assert problem(answer) == (405, "method_not_allowed")
            assert method not in answer.headers["Allow"] and answer.headers["Allow"]


@pytest.mark.parametrize("path", ROUTES)
def test_head_and_options_are_answered_everywhere(api: Api, path: str) -> None:
    assert api.call("OPTIONS", path).status_code == 200
    assert api.call("HEAD", path).status_code == api.get(path).status_code


@pytest.mark.parametrize("accept", ["text/xml", "image/*", "application/json;q=nonsense;v=9", "nonsense", "a/b/c"])
def test_an_answer_nobody_wants_is_not_acceptable(api: Api, accept: str) -> None:
    answer = api.get("/events", accept=accept)
    assert answer.status_code in (200, 406)
    if answer.status_code == 406:
        assert problem(answer) == (406, "not_acceptable")


@pytest.mark.parametrize(
    "path", ["/nothing", "/events//", "/events/a/b/c", "/%00", "/events/%ff", "/%F0%9F%8E%89", "/a" * 4000]
)
def test_an_unknown_path_is_a_problem_document(api: Api, path: str) -> None:
    assert problem(api.get(path))[0] == 404


@pytest.mark.parametrize("event_id", ["x" * 3000, "a b", "%00", "%23", "seats", "key%23x", "é", "%E2%80%AE"])
def test_what_cannot_be_an_id_is_not_found(api: Api, event_id: str) -> None:
    for path in ("", "/registrations", "/waitlist", "/registrations/alice"):
        assert problem(api.get(f"/events/{event_id}{path}"))[0] == 404
    assert problem(api.patch(f"/events/{event_id}", {"title": "x"})) == (404, "event_not_found")
    assert problem(api.delete(f"/events/{event_id}")) == (404, "event_not_found")
    assert problem(api.register(event_id, "alice")) == (404, "event_not_found")
    assert problem(api.leave(event_id, "alice")) == (404, "registration_not_found")
    assert problem(api.leave("party", event_id)) == (404, "registration_not_found")


def test_a_foreign_host_is_refused(api: Api) -> None:
    assert problem(api.get("/events", host="evil.example"))[0] == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EVENT, "eventId", "x"]), inner, max_size=9)
    ),
    max_leaves=12,
)


@given(body=json_values, path=st.sampled_from(POSTS), method=st.sampled_from(["POST", "PUT", "PATCH"]))
def test_error_bodies_always_have_the_same_shape(api: Api, body: Any, path: str, method: str) -> None:
    answer = api.call(method, path, raw=json.dumps(body))
    if answer.status_code >= 400:
        status, code = problem(answer)
        assert status < 500
        document = answer.json()
        assert document["instance"] == path and document["detail"] and document["title"]
        assert ("errors" in document) == (code == "validation_error")
        for error in document.get("errors", []):
            assert error.keys() == {"field", "code", "detail"}


headers = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)


@given(key=headers, match=headers, accept=headers, authorization=headers)
def test_headers_of_any_kind_are_no_error_of_ours(
    api: Api, key: str, match: str, accept: str, authorization: str
) -> None:
    api.post("/users", {"name": "a"}, idempotency_key=key, accept=accept, authorization=authorization)
    answer = api.patch("/events/party", {"title": "x"}, if_match=match, accept=accept, authorization=authorization)
    assert answer.status_code < 500


@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_queries_of_any_kind_are_no_error_of_ours(api: Api, query: str) -> None:
    for path in ("/events", "/users", "/users/alice/registrations"):
        assert api.get(f"{path}?{query}").status_code < 500
