"""What keyed requests leave behind holds nothing about a person, so nothing of it outlives the person."""

from typing import Any

import pytest
from django.core.management import call_command

from eventsite.dynamodb.base_model import table_models
from tests.api import Api

NAME, EMAIL = "Zebulon Q. Unmistakable", "zebulon@unmistakable.example"


def stored() -> str:
    """All that the tables hold, as text."""
    raw = [model._get_connection().scan() for model in table_models()]
    return repr([page["Items"] for page in raw])


@pytest.mark.parametrize("erase", ["DELETE", "erase_user"])
def test_an_erased_person_is_nowhere(api: Api, erase: str) -> None:
    event = api.event()
    user = api.post("/users", {"name": NAME, "email": EMAIL}, idempotency_key="one").json()["userId"]
    for number in range(2):
        api.register(event, user, idempotency_key=f"two-{number}")
    api.post("/users", {"name": NAME, "email": EMAIL, "userId": user}, idempotency_key="three")
    assert NAME in stored() and EMAIL in stored()
    api.delete(f"/users/{user}") if erase == "DELETE" else call_command("erase_user", user)
    assert NAME not in stored() and EMAIL not in stored()


def test_the_first_answer_comes_again_whatever_became_of_the_person(api: Api) -> None:
    body: dict[str, Any] = {"name": NAME, "email": EMAIL, "notify": False}
    first = api.post("/users", body, idempotency_key="one")
    user = first.json()["userId"]
    for change in (
        lambda: None,
        lambda: api.put(f"/users/{user}", {"name": "Other", "email": None, "notify": True}),
        lambda: api.delete(f"/users/{user}"),
    ):
        change()
        again = api.post("/users", body, idempotency_key="one")
        assert (again.status_code, again.json()) == (201, first.json())
