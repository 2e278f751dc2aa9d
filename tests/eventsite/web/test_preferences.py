"""Less than the whole answer, for clients that ask for less: `Prefer: return=minimal`, and HEAD."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.api import EVENT, Api
from tests.pages import ACCEPT, FORM


@pytest.mark.parametrize("prefer", ["return=minimal", "respond-async, return=minimal; foo=1", 'Return = "minimal"'])
def test_a_write_answers_without_a_body_where_that_is_preferred(api: Api, prefer: str) -> None:
    created = api.post("/events", EVENT | {"eventId": "party"}, prefer=prefer)
    assert (created.status_code, created.content) == (201, b"")
    assert created.headers["Location"].endswith("/events/party") and created.headers["ETag"] == '"1"'
    edited = api.patch("/events/party", {"title": "Moved"}, prefer=prefer)
    assert (edited.status_code, edited.content, edited.headers["ETag"]) == (204, b"", '"2"')
    assert edited.headers["Preference-Applied"] == "return=minimal"
    user = api.user()
    assert api.post("/events/party/registrations", {"userId": user}, prefer=prefer).content == b""


@pytest.mark.parametrize("prefer", ["", "return=representation", "return=minimalist", "xreturn=minimal", "minimal"])
def test_another_preference_changes_nothing(api: Api, prefer: str) -> None:
    event = api.event()
    answer = api.patch(f"/events/{event}", {"title": "Moved"}, prefer=prefer)
    assert (answer.status_code, answer.json()["title"]) == (200, "Moved")
    assert "Preference-Applied" not in answer.headers


def test_errors_and_reads_keep_their_bodies(api: Api) -> None:
    event = api.event()
    assert api.patch(f"/events/{event}", {}, prefer="return=minimal").json()["code"] == "validation_error"
    assert api.get(f"/events/{event}", prefer="return=minimal").json()["eventId"] == event


@pytest.mark.parametrize(
    "path", ["/", "/health", "/events", "/events/party", "/users", "/schema", "/events?format=ics"]
)
def test_head_is_get_without_a_body(api: Api, path: str) -> None:
    api.event(eventId="party")
    got, headed = api.get(path), api.call("HEAD", path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    changing = {"X-Correlation-Id", "Content-Length", "Server-Timing"}
    assert {name: value for name, value in headed.headers.items() if name not in changing} == {
        name: value for name, value in got.headers.items() if name not in changing
    }


@pytest.mark.parametrize("name", ["exclusive_start_key", "lastEvaluatedKey"])
@pytest.mark.parametrize("path", ["/events", "/users", "/events/party/registrations", "/events/party/waitlist"])
def test_a_cursor_of_another_service_is_refused_so_that_its_loop_ends(api: Api, path: str, name: str) -> None:
    api.event(eventId="party")
    answer = api.get(f"{path}?{name}=abc")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == name and "Link header" in error["detail"]


@pytest.mark.parametrize("prefer", ["", "return=minimal"])
def test_the_form_of_a_page_has_no_preference(api: Api, prefer: str) -> None:
    event, client = api.event(), Client(SERVER_NAME="localhost", headers={"accept": ACCEPT, "prefer": prefer})
    form = urlencode({"_method": "PATCH", "_before": '{"capacity": "2"}', "capacity": "5"})
    answer = client.post(f"/events/{event}", form, content_type=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/events/{event}")
    assert api.get(f"/events/{event}").json()["capacity"] == 5
