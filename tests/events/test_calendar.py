"""Events as iCalendar: one, and all of a list, for a calendar that subscribes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events import calendar
from events.models import Event
from eventsite.web import collect_pages
from tests import strategies
from tests.api import EVENT, Api, next_page, problem

BERLIN = "Europe/Berlin"


def entries(answer: Any) -> list[Any]:
    """The events of a calendar, after a look at its form."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in lines)
    calendar = icalendar.Calendar.from_ical(answer.content)
    assert calendar["version"] == "2.0" and calendar["prodid"]
    return calendar.walk("VEVENT")


def entry(api: Api, event: str) -> Any:
    (found,) = entries(api.get(f"/events/{event}?format=ics"))
    return found


@pytest.mark.parametrize("asking", [{"path": "?format=ics"}, {"path": "", "accept": "text/calendar"}])
def test_an_event_is_an_entry(api: Api, asking: dict[str, str]) -> None:
    event = api.event(eventId="party")
    as_json = api.get("/events/party").json()
    headers = {name: value for name, value in asking.items() if name != "path"}
    (found,) = entries(api.get(f"/events/{event}{asking['path']}", **headers))
    names = {"summary": "title", "description": "description", "location": "location", "contact": "organizer"}
    assert {name: str(found[name]) for name in names} == {name: EVENT[field] for name, field in names.items()}
    assert found["url"] == "http://localhost/events/party"
    assert (found["dtstart"].dt, found["dtend"].dt) == (date(2083, 4, 1), date(2083, 4, 2))
    assert found["created"].dt == datetime.fromisoformat(as_json["createdAt"]).replace(microsecond=0)


def test_an_edit_keeps_the_uid_and_raises_the_sequence(api: Api) -> None:
    event = api.event()
    before = entry(api, event)
    api.patch(f"/events/{event}", {"title": "Moved", "date": "2083-05-01", "status": "cancelled"})
    after = entry(api, event)
    assert after["uid"] == before["uid"]
    assert (before["sequence"], after["sequence"]) == (1, 2)
    assert after["last-modified"].dt >= before["last-modified"].dt


def test_an_event_recreated_under_an_id_is_another_entry(api: Api) -> None:
    before = entry(api, api.event(eventId="party"))
    api.delete("/events/party")
    assert entry(api, api.event(eventId="party"))["uid"] != before["uid"]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("draft", "TENTATIVE"),
        ("scheduled", "CONFIRMED"),
        ("published", "CONFIRMED"),
        ("active", "CONFIRMED"),
        ("completed", "CONFIRMED"),
        ("cancelled", "CANCELLED"),
    ],
)
def test_the_status_is_the_calendars_word_for_it(api: Api, status: str, word: str) -> None:
    assert entry(api, api.event(status=status))["status"] == word


@given(title=strategies.texts(200), description=strategies.texts(300))
def test_texts_come_through(api: Api, title: str, description: str) -> None:
    from events.calendar import BREAKS, CONTROLS

    event = api.event(title=title, description=description)
    written = api.get(f"/events/{event}?format=ics").content.replace(b"\r\n ", b"").decode()
    assert f"\r\nSUMMARY:{escaped(CONTROLS.sub('', BREAKS.sub(chr(10), title)))}\r\n" in written
    assert f"\r\nDESCRIPTION:{escaped(CONTROLS.sub('', BREAKS.sub(chr(10), description)))}\r\n" in written


