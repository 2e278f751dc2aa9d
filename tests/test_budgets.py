"""What requests cost: DynamoDB calls and capacity units, the same with fifty times the data.

The figures are those of the table "What a request costs" in README.md.
"""

from collections.abc import Callable
from typing import Any

import pytest

from events import editing
from events.models import Half, Seats
from registrations.models import Registration
from tests.api import EVENT, Api
from tests.metering import Meter

Cost = tuple[int, float]


def cost(meter: Meter, request: Callable[[], Any], expected: int) -> Cost:
    """The calls and units of one request, which must be answered with the expected status."""
    meter.reset()
    answer = request()
    assert answer.status_code == expected, answer.content
    return len(meter.calls), meter.units


def fill_events(count: int, *, status: str = "published") -> None:
    """Put many events into the table at once."""
    with Half.batch_write() as batch:
        for number in range(count):
            fields = EVENT | {"status": status, "date": f"2027-{number % 12 + 1:02}-{number % 28 + 1:02}"}
            listing = editing.compose({**fields, "event_id": f"{status}-{number:06}"}, None)
            batch.save(listing.event)
            batch.save(listing.seats)


def fill_queue(event: str, count: int) -> None:
    """Let many people wait for an event."""
    with Registration.batch_write() as batch:
        for number in range(count):
            at = f"2026-01-01T00:00:{number // 1000:02}.{number % 1000:03}000Z"
            batch.save(
                Registration(
                    event,
                    f"waiting-{number:06}",
                    standing=f"waitlisted#{at}",
                    registration_id="00000000-0000-4000-8000-000000000000",
                    registered_at=at,
                )
            )
    Seats(event, Seats.ITEM).update([Seats.waiting.set(count), Seats.last_joined_at.set(at)])


@pytest.fixture(params=[100, 5000], ids=["100 events", "5,000 events"], scope="function")
def crowd(request: pytest.FixtureRequest) -> int:
    """How many events there are beside the one that is asked for."""
    fill_events(request.param)
    return int(request.param)


def test_events_cost_the_same_among_few_and_many(crowd: int, api: Api, meter: Meter) -> None:
    assert cost(meter, lambda: api.post("/events", EVENT | {"eventId": "mine"}), 201) == (1, 6.0)
    assert cost(meter, lambda: api.get("/events/mine"), 200) == (1, 1.0)


def test_the_longest_description_costs_at_most_14_units_to_create(api: Api, meter: Meter) -> None:
    calls, units = cost(meter, lambda: api.post("/events", EVENT | {"description": "x" * 2000}), 201)
    assert (calls, units <= 14) == (1, True), units


def test_a_page_of_one_status_is_one_call(crowd: int, api: Api, meter: Meter) -> None:
    calls, units = cost(meter, lambda: api.get("/events?status=published"), 200)
    assert (calls, units <= 12) == (1, True), units


def test_a_page_of_all_statuses_costs_about_the_page(crowd: int, api: Api, meter: Meter) -> None:
    calls, units = cost(meter, lambda: api.get("/events"), 200)
    assert calls <= 7 and units <= 16, (calls, units)


def test_registering_costs_the_same_among_few_and_many(crowd: int, api: Api, meter: Meter) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    calls, units = cost(meter, lambda: api.register(event, alice), 201)
    assert calls == 2 and units <= 12, units
    calls, units = cost(meter, lambda: api.register(event, bob), 201)
    assert calls <= 4 and units <= 16, units


@pytest.mark.parametrize("waiting", [1, 3000])
def test_joining_and_leaving_cost_the_same_however_many_wait(waiting: int, api: Api, meter: Meter) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    api.register(event, alice)
    fill_queue(event, waiting)
    calls, units = cost(meter, lambda: api.register(event, bob), 201)
    assert calls <= 4 and units <= 16, (calls, units)
    calls, units = cost(meter, lambda: api.leave(event, alice), 200)
    assert calls <= 3 and units <= 16, (calls, units)
    calls, units = cost(meter, lambda: api.leave(event, bob), 200)
    assert calls <= 3 and units <= 16, (calls, units)


def test_twenty_registrations_with_their_events_are_two_calls(crowd: int, api: Api, meter: Meter) -> None:
    user = api.user()
    for number in range(20):
        api.register(f"published-{number:06}", user)
    calls, units = cost(meter, lambda: api.get(f"/users/{user}/registrations"), 200)
    assert calls == 2 and units <= 21, (calls, units)
