"""What requests cost: DynamoDB calls and capacity units, the same with fifteen times the data.

The table "What a request costs" in docs/guarantees.md holds these figures; a test compares the two.
"""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from events import services
from events.models import EventItem
from registrations.audit import runner
from registrations.audit.snapshot import Traces
from registrations.models import RegistrationItem
from tests.api import EVENT, Api
from tests.metering import Meter
from tests.registrations.scenes import lay, moment, queue_up
from tests.signing_in import As, adam
from tests.tour import ROOT
from users.models import User

BUDGETS = {
    "read an event": (1, 1),
    "create an event": (1, 14),
    "register (a seat is free)": (2, 10),
    "join the waitlist": (2, 10),
    "leave a seat that nobody waits for": (4, 16),
    "leave a seat, with 3,000 waiting": (4, 16),
    "leave the queue, with 3,000 waiting": (4, 16),
    "one's place, with 10,000 waiting": (2, 6),
    "a page of 100 of the waitlist, with 10,000 waiting": (5, 12),
    "edit an event's text": (2, 10),
    "raise the capacity by 1,000, with 10,000 waiting": (3, 20),
    "list 100 events of one status": (3, 60),
    "list 100 events of all statuses": (9, 66),
    "a user's 20 registrations with their events": (3, 22),
}
"""The most calls and units that each request may take."""


