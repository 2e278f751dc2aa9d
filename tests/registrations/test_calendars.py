"""A user's own calendar, and the secret address under which calendar programs read it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import icalendar
import pytest

from eventsite import clock
from tests.api import Api, problem
from tests.pages import Browser
from tests.signing_in import As, adam, alice, olivia, oscar
from users import services


def entries(answer: Any) -> list[str]:
    """The titles in a calendar."""
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return [str(one["summary"]) for one in icalendar.Calendar.from_ical(answer.content).walk("VEVENT")]


def test_seats_are_in_it_and_places_in_queues_are_not(api: Api) -> None:
    user = api.user()
    for title, capacity in (("Seat", 1), ("Queue", 0), ("Left", 1)):
        event = api.event(title=title, capacity=capacity)
        api.register(event, user)
    api.leave(event, user)
    assert entries(api.get(f"/users/{user}/calendar?format=ics")) == ["Seat"]
    cancelled = api.event(title="Off", capacity=1)
    api.register(cancelled, user)
    api.patch(f"/events/{cancelled}", {"status": "cancelled"})
    answer = api.get(f"/users/{user}/calendar", accept="text/calendar")
    assert sorted(entries(answer)) == ["Off", "Seat"]
    assert b"STATUS:CANCELLED" in answer.content


@pytest.mark.parametrize(("days", "shown"), [(29, True), (31, False)])
def test_it_begins_thirty_days_ago(api: Api, monkeypatch: pytest.MonkeyPatch, days: int, shown: bool) -> None:
    user, event = api.user(), api.event(date="2083-04-01", startTime="10:00", endTime="11:00", timeZone="UTC")
    api.register(event, user)
    now = datetime(2083, 4, 1, 11, tzinfo=UTC) + timedelta(days=days)
    monkeypatch.setattr(clock, "seconds", lambda: int(now.timestamp()))
    assert bool(entries(api.get(f"/users/{user}/calendar?format=ics"))) is shown


def test_it_has_all_that_is_to_come(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registrations.reading.attendances.PAGE", 2)
    user = api.user()
    for number in range(5):
        api.register(api.event(title=str(number)), user)
    assert sorted(entries(api.get(f"/users/{user}/calendar?format=ics"))) == list("01234")


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "application/json", "text/html,application/xhtml+xml,*/*"])
def test_the_secret_address_needs_no_sign_in_and_can_be_taken_away(api: Api, accept: str) -> None:
    user = api.user("ann")
    api.register(api.event(title="Seat"), user)
    path = f"/users/{user}/calendar"
    assert api.get(path).json() == {"url": None}
    first = api.put(path).json()["url"].removeprefix("http://localhost")
    assert api.get(path).json()["url"].endswith(first)
    feed = api.get(first, accept=accept)
    assert entries(feed) == ["Seat"]
    calendar: Any = icalendar.Calendar.from_ical(feed.content)
    assert calendar["name"] == calendar["x-wr-calname"] == "Events of Ann"
    assert feed.headers["Cache-Control"] == "no-store"
    second = api.put(path).json()["url"].removeprefix("http://localhost")
    assert (problem(api.get(first)), entries(api.get(second))) == ((404, "user_not_found"), ["Seat"])
    assert api.delete(path).status_code == 204
    assert problem(api.get(second)) == (404, "user_not_found")
    assert api.get(path).json() == {"url": None}


@pytest.mark.parametrize("token", ["x", "ann", "0" * 32, "0" * 32 + "ann", "0" * 32 + "nobody", "%00" * 40, "x" * 3000])
def test_no_other_address_leads_to_a_calendar(api: Api, token: str) -> None:
    user = api.user("ann")
    assert api.get(f"/calendars/{token}.ics").status_code == 404
    secret = api.put(f"/users/{user}/calendar").json()["url"].rpartition("/")[2]
    api.user("bob")
    assert api.get(f"/calendars/{secret.replace('ann', 'bob')}").status_code == 404


@pytest.mark.usefixtures("cognito")
def test_the_address_is_shown_to_oneself() -> None:
    services.create(name="Alice", user_id=alice().sub)
    path = f"/users/{alice().sub}/calendar"
    for method in ("GET", "PUT", "DELETE"):
        assert problem(As(None).call(method, path)) == (401, "not_authenticated")
        assert problem(As(olivia().access).call(method, path)) == (404, "user_not_found")
    address = As(alice().access).put("/users/me/calendar").json()["url"].removeprefix("http://localhost")
    assert entries(As(None).get(address)) == []
    assert As(alice().access).get(path).json()["url"] is not None
    for method in ("GET", "PUT"):
        assert As(adam().access).call(method, path).json() == {"url": None}
    assert As(alice().access).get(path).json()["url"] is not None
    page = Browser(token=adam().access).open(path)
    assert "Only Alice sees the secret address." in page.text
    assert {"DELETE"} == {form.method for form in page.forms} & {"PUT", "DELETE"}
    assert As(adam().access).delete(path).status_code == 204
    assert As(alice().access).get(path).json() == {"url": None}


def test_a_feed_of_events_has_a_name_and_begins_thirty_days_ago(api: Api) -> None:
    today = date.today()
    for days in (-40, -20, 20):
        api.event(title=str(days), date=(today + timedelta(days=days)).isoformat())
    feed = api.get("/events?format=ics")
    assert entries(feed) == ["-20", "20"]
    calendar: Any = icalendar.Calendar.from_ical(feed.content)
    assert calendar["name"] == calendar["x-wr-calname"] == "Events"
    assert entries(api.get("/events?format=ics&from=2000-01-01")) == ["-40", "-20", "20"]
    assert len(api.get("/events").json()) == 3


def test_an_attendee_makes_and_revokes_the_address_by_clicks(cognito: None) -> None:
    browser = Browser(token=alice().access)
    page = browser.follow(browser.open("/users/me/registrations"), "Subscribe to my events as a calendar")
    page = browser.send(page.button("PUT"))
    assert page.messages == ["The address is made."]
    address = As(alice().access).get("/users/me/calendar").json()["url"]
    assert address in page.text and As(None).get(urlsplit(address).path).status_code == 200
    assert browser.download(page.links["Download the calendar"])[0] == 200
    page = browser.sure(browser.send(page.button("DELETE")))
    assert page.messages == ["The address is revoked."] and address not in page.text
    assert As(None).get(urlsplit(address).path).status_code == 404
    assert Browser(token=oscar().access).open(f"/users/{alice().sub}/calendar").status == 404
