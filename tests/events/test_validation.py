"""Wrong values: refused, all at once, each with its field, and nothing is written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.api import EVENT, Api, problem

REQUIRED = ["title", "description", "date", "location", "capacity", "organizer", "status"]


def fields(answer: Any) -> set[str]:
    """The names of the fields that a problem document complains about."""
    return {error["field"] for error in answer.json()["errors"]}


@given(wrong=st.fixed_dictionaries({}, optional=strategies.WRONG).filter(bool))
def test_every_wrong_field_is_named_at_once_and_nothing_is_created(api: Api, wrong: dict[str, Any]) -> None:
    answer = api.post("/events", EVENT | wrong)
    assert problem(answer) == (422, "validation_error")
    assert fields(answer) - {"hasWaitlist"} == wrong.keys() - {"hasWaitlist"}
    assert api.get("/events").json() == []


@given(missing=st.sets(st.sampled_from(REQUIRED), min_size=1))
def test_every_missing_field_is_named_at_once(api: Api, missing: set[str]) -> None:
    answer = api.post("/events", {name: value for name, value in EVENT.items() if name not in missing})
    assert problem(answer) == (422, "validation_error")
    assert fields(answer) == missing


WRONG_CHANGES = {name: values for name, values in strategies.WRONG.items() if name != "eventId"}


@given(wrong=st.fixed_dictionaries({}, optional=WRONG_CHANGES).filter(bool), method=st.sampled_from(["PUT", "PATCH"]))
def test_a_wrong_update_changes_nothing(api: Api, wrong: dict[str, Any], method: str) -> None:
    event = api.event()
    before = api.get(f"/events/{event}").json()
    answer = api.call(method, f"/events/{event}", {"location": "Elsewhere"} | wrong)
    assert problem(answer) == (422, "validation_error")
    assert api.get(f"/events/{event}").json() == before


@pytest.mark.parametrize(
    ("capacity", "status"),
    [(text, 201) for text in ("0", "100000", "5.0", "1e3", "-0")]
    + [(text, 422) for text in ("100001", "-1", "5.5", "1e400", "-1e400", "9" * 5000, "true", '"5"', "null")]
    + [(text, 400) for text in ("NaN", "Infinity", "-", "0x1")],
)
def test_capacity_is_a_whole_number_within_bounds(api: Api, capacity: str, status: int) -> None:
    body = '{"title":"t","description":"d","date":"2083-01-01","location":"l","organizer":"o","status":"active",'
    answer = api.post("/events", raw=body + f'"capacity":{capacity}}}')
    assert answer.status_code == status, answer.content


@pytest.mark.parametrize("longest", [("title", 200), ("description", 2000), ("location", 200), ("organizer", 200)])
def test_lengths_are_counted_in_characters(api: Api, longest: tuple[str, int]) -> None:
    name, size = longest
    assert api.post("/events", EVENT | {name: "🎉" * size}).status_code == 201
    assert api.post("/events", EVENT | {name: "🎉" * (size + 1)}).status_code == 422


def test_a_description_of_half_a_megabyte_is_a_wrong_value(api: Api) -> None:
    assert problem(api.post("/events", EVENT | {"description": "x" * 500_000})) == (422, "validation_error")
