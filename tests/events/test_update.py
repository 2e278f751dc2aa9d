"""Changing an event: PUT and PATCH change the fields sent and leave the others."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eventsite.web import preconditions
from tests import strategies
from tests.api import EVENT, Api, problem
from tests.events.test_create import expected
from tests.faults import answer_lost, conflict, disturbed

METHODS = st.sampled_from(["PUT", "PATCH"])


@given(body=strategies.events(), changes=strategies.changes(), method=METHODS)
def test_an_update_changes_what_was_sent_and_preserves_the_rest(
    api: Api, body: dict[str, Any], changes: dict[str, Any], method: str
) -> None:
    assume(strategies.is_possible(body | changes))
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


@pytest.mark.two_engines
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_unknown_event_is_not_made_by_an_update(api: Api, method: str) -> None:
    assert problem(api.call(method, "/events/nobody-made-this", {"title": "New"})) == (404, "event_not_found")
    assert api.get("/events").json() == []


@pytest.mark.two_engines
@pytest.mark.parametrize("tag", ['"1"', '"7", "1"', "*", ' "1" ', '"2",, W/"1" ,'])
def test_a_fresh_etag_lets_the_edit_through(api: Api, tag: str) -> None:
    event = api.event()
    assert api.patch(f"/events/{event}", {"title": "New"}, if_match=tag).status_code == 200


@pytest.mark.parametrize("tag", ['W/"1"', '"1-gzip"', '"1--gzip"', '"1;br"', 'W/"1-gzip"', '"1-zstd"'])
def test_what_a_compressing_proxy_made_of_an_etag_is_that_etag(api: Api, tag: str) -> None:
    event = api.event()
    assert api.patch(f"/events/{event}", {"title": "New"}, if_match=tag).status_code == 200
    assert problem(api.patch(f"/events/{event}", {"title": "Newer"}, if_match=tag)) == (412, "precondition_failed")


@pytest.mark.two_engines
@pytest.mark.parametrize(
    "tag",
    ['"2"', 'W/"2"', '"2-gzip"', '"1-zip"', '"1gzip"', '"01"', '"nonsense"', '"\xb9"', '"' + "9" * 5000 + '"', '""'],
)
def test_a_stale_or_foreign_etag_stops_edit_and_deletion(api: Api, tag: str) -> None:
    event = api.event()
    assert problem(api.patch(f"/events/{event}", {"title": "New"}, if_match=tag)) == (412, "precondition_failed")
    assert problem(api.delete(f"/events/{event}", if_match=tag)) == (412, "precondition_failed")
    assert api.get(f"/events/{event}").json()["title"] == EVENT["title"]


MALFORMED = [
    "1",
    '"1 "',
    "",
    ",",
    "nonsense",
    '"１"',
    'w/"1"',
    'x"1"y',
    '*,"1"',
    '"1",*',
    '"1" "1"',
    '"1"; "1"',
    '"1',
    '1"',
    '"1""1"',
    "'1'",
]


@pytest.mark.parametrize("tags", MALFORMED)
def test_a_malformed_list_of_etags_is_refused(api: Api, tags: str) -> None:
    event = api.event()
    for _ in range(2):
        assert problem(api.patch(f"/events/{event}", {"title": "New"}, if_match=tags)) == (400, "malformed_request")
        assert problem(api.delete(f"/events/{event}", if_match=tags)) == (400, "malformed_request")
    assert api.get(f"/events/{event}").json()["title"] == EVENT["title"]


TAGS = st.builds(
    '{}"{}"'.format,
    st.sampled_from(["", "W/"]),
    st.sampled_from(["1", "1-gzip", "1-x", "01", "", "\xe9", "1,1", "!#~"]),
)
OURS = {'"1"', 'W/"1"', '"1-gzip"', 'W/"1-gzip"'}
SPACE = st.text(" \t", max_size=2)


@given(st.lists(st.tuples(SPACE, TAGS | st.just(""), SPACE).map("".join), min_size=1, max_size=5))
def test_a_list_of_etags_is_read_as_the_rfc_writes_it(parts: list[str]) -> None:
    """RFC 9110, 5.6.1: a list may have empty elements, and at least one that is not."""
    tags = [part.strip(" \t") for part in parts]
    if any(tags):
        assert preconditions.versions(",".join(parts)) == ({1} if OURS & set(tags) else set())
    else:
        with pytest.raises(preconditions.MalformedTags):
            preconditions.versions(",".join(parts))


@given(st.text(st.sampled_from('"1*W/w ,x\t\x7f\xff\\'), max_size=12))
def test_no_other_text_is_a_list_of_etags(text: str) -> None:
    """The version is meant only where a whole element of the list is its tag."""
    try:
        versions = preconditions.versions(text)
    except preconditions.MalformedTags:
        return
    assert (text.strip(" \t") == "*") is (versions is None)
    if versions and 1 in versions:
        assert re.search(r'(^|[ \t,])(W/)?"1"($|[ \t,])', text)


@pytest.mark.two_engines
def test_registrations_are_no_edits(api: Api) -> None:
    event = api.event()
    api.register(event, api.user())
    assert api.get(f"/events/{event}").headers["ETag"] == '"1"'


@pytest.mark.parametrize("changes", [{"title": "Another"}, {"capacity": 5}], ids=["texts", "seats"])
def test_an_edit_whose_answer_was_lost_and_whose_copy_meets_a_conflict_is_one_edit(
    api: Api, changes: dict[str, Any]
) -> None:
    event, faults = api.event(), [answer_lost, conflict]

    def plan(_: int, operation: str) -> Any:
        return faults.pop(0) if operation == "TransactWriteItems" and faults else None

    with disturbed(plan):
        answer = api.patch(f"/events/{event}", changes, if_match='"1"')
    assert (answer.status_code, answer.headers.get("ETag"), faults) == (200, '"2"', [])
