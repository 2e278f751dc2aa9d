"""The rules lean on DynamoDB, not on one engine's idea of it: moto, written by others, leads to the same answers.

One thread only: moto loses writes that overlap.
"""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from moto import mock_aws

from eventsite.dynamodb import tables
from eventsite.dynamodb.connection import disconnect
from tests.api import Api, problem


@pytest.fixture(autouse=True)
def another_engine(settings: LazySettings) -> Iterator[None]:
    """Let moto answer for AWS, in this process, with empty tables. It sits in botocore's client."""
    settings.DYNAMODB_CLIENT = "botocore"
    with mock_aws():
        settings.DYNAMODB_ENDPOINT = f"https://dynamodb.{settings.AWS_REGION}.amazonaws.com"
        disconnect()
        tables.create_missing()
        yield
        disconnect()


def test_seats_queue_and_promotion_are_the_same(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob, carol = api.users(3)
    answers = [api.register(event, user).json() for user in (alice, bob, carol)]
    assert [(answer["status"], answer["waitlistPosition"]) for answer in answers] == [
        ("registered", None),
        ("waitlisted", 1),
        ("waitlisted", 2),
    ]
    assert problem(api.register(event, bob)) == (409, "already_registered")
    assert problem(api.register(event, "nobody")) == (404, "user_not_found")
    assert api.leave(event, alice).json()["promotedUser"] == bob
    assert problem(api.leave(event, alice)) == (404, "registration_not_found")
    raised = api.patch(f"/events/{event}", {"capacity": 2}, if_match='"1"').json()
    assert (raised["registeredCount"], raised["waitlistCount"], raised["version"]) == (2, 0, 2)
    assert problem(api.patch(f"/events/{event}", {"capacity": 3}, if_match='"1"')) == (412, "precondition_failed")
    assert problem(api.delete(f"/events/{event}")) == (409, "event_has_registrations")


def test_lists_and_keys_are_the_same(api: Api) -> None:
    days = [f"2027-05-0{day}" for day in range(1, 8)]
    for day, status in zip(days, ["draft", "active"] * 4, strict=False):
        api.event(date=day, status=status)
    assert [event["date"] for event in api.walk("/events?limit=2")] == days
    assert [event["date"] for event in api.walk("/events?limit=2&order=desc&status=active")] == days[1::2][::-1]
    first = api.post("/users", {"name": "Alice"}, idempotency_key="k")
    assert api.post("/users", {"name": "Alice"}, idempotency_key="k").json() == first.json()
    assert problem(api.post("/users", {"name": "Bob"}, idempotency_key="k")) == (422, "idempotency_key_reused")
