"""Changing an event: PUT and PATCH change the fields sent and leave the others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.api import EVENT, Api, problem
from tests.events.test_create import expected

METHODS = st.sampled_from(["PUT", "PATCH"])


@given(body=strategies.events(), changes=strategies.changes(), method=METHODS)
def test_an_update_changes_what_was_sent_and_preserves_the_rest(
    api: Api, body: dict[str, Any], changes: dict[str, Any], method: str
) -> None:
    created = api.post("/events", body).json()
    answer = api.call(method, f"/events/{created['eventId']}", changes)
    assert answer.status_code == 200, answer.content
    updated = answer.json()
    assert expected(body | changes).items() <= updated.items()
    untouched = created.keys() - changes.keys() - {"version", "updatedAt", "hasWaitlist"}
    assert {name: updated[name] for name in untouched} == {name: created[name] for name in untouched}
    assert updated["version"] == 2 and updated["updatedAt"] > created["updatedAt"]
    assert answer.headers["ETag"] == '"2"'
    assert api.get(f"/events/{created['eventId']}").json() == updated


@pytest.mark.parametrize("body", [{}, {"colour": "red"}, {"eventId": "other"}, {"registeredCount": 5}])
def test_an_update_without_a_field_to_change_is_refused(api: Api, body: dict[str, Any]) -> None:
    event = api.event()
    assert problem(api.patch(f"/events/{event}", body)) == (422, "validation_error")
    assert api.get(f"/events/{event}").json()["version"] == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_unknown_event_is_not_made_by_an_update(api: Api, method: str) -> None:
    assert problem(api.call(method, "/events/nobody-made-this", {"title": "New"})) == (404, "event_not_found")
    assert api.get("/events").json() == []


@pytest.mark.parametrize("tag", ['"1"', '"7", "1"', "*", ' "1" '])
def test_a_fresh_etag_lets_the_edit_through(api: Api, tag: str) -> None:
    event = api.event()
    assert api.patch(f"/events/{event}", {"title": "New"}, if_match=tag).status_code == 200


@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', "1", "", "nonsense", '"１"', '"' + "9" * 5000 + '"', '""'])
def test_a_stale_or_foreign_etag_stops_edit_and_deletion(api: Api, tag: str) -> None:
    event = api.event()
    assert problem(api.patch(f"/events/{event}", {"title": "New"}, if_match=tag)) == (412, "precondition_failed")
    assert problem(api.delete(f"/events/{event}", if_match=tag)) == (412, "precondition_failed")
    assert api.get(f"/events/{event}").json()["title"] == EVENT["title"]


def test_registrations_are_no_edits(api: Api) -> None:
    event = api.event()
    api.register(event, api.user())
    assert api.get(f"/events/{event}").headers["ETag"] == '"1"'
