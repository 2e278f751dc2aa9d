"""Safe retries: the same Idempotency-Key and body lead to the first answer, whatever happened since."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from eventsite.dynamodb import idempotency
from eventsite.dynamodb.idempotency import Announced, IdempotentRequest
from eventsite.dynamodb.steps import run
from tests.api import EVENT, Api, problem


def test_a_repeated_creation_gives_the_first_answer_again(api: Api) -> None:
    first = api.post("/events", EVENT, idempotency_key="k")
    api.patch(f"/events/{first.json()['eventId']}", {"title": "Changed"})
    again = api.post("/events", EVENT, idempotency_key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert len(api.get("/events").json()) == 1


@pytest.mark.parametrize("given_id", [{}, {"userId": "alice"}], ids=["made id", "chosen id"])
def test_a_user_is_created_once(api: Api, given_id: dict[str, str]) -> None:
    body = {"name": "Alice"} | given_id
    answers = [api.post("/users", body, idempotency_key="k") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["userId"] for answer in answers}) == 1
    assert len(api.get("/users").json()) == 1


@pytest.mark.parametrize("capacity", [1, 0], ids=["a seat", "a place in the queue"])
def test_a_registration_is_made_once_and_answered_as_before(api: Api, capacity: int) -> None:
    event, user, other = api.event(capacity=capacity), api.user(), api.user()
    first = api.register(event, user, idempotency_key="k").json()
    api.register(event, other)
    api.patch(f"/events/{event}", {"capacity": 5})
    assert api.register(event, user, idempotency_key="k").json() == first
    api.leave(event, user)
    again = api.register(event, user, idempotency_key="k")
    assert (again.status_code, again.json()) == (201, first)
    assert api.get(f"/events/{event}/registrations/{user}").json()["status"] == "cancelled"


def test_the_key_works_on_both_paths_of_registering(api: Api) -> None:
    event, user = api.event(), api.user()
    first = api.post(f"/events/{event}/registrations", {"userId": user}, idempotency_key="k")
    again = api.post(f"/events/{event}/register", {"userId": user}, idempotency_key="k")
    assert (again.status_code, again.json()) == (201, first.json())


@given(
    changes=st.fixed_dictionaries({}, optional={"title": st.just("x"), "eventId": st.just("y"), "extra": st.just(1)})
)
def test_a_key_with_another_body_is_refused(api: Api, changes: dict[str, Any]) -> None:
    assert api.post("/events", EVENT | {"eventId": "party"}, idempotency_key="k").status_code == 201
    answer = api.post("/events", EVENT | {"eventId": "party"} | changes, idempotency_key="k")
    assert answer.status_code == (422 if changes else 201)
    if changes:
        assert problem(answer) == (422, "idempotency_key_reused")


def test_another_registrant_under_the_same_key_is_refused(api: Api) -> None:
    event = api.event()
    alice, bob = api.users(2)
    api.register(event, alice, idempotency_key="k")
    assert problem(api.register(event, bob, idempotency_key="k")) == (422, "idempotency_key_reused")


def test_a_key_is_bound_to_its_call(api: Api) -> None:
    user = api.user()
    for event in (api.event(), api.event()):
        assert api.register(event, user, idempotency_key="k").json()["eventId"] == event


def test_a_refusal_is_the_first_answer_too(api: Api) -> None:
    event = api.event(capacity=1, waitlistEnabled=False)
    alice, bob = api.users(2)
    api.register(event, alice)
    first = api.register(event, bob, idempotency_key="k")
    assert problem(first) == (409, "event_full")
    api.leave(event, alice)
    again = api.register(event, bob, idempotency_key="k")
    assert (again.status_code, again.json()) == (409, first.json())
    assert api.register(event, bob, idempotency_key="another").status_code == 201


@pytest.mark.parametrize(
    ("path", "body"), [("/events", EVENT | {"eventId": "x"}), ("/users", {"userId": "x", "name": "X"})]
)
def test_what_was_refused_because_its_id_was_taken_stays_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    api.post(path, body)
    first = api.post(path, body, idempotency_key="k")
    assert first.status_code == 409
    if path == "/events":
        api.delete(f"{path}/x")
    again = api.post(path, body, idempotency_key="k")
    assert (again.status_code, again.json()) == (409, first.json())


@pytest.mark.parametrize("key", ["", " ", "ü", "x" * 256, "a b"])
def test_a_malformed_key_is_refused(api: Api, key: str) -> None:
    assert problem(api.post("/users", {"name": "Alice"}, idempotency_key=key)) == (422, "validation_error")
    assert api.get("/users").json() == []


def test_a_keyed_form_with_a_file_in_it_is_like_any_other_form() -> None:
    """A browser may send a file in a field that nobody asked for."""
    browser = Client(raise_request_exception=False, SERVER_NAME="localhost")
    answers = [
        browser.post(
            "/users",
            {"name": "Alice", "portrait": SimpleUploadedFile("alice.png", b"\x89PNG")},
            headers={"Accept": "text/html", "Idempotency-Key": "k"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]


KEYED: dict[str, Any] = {
    "POST /users": ("/users", {"name": "Alice"}, {"name": "Bob"}),
    "POST /events": ("/events", EVENT, EVENT | {"title": "Another"}),
}


@pytest.mark.parametrize("call", KEYED)
@pytest.mark.parametrize("same", [True, False], ids=["the same body", "another body"])
def test_a_key_older_than_a_day_is_new(api: Api, monkeypatch: pytest.MonkeyPatch, call: str, same: bool) -> None:
    """DynamoDB deletes what has expired within days, not at once."""
    path, body, other = KEYED[call]
    first = api.post(path, body, idempotency_key="k")
    age(monkeypatch, idempotency.KEPT_SECONDS + 1)
    second = api.post(path, body if same else other, idempotency_key="k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["Location"] != second.headers["Location"]
    third = api.post(path, body if same else other, idempotency_key="k")
    assert third.headers["Location"] == second.headers["Location"]


@pytest.mark.parametrize("call", KEYED)
def test_a_key_of_a_day_ago_is_not(api: Api, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path, body, other = KEYED[call]
    first = api.post(path, body, idempotency_key="k")
    age(monkeypatch, idempotency.KEPT_SECONDS - 60)
    assert api.post(path, body, idempotency_key="k").headers["Location"] == first.headers["Location"]
    assert problem(api.post(path, other, idempotency_key="k")) == (422, "idempotency_key_reused")


def age(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Let so much time pass for the markers."""
    present = time.time()
    monkeypatch.setattr(idempotency, "time", SimpleNamespace(time=lambda: present + seconds))


