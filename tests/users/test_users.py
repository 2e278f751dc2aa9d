"""Users: create, read, change, list."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.api import Api, problem
from tests.metering import Meter
from users import services
from users.models import User


@given(name=strategies.texts(200))
def test_a_user_is_read_as_created(api: Api, name: str) -> None:
    created = api.post("/users", {"name": name})
    assert created.status_code == 201, created.content
    user = created.json()
    assert user["name"] == name
    assert created.headers["Location"] == f"http://localhost/users/{user['userId']}"
    assert api.get(f"/users/{user['userId']}").json() == user


def test_an_id_is_taken_once(api: Api) -> None:
    assert api.post("/users", {"userId": "alice", "name": "Alice"}).status_code == 201
    assert problem(api.post("/users", {"userId": "alice", "name": "Mallory"})) == (409, "user_exists")
    assert api.get("/users/alice").json()["name"] == "Alice"


@pytest.mark.parametrize("user_id", ["nobody", "a b", "x" * 3000, "%00", "%F0%9F%8E%89", "a%2Fb", "%23health"])
def test_an_unknown_user_is_not_found(api: Api, user_id: str) -> None:
    assert api.get(f"/users/{user_id}").status_code == 404
    assert api.get(f"/users/{user_id}/registrations").status_code == 404
    assert api.get(f"/users/{user_id}/waitlists").status_code == 404


@given(wrong=strategies.wrong_texts(200) | strategies.BLANK)
def test_a_wrong_name_is_refused(api: Api, wrong: Any) -> None:
    answer = api.post("/users", {"name": wrong})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]
    assert list(User.scan()) == []


@given(count=st.integers(0, 9), limit=st.integers(1, 4))
def test_cursors_give_every_user_once(api: Api, count: int, limit: int) -> None:
    with User.batch_write() as batch:
        for user in list(User.scan()):
            batch.delete(user)
    made = sorted(api.users(count))
    assert sorted(user["userId"] for user in api.walk(f"/users?limit={limit}")) == made


def test_many_users_are_found_at_once(api: Api, meter: Meter) -> None:
    ids = api.users(3)
    meter.reset()
    found = services.find_many([*ids, ids[0], "nobody", "no id!"])
    assert {user_id: user.name for user_id, user in found.items()} == {one: one.title() for one in ids}
    assert meter.calls == ["BatchGetItem"]
    assert services.find_many([]) == {}


CHANGING = pytest.mark.parametrize("method", ["PUT", "PATCH"])


@CHANGING
def test_an_edit_changes_what_was_sent_and_preserves_the_rest(api: Api, method: str) -> None:
    user = api.user()
    before = api.get(f"/users/{user}").json()
    assert before["email"] is None
    for changes in ({"name": "New"}, {"email": "new@example.com"}, {"notify": False}, {"name": "Newer", "email": None}):
        before |= changes
        before["emailVerified"] = before["email"] is not None
        answer = api.call(method, f"/users/{user}", changes | {"userId": "x", "createdAt": "x", "colour": "red"})
        assert (answer.status_code, answer.json()) == (200, before)
    assert api.get(f"/users/{user}").json() == before


def test_people_get_mail_unless_they_opt_out(api: Api) -> None:
    assert api.get(f"/users/{api.user()}").json()["notify"] is True
    assert api.post("/users", {"userId": "alice", "name": "Alice", "notify": False}).json()["notify"] is False
    assert api.get("/users/alice").json()["notify"] is False
    assert api.patch("/users/alice", {"notify": True}).json()["notify"] is True
    assert User("bob", name="Bob").notify is True


def test_a_user_of_an_earlier_release_gets_mail(api: Api) -> None:
    user = User.find(api.user("alice"))
    assert user
    user.update([User.notify.remove()])
    assert api.get("/users/alice").json()["notify"] is True


@pytest.mark.parametrize("notify", ["", "yes", 1, 0, [], {}, "true"])
def test_an_opt_out_that_is_no_boolean_is_refused(api: Api, notify: Any) -> None:
    answer = api.put(f"/users/{api.user()}", {"notify": notify})
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["notify"]


@CHANGING
@pytest.mark.parametrize("body", [{}, {"name": None}, {"colour": "red"}, {"userId": "other"}])
def test_an_edit_without_a_field_to_change_is_refused(api: Api, method: str, body: dict[str, Any]) -> None:
    assert problem(api.call(method, f"/users/{api.user()}", body)) == (422, "validation_error")


@CHANGING
@pytest.mark.parametrize("user_id", ["nobody", "a b", "x" * 3000, "%00", "%F0%9F%8E%89", "a%2Fb"])
def test_an_unknown_user_is_not_made_by_an_edit(api: Api, method: str, user_id: str) -> None:
    assert api.call(method, f"/users/{user_id}", {"name": "New"}).status_code == 404
    assert list(User.scan()) == []


@pytest.mark.parametrize("email", ["", " ", "alice", "a@b", "a@@example.com", "a b@example.com", "é@", 1, True, [], {}])
def test_a_wrong_address_is_refused(api: Api, email: Any) -> None:
    refused = [
        api.post("/users", {"name": "Alice", "email": email}),
        api.patch(f"/users/{api.user('alice')}", {"email": email}),
        api.post("/users", {"name": "Alice", "email": f"{'a' * 250}@example.com"}),
    ]
    for answer in refused:
        assert problem(answer) == (422, "validation_error")
        assert [error["field"] for error in answer.json()["errors"]] == ["email"]


@given(email=st.emails())
def test_an_address_is_kept_as_it_was_sent(api: Api, email: str) -> None:
    assert api.post("/users", {"name": "Alice", "email": email}).json()["email"] == email