class Measured:
    """Makes requests and compares their cost with the budget and with docs/guarantees.md."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        rows = re.findall(
            r"^\| (.+) \| (\d+) \| ([\d.]+) \|$", (ROOT / "docs" / "guarantees.md").read_text(), re.MULTILINE
        )
        self._published = {name: (int(calls), float(units)) for name, calls, units in rows}

    def __call__(self, name: str, request: Callable[[], Any]) -> None:
        """Make a request whose cost is known under a name."""
        self._meter.reset()
        answer = request()
        assert answer.status_code in (200, 201), answer.content
        calls, units = len(self._meter.calls), self._meter.units
        most_calls, most_units = BUDGETS[name]
        assert calls <= most_calls and units <= most_units, f"{name}: {calls} calls, {units} units"
        assert (calls, units) == self._published.get(name), (
            f"docs/guarantees.md should say | {name} | {calls} | {units:g} |"
        )


@pytest.fixture
def measured(meter: Meter) -> Measured:
    return Measured(meter)


@pytest.fixture(params=[100, 1500], ids=["100 events", "1,500 events"])
def crowd(request: pytest.FixtureRequest) -> None:
    """A number of events, one in three a draft, beside those that the test makes."""
    with EventItem.batch_write() as batch:
        for number in range(request.param):
            status = "draft" if number % 3 == 2 else "published"
            fields = {**EVENT, "status": status, "date": f"2083-{number % 12 + 1:02}-{number % 28 + 1:02}"}
            for half in services.compose({**fields, "event_id": f"{status}-{number:06}"}, None):
                batch.save(half)


def fill_queue(event: str, count: int) -> None:
    """Let many people wait for an event."""
    queue_up(event, [f"waiting-{number:06}" for number in range(count)])


@pytest.mark.usefixtures("crowd")
def test_requests_cost_the_same_among_few_and_many(api: Api, measured: Measured) -> None:
    alice, bob = api.users(2)
    measured("create an event", lambda: api.post("/events", EVENT | {"eventId": "party", "capacity": 1}))
    measured("read an event", lambda: api.get("/events/party"))
    measured("register (a seat is free)", lambda: api.register("party", alice))
    measured("join the waitlist", lambda: api.register("party", bob))
    api.leave("party", bob)
    measured("leave a seat that nobody waits for", lambda: api.leave("party", alice))
    for number in range(20):
        api.register(f"published-{number * 3:06}", bob)
    measured("a user's 20 registrations with their events", lambda: api.get(f"/users/{bob}/registrations"))


def test_the_longest_description_stays_within_the_budget(api: Api, meter: Meter) -> None:
    assert api.post("/events", EVENT | {"description": "x" * 2000}).status_code == 201
    assert (len(meter.calls), meter.units <= BUDGETS["create an event"][1]) == (1, True)


def test_leaving_costs_the_same_however_many_wait(api: Api, measured: Measured) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    api.register(event, alice)
    fill_queue(event, 3000)
    measured("join the waitlist", lambda: api.register(event, bob))
    measured("leave a seat, with 3,000 waiting", lambda: api.leave(event, alice))
    measured("leave the queue, with 3,000 waiting", lambda: api.leave(event, bob))


def test_a_place_and_a_promotion_cost_the_same_however_many_wait(api: Api, measured: Measured) -> None:
    event = api.event(capacity=0)
    fill_queue(event, 10_000)
    api.leave(event, "waiting-005001")  # a gap in the very chunk that is asked about
    path = f"/events/{event}"
    measured("one's place, with 10,000 waiting", lambda: api.get(f"{path}/registrations/waiting-005000"))
    measured("a page of 100 of the waitlist, with 10,000 waiting", lambda: api.get(f"{path}/waitlist"))
    measured("edit an event's text", lambda: api.patch(path, {"title": "Another"}))
    measured("raise the capacity by 1,000, with 10,000 waiting", lambda: api.patch(path, {"capacity": 1000}))


def party_of(count: int) -> str:
    """Write an event with some people. A third of them wait."""
    people = [f"person-{number:06}" for number in range(count)]
    with User.batch_write() as batch:
        for name in people:
            batch.save(User(name, name=name, created_at=moment(0)))
    seats = count * 2 // 3
    lay("party", capacity=seats, seated=people[:seats], waiting=people[seats:])
    return "party"


def test_deleting_an_event_with_its_people_takes_batches(api: Api, meter: Meter) -> None:
    event = party_of(200)
    meter.reset()
    assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    made, units = Counter(meter.calls), meter.units
    assert not list(RegistrationItem.scan())
    of_a_hundred = {"Query": 2, "BatchGetItem": 1, "TransactWriteItems": 4, "BatchWriteItem": 5}
    beside = {"Query": 4, "GetItem": 1, "TransactWriteItems": 1, "BatchWriteItem": 1}
    assert made == Counter(of_a_hundred) + Counter(of_a_hundred) + Counter(beside)
    assert units <= 4.2 * 200


def test_an_audit_reads_the_lines_once_and_costs_two_units_per_person(api: Api, meter: Meter) -> None:
    event = party_of(300)
    meter.reset()
    assert runner.examine(event, Traces()) == []
    assert Counter(meter.calls)["Query"] == 4  # the event, its two partitions of lines, and the event again
    assert meter.units <= 2 * 300


@pytest.mark.parametrize("crowd", [100], indirect=True)
@pytest.mark.usefixtures("crowd")
def test_lists_cost_what_their_page_costs(api: Api, meter: Meter) -> None:
    """Beside the published figures, which are for full pages: small tables cost no more."""
    for path, name in (("/events?status=published", "one status"), ("/events", "all statuses")):
        meter.reset()
        assert api.get(path).status_code == 200
        most_calls, most_units = BUDGETS[f"list 100 events of {name}"]
        assert len(meter.calls) <= most_calls and meter.units <= most_units, (meter.calls, meter.units)


@pytest.mark.parametrize("crowd", [300, 1500], indirect=True)
@pytest.mark.usefixtures("crowd")
def test_full_pages_cost_the_same_among_few_and_many(api: Api, measured: Measured) -> None:
    measured("list 100 events of one status", lambda: api.get("/events?status=published"))
    measured("list 100 events of all statuses", lambda: api.get("/events"))


@pytest.mark.parametrize("crowd", [300, 1500], indirect=True)
@pytest.mark.usefixtures("crowd", "cognito")
def test_the_unlisted_and_the_running_events_cost_what_the_guarantees_say(meter: Meter) -> None:
    costs = {}
    for role, token in (("anyone", None), ("an admin", adam().access)):
        for query in ("status=published", "status=published&from=2083-01-01"):
            As(token).get(f"/events?{query}")  # the first call fetches the keys of the pool
            meter.reset()
            assert As(token).get(f"/events?{query}").status_code == 200
            costs[role, "from" in query] = len(meter.calls), meter.units
    calls, units = costs["anyone", False]
    assert calls == 2
    assert costs["an admin", False] == (calls + 1, units + 0.5)
    assert costs["anyone", True] == (calls + 2, units + 1)
    assert costs["an admin", True] == (calls + 3, units + 1.5)
