"""Every calendar program reads the same moment, whatever the time zone and the year."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from events import calendar
from events.models import Event
from eventsite.web.fields import time_zones
from tests.clients import node

DAYS = (
    *("1999-12-31", "2026-01-15", "2026-03-29", "2026-07-15", "2026-10-25", "2083-04-01", "2083-11-20", "2084-02-29"),
    *("2037-07-15", "2038-02-01", "2060-07-15"),
)
MADE = "2026-01-01T00:00:00.000000Z"
PROGRAM = """
import ICAL from "ical.js";
import { readFileSync } from "node:fs";
const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((part) => new ICAL.Event(part));
console.log(JSON.stringify(events.map((one) => [one.summary, one.startDate.toUnixTime(), one.endDate.toUnixTime()])));
"""


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's: nothing here needs a table."""


def events() -> Iterator[Event]:
    """Return an evening in every time zone on each of the days."""
    for zone, day in product(sorted(time_zones()), DAYS):
        times: Any = {"start_time": "18:30", "end_time": "21:00", "time_zone": zone}
        texts: Any = {"title": f"{zone} {day}", "description": "d", "location": "l", "organizer": "o"}
        yield Event(
            "party", "event", date=day, status="active", version=1, created_at=MADE, updated_at=MADE, **times, **texts
        )


def expected() -> dict[str, tuple[int, int]]:
    """Return what each evening's moments are, by Python's own reckoning."""
    found = {}
    for zone, day in product(time_zones(), DAYS):
        begins, ends = (
            datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZoneInfo(zone)) for at in ("18:30", "21:00")
        )
        found[f"{zone} {day}"] = (int(begins.timestamp()), int(ends.timestamp()))
    return found


class Feed(NamedTuple):
    """A calendar, and the moments in it."""

    document: bytes
    expected: dict[str, tuple[int, int]]


@pytest.fixture(scope="module", params=[17, pytest.param(1, marks=pytest.mark.slow)], ids=["a sample", "all"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """One calendar with every nth of these evenings."""
    chosen = [*events()][:: request.param]
    document = calendar.document([calendar.entry(event, "") for event in chosen])
    moments = expected()
    return Feed(document, {event.title: moments[event.title] for event in chosen})


def test_icalendar_reads_every_moment(feed: Feed) -> None:
    entries: list[Any] = icalendar.Calendar.from_ical(feed.document).walk("VEVENT")
    found = {
        str(one["summary"]): (int(one["dtstart"].dt.timestamp()), int(one["dtend"].dt.timestamp())) for one in entries
    }
    assert found == feed.expected


def test_vobject_reads_every_moment(feed: Feed) -> None:
    read = vobject.readOne(feed.document.decode())
    found = {
        one.summary.value: (int(one.dtstart.value.timestamp()), int(one.dtend.value.timestamp()))
        for one in read.vevent_list
    }
    assert found == feed.expected
    assert all(one.dtstart.value.utcoffset() == UTC.utcoffset(None) for one in read.vevent_list[:5])


@pytest.mark.slow
def test_ical_js_reads_every_moment(feed: Feed) -> None:
    found = json.loads(node.run(PROGRAM, stdin=feed.document))
    assert {summary: (begins, ends) for summary, begins, ends in found} == feed.expected
