"""Signing up: who gets in, who is refused, and why."""

from typing import Any

import pytest
from hypothesis import given

from tests import strategies
from tests.api import Api, problem

pytestmark = pytest.mark.two_engines(quick=True)


@pytest.mark.parametrize("path", ["registrations", "register"])
def test_both_paths_register(api: Api, path: str) -> None:
    event, user = api.event(), api.user()
    answer = api.post(f"/events/{event}/{path}", {"userId": user})
    registration = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://localhost/events/{event}/registrations/{user}"
    assert registration.pop("message")
    assert registration == api.get(f"/events/{event}/registrations/{user}").json()
    assert (registration["status"], registration["promotedAt"], registration["cancelledAt"]) == (
        "registered",
        None,
        None,
    )
    assert api.get(f"/events/{event}").json()["registeredCount"] == 1


def test_nobody_registers_twice(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    for user in (alice, bob):
        assert problem(api.register(event, user)) == (409, "already_registered")
    read = api.get(f"/events/{event}").json()
    assert (read["registeredCount"], read["waitlistCount"]) == (1, 1)


def test_an_unknown_event_or_user_is_not_found(api: Api) -> None:
    event, user = api.event(), api.user()
    assert problem(api.register("nothing", user)) == (404, "event_not_found")
    assert problem(api.register(event, "nobody")) == (404, "user_not_found")
    full = api.event(capacity=0, waitlistEnabled=False)
    assert problem(api.register(full, "nobody")) == (404, "user_not_found")
    assert problem(api.get("/events/nothing/registrations")) == (404, "event_not_found")
    assert problem(api.get("/events/nothing/waitlist")) == (404, "event_not_found")
    assert problem(api.get(f"/events/{event}/registrations/{user}")) == (404, "registration_not_found")
    assert problem(api.leave(event, user)) == (404, "registration_not_found")
    assert problem(api.leave("nothing", user)) == (404, "registration_not_found")


@pytest.mark.parametrize("status", ["draft", "cancelled", "completed"])
def test_a_closed_event_admits_nobody(api: Api, status: str) -> None:
    event, user = api.event(status=status), api.user()
    assert problem(api.register(event, user)) == (409, "registration_closed")
    assert api.get(f"/events/{event}/registrations").json() == []


def test_with_no_seats_everybody_waits(api: Api) -> None:
    event, user = api.event(capacity=0), api.user()
    assert api.register(event, user).json()["waitlistPosition"] == 1


@given(wrong=strategies.NOT_JSON_TEXTS | strategies.WRONG["eventId"])
def test_a_wrong_user_id_is_refused(api: Api, wrong: Any) -> None:
    event = api.event()
    answer = api.post(f"/events/{event}/registrations", {"userId": wrong})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["userId"]


def test_registering_again_after_leaving_is_a_new_registration_at_the_end(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    first = api.register(event, alice).json()
    api.register(event, bob)
    api.leave(event, alice)
    assert [entry["userId"] for entry in api.get(f"/events/{event}/registrations?status=cancelled").json()] == [alice]
    again = api.register(event, alice).json()
    assert again["registrationId"] != first["registrationId"]
    assert (again["status"], again["waitlistPosition"], again["cancelledAt"]) == ("waitlisted", 1, None)
    assert api.get(f"/events/{event}/registrations?status=cancelled").json() == []
