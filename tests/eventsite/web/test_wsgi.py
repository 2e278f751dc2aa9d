"""What Django does before any middleware, and what escapes it: answered, logged and counted like everything else."""

import encodings.aliases
import io
import itertools
import json
import logging
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from eventsite.web import observability, wsgi
from eventsite.wsgi import application
from tests import lambdas
from tests.api import EVENT, Api, problem

BROKEN = [
    "application/json; charset*=utf-8''%00",
    "application/json; charset=\x00",
    "application/json; charset=\xff",
    "application/json; charset*=foo''x",
    "application/json; charset*=\x00''x",
    "application/json; x*=foo''%ff",
    "application/json; x*=\xff''x",
]
SCHEMES = ["hex", "zlib", "bz2", "base64", "rot13", "undefined", "punycode", "uu", "quopri", "utf-16", "utf-32"]
CODECS = sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()})
TEXT = ["utf-8", "ascii", "latin-1", "cp1252", "koi8_r", "shift_jis", "no-such-charset", ""]
HEADERS = {
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Correlation-Id",
    "X-Frame-Options",
    "access-control-allow-origin",
}


def ask(method: str, path: str, content_type: str, body: bytes = b"{}", **more: Any) -> tuple[int, dict[str, str], Any]:
    """Send a request through the whole WSGI application. Returns: status, headers, and the body as JSON."""
    factory: Any = RequestFactory(SERVER_NAME="localhost", headers={"origin": "https://page.example"})
    plain, _, query = path.partition("?")
    environ = factory._base_environ(
        REQUEST_METHOD=method,
        PATH_INFO=plain,
        QUERY_STRING=query,
        CONTENT_TYPE=content_type,
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body)},
        **more,
    )
    started: list[Any] = []
    chunks = application(environ, lambda *arguments: started.append(arguments))
    text = b"".join(chunks)
    status, headers = started[-1][:2]
    is_json = dict(headers).get("Content-Type", "").endswith("json")
    return int(status[:3]), dict(headers), json.loads(text) if is_json else text.decode()


@pytest.mark.parametrize("content_type", BROKEN)
def test_a_content_type_that_breaks_django_is_malformed(content_type: str) -> None:
    for method, query in itertools.product(("GET", "POST", "PATCH", "DELETE"), ("", "?x=1", "?limit=2&status=draft")):
        status, headers, document = ask(method, f"/events{query}", content_type)
        assert (status, document["code"]) == (400, "malformed_request")
        assert headers["Content-Type"] == "application/problem+json"
        assert headers.keys() >= HEADERS


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_codec_that_is_no_text_encoding_is_refused(scheme: str) -> None:
    for method, path in itertools.product(("GET", "POST"), ("/events", "/events?x=1", "/nothing?x=1")):
        status, headers, document = ask(method, path, f"application/json; charset={scheme}")
        assert (status, document["code"]) == (415, "unsupported_media_type")
        assert headers.keys() >= HEADERS


def test_no_codec_of_python_breaks_a_request() -> None:
    for kind, codec in itertools.product(("application/json", "application/x-www-form-urlencoded"), CODECS):
        own = {"HTTP_ORIGIN": "http://localhost"}  # a form from another site is refused anyway
        status, _, _ = ask("POST", "/events?organizerId=%C3%A9", f"{kind}; charset={codec}", b"title=%C3%A9", **own)
        assert status in (400, 415), codec


@pytest.mark.parametrize("charset", TEXT)
def test_queries_are_utf_8_in_any_charset(api: Api, charset: str) -> None:
    answer = api.get("/events?status=%C3%A9", content_type=f"application/json; charset={charset}")
    assert problem(answer) == (422, "validation_error")
    assert "é" in answer.json()["errors"][0]["detail"]


parameters = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=20)


