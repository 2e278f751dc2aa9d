"""No header is parsed in more than linear time, and no Accept or Content-Type breaks a request."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsite.web import wsgi
from eventsite.web.wsgi import MAX_HEADER_BYTES, MAX_HEADERS_BYTES
from tests.eventsite.web.test_wsgi import HEADERS, ask

SECONDS = 1.0  # of CPU; each of these took from 1 to 27 s before the headers were bounded
LONG = {
    "CONTENT_TYPE": ["application/json" + ";" * 60_000, "application/json; x=" + '"' * 60_000],
    "HTTP_ACCEPT": [";" * 60_000, "text/html" + ";q" * 30_000, "a/b," * 20_000, 'text/html; x="' + '\\"' * 30_000],
    "HTTP_COOKIE": [f'{name}="' + "\\" * 60_000 + '"' for name in wsgi.OWN_COOKIES] + [";" * 60_000],
    "HTTP_IF_MATCH": ['"' * 60_000, "," * 60_000, 'W/"1",' * 10_000],
    "HTTP_IF_NONE_MATCH": ['"' * 60_000, "," * 60_000, 'W/"1",' * 10_000],
    "HTTP_IF_MODIFIED_SINCE": ["9" * 60_000],
    "HTTP_ACCEPT_ENCODING": ["gzip;" * 12_000],
    "HTTP_AUTHORIZATION": ["Bearer " + "." * 60_000, " " * 60_000 + "x"],
    "HTTP_ORIGIN": ["http://" + "[" * 60_000, "http://" + "@" * 60_000],
    "HTTP_RANGE": ["bytes=" + "0-0," * 15_000],
    "HTTP_X_CORRELATION_ID": ["-" * 60_000],
}


def timed(*request: Any, **headers: Any) -> tuple[Any, float]:
    """Return the answer, and the least CPU time of this thread in three tries."""
    # a busy machine doubles the time of a single try
    seconds = []
    for _ in range(3):
        started = time.thread_time()
        answer = ask(*request, **headers)
        seconds.append(time.thread_time() - started)
    return answer, min(seconds)


@pytest.mark.parametrize("name", LONG)
def test_no_header_takes_long(name: str) -> None:
    for value in LONG[name]:
        more: dict[str, Any] = {} if name == "CONTENT_TYPE" else {name: value}
        content_type = value if name == "CONTENT_TYPE" else "application/json"
        (status, _, document), seconds = timed("GET", "/events", content_type, **more)
        assert seconds < SECONDS, value[:20]
        if "COOKIE" in name:
            assert status == 200
        else:
            assert (status, document["code"]) == (400, "malformed_request"), value[:20]


@pytest.mark.parametrize("name", sorted(wsgi.OWN_COOKIES))
def test_a_cookie_within_the_bounds_takes_no_time_either(name: str) -> None:
    answer, seconds = timed("GET", "/events", "", HTTP_COOKIE=f'{name}="' + "\\1" * 4000 + '"')
    assert answer[0] == 200
    assert seconds < SECONDS


@pytest.mark.parametrize(("name", "most"), [("HTTP_ACCEPT", MAX_HEADER_BYTES), ("HTTP_X", MAX_HEADERS_BYTES // 2)])
def test_a_header_of_an_honest_size_passes(name: str, most: int) -> None:
    more: dict[str, Any] = {name: ("application/json," if name == "HTTP_ACCEPT" else "x,") * (most // 20)}
    assert ask("GET", "/events", "", **more)[0] == 200


def test_all_headers_together_are_bounded() -> None:
    many: dict[str, Any] = {f"HTTP_X_{number}": "x" * 1000 for number in range(9)}
    status, headers, document = ask("POST", "/events", "", **many)
    assert (status, document["code"]) == (400, "malformed_request")
    assert "8,192 bytes" in document["detail"]
    assert headers.keys() >= HEADERS


def test_cookies_of_other_services_do_not_count() -> None:
    others = "; ".join(f"other{number}={'x' * 1000}" for number in range(20))
    assert ask("GET", "/events", "", HTTP_COOKIE=others)[0] == 200


UNREADABLE = ["application/json; a*=foo''x", "text/html; q*=undefined''x, application/json", "*/*; a*=\x7f''%ff"]
PATHS = ["/", "/health", "/events", "/events/nothing", "/users", "/users/me", "/schema", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
def test_an_accept_header_that_django_cannot_read_is_no_error_of_ours(path: str) -> None:
    for accept in UNREADABLE:
        assert ask("GET", path, "", HTTP_ACCEPT=accept)[0] in (200, 401, 404, 406)


pieces = ["text/html", "application/json", "*/*", ";", "=", "*", "''", "'", '"', "q", "foo", ","]
values = st.lists(st.sampled_from(pieces), max_size=12).map("".join)


@given(accept=values, content_type=values)
def test_no_accept_or_content_type_is_an_error_of_ours(accept: str, content_type: str) -> None:
    for method in ("GET", "POST"):
        assert ask(method, "/events/nothing", content_type, HTTP_ACCEPT=accept)[0] < 500
