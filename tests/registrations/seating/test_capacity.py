"""Changing the capacity and the waitlist while people hold seats and wait."""

import pytest

from tests.api import Api, problem


def counts(api: Api, event: str) -> tuple[int, int]:
    read = api.get(f"/events/{event}").json()
    return read["registeredCount"], read["waitlistCount"]


@pytest.mark.two_engines
def test_raising_the_capacity_promotes_in_order_before_it_answers(api: Api) -> None:
    event = api.event(capacity=1)
    users = api.users(6)
    for user in users:
        api.register(event, user)
    raised = api.patch(f"/events/{event}", {"capacity": 4}).json()
    assert (raised["registeredCount"], raised["waitlistCount"], raised["version"]) == (4, 2, 2)
    listed = api.get(f"/events/{event}/registrations").json()
    assert [entry["userId"] for entry in listed] == users
    assert [entry["waitlistPosition"] for entry in listed] == [None] * 4 + [1, 2]
    assert [bool(entry["promotedAt"]) for entry in listed] == [False] + [True] * 3 + [False] * 2


def test_raising_the_capacity_by_hundreds_promotes_everybody(api: Api) -> None:
    event = api.event(capacity=0)
    users = api.users(120)
    for user in users:
        api.register(event, user)
    api.patch(f"/events/{event}", {"capacity": 110})
    assert counts(api, event) == (110, 10)
    assert [entry["userId"] for entry in api.walk(f"/events/{event}/registrations?limit=50")] == users


@pytest.mark.two_engines
def test_lowering_the_capacity_removes_nobody_and_promotes_nobody_until_there_is_room(api: Api) -> None:
    event = api.event(capacity=3)
    users = api.users(5)
    for user in users:
        api.register(event, user)
    api.patch(f"/events/{event}", {"capacity": 1})
    assert counts(api, event) == (3, 2)
    assert [api.leave(event, user).json()["promotedUser"] for user in users[:2]] == [None, None]
    assert counts(api, event) == (1, 2)
    assert api.leave(event, users[2]).json()["promotedUser"] == users[3]
    assert counts(api, event) == (1, 1)


@pytest.mark.two_engines
def test_switching_the_waitlist_off_stops_new_waiters_only(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob, carol = api.users(3)
    for user in (alice, bob):
        api.register(event, user)
    api.patch(f"/events/{event}", {"waitlistEnabled": False})
    assert problem(api.register(event, carol)) == (409, "event_full")
    assert api.leave(event, alice).json()["promotedUser"] == bob


@pytest.mark.two_engines
def test_an_edit_of_other_fields_leaves_the_counters_alone(api: Api) -> None:
    event = api.event(capacity=1)
    for user in api.users(2):
        api.register(event, user)
    api.patch(f"/events/{event}", {"title": "New", "date": "2084-01-01"})
    assert counts(api, event) == (1, 1)