@given(name=parameters, value=parameters, star=st.sampled_from(["", "*", "*0", "*0*"]))
def test_no_parameter_of_a_content_type_breaks_a_request(name: str, value: str, star: str) -> None:
    for key in (name, "charset"):
        status, headers, _ = ask("POST", "/events?x=1", f"application/json; {key}{star}={value}")
        assert status in (400, 415, 422)
        assert headers.keys() >= HEADERS


@given(length=st.sampled_from(["", "-1", "+2", "1e3", "abc", "9" * 30, "9" * 5000, "1_0", " 5 "]))
def test_no_content_length_breaks_a_request(length: str) -> None:
    status, _, _ = ask("POST", "/events", "application/json", CONTENT_LENGTH_=length)
    assert status == 422
    factory: Any = RequestFactory(SERVER_NAME="localhost")
    environ = factory._base_environ(REQUEST_METHOD="POST", PATH_INFO="/events", CONTENT_LENGTH=length)
    started: list[Any] = []
    application(environ, lambda *arguments: started.append(arguments))
    assert int(started[-1][0][:3]) == {"": 422, "9" * 30: 413}.get(length, 400)


def test_headers_that_no_server_would_pass_on_are_read_too() -> None:
    """A Lambda's event is JSON: its headers may hold any character."""
    for name in ("HTTP_COOKIE", "HTTP_IF_MATCH", "HTTP_ACCEPT", "HTTP_AUTHORIZATION", "HTTP_X_CORRELATION_ID"):
        more: dict[str, Any] = {name: "a=€\ud800🎉"}
        status, _, _ = ask("POST", "/events", "application/json", **more)
        assert status in (406, 422)


def test_what_escapes_the_middleware_is_answered_logged_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Any, environ: Any) -> None:
        if wsgi.REFUSED not in environ:
            raise KeyError("secret")
        original(self, environ)

    original = wsgi.Request.__init__
    counted: list[str] = []
    monkeypatch.setattr(wsgi.Request, "__init__", broken)
    monkeypatch.setattr(observability, "count", lambda metric, value=1: counted.append(metric))
    caplog.set_level(logging.DEBUG)
    status, headers, document = ask("POST", "/events?name=secret", "application/json", HTTP_X_CORRELATION_ID="order-7")
    assert (status, document["code"], document["instance"]) == (500, "internal_error", "/events")
    assert headers.keys() >= HEADERS
    assert headers["X-Correlation-Id"] == "order-7"
    assert counted == ["ServerErrors"]
    assert [record.message for record in caplog.records].count("request") == 1
    assert "KeyError" in caplog.text and "secret" not in caplog.text


ODD_EVENTS: dict[str, dict[str, Any]] = {
    "a path that cannot be encoded": {"path": "/\ud800"},
    "a query that cannot be encoded": {"multiValueQueryStringParameters": {"x": ["\ud800"]}},
    "a body that cannot be encoded": {"httpMethod": "POST", "body": "\ud800"},
    "a body that cannot be decoded": {"httpMethod": "POST", "body": "é", "isBase64Encoded": True},
    "headers that are none": {"headers": {"X": None}, "multiValueHeaders": None},
}


def test_an_event_that_is_no_request_is_malformed(engine: str) -> None:
    with lambdas.running(engine) as function:
        for kind, odd in ODD_EVENTS.items():
            told = function.invoke(lambdas.gateway_event("GET", "/", None, {"Origin": "https://x.example"}) | odd)
            assert (told.status, told.json()["code"]) == (400, "malformed_request"), kind
            assert {name.title() for name in HEADERS} - {"Access-Control-Allow-Origin"} <= told.headers.keys()
            assert [line["status"] for line in told.lines] == [400]


def test_there_is_an_answer_when_the_middleware_itself_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(wsgi.Request, "__init__", broken)
    status, headers, document = ask("POST", "/events", "application/json", json.dumps(EVENT).encode())
    assert (status, document["status"], headers["Content-Type"]) == (500, 500, "application/problem+json")