def escaped(text: str) -> str:
    """A text as RFC 5545 wants it (section 3.3.11)."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


@pytest.mark.parametrize("title", ["a\r\nATTACH:http://x", "a\rATTACH:http://x", "a\u2028b", "a\\Nb", "C:\\New"])
def test_no_text_ends_its_line(api: Api, title: str) -> None:
    found = entry(api, api.event(title=title))
    assert "attach" not in found and found["location"] == EVENT["location"]


TIMED = [
    # start, end, begins, ends
    ("2083-01-15", "19:00", "22:00", "2083-01-15T18:00", "2083-01-15T21:00"),
    ("2083-07-15", "19:00", "22:00", "2083-07-15T17:00", "2083-07-15T20:00"),
    ("2083-07-15", "22:00", "01:30", "2083-07-15T20:00", "2083-07-15T23:30"),  # ends on the next day
    ("2083-12-31", "22:00", "02:00", "2083-12-31T21:00", "2084-01-01T01:00"),
    ("2083-03-27", "22:00", "04:00", "2083-03-27T21:00", "2083-03-28T02:00"),  # a night of five hours
    ("2083-10-30", "22:00", "04:00", "2083-10-30T20:00", "2083-10-31T03:00"),  # a night of seven
    ("2083-10-31", "02:30", "05:00", "2083-10-31T00:30", "2083-10-31T04:00"),  # at one that comes twice: the first
    ("2060-07-15", "19:00", "22:00", "2060-07-15T17:00", "2060-07-15T20:00"),
    ("2083-07-15", "19:00", "19:00", "2083-07-15T17:00", None),
    ("2083-07-15", "19:00", None, "2083-07-15T17:00", None),
]


@pytest.mark.parametrize(("day", "start", "end", "begins", "ends"), TIMED)
def test_times_are_those_of_the_time_zone(
    api: Api, day: str, start: str, end: str | None, begins: str, ends: str | None
) -> None:
    event = api.event(date=day, startTime=start, endTime=end, timeZone=BERLIN)
    found = entry(api, event)
    moments = [found[name].dt.astimezone(UTC) if name in found else None for name in ("dtstart", "dtend")]
    assert moments == [text and datetime.fromisoformat(f"{text}+00:00") for text in (begins, ends)]
    assert "TZID" not in found["dtstart"].params


SKIPPED = [
    ("02:30", "05:00", "2083-03-28T01:30", "2083-03-28T03:00"),
    ("02:45", "03:15", "2083-03-28T01:45", None),  # by the clock, it ends before it begins
]


@pytest.mark.parametrize(("start", "end", "begins", "ends"), SKIPPED)
def test_an_hour_that_there_is_not_is_an_hour_later(start: str, end: str, begins: str, ends: str | None) -> None:
    """No event is created at such an hour, but an earlier release may have stored one."""
    event = Event("party", date="2083-03-28", start_time=start, end_time=end, time_zone=BERLIN)
    assert calendar.span(event) == tuple(text and datetime.fromisoformat(f"{text}+00:00") for text in (begins, ends))


SEVERAL_DAYS = [
    ({}, date(2083, 4, 1), date(2083, 4, 4)),
    ({"startTime": "19:00", "endTime": "01:30", "timeZone": BERLIN}, "2083-04-01T17:00", "2083-04-02T23:30"),
    ({"startTime": "19:00", "timeZone": BERLIN}, "2083-04-01T17:00", "2083-04-03T22:00"),
]


@pytest.mark.parametrize(("times", "begins", "ends"), SEVERAL_DAYS)
def test_an_event_of_several_days_ends_on_its_last_one(api: Api, times: Any, begins: Any, ends: Any) -> None:
    found = entry(api, api.event(endDate="2083-04-03", **times))
    shown = [found[name].dt for name in ("dtstart", "dtend")]
    assert shown == [one if isinstance(one, date) else datetime.fromisoformat(f"{one}+00:00") for one in (begins, ends)]


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
@pytest.mark.parametrize("times", [{}, {"startTime": "23:00", "endTime": "01:00", "timeZone": BERLIN}])
def test_the_ends_of_the_calendar_are_within_it(api: Api, day: str, times: dict[str, str]) -> None:
    found = entry(api, api.event(date=day, **times))
    assert f"{found['dtstart'].dt:%Y-%m-%d}".zfill(10) == day


@given(day=st.dates(), times=strategies.times())
def test_every_event_has_an_entry_that_ends_after_it_begins(api: Api, day: date, times: dict[str, Any]) -> None:
    assume(strategies.is_possible({"date": day.isoformat(), **times}))
    found = entry(api, api.event(date=day.isoformat(), **times))
    if "dtend" in found and isinstance(found["dtend"].dt, datetime):
        lasts = found["dtend"].dt.astimezone(UTC) - found["dtstart"].dt.astimezone(UTC)
        assert timedelta(0) < lasts < timedelta(hours=26)


def test_a_list_is_a_calendar_with_its_filters(api: Api) -> None:
    api.event(eventId="a", date="2083-01-01")
    api.event(eventId="b", date="2083-02-01", status="cancelled")
    api.event(eventId="c", date="2083-03-01", startTime="19:00", timeZone=BERLIN)
    assert [found["url"][-1] for found in entries(api.get("/events?format=ics"))] == ["a", "b", "c"]
    filtered = api.get("/events?format=ics&from=2083-02-01&status=published")
    assert [found["url"][-1] for found in entries(filtered)] == ["c"]
    assert entries(api.get("/events?format=ics&status=draft")) == []


@pytest.fixture
def season(api: Api) -> list[str]:
    """The ids of some events, by date."""
    return [api.event(date=f"2083-01-{day:02}") for day in range(1, 10)]


def ids(answer: Any) -> list[str]:
    return [str(found["url"]).rpartition("/")[2] for found in entries(answer)]


def test_all_pages_are_in_one_calendar(api: Api, season: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.views.DEFAULT_LIMIT", 4)
    answer = api.get("/events?format=ics")
    assert ids(answer) == season
    assert "Link" not in answer.headers


def test_what_one_answer_cannot_hold_is_behind_the_link(
    api: Api, season: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.views.DEFAULT_LIMIT", 2)
    monkeypatch.setattr(collect_pages, "MAX_BYTES", 2000)
    path, found = "/events?format=ics", []
    while path:
        answer = api.get(path)
        found += ids(answer)
        path = next_page(answer)
    assert found == season


def test_a_limit_is_heeded(api: Api, season: list[str]) -> None:
    answer = api.get("/events?format=ics&limit=4")
    assert ids(answer) + ids(api.get(next_page(answer))) == season[:8]


def test_what_goes_wrong_is_a_problem_document(api: Api) -> None:
    assert problem(api.get("/events/nothing?format=ics")) == (404, "event_not_found")
    assert problem(api.get("/events?format=ics&limit=0")) == (422, "validation_error")
    assert problem(api.get(f"/events/{api.event()}", accept="text/csv")) == (406, "not_acceptable")
