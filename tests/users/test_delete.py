"""Deleting a user: every seat and place is given up first, the history is forgotten, then the person is gone."""

from typing import Any

import pytest

from events.listing import organized_by
from events.models import EventItem
from eventsite.dynamodb.connection import disconnect
from registrations.models import RegistrationItem
from registrations.seating import ends
from tests.api import Api, problem
from tests.registrations.auditing import audit
from tests.registrations.cutting import cut_off_joining
from tests.registrations.interleaving import WRITE, right_before
from tests.signing_in import As, adam, alice, oscar
from users import index, services
from users.models import User

LONG_AGO = "2026-01-01T00:00:00.000000Z"


def left_of(user_id: str) -> list[Any]:
    """Whatever is still kept about a user."""
    found = [*User.scan(), *RegistrationItem.scan(), *EventItem.scan()]
    return [item for item in found if user_id in str(item.to_simple_dict())]


@pytest.fixture
def season(api: Api) -> list[str]:
    """Alice has a seat in the first event, waits for the second and has left the third."""
    for user in ("alice", "bob", "carol"):
        api.user(user)
    full, late, left = (api.event(eventId=name, capacity=1) for name in ("full", "late", "left"))
    for event, user in (
        (full, "alice"),
        (full, "bob"),
        (late, "carol"),
        (late, "alice"),
        (late, "bob"),
        (left, "alice"),
    ):
        assert api.register(event, user).status_code == 201
    api.leave(left, "alice")
    return [full, late, left]


def test_seats_are_handed_on_and_queues_move_up(api: Api, season: list[str]) -> None:
    answer = api.delete("/users/alice")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get("/events/full/registrations/bob").json()["status"] == "registered"
    assert api.get("/events/late/registrations/bob").json()["waitlistPosition"] == 1
    counts = [(event["registeredCount"], event["waitlistCount"]) for event in api.get("/events").json()]
    assert counts == [(1, 0), (1, 1), (0, 0)]


def test_nothing_is_kept(api: Api, season: list[str]) -> None:
    assert left_of("alice")
    api.delete("/users/alice")
    assert left_of("alice") == []
    for path in ("", "/registrations", "/waitlists"):
        assert problem(api.get(f"/users/alice{path}")) == (404, "user_not_found")
    for event in season:
        assert problem(api.get(f"/events/{event}/registrations/alice")) == (404, "registration_not_found")
        assert api.get(f"/events/{event}/registrations?status=cancelled").json() == []


def test_the_others_stay(api: Api, season: list[str]) -> None:
    api.delete("/users/alice")
    assert [user["userId"] for user in sorted(api.get("/users").json(), key=lambda user: user["userId"])] == [
        "bob",
        "carol",
    ]
    assert len(api.get("/users/bob/registrations").json()) == 2


@pytest.mark.parametrize("user_id", ["nobody", "a b", "x" * 3000, "%00"])
def test_an_unknown_user_is_not_found(api: Api, user_id: str) -> None:
    assert api.delete(f"/users/{user_id}").status_code == 404


def test_a_deleted_user_is_not_found_and_may_be_created_again(api: Api, season: list[str]) -> None:
    api.delete("/users/alice")
    assert problem(api.delete("/users/alice")) == (404, "user_not_found")
    api.user("alice")
    assert api.get("/users/alice/registrations").json() == []
    assert api.register("late", "alice").json()["waitlistPosition"] == 2


def test_what_was_cut_off_is_finished_by_the_next_one(
    api: Api, season: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(event_id: str, user_id: str) -> Any:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(ends, "forget", fail)
        assert api.delete("/users/alice").status_code >= 500
    assert left_of("alice") != []
    assert api.delete("/users/alice").status_code == 204
    assert left_of("alice") == []
    assert problem(api.delete("/users/alice")) == (404, "user_not_found")


@pytest.mark.usefixtures("tables")
def test_the_indexes_of_a_table_are_known_to_a_process_that_has_only_created_people() -> None:
    disconnect()  # as in a new process
    services.create(name="Alice", user_id="alice")
    list(index.Entry.query("names#alice"))
    assert organized_by("alice") == []


def test_a_user_stays_until_every_seat_is_given_up(
    api: Api, season: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: Any) -> Any:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(ends, "leave", fail)
        assert api.delete("/users/alice").status_code >= 500
    assert api.get("/users/alice").status_code == 200
    assert api.delete("/users/alice").status_code == 204
    assert left_of("alice") == []


def test_a_registration_that_is_made_during_the_deletion_is_given_up_too(api: Api) -> None:
    event, user = api.event(), api.user("dora")
    with right_before(WRITE, lambda: api.register(event, user)):
        assert api.delete(f"/users/{user}").status_code == 204
    assert api.get(f"/events/{event}").json()["registeredCount"] == 0
    assert left_of(user) == []


def leave_crashed(api: Api, *, waitlist: bool) -> str:
    """Let Dora's registration for an event with one seat crash before it is applied, and then delete her."""
    event, user = api.event(capacity=1, waitlistEnabled=waitlist), api.user("dora")
    cut_off_joining(event, user, at=LONG_AGO)
    assert api.delete(f"/users/{user}").status_code == 204
    assert api.get(f"/events/{event}").json()["registeredCount"] == 1
    return event


@pytest.mark.parametrize("waitlist", [False, True])
def test_the_seat_of_a_crashed_registration_of_a_deleted_user_goes_to_the_next_one(api: Api, waitlist: bool) -> None:
    event = leave_crashed(api, waitlist=waitlist)
    assert api.register(event, api.user("emil")).json()["status"] == "registered"
    assert problem(api.get(f"/events/{event}/registrations/dora")) == (404, "registration_not_found")
    assert audit(event) == []


def test_a_place_before_a_crashed_registration_of_a_deleted_user_gives_its_seat_to_a_person(api: Api) -> None:
    event = api.event(capacity=1)
    anna, dora, emil = (api.user(name) for name in ("anna", "dora", "emil"))
    api.register(event, anna)
    cut_off_joining(event, dora, at=LONG_AGO)
    assert api.delete(f"/users/{dora}").status_code == 204
    api.register(event, emil)
    assert api.leave(event, anna).json()["promotedUser"] == emil


@pytest.mark.usefixtures("cognito")
def test_only_oneself_and_admins_delete_a_user() -> None:
    me, other, admin = As(alice().access), As(oscar().access), As(adam().access)
    me.get("/users/me")
    assert problem(As(None).delete(f"/users/{alice().sub}")) == (401, "not_authenticated")
    assert problem(other.delete(f"/users/{alice().sub}")) == (404, "user_not_found")
    assert me.delete("/users/me").status_code == 204
    assert problem(me.delete("/users/me")) == (404, "user_not_found")
    me.get("/users/me")
    assert admin.delete(f"/users/{alice().sub}").status_code == 204
