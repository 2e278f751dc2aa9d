"""Events of several days are listed until their last day, although they began before the first day of the list."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.models import DRAFT, LONG, LONGER, LOOK_BACK, STATUSES, EventItem
from tests.api import EVENT, Api
from tests.events.composing import items_of
from tests.metering import Meter
from tests.signing_in import As, adam, olivia, oscar

FIRST = date(2098, 6, 15)
STOCKS = st.lists(
    st.tuples(st.integers(-40, 5), st.integers(0, 45), st.sampled_from(STATUSES), st.booleans()), max_size=10
)
"""Events: the days until they begin, the days they take, the status, and whether they are unlisted."""


def day(days: int) -> str:
    return str(FIRST + timedelta(days=days))


def times(begins: int, lasts: int) -> dict[str, Any]:
    return {"date": day(begins), "endDate": day(begins + lasts)}


def stock(events: list[tuple[int, int, str, bool]]) -> None:
    """Make the table hold exactly these events."""
    with EventItem.batch_write() as batch:
        for item in list(EventItem.scan()):
            batch.delete(item)
    with EventItem.batch_write() as batch:
        for number, (begins, lasts, status, unlisted) in enumerate(events):
            known = {"event_id": f"e-{number}", "status": status, "unlisted": unlisted, "date": day(begins)}
            for item in items_of(EVENT | known | {"end_date": day(begins + lasts)}):
                batch.save(item)


@given(
    events=STOCKS,
    limit=st.integers(1, 4),
    order=st.sampled_from(["asc", "desc"]),
    statuses=st.none() | st.sets(st.sampled_from(STATUSES), min_size=1),
)
def test_a_list_has_each_event_that_is_not_over_once_and_in_order(
    api: Api, events: list[tuple[int, int, str, bool]], limit: int, order: str, statuses: set[str] | None
) -> None:
    stock(events)
    last = 3
    wanted = sorted(
        (day(begins), f"e-{number}")
        for number, (begins, lasts, status, _) in enumerate(events)
        if begins <= last and begins + lasts >= 0 and (statuses is None or status in statuses)
    )
    query = f"from={day(0)}&to={day(last)}&limit={limit}&order={order}"
    query += f"&status={','.join(statuses)}" if statuses else ""
    found = [(event["date"], event["eventId"]) for event in api.walk(f"/events?{query}")]
    assert found == (wanted if order == "asc" else wanted[::-1])


@pytest.mark.parametrize("length", [LONG, LONGER])
def test_the_look_back_is_bounded(api: Api, length: str) -> None:
    days = LOOK_BACK[length]
    api.event(eventId="seen", **times(-days, days))
    api.event(eventId="begun-too-early", **times(-days - 1, LOOK_BACK[LONGER] + days))
    found = {event["eventId"] for event in api.get(f"/events?from={day(0)}").json()}
    assert found == ({"seen"} if length == LONGER else {"seen", "begun-too-early"})


def test_it_follows_every_edit(api: Api) -> None:
    event = api.event(**times(-2, 0) | {"endDate": None})
    path = f"/events?from={day(0)}&status=published"
    for changes, is_listed in (
        ({"endDate": day(0)}, True),
        ({"endDate": day(-1)}, False),
        ({"endDate": day(40)}, True),
        ({"status": "cancelled"}, False),
        ({"status": "published"}, True),
        ({"endDate": None}, False),
        ({"date": day(-1), "endDate": day(1)}, True),
    ):
        assert api.patch(f"/events/{event}", changes).status_code == 200
        assert [one["eventId"] for one in api.get(path).json()] == ([event] if is_listed else []), changes
    api.delete(f"/events/{event}")
    assert [item for item in EventItem.scan() if item.event_id == event] == []


@pytest.mark.parametrize(
    ("changes", "seers"),
    [
        ({}, "everybody"),
        ({"status": DRAFT}, "organizers"),
        ({"unlisted": True}, "organizers"),
        ({"status": DRAFT, "unlisted": True}, "organizers"),
    ],
)
def test_only_those_who_may_see_an_event_see_it_run(cognito: None, changes: dict[str, Any], seers: str) -> None:
    fields = EVENT | times(-3, 6) | changes | {"eventId": "fair", "organizers": [olivia().sub]}
    assert As(oscar().access).post("/events", fields).status_code == 201
    everything, of_oscar = f"/events?from={day(0)}", f"/events?from={day(0)}&organizerId={oscar().sub}"
    for person, is_theirs in ((None, False), (oscar(), True), (olivia(), True), (adam(), True)):
        reader = As(person and person.access)
        expected = ["fair"] if seers == "everybody" or is_theirs else []
        assert [event["eventId"] for event in reader.get(everything).json()] == expected
        if person != olivia():  # a co-organizer does not see the private list of the owner
            assert [event["eventId"] for event in reader.get(of_oscar).json()] == expected


def test_the_pages_and_the_feed_show_what_runs(api: Api) -> None:
    today = date.today()
    begun = {"date": str(today - timedelta(days=60)), "endDate": str(today + timedelta(days=2))}
    api.event(title="The long fair", **begun)
    page = api.get("/events", accept="text/html").content.decode()
    assert "The long fair" in page
    assert "The long fair" not in api.get("/events?when=past", accept="text/html").content.decode()
    assert "The long fair" in api.get("/events?format=ics").content.decode()


def test_it_costs_two_calls_however_many_events_are_over(api: Api, meter: Meter) -> None:
    costs = []
    for count in (0, 300):
        with EventItem.batch_write() as batch:
            for number in range(count):
                known = {"event_id": f"over-{number}", "date": day(-500 - number), "end_date": day(-480 - number)}
                for item in items_of(EVENT | known):
                    batch.save(item)
        meter.reset()
        api.get(f"/events?from={day(0)}&status=published")
        costs.append((len(meter.calls), meter.units))
    assert costs[0] == costs[1]


NIGHT = {"date": day(0), "startTime": "18:00", "endTime": "02:00", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize("known", [{}, {"unlisted": True}, {"organizers": ["olivia"], "status": "draft"}])
def test_an_event_past_midnight_is_listed_on_the_next_day(api: Api, known: dict[str, Any]) -> None:
    night = api.event(**NIGHT, **known)
    api.event(**NIGHT | {"endTime": "00:00"})  # it is over when the next day begins

    def listed(first: int) -> list[str]:
        return [event["eventId"] for event in api.walk(f"/events?from={day(first)}&limit=1")]

    assert listed(1) == [night]
    assert listed(2) == []
    for change, is_listed in (
        ({"endTime": "23:00"}, False),
        ({"endTime": "01:00"}, True),
        ({"endDate": day(0), "endTime": "20:00"}, False),
        ({"endDate": day(1)}, True),
        ({"endDate": None, "endTime": None}, False),
    ):
        assert api.patch(f"/events/{night}", change).status_code == 200
        assert listed(1) == [night] * is_listed, change
