"""Lists of registrations, an event's and a user's, page by page."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsite.dynamodb.client import Client
from tests.api import Api, problem

FEWER = settings(max_examples=settings().max_examples // 2)
"""For examples that make many requests each."""


@FEWER
@given(people=st.integers(0, 7), capacity=st.integers(0, 4), left=st.integers(0, 3), limit=st.integers(1, 3))
def test_cursors_give_every_registration_once_and_in_order(
    api: Api, people: int, capacity: int, left: int, limit: int
) -> None:
    event, users = api.event(capacity=capacity), api.users(people)
    for user in users:
        api.register(event, user)
    for user in users[:left]:
        api.leave(event, user)
    active, cancelled = users[left:], users[:left]
    listed = api.walk(f"/events/{event}/registrations?limit={limit}")
    assert [entry["userId"] for entry in listed] == active
    waiting = active[capacity:]
    queue = api.walk(f"/events/{event}/waitlist?limit={limit}")
    assert [(entry["userId"], entry["waitlistPosition"]) for entry in queue] == [
        (user, position) for position, user in enumerate(waiting, start=1)
    ]
    assert [entry for entry in listed if entry["status"] == "waitlisted"] == queue
    history = api.walk(f"/events/{event}/registrations?status=cancelled&limit={limit}")
    assert [entry["userId"] for entry in history] == cancelled
    registered = api.walk(f"/events/{event}/registrations?status=registered&limit={limit}")
    assert registered + queue == listed


@FEWER
@given(capacities=st.lists(st.integers(0, 1), max_size=6), limit=st.integers(1, 3))
def test_a_users_registrations_come_with_their_events_once_each(api: Api, capacities: list[int], limit: int) -> None:
    user, other = api.users(2)
    events = [api.event(capacity=capacity) for capacity in capacities]
    for event in events:
        api.register(event, other)
        api.register(event, user)
    waiting = [event for event, capacity in zip(events, capacities, strict=True)]
    found = api.walk(f"/users/{user}/registrations?limit={limit}")
    assert [entry["registration"]["eventId"] for entry in found] == sorted(waiting)
    for entry in found:
        event = api.get(f"/events/{entry['event']['eventId']}").json()
        del event["checkedInCount"]  # which no list shows
        assert entry["event"] == event
    positions = {event: 1 if capacity else 2 for event, capacity in zip(events, capacities, strict=True)}
    waitlists = api.walk(f"/users/{user}/waitlists?limit={limit}")
    reported = {one["event"]["eventId"]: one["registration"]["waitlistPosition"] for one in waitlists}
    assert reported == positions
    assert waitlists == found


@pytest.mark.two_engines
def test_a_users_list_separates_seats_and_places_in_queues(api: Api) -> None:
    user = api.user()
    free, full = api.event(eventId="a-free-one", capacity=1), api.event(eventId="b-full-one", capacity=0)
    for event in (full, free):
        api.register(event, user)
    statuses = [entry["registration"]["status"] for entry in api.get(f"/users/{user}/registrations").json()]
    assert sorted(statuses) == ["registered", "waitlisted"]
    api.leave(full, user)
    history = api.get(f"/users/{user}/registrations?status=cancelled").json()
    assert [entry["event"]["eventId"] for entry in history] == [full]
    assert api.get(f"/users/{user}/waitlists").json() == []


def test_a_wrong_status_or_a_foreign_cursor_is_refused(api: Api) -> None:
    event, user = api.event(), api.user()
    assert problem(api.get(f"/events/{event}/registrations?status=draft")) == (422, "validation_error")
    assert problem(api.get(f"/users/{user}/registrations?status=x")) == (422, "validation_error")
    assert problem(api.get(f"/events/{event}/waitlist?cursor=x")) == (422, "invalid_cursor")


@pytest.mark.parametrize("path", ["registrations", "registrations?status=cancelled", "waitlist"])
def test_a_list_sends_each_read_once(api: Api, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    event = api.event(capacity=2)
    for name in ("ada", "bea", "cem", "dan"):
        api.register(event, api.user(name))
    api.leave(event, "ada")
    sent, received = list[str](), list[str]()
    note(monkeypatch, "_send", sent)
    note(monkeypatch, "exchange", received)
    assert api.get(f"/events/{event}/{path}").status_code == 200
    assert sorted(sent) == sorted(received)


def note(monkeypatch: pytest.MonkeyPatch, method: str, operations: list[str]) -> None:
    """Note the operations for which a method of the client is called."""
    original = getattr(Client, method)

    def noted(client: Client, operation: str, body: bytes) -> Any:
        operations.append(operation)
        return original(client, operation, body)

    monkeypatch.setattr(Client, method, noted)
