"""The rules depend on DynamoDB, not on one engine: moto leads to the same answers.

The tests of the rules themselves are marked `two_engines`; this one is of what would take moto too long there.
"""

import pytest

from tests.api import Api, problem

pytestmark = pytest.mark.two_engines(quick=True)


def test_lists_and_keys_are_the_same(api: Api) -> None:
    days = [f"2083-05-0{day}" for day in range(1, 8)]
    for day, status in zip(days, ["draft", "active"] * 4, strict=False):
        api.event(date=day, status=status)
    assert [event["date"] for event in api.walk("/events?limit=2")] == days
    assert [event["date"] for event in api.walk("/events?limit=2&order=desc&status=active")] == days[1::2][::-1]
    first = api.post("/users", {"name": "Alice"}, idempotency_key="k")
    assert api.post("/users", {"name": "Alice"}, idempotency_key="k").json() == first.json()
    assert problem(api.post("/users", {"name": "Bob"}, idempotency_key="k")) == (422, "idempotency_key_reused")
