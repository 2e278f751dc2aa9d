"""Find looks through all 11,000 people of an event at once, keeps its tab, and has a bounded cost."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from events.ledger.models import Seats
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import connection
from registrations.browsable import people
from registrations.models import EventTicket
from tests.api import Api
from tests.metering import Meter
from tests.pages import Browser, Page
from users.models import User

pytestmark = pytest.mark.slow

IN, WAITING = 10_000, 1_000
AT = "2026-11-01T12:00:00.000000Z"
BATCH = 25  # items of one BatchWriteItem


def put(model: type[BaseModel], items: list[Any]) -> None:
    """Write items to their table, past all rules."""
    client, table = connection().client, model.Meta.table_name
    for start in range(0, len(items), BATCH):
        puts = [{"PutRequest": {"Item": item.to_dynamodb_dict()}} for item in items[start : start + BATCH]]
        client._make_api_call("BatchWriteItem", {"RequestItems": {table: puts}})


@pytest.fixture
def fair(api: Api, settings: Settings) -> str:
    """Make an event with 10,000 people in it and 1,000 on the waitlist. Each 1,000th is Zoe."""
    settings.REQUEST_SECONDS = 600.0  # the machine of the test may be slow
    event = api.event(eventId="fair", capacity=IN)
    seats = Seats.find(event)
    assert seats is not None
    numbers = range(1, IN + WAITING + 1)
    users = [
        User(
            f"u-{number:05}",
            name="Zoe" if number % 1000 == 0 else f"Zoe-Marie {number}" if number == 9_500 else f"Guest {number}",
            email=f"guest-{number}@example.com",
            created_at=AT,
        )
        for number in numbers
    ]
    tickets = [
        EventTicket(
            *EventTicket.key_of(event, str(seats.incarnation), number),
            user_id=f"u-{number:05}",
            ticket=number,
            waited=number > IN,
            registration_id=f"r-{number:05}",
            registered_at=AT,
            incarnation=seats.incarnation,
        )
        for number in numbers
    ]
    put(User, users)
    put(EventTicket, tickets)
    seats.registered, seats.waiting, seats.seated_through, seats.tickets = IN, WAITING, IN, IN + WAITING
    put(Seats, [seats])
    return event


def find(event: str, sought: str, tab: str = "Everybody") -> Page:
    """Open a tab, and look for a text."""
    browser = Browser()
    page = browser.follow(browser.open(f"/events/{event}/registrations"), tab)
    return browser.send(next(form for form in page.forms if "q" in form.fields), q=sought)


def names(page: Page) -> list[str]:
    return [name for name, url in page.links.items() if "/registrations/u-" in url]


def test_find_looks_through_all_people_of_the_tab(fair: str, meter: Meter) -> None:
    page = find(fair, "zoe")
    assert "12 people match “zoe”." in page.text
    assert page.html.index("Zoe-Marie") > page.html.rindex(">Zoe<"), "exact matches come first"
    assert "Next" not in page.links
    assert (len(meter.calls), meter.units) <= (260, 8_000), (len(meter.calls), meter.units)
    page = find(fair, "guest-10999@example.com")
    assert names(page) == ["Guest 10999"]
    page = find(fair, "zoe", "Waiting")
    assert "1 person matches “zoe”." in page.text
    assert names(find(fair, "guest-9999@")) == ["Guest 9999"]


def test_a_search_that_runs_out_of_time_goes_on_with_one_click(fair: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_READ", 6_000)
    page = find(fair, "zoe")
    assert names(page) == ["Zoe"] and "6 people match “zoe”." in page.text
    rest = Browser().follow(page, "Next")
    assert "6 people match “zoe”." in rest.text and "Zoe-Marie 9500" in rest.links
