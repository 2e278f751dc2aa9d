"""Creating an event, and reading back what was created."""

import re
from typing import Any

import pytest
from hypothesis import given

from tests import strategies
from tests.api import EVENT, Api, problem

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def expected(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event made from this body that the client decides."""
    waitlist = body.get("waitlistEnabled", False)
    return body | {"status": body["status"].lower(), "waitlistEnabled": waitlist, "hasWaitlist": waitlist}


@given(body=strategies.events())
def test_an_event_is_read_as_it_was_created(api: Api, body: dict[str, Any]) -> None:
    created = api.post("/events", body)
    assert created.status_code == 201, created.content
    event = created.json()
    assert expected(body).items() <= event.items()
    assert api.get(f"/events/{event['eventId']}").json() == event


def test_a_new_event_has_an_id_a_place_a_version_and_no_people(api: Api) -> None:
    created = api.post("/events", EVENT)
    event = created.json()
    assert UUID.fullmatch(event["eventId"])
    assert created.headers["Location"] == f"http://localhost/events/{event['eventId']}"
    assert created.headers["ETag"] == '"1"'
    assert (event["version"], event["registeredCount"], event["waitlistCount"]) == (1, 0, 0)
    assert event["organizerId"] is None
    assert MOMENT.fullmatch(event["createdAt"]) and event["updatedAt"] == event["createdAt"]


@given(event_id=strategies.ids())
def test_a_client_may_choose_the_id_once(api: Api, event_id: str) -> None:
    if api.get(f"/events/{event_id}").status_code == 404:
        assert api.post("/events", EVENT | {"eventId": event_id}).json()["eventId"] == event_id
    assert problem(api.post("/events", EVENT | {"eventId": event_id, "title": "Another"})) == (409, "event_exists")
    assert api.get(f"/events/{event_id}").json()["title"] == EVENT["title"]


@pytest.mark.parametrize("name", ["waitlistEnabled", "hasWaitlist"])
def test_the_waitlist_switch_has_two_names(api: Api, name: str) -> None:
    body = {field: value for field, value in EVENT.items() if field != "waitlistEnabled"}
    event = api.post("/events", body | {name: True}).json()
    assert event["waitlistEnabled"] is event["hasWaitlist"] is True


def test_the_two_names_must_agree(api: Api) -> None:
    answer = api.post("/events", EVENT | {"waitlistEnabled": True, "hasWaitlist": False})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["hasWaitlist"]


def test_fields_of_the_server_and_unknown_fields_are_ignored(api: Api) -> None:
    wished = {
        "version": 9,
        "registeredCount": 5,
        "waitlistCount": 5,
        "organizerId": "me",
        "createdAt": "x",
        "colour": 1,
    }
    event = api.post("/events", EVENT | wished).json()
    assert (event["version"], event["registeredCount"], event["organizerId"]) == (1, 0, None)
    assert "colour" not in event


@pytest.mark.parametrize("nothing", ["", " ", "\n\t", "\u3000", " \u200b"])
def test_a_description_may_be_blank_but_must_be_there(api: Api, nothing: str) -> None:
    event = api.event(description=nothing)
    assert api.get(f"/events/{event}").json()["description"] == nothing
    assert api.patch(f"/events/{event}", {"description": "Music."}).json()["description"] == "Music."
    assert api.patch(f"/events/{event}", {"description": nothing}).json()["description"] == nothing
    without = {name: value for name, value in EVENT.items() if name != "description"}
    assert problem(api.post("/events", without)) == (422, "validation_error")
