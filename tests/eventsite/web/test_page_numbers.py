"""Integers in queries and forms: what the API takes, the pages take, and nothing is an error of ours."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import Api
from tests.pages import ACCEPT, FORM

LISTS = [
    "/events",
    "/users",
    "/events/party/registrations",
    "/events/party/waitlist",
    "/users/alice/registrations",
    "/users/alice/waitlists",
]
NUMBERS = ["5.0", "5", "05", "1.00", "0", "-1", "5.5", "1e3", "", " 5", "٥", "²", "1_0", "9" * 4301, "0x5", "+5", "--5"]


@pytest.fixture(autouse=True)
def world(api: Api) -> None:
    api.event(eventId="party")
    api.register("party", api.user("alice"))


@pytest.mark.parametrize("path", LISTS)
def test_a_page_takes_the_limits_that_the_api_takes(api: Api, path: str) -> None:
    for number in NUMBERS:
        query = urlencode({"limit": number})
        plain, page = api.get(f"{path}?{query}"), api.get(f"{path}?{query}", accept=ACCEPT)
        assert page.status_code == plain.status_code, number
        assert plain.status_code in (200, 422)


numbers = st.one_of(st.sampled_from(NUMBERS), st.text("0123456789.-+e_²٥ ", max_size=12), st.integers().map(str))


@given(capacity=numbers, before=numbers)
def test_no_number_in_a_form_is_an_error_of_ours(api: Api, capacity: str, before: str) -> None:
    sent = {"_method": "PUT", "_before": json.dumps({"capacity": before}), "capacity": capacity, "_version": before}
    answer = api.post("/events/party", raw=urlencode(sent), content_type=FORM, accept=ACCEPT)
    assert answer.status_code < 500, sent


@given(before=st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_no_value_that_a_form_claims_to_have_shown_is_a_server_error(api: Api, before: object) -> None:
    for text in (json.dumps(before), json.dumps({"capacity": before, "title": before})):
        for method in ("PUT", "DELETE"):
            sent = {"_method": method, "_before": text, "capacity": "0", "title": "x", "_version": "0"}
            answer = api.post("/events/party", raw=urlencode(sent), content_type=FORM, accept=ACCEPT)
            assert answer.status_code < 500, sent
