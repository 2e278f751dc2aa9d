"""What browsers and proxies may keep, and when they get a 304."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from eventsite.web import caching
from tests.api import EVENT, Api, next_page, problem
from tests.signing_in import As, adam, alice, olivia

PUBLIC = ["/", "/events", "/events/party"]
READ = [(path, "application/json") for path in PUBLIC]
DOCUMENTATION = [("/docs", "text/html"), ("/redoc", "text/html"), ("/schema", "application/json")]
PRIVATE = ["/users", "/users/me", "/users/alice", "/events/party/registrations", "/events?organizerId=me"]
PAGE = {"accept": "text/html"}


def test_the_front_page_of_browsers_is_the_list_and_no_cache_gives_it_to_programs(api: Api) -> None:
    answer = api.get("/", **PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/events")
    assert "Accept" in answer.headers["Vary"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("path", "accept"), [*DOCUMENTATION, *READ])
def test_what_everybody_may_read_is_asked_for_again_and_not_sent_again(api: Api, path: str, accept: str) -> None:
    api.event(eventId="party")
    first = api.get(path, accept=accept)
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = api.get(path, accept=accept, if_none_match=known)
        assert (again.status_code, again.content) == (304, b"")
        kept = {"Cache-Control", "Content-Security-Policy", "ETag", "Vary", "access-control-allow-origin", "Link"}
        for name in kept & first.headers.keys():
            assert again.headers[name] == first.headers[name]
        assert "Content-Type" not in again.headers
    for other in ('"x"', tag.strip('"'), f"{tag}x", ""):
        assert api.get(path, accept=accept, if_none_match=other).status_code == 200


def test_what_has_changed_is_sent_again(api: Api) -> None:
    event, other = api.event(), api.event()
    tags = {path: api.get(path).headers["ETag"] for path in ("/events", f"/events/{event}", "/events?limit=1")}
    api.patch(f"/events/{event}", {"title": "New"})
    for path, tag in tags.items():
        if path != "/events?limit=1" or other > event:
            assert api.get(path, if_none_match=tag).status_code == 200


def test_a_registration_is_no_edit_and_still_a_change(api: Api) -> None:
    """The version and the ETag stay the same, the counts do not."""
    event = api.event()
    tag = api.get(f"/events/{event}").headers["ETag"]
    assert api.get(f"/events/{event}", if_none_match=tag).status_code == 304
    user = api.user()
    api.register(event, user)
    answer = api.get(f"/events/{event}", if_none_match=tag)
    assert (answer.status_code, answer.json()["registeredCount"]) == (200, 1)
    api.leave(event, user)
    answer = api.get(f"/events/{event}", if_none_match=tag)
    assert (answer.status_code, answer.json()["registeredCount"]) == (200, 0)


def test_a_page_that_goes_on_elsewhere_has_changed(api: Api) -> None:
    api.event(date="2083-01-01")
    first = api.get("/events?limit=1")
    api.event(date="2083-01-02")
    second = api.get("/events?limit=1", if_none_match=first.headers["ETag"])
    assert (second.status_code, bool(next_page(second))) == (200, True)
    assert api.get("/events?limit=1", if_none_match=second.headers["ETag"]).status_code == 304


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_what_was_read_is_kept(api: Api, method: str) -> None:
    api.event(eventId="party")
    answer = api.call(method, "/events/party", {"title": "New"}, if_none_match="*")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.status_code != 304


@pytest.mark.parametrize("path", ["/nothing", "/events/nothing", "/events?limit=0", "/health"])
def test_failures_and_the_state_of_things_are_not_kept(api: Api, path: str) -> None:
    assert api.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("path", PUBLIC + PRIVATE)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_nothing_is_kept_of_who_is_signed_in(path: str, accept: str) -> None:
    As(adam().access).post("/events", EVENT | {"eventId": "party"})
    for person in (alice(), olivia(), adam()):
        answer = As(person.access).get(path, accept=accept, if_none_match="*")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.status_code != 304


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("path", PRIVATE)
def test_what_needs_a_sign_in_is_not_kept(path: str) -> None:
    answer = As(None).get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (401, "no-store")


def assets(page: Any) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page.content.decode())


@pytest.mark.parametrize("path", ["/events", "/docs", "/redoc"])
def test_static_files_are_kept_for_a_year_under_hashed_names(path: str) -> None:
    client = Client(SERVER_NAME="localhost")
    found = assets(client.get(path, headers=PAGE))
    assert found
    for url in found:
        answer: Any = client.get(url)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, caching.FOR_A_YEAR), url
        content = b"".join(answer.streaming_content)
        answer.close()
        plain: Any = client.get(re.sub(r"/static/[0-9a-f]{16}/", "/static/", url))
        assert b"".join(plain.streaming_content) == content
        assert "immutable" not in plain.headers["Cache-Control"]
        plain.close()


def test_an_old_name_leads_to_the_file_and_is_not_kept() -> None:
    client = Client(SERVER_NAME="localhost")
    url = assets(client.get("/events", headers=PAGE))[0]
    answer = client.get(re.sub(r"[0-9a-f]{16}", "0" * 16, url))
    assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, False)
    answer.close()
    missing = client.get("/static/0123456789abcdef/nothing.js")
    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")


STYLE = "/static/eventsite/pages.css"


def asked(middleware: caching.StaticFilesMiddleware, path: str) -> int:
    """The status of the answer: 418 is the service's."""
    response = middleware(RequestFactory().get(path))
    response.close()
    return response.status_code


def test_static_files_are_listed_at_the_first_request_for_one() -> None:
    middleware = caching.StaticFilesMiddleware(lambda request: HttpResponse(status=418))
    assert (asked(middleware, "/events"), middleware.files) == (418, {})
    assert asked(middleware, STYLE) == 200
    listed = dict(middleware.files)
    assert asked(middleware, "/static/eventsite/nothing.css") == 418
    assert middleware.files == listed


def test_a_file_is_served_to_all_of_the_first_requests_for_it() -> None:
    middleware = caching.StaticFilesMiddleware(lambda request: HttpResponse(status=418))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: asked(middleware, STYLE), range(8))) == {200}


@pytest.mark.parametrize("path", [STYLE, "/static/0123456789abcdef/eventsite/pages.css", "/static/eventsite/icon.svg"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
def test_a_method_that_a_file_does_not_have_gets_a_problem(api: Api, path: str, method: str) -> None:
    answer = api.call(method, path)
    assert problem(answer) == (405, "method_not_allowed")
    assert (answer.headers["Allow"], answer.json()["instance"]) == ("GET, HEAD", path)
