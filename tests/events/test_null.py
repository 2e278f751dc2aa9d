"""Null counts as not sent. Of the two names of the waitlist switch, the changed one counts."""

from typing import Any

import pytest

from tests.api import EVENT, Api, problem

REMOVABLE: dict[str, Any] = {
    "endDate": "2083-04-02",
    "registrationOpensAt": "2083-01-01T00:00:00Z",
    "registrationClosesAt": "2083-02-01T00:00:00Z",
    "organizers": ["bea"],
    "questions": [{"questionId": "q", "label": "?", "kind": "text", "choices": [], "required": False}],
}
REMOVED: dict[str, Any] = dict.fromkeys(REMOVABLE) | {"organizers": [], "questions": []}
REQUIRED = EVENT.keys() - {"waitlistEnabled"}


def test_null_on_create_is_a_missing_field(api: Api) -> None:
    answer = api.post("/events", dict.fromkeys(EVENT))
    assert problem(answer) == (422, "validation_error")
    assert {(error["field"], error["code"]) for error in answer.json()["errors"]} == {(n, "required") for n in REQUIRED}


def test_null_on_create_leaves_what_may_be_left_out_to_its_default(api: Api) -> None:
    nothing = dict.fromkeys(
        ["eventId", "waitlistEnabled", "hasWaitlist", "startTime", "endTime", "timeZone", *REMOVABLE]
    )
    event = api.post("/events", EVENT | nothing | {"unlisted": None}).json()
    assert event["eventId"] and event["waitlistEnabled"] is False
    assert {name: event[name] for name in REMOVABLE} == REMOVED
    assert event["unlisted"] is False


def test_null_on_an_edit_removes_an_optional_value(api: Api) -> None:
    event = api.event(**REMOVABLE)
    kept = api.patch(f"/events/{event}", {"title": "Another", "unlisted": None}).json()
    assert {name: kept[name] for name in REMOVABLE} == REMOVABLE
    removed = api.patch(f"/events/{event}", dict.fromkeys(REMOVABLE)).json()
    assert {name: removed[name] for name in REMOVABLE} == REMOVED
    assert api.get(f"/events/{event}").json() == removed


@pytest.mark.parametrize("name", sorted(EVENT))
def test_null_on_an_edit_leaves_a_field_alone(api: Api, name: str) -> None:
    event = api.event()
    before = api.get(f"/events/{event}").json()
    assert problem(api.patch(f"/events/{event}", {name: None})) == (422, "validation_error")
    edited = api.patch(f"/events/{event}", {name: None, "hasWaitlist": None, "organizer": "Somebody else"}).json()
    assert edited | {"organizer": 0, "version": 0, "updatedAt": 0} == before | {
        "organizer": 0,
        "version": 0,
        "updatedAt": 0,
    }


def test_null_for_the_id_of_a_new_user_is_no_id(api: Api) -> None:
    assert len(api.post("/users", {"userId": None, "name": "Alice"}).json()["userId"]) == 36
    assert problem(api.post("/users", {"name": None})) == (422, "validation_error")


def test_null_for_the_user_who_registers_is_nobody(api: Api) -> None:
    assert problem(api.post(f"/events/{api.event()}/registrations", {"userId": None})) == (422, "validation_error")


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("changed", ["waitlistEnabled", "hasWaitlist"])
def test_of_two_switches_that_disagree_the_changed_one_is_meant(api: Api, changed: str, stored: bool) -> None:
    event = api.event(waitlistEnabled=stored)
    read: dict[str, Any] = api.get(f"/events/{event}").json()
    answer = api.put(f"/events/{event}", read | {changed: not stored})
    assert answer.status_code == 200, answer.content
    assert answer.json()["waitlistEnabled"] is answer.json()["hasWaitlist"] is (not stored)


@pytest.mark.parametrize("name", ["waitlistEnabled", "hasWaitlist"])
def test_either_switch_alone_is_meant(api: Api, name: str) -> None:
    event = api.event(waitlistEnabled=True)
    assert api.patch(f"/events/{event}", {name: False}).json()["waitlistEnabled"] is False


def test_an_event_can_be_sent_back_as_it_was_read(api: Api) -> None:
    event = api.event(startTime="19:00", timeZone="Europe/Berlin", unlisted=True, **REMOVABLE)
    read = api.get(f"/events/{event}").json()
    assert api.put(f"/events/{event}", read).json() | {"version": 1, "updatedAt": read["updatedAt"]} == read
