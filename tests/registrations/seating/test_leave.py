"""Giving up a seat or a place in the queue."""

import pytest

from tests.api import Api, problem

pytestmark = pytest.mark.two_engines


@pytest.mark.parametrize("path", ["registrations", "register"])
def test_both_paths_leave(api: Api, path: str) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    answer = api.delete(f"/events/{event}/{path}/{user}")
    assert (answer.status_code, answer.json()["promotedUser"]) == (200, None)
    left = api.get(f"/events/{event}/registrations/{user}").json()
    assert left["status"] == "cancelled" and left["cancelledAt"]
    assert problem(api.delete(f"/events/{event}/{path}/{user}")) == (404, "registration_not_found")
    assert api.get(f"/events/{event}").json()["registeredCount"] == 0


def test_leaving_the_queue_moves_up_those_behind(api: Api) -> None:
    event = api.event(capacity=0)
    alice, bob, carol = users = api.users(3)
    for user in users:
        api.register(event, user)
    assert api.leave(event, bob).json()["promotedUser"] is None
    queue = api.get(f"/events/{event}/waitlist").json()
    assert [(entry["userId"], entry["waitlistPosition"]) for entry in queue] == [(alice, 1), (carol, 2)]
    assert api.get(f"/events/{event}/registrations/{carol}").json()["waitlistPosition"] == 2


def test_the_head_of_the_queue_may_leave_it(api: Api) -> None:
    event = api.event(capacity=0)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    assert api.leave(event, alice).json()["promotedUser"] is None
    assert api.get(f"/events/{event}").json()["waitlistCount"] == 1


@pytest.mark.parametrize("status", ["draft", "cancelled", "completed"])
def test_a_closed_event_lets_go_but_promotes_nobody(api: Api, status: str) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    api.patch(f"/events/{event}", {"status": status})
    assert api.leave(event, alice).json()["promotedUser"] is None
    read = api.get(f"/events/{event}").json()
    assert (read["registeredCount"], read["waitlistCount"]) == (0, 1)


def test_reopening_promotes_as_many_as_fit(api: Api) -> None:
    event = api.event(capacity=2)
    users = api.users(5)
    for user in users:
        api.register(event, user)
    api.patch(f"/events/{event}", {"status": "cancelled"})
    for user in users[:2]:
        api.leave(event, user)
    reopened = api.patch(f"/events/{event}", {"status": "active"}).json()
    assert (reopened["registeredCount"], reopened["waitlistCount"]) == (2, 1)
    assert [entry["userId"] for entry in api.get(f"/events/{event}/registrations").json()] == users[2:]
