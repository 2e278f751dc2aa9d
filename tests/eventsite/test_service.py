"""The root, the health check, and what holds for every path."""

import pytest
from django.conf import LazySettings
from django.test.utils import override_script_prefix

from events.models import EventItem
from eventsite.dynamodb.connection import disconnect
from eventsite.env import warning_about_python
from tests.api import EVENT, Api, next_page, problem
from tests.engines import free_port
from tests.pages import Browser


def test_the_root_shows_the_way_to_everything(api: Api) -> None:
    root = api.get("/").json()
    assert {"message", "version"} < root.keys()
    for name in ("events", "users", "docs", "schema", "health"):
        assert api.get(root[name].removeprefix("http://localhost")).status_code == 200


def test_the_service_is_healthy_while_every_table_answers(api: Api) -> None:
    answer = api.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
    EventItem.delete_table()
    answer = api.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert answer.json()["tables"] == {"users": "ok", "events": "unavailable", "registrations": "ok"}


def test_the_page_about_the_service_shows_a_table_that_does_not_answer(api: Api) -> None:
    EventItem.delete_table()
    page = Browser().open("/health")
    assert page.status == 503
    assert "unhealthy" in page.text and "unavailable" in page.text


def test_without_dynamodb_every_call_is_unavailable_and_names_a_time_to_try_again(
    api: Api, settings: LazySettings
) -> None:
    settings.DYNAMODB_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    settings.REQUEST_SECONDS = 0.1
    disconnect()
    try:
        for answer in (api.get("/events/party"), api.get("/events"), api.post("/events", EVENT), api.leave("a", "b")):
            assert problem(answer) == (503, "service_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.content.decode()
        assert api.get("/health").status_code == 503
    finally:
        disconnect()


def test_a_missing_table_is_unavailable_too(api: Api) -> None:
    EventItem.delete_table()
    answer = api.get("/events")
    assert problem(answer) == (503, "service_unavailable")
    assert "ResourceNotFound" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/events", "/users", "/events/party", "/health"])
def test_one_trailing_slash_is_accepted_without_a_redirect(api: Api, path: str) -> None:
    api.event(eventId="party")
    assert api.get(f"{path}/").json() == api.get(path).json()


def test_a_slash_is_accepted_when_writing(api: Api) -> None:
    assert api.post("/events/", EVENT | {"eventId": "party"}).headers["Location"] == "http://localhost/events/party"


def test_behind_a_stage_every_link_carries_the_prefix(api: Api, settings: LazySettings) -> None:
    settings.BASE_PATH = settings.FORCE_SCRIPT_NAME = "/prod"
    with override_script_prefix("/prod/"):  # the WSGI handler does this; the test client does not
        for path in ("", "/prod"):
            assert api.get(f"{path}/").json()["events"] == "http://localhost/prod/events"
            created = api.post(f"{path}/events", EVENT)
            assert created.headers["Location"].startswith("http://localhost/prod/events/")
        page = api.get("/prod/events?limit=1")
        assert next_page(page).startswith("/prod/events?limit=1&cursor=")
        assert len(api.walk("/prod/events/?limit=1")) == 2
        assert problem(api.get("/production")) == (404, "not_found")


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        ((3, 11, 9), True),
        ((3, 11, 10), False),
        ((3, 12, 0), True),
        ((3, 12, 5), True),
        ((3, 12, 6), False),
        ((3, 13, 0), False),
        ((3, 14, 1), False),
    ],
)
def test_a_python_with_known_defects_is_warned_of(version: tuple[int, int, int], warned: bool) -> None:
    assert bool(warning_about_python(version)) is warned
