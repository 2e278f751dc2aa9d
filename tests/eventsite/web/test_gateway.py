"""Our way from an event of API Gateway to an answer leads where Zappa's leads."""

import base64
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsite.web import gateway
from eventsite.wsgi import application
from tests.bench.cold_start import SETTINGS
from tests.lambdas import gateway_event

CONTEXT = SimpleNamespace(aws_request_id="1", function_name="f", memory_limit_in_mb="512")
OF_WERKZEUG = ("Content-Length",)  # API Gateway sets it


@pytest.fixture(scope="module")
def zappas() -> Iterator[Any]:
    """Zappa's own handler."""
    module = ModuleType("zappa_settings")
    exec(SETTINGS, vars(module))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "zappa_settings", module)
        for name in ("SERVERTYPE", "FRAMEWORK", "PROJECT", "STAGE"):
            patch.setenv(name, "")
        patch.setenv("DJANGO_SETTINGS_MODULE", "eventsite.settings")
        from zappa import handler

        yield handler.LambdaHandler().handler
        handler.LambdaHandler._LambdaHandler__instance = None


def content(answer: dict[str, Any]) -> Any:
    """What a client receives."""
    body = answer.get("body") or ""
    sent = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    headers = {name.title(): value for name, value in answer["multiValueHeaders"].items()}
    added = OF_WERKZEUG if sent else (*OF_WERKZEUG, "Content-Type")  # it gives an empty answer a type
    return answer["statusCode"], {name: headers[name] for name in headers if name not in added}, sent


PATHS = [
    "/",
    "/events",
    "/events/x%20y",
    "/health",
    "/docs",
    "/nothing",
    "/static/eventsite/pages.css",
    "/é",
    "/schema",
]
names = st.sampled_from(
    ["Host", "Accept", "X-Forwarded-For", "Cookie", "Origin", "If-None-Match", "X-Odd", "Authorization"]
)
values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
hosts = st.sampled_from(["localhost", "abc.execute-api.eu-west-1.amazonaws.com", "evil.example", ""])


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    path=st.sampled_from(PATHS),
    query=st.sampled_from(["", "?limit=2", "?a=1&a=2&b=", "?x=%C3%A9"]),
    body=st.one_of(st.none(), st.text(max_size=20), st.binary(max_size=20)),
    host=hosts,
    headers=st.dictionaries(names, values, max_size=3),
)
def test_it_answers_as_zappa_does(
    zappas: Any, method: str, path: str, query: str, body: str | bytes | None, host: str, headers: dict[str, str]
) -> None:
    def event() -> dict[str, Any]:
        return gateway_event(method, path + query, body, {"Host": host, "X-Correlation-Id": "c"} | headers)

    try:
        theirs = zappas(event(), CONTEXT)
    except Exception:  # where Zappa fails, ours answers
        theirs = {}
    ours = gateway.answer(application, event(), CONTEXT)
    if "multiValueHeaders" in theirs:
        assert content(ours) == content(theirs)
    else:
        assert ours["statusCode"] in (400, 500)


OTHERS: list[dict[str, Any]] = [
    {"httpMethod": "GET", "requestContext": {"elb": {}}},
    {"version": "2.0"},
    {"command": "x"},
    {},
]


@pytest.mark.parametrize("event", OTHERS)
def test_events_of_other_kinds_are_left_to_zappa(event: dict[str, Any]) -> None:
    assert not gateway.takes(event)