@pytest.mark.parametrize(("name", "wrong"), [("MARKERS_TABLE", "elsewhere"), ("MARKERS_KEY", ("id", "item"))])
def test_markers_that_do_not_fit_their_table_are_refused_at_start(settings: Settings, name: str, wrong: Any) -> None:
    assert checks.run_checks(tags=["tables"]) == []
    setattr(settings, name, wrong)
    assert [message.id for message in checks.run_checks(tags=["tables"])] == ["eventsite.E008"]


def copy() -> IdempotentRequest:
    """Return one of the copies of a keyed request."""
    return IdempotentRequest(caller="alice", call="POST /users", key="k", body={})


def test_a_copy_removes_its_own_announcement_and_no_other_copys() -> None:
    first, second = copy(), copy()
    assert run(first.begin("a")) is None
    assert run(second.take_over(run(second.begin("b")), "b"))
    assert run(first.withdraw()) is False
    assert run(copy().look()) == Announced(("a", "b"))
    assert run(second.withdraw()) is True
    assert run(copy().look()) is None


def test_an_announcement_with_an_answer_is_not_removed() -> None:
    executed = copy()
    run(executed.begin("a"))
    run(executed.finish({"userId": "alice"}))
    assert run(executed.withdraw()) is False
    assert run(copy().look()) == {"userId": "alice"}
