"""Users: create, read, list."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.api import Api, problem
from tests.metering import Meter
from users import directory
from users.models import User


@given(name=strategies.texts(200))
def test_what_was_created_is_what_is_read(api: Api, name: str) -> None:
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


@given(wrong=strategies.wrong_texts(200))
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
    found = directory.find_many([*ids, ids[0], "nobody", "no id!"])
    assert {user_id: user.name for user_id, user in found.items()} == {one: one.title() for one in ids}
    assert meter.calls == ["BatchGetItem"]
    assert directory.find_many([]) == {}
