"""`me` in a path is the signed-in user, who is created by the first registration or read."""

from typing import Any

import pytest

from tests.api import EVENT, Api, problem
from tests.signing_in import As, adam, alice, oscar
from users.models import User

PATHS = ["/users/me", "/users/me/registrations", "/users/me/waitlists", "/events/party/registrations/me"]


@pytest.fixture
def party(cognito: None) -> str:
    """An event of oscar's with one seat."""
    return As(oscar().access).event(eventId="party", capacity=1)


@pytest.mark.parametrize("path", PATHS)
def test_an_open_service_knows_nobody_as_me(api: Api, path: str) -> None:
    answer = api.get(path)
    assert problem(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/users/me"), ("PATCH", "/users/me")]
    + [("DELETE", f"/events/party/{path}/me") for path in ("registrations", "register")],
)
def test_nobody_changes_anything_as_me_without_signing_in(api: Api, method: str, path: str) -> None:
    assert problem(api.call(method, path, {"name": "Mallory"})) == (401, "not_authenticated")


def test_me_cannot_be_taken_for_an_id(api: Api) -> None:
    answer = api.post("/users", {"userId": "me", "name": "Mallory"})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["userId"]


@pytest.mark.parametrize("path", PATHS)
def test_an_anonymous_caller_is_asked_to_sign_in(party: str, path: str) -> None:
    assert problem(As(None).get(path)) == (401, "not_authenticated")


def test_who_reads_themselves_is_made_from_the_token(cognito: None) -> None:
    me = As(alice().access)
    found = me.get("/users/me").json()
    assert (found["userId"], found["name"], found["email"]) == (alice().sub, "alice", None)
    assert me.get("/users/me").json() == me.get(f"/users/{alice().sub}").json() == found


def test_who_registers_is_made_from_the_token(party: str) -> None:
    me = As(alice().access)
    registered = me.post("/events/party/registrations", {})
    assert (registered.status_code, registered.json()["userId"]) == (201, alice().sub)
    assert User.get(alice().sub).name == "alice"
    assert me.get("/events/party/registrations/me").json()["registrationId"] == registered.json()["registrationId"]


def test_a_keyed_registration_of_a_newcomer_is_executed_once(party: str) -> None:
    me = As(alice().access)
    first, again = (me.post("/events/party/register", {}, idempotency_key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())


def test_a_repeated_keyed_registration_does_not_create_a_deleted_user_again(party: str) -> None:
    me = As(alice().access)
    first = me.post("/events/party/register", {}, idempotency_key="k")
    assert me.delete(f"/users/{alice().sub}").status_code == 204
    again = me.post("/events/party/register", {}, idempotency_key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert User.find(alice().sub) is None


def test_registering_somebody_else_makes_nobody(party: str) -> None:
    body = {"userId": alice().sub}
    assert problem(As(oscar().access).post("/events/party/registrations", body)) == (404, "user_not_found")
    assert problem(As(adam().access).get(f"/users/{alice().sub}")) == (404, "user_not_found")


def test_the_lists_of_a_newcomer_are_empty(cognito: None) -> None:
    me = As(alice().access)
    assert me.get("/users/me/registrations").json() == me.get("/users/me/waitlists").json() == []


def test_my_registrations_and_places_in_queues_are_found_under_me(party: str) -> None:
    me, before = As(alice().access), As(oscar().access)
    assert before.post("/events/party/registrations", {}).status_code == 201
    assert me.post("/events/party/registrations", {}).json()["status"] == "waitlisted"
    for path in ("registrations", "waitlists"):
        (entry,) = me.get(f"/users/me/{path}").json()
        assert (entry["event"]["title"], entry["registration"]["waitlistPosition"]) == (EVENT["title"], 1)
    assert me.delete("/events/party/register/me").status_code == 200
    assert me.get("/users/me/waitlists").json() == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_newcomer_can_say_who_they_are_at_once(cognito: None, method: str) -> None:
    changes: dict[str, Any] = {"email": "alice@example.com"}
    answer = As(alice().access).call(method, "/users/me", changes)
    assert (answer.status_code, answer.json()["name"], answer.json()["email"]) == (200, "alice", "alice@example.com")


def test_what_was_made_from_a_token_keeps_the_name_that_was_given_since(cognito: None) -> None:
    me = As(alice().access)
    me.patch("/users/me", {"name": "Alice B."})
    assert me.get("/users/me").json()["name"] == "Alice B."


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/users/me", "Log in to see your profile."),
        ("/users/me/registrations", "Log in to see your registrations."),
        ("/users/me/waitlists", "Log in to see your registrations."),
    ],
)
def test_a_visitor_who_is_signed_out_is_asked_to_log_in_to_see_their_own_page(
    cognito: None, path: str, sentence: str
) -> None:
    shown = As(None).get(path, accept="text/html")
    assert shown.status_code == 401
    assert sentence in shown.content.decode()
    assert "what you typed" not in shown.content.decode()
