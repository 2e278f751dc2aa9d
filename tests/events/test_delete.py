"""Deleting an event: only when nobody is left, and without a trace."""

import pytest

from registrations.models import RegistrationItem
from tests.api import Api, problem

pytestmark = pytest.mark.two_engines


def test_an_empty_event_can_be_deleted(api: Api) -> None:
    event = api.event()
    assert api.delete(f"/events/{event}", if_match='"1"').status_code == 204
    assert problem(api.get(f"/events/{event}")) == (404, "event_not_found")
    assert problem(api.delete(f"/events/{event}")) == (404, "event_not_found")
    assert api.get("/events").json() == []


@pytest.mark.parametrize("capacity", [1, 0], ids=["registered", "waiting"])
def test_an_event_with_people_cannot_be_deleted(api: Api, capacity: int) -> None:
    event, user = api.event(capacity=capacity), api.user()
    api.register(event, user)
    assert problem(api.delete(f"/events/{event}")) == (409, "event_has_registrations")
    api.leave(event, user)
    assert api.delete(f"/events/{event}").status_code == 204


def test_the_history_goes_with_the_event(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    api.leave(event, user)
    assert api.delete(f"/events/{event}").status_code == 204
    assert list(RegistrationItem.scan()) == []
    assert api.get(f"/users/{user}/registrations?status=cancelled").json() == []


@pytest.mark.parametrize("status", ["published", "draft", "completed"])
def test_people_go_with_the_event_where_that_is_said(api: Api, status: str) -> None:
    event, (ann, bea, cem, dan) = api.event(capacity=1), api.users(4)
    for user in (ann, bea, cem, dan):
        api.register(event, user)
    api.leave(event, dan)
    api.patch(f"/events/{event}", {"status": status})
    assert problem(api.delete(f"/events/{event}")) == (409, "event_has_registrations")
    answer = api.delete(f"/events/{event}?registrations=cancel")
    assert (answer.status_code, answer.content) == (204, b"")
    assert problem(api.get(f"/events/{event}")) == (404, "event_not_found")
    for user in (ann, bea, cem, dan):
        assert api.get(f"/users/{user}/registrations").json() == []
        assert api.get(f"/users/{user}/registrations?status=cancelled").json() == []
    assert problem(api.delete(f"/events/{event}?registrations=cancel")) == (404, "event_not_found")


def test_an_event_that_is_made_anew_knows_nobody_of_the_one_before(api: Api) -> None:
    event, (ann, bea) = api.event(eventId="party", capacity=1), api.users(2)
    api.register(event, ann)
    api.register(event, bea)
    assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    api.event(eventId="party", capacity=1)
    assert api.get("/events/party").json()["registeredCount"] == 0
    assert api.get("/events/party/registrations").json() == []
    assert api.register(event, bea).json()["status"] == "registered"
    assert api.register(event, ann).json()["waitlistPosition"] == 1


def test_an_empty_event_may_be_deleted_that_way_too(api: Api) -> None:
    assert api.delete(f"/events/{api.event()}?registrations=cancel").status_code == 204


@pytest.mark.parametrize("word", ["keep", "", "Cancel!", "cancel,cancel"])
def test_another_word_deletes_nothing(api: Api, word: str) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    answer = api.delete(f"/events/{event}?registrations={word}")
    assert answer.status_code == (409 if word == "" else 422)
    assert api.get(f"/events/{event}/registrations/{user}").json()["status"] == "registered"


def test_a_stale_version_keeps_the_people(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    stale = api.delete(f"/events/{event}?registrations=cancel", if_match='"7"')
    assert problem(stale) == (412, "precondition_failed")
    assert api.get(f"/events/{event}").json()["registeredCount"] == 1
