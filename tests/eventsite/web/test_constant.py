"""Answers that stay the same are made once, and still depend on everything that they should depend on."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory

from eventsite.web import constant, throttling
from tests.api import Api, problem

PATHS = sorted(constant.PATHS)
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that views have answered."""
    made: list[str] = []
    kept = constant.ConstantAnswersMiddleware.__init__

    def counting(self: Any, get_response: Any) -> None:
        def count(request: Any) -> Any:
            made.append(request.path_info)
            return get_response(request)

        kept(self, count)

    monkeypatch.setattr(constant.ConstantAnswersMiddleware, "__init__", counting)
    return made


@pytest.mark.parametrize("accept", ["application/json", "*/*", PAGE])
@pytest.mark.parametrize("path", PATHS)
def test_each_is_made_once_and_is_the_same_again(made: list[str], api: Api, path: str, accept: str) -> None:
    first = api.get(path, accept=accept, x_correlation_id="first")
    assert first.status_code in (200, 302, 406)
    for _ in range(3):
        again = api.get(path, accept=accept, x_correlation_id="again")
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert dict(again.headers) | {"X-Correlation-Id": "first"} == dict(first.headers)
    assert len(made) == (1 if first.status_code == 200 else 4)


def test_a_client_that_has_it_gets_none(made: list[str], api: Api) -> None:
    tag = api.get("/").headers["ETag"]
    for known in (tag, f"W/{tag}", "*", f'"x", {tag}'):
        answer = api.get("/", if_none_match=known)
        assert (answer.status_code, answer.content) == (304, b"")
        assert "Content-Type" not in answer.headers and answer.headers["ETag"] == tag
    assert api.get("/", if_none_match='"x"').status_code == 200
    assert len(made) == 1


@pytest.mark.parametrize(
    "one, other",
    [
        ({"accept": PAGE}, {"accept": "application/json"}),
        ({"host": "localhost"}, {"host": "127.0.0.1"}),
        ({}, {"origin": "https://page.example"}),
        ({}, {"authorization": "Bearer x"}),
        ({}, {"cookie": "sessionid=x"}),
    ],
    ids=str,
)
def test_requests_that_differ_have_answers_of_their_own(
    made: list[str], api: Api, one: dict[str, str], other: dict[str, str]
) -> None:
    for headers in (one, other, one, other):
        api.get("/", **headers)
    assert len(made) >= 2


def test_a_program_that_previews_links_gets_the_page_also_after_others(api: Api) -> None:
    first, preview, last = (
        api.get("/", accept="*/*", user_agent=agent) for agent in ("curl/8", "Slackbot 1.0", "curl/8")
    )
    assert first.content == last.content and first.status_code == 200
    assert (preview.status_code, preview.headers["Location"]) == (302, "/events")


def test_links_lead_to_the_host_that_was_asked(api: Api) -> None:
    for host in ("localhost", "127.0.0.1", "localhost"):
        assert api.get("/", host=host).json()["events"] == f"http://{host}/events"
    assert problem(api.get("/", host="evil.example"))[0] == 400


def test_queries_other_methods_and_other_paths_take_the_usual_way(made: list[str], api: Api) -> None:
    calls = [("GET", "/?x=1"), ("HEAD", "/"), ("OPTIONS", "/"), ("POST", "/"), ("GET", "/events"), ("GET", "/x")]
    for method, path in calls * 2:
        api.call(method, path)
    assert len(made) == 12


@pytest.mark.usefixtures("cognito")
def test_a_forged_token_is_refused_at_a_constant_answer_too(api: Api) -> None:
    assert [api.get("/").status_code for _ in range(2)] == [200, 200]
    assert api.get("/", authorization="Bearer forged").status_code == 401


def test_a_caller_who_calls_too_often_is_refused_here_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call, which makes the answer, counts once like the others."""
    monkeypatch.setattr(settings, "CALLER_RATE", 1e-9)
    monkeypatch.setattr(settings, "CALLER_BURST", 3)
    throttling.buckets.clear()
    assert [api.get("/").status_code for _ in range(5)] == [200] * 3 + [429] * 2


def test_no_more_answers_are_kept_than_fit() -> None:
    middleware = constant.ConstantAnswersMiddleware(lambda _: HttpResponse("x"))
    for number in range(constant.MAX_KEPT + 10):
        middleware(RequestFactory().get("/", HTTP_ACCEPT=f"{number}/x"))
    assert len(middleware.kept) == constant.MAX_KEPT


def test_the_log_names_its_route_again(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        api.get("/docs", accept=PAGE)
    lines = [record for record in caplog.records if record.message == "request"]
    assert [vars(line)["route"] for line in lines] == ["docs", "docs"]
