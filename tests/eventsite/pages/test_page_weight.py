"""A page of a list ends before it is too large for Lambda, in every format."""

import re

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from events import services
from eventsite.dynamodb.connection import connection
from eventsite.web import pagination
from tests import lambdas
from tests.api import EVENT

COUNT = 400
TEXTS = {
    "ASCII": "x",
    "quotation marks": '"',
    "backslashes": "\\",
    "Chinese": "活",
    "emoji": "🎉",
    "apostrophes": "'",
    "tags": "<",
    "addresses": "a@b.co ",
    "control characters": "\x1f",
}
LONGEST = {"title": 200, "location": 200, "organizer": 200, "description": 2000}


def fill(pattern: str, count: int) -> None:
    """Make a number of events with the longest texts of this pattern."""
    fields = {name: (pattern * size)[: size - 1] + "x" for name, size in LONGEST.items()}
    body = EVENT | fields | {"waitlist_enabled": True}
    halves = [
        half.to_dynamodb_dict()
        for number in range(count)
        for half in services.compose(body | {"event_id": f"e-{number:04}"}, None)
    ]
    client = connection().client
    for start in range(0, len(halves), 25):
        puts = [{"PutRequest": {"Item": item}} for item in halves[start : start + 25]]
        client._make_api_call("BatchWriteItem", {"RequestItems": {settings.EVENTS_TABLE: puts}})


def walk(function: lambdas.Function, accept: str, limit: int) -> list[str]:
    """The ids on all pages of the list of events, each page weighed."""
    path, found = f"/events?limit={limit}", list[str]()
    for _ in range(COUNT):
        told = function.call("GET", path, accept=accept)
        assert told.status == 200
        assert told.size <= lambdas.MAX_BYTES
        found += dict.fromkeys(re.findall(r'href="/dev/events/(e-\d+)"', told.text))
        found += [event["eventId"] for event in told.json()] if accept == "application/json" else []
        link = told.headers.get("Link", "")
        if not link:
            return found
        path = link.partition(f"<https://{lambdas.HOST}/dev")[2].partition(">")[0]
    raise AssertionError("the list does not end")


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_no_list_is_more_than_lambda_can_carry(engine: str, kind: str) -> None:
    fill(TEXTS[kind], COUNT)
    with lambdas.running(engine) as function:
        for accept in ("application/json", "text/html"):
            assert walk(function, accept, COUNT) == [f"e-{number:04}" for number in range(COUNT)]


def test_a_page_of_emoji_ends_early_and_leads_on(engine: str) -> None:
    fill(TEXTS["emoji"], 240)
    with lambdas.running(engine) as function:
        for accept in ("application/json", "text/html"):
            assert walk(function, accept, 240) == [f"e-{number:04}" for number in range(240)]


def test_a_page_of_ordinary_texts_is_as_long_as_was_asked(engine: str) -> None:
    fill("An ordinary text. ", 600)
    with lambdas.running(engine) as function:
        assert len(function.call("GET", "/events?limit=600").json()) == 600


@given(text=st.text(min_size=1, max_size=2000))
def test_a_page_that_is_not_weighed_is_light(text: str) -> None:
    """The bound that spares most pages the weighing holds for every text."""
    content = text.encode(errors="replace")
    assert pagination.weight(content) - 2 <= len(content) * pagination.MOST_PER_BYTE
