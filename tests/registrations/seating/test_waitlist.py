"""Who gets the seats, and who waits in which order."""

import pytest

from tests.api import Api, problem

pytestmark = pytest.mark.two_engines


def test_people_beyond_the_capacity_wait_in_the_order_they_came(api: Api) -> None:
    event = api.event(capacity=2)
    answers = [api.register(event, user).json() for user in api.users(5)]
    assert [answer["status"] for answer in answers] == ["registered"] * 2 + ["waitlisted"] * 3
    assert [answer["waitlistPosition"] for answer in answers] == [None, None, 1, 2, 3]


def test_a_freed_seat_goes_to_the_head_of_the_queue(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob, carol = api.users(3)
    for user in (alice, bob, carol):
        api.register(event, user)
    left = api.leave(event, alice)
    assert (left.status_code, left.json()["promotedUser"]) == (200, bob)
    assert [entry["userId"] for entry in api.get(f"/events/{event}/waitlist").json()] == [carol]
    assert api.get(f"/events/{event}/registrations/{bob}").json()["promotedAt"]


def test_a_full_event_without_a_waitlist_refuses(api: Api) -> None:
    event = api.event(capacity=1, waitlistEnabled=False)
    alice, bob = api.users(2)
    api.register(event, alice)
    assert problem(api.register(event, bob)) == (409, "event_full")
    assert problem(api.register(event, alice)) == (409, "already_registered")
