"""The window over HTTP: when people may sign up, and when an event ends in its own zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events.whole import find_event
from events.window import Times
from eventsite import clock
from eventsite.web.fields import time_zones
from tests import strategies
from tests.api import EVENT, Api, problem
from tests.signing_in import As, alice, olivia
from users import services

BERLIN = {"startTime": "19:00", "timeZone": "Europe/Berlin"}
CLOSES_AS_IT_OPENS = {
    "registrationOpensAt": "2083-01-01T00:00:00Z",
    "registrationClosesAt": "2083-01-01T01:00:00+01:00",
}


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Set the clock of the service to this moment."""
    then = datetime.fromisoformat(moment).astimezone(UTC)
    monkeypatch.setattr(clock, "seconds", lambda: int(then.timestamp()))
    monkeypatch.setattr(clock, "now", lambda: then.strftime(clock.FORMAT))


def wrong(answer: Any) -> set[str]:
    assert problem(answer) == (422, "validation_error"), answer.content
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2083-01-31T10:00:00+01:00", "2083-01-31T09:00:00Z"),
        ("2083-01-31t09:00:00z", "2083-01-31T09:00:00Z"),
        ("2083-01-31T09:00:00.999Z", "2083-01-31T09:00:00Z"),
        ("2083-01-31T10:00:00.000000000001+01:00", "2083-01-31T09:00:00Z"),
        ("2083-01-01T00:30:00+05:45", "2082-12-31T18:45:00Z"),
        ("0999-01-01T00:00:00-00:00", "0999-01-01T00:00:00Z"),
    ],
)
def test_moments_come_with_an_offset_and_are_answered_in_utc(api: Api, sent: str, kept: str) -> None:
    event = api.event(registrationOpensAt=sent)
    assert api.get(f"/events/{event}").json()["registrationOpensAt"] == kept


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"endDate": "2083-03-31"}, {"endDate"}),
        (CLOSES_AS_IT_OPENS, {"registrationClosesAt"}),
        ({"date": "2083-03-28", "startTime": "02:30", "timeZone": "Europe/Berlin"}, {"startTime"}),
        ({"date": "2083-03-27", **BERLIN, "endTime": "02:30"}, {"endTime"}),
        ({"date": "2083-03-20", **BERLIN, "endDate": "2083-03-28", "endTime": "02:00"}, {"endTime"}),
        ({"date": "2011-12-30", "startTime": "10:00", "timeZone": "Pacific/Apia"}, {"startTime"}),
        ({**BERLIN, "endDate": EVENT["date"], "endTime": "18:00"}, {"endTime"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_on_create_and_on_an_edit(api: Api, fields: dict[str, Any], named: set[str]) -> None:
    answer = api.post("/events", EVENT | fields)
    assert wrong(answer) == named
    assert all(error["detail"] for error in answer.json()["errors"])
    assert wrong(api.post("/events", EVENT | fields | {"title": " "})) == named | {"title"}
    event = api.event()
    assert wrong(api.patch(f"/events/{event}", fields)) == named
    assert api.get(f"/events/{event}").json()["version"] == 1


def test_an_edit_is_judged_with_what_the_event_has(api: Api) -> None:
    event = api.event(date="2083-03-27", startTime="02:30", timeZone="Europe/Berlin", endDate="2083-03-28")
    assert wrong(api.patch(f"/events/{event}", {"date": "2083-03-28"})) == {"startTime"}
    assert wrong(api.patch(f"/events/{event}", {"endDate": "2083-03-26"})) == {"endDate"}
    assert api.patch(f"/events/{event}", {"title": "Another"}).status_code == 200
    assert api.patch(f"/events/{event}", {"date": "2083-03-28", "startTime": "03:00"}).status_code == 200


def test_null_takes_the_last_day_and_the_window_away(api: Api) -> None:
    moments = {"registrationOpensAt": "2083-01-01T00:00:00Z", "registrationClosesAt": "2083-02-01T00:00:00Z"}
    event = api.event(endDate="2083-04-02", **moments)
    nothing = dict.fromkeys(["endDate", *moments])
    answer = api.patch(f"/events/{event}", nothing)
    assert {name: answer.json()[name] for name in nothing} == nothing


@pytest.mark.usefixtures("cognito")
def test_people_sign_up_from_the_opening_until_the_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    event = As(olivia().access).event(
        registrationOpensAt="2083-02-01T10:00:00+01:00", registrationClosesAt="2083-03-01T00:00:00Z"
    )
    attendee, organizer, path = As(alice().access), As(olivia().access), f"/events/{event}/registrations"
    for moment in ("2083-02-01T08:59:59Z", "2083-03-01T00:00:00Z"):
        at(monkeypatch, moment)
        early = moment < "2083-02-02"
        refusal = attendee.post(path, {})
        assert problem(refusal) == (409, "registration_not_open" if early else "registration_closed")
        assert refusal.json().get("opensAt") == ("2083-02-01T09:00:00Z" if early else None)
        guest = services.create(name="Guest").user_id
        assert organizer.post(path, {"userId": guest}).status_code == 201
    for moment in ("2083-02-01T09:00:00Z", "2083-02-28T23:59:59Z"):
        at(monkeypatch, moment)
        assert attendee.post(path, {}).status_code == 201
        assert attendee.leave(event, "me").status_code == 200


ENDS = [
    ({}, "2083-04-02T12:00:00Z"),
    ({"endDate": "2083-04-03"}, "2083-04-04T12:00:00Z"),
    (BERLIN, "2083-04-01T22:00:00Z"),
    (BERLIN | {"endTime": "21:00"}, "2083-04-01T19:00:00Z"),
    (BERLIN | {"endTime": "01:30"}, "2083-04-01T23:30:00Z"),
    (BERLIN | {"endTime": "01:30", "endDate": "2083-04-03"}, "2083-04-02T23:30:00Z"),
    (BERLIN | {"endDate": "2083-04-03"}, "2083-04-03T22:00:00Z"),
    ({"startTime": "19:00", "timeZone": "America/Los_Angeles"}, "2083-04-02T07:00:00Z"),
    ({"startTime": "19:00", "timeZone": "Pacific/Kiritimati"}, "2083-04-01T10:00:00Z"),
]


@pytest.mark.parametrize(("fields", "end"), ENDS)
def test_an_event_admits_until_its_end_in_its_zone(
    api: Api, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], end: str
) -> None:
    event = api.event(**fields)
    first, second = api.users(2)
    moment = datetime.fromisoformat(end)
    at(monkeypatch, (moment - timedelta(seconds=1)).isoformat())
    assert api.register(event, first).status_code == 201
    at(monkeypatch, end)
    assert problem(api.register(event, second)) == (409, "registration_closed")


def test_an_hour_that_exists_twice_is_the_first(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = api.event(date="2083-10-31", startTime="01:00", endTime="02:30", timeZone="Europe/Berlin")
    first, second = api.users(2)
    at(monkeypatch, "2083-10-31T00:29:59Z")
    assert api.register(event, first).status_code == 201
    at(monkeypatch, "2083-10-31T00:30:00Z")
    assert problem(api.register(event, second)) == (409, "registration_closed")


def test_after_the_end_no_seat_is_handed_on_until_the_event_is_moved(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = api.event(capacity=1, **BERLIN)
    alice, bob = api.users(2)
    api.register(event, alice)
    api.register(event, bob)
    at(monkeypatch, "2083-04-01T22:00:00Z")
    assert api.leave(event, alice).json()["promotedUser"] is None
    assert api.patch(f"/events/{event}", {"capacity": 2}).json()["waitlistCount"] == 1
    moved = api.patch(f"/events/{event}", {"date": "2083-04-02"}).json()
    assert (moved["registeredCount"], moved["waitlistCount"]) == (1, 0)


EDITS = st.lists(
    st.fixed_dictionaries({}, optional={"date": strategies.FIELDS["date"], **strategies.WINDOW}).filter(bool),
    max_size=3,
)


@given(body=strategies.events(), edits=EDITS)
def test_the_seats_know_the_window_of_the_event(api: Api, body: dict[str, Any], edits: list[dict[str, Any]]) -> None:
    """Whatever edit follows whatever creation: the window that decides is the one that is shown."""
    event = api.post("/events", body).json()
    for edit in edits:
        if strategies.is_possible(event | edit):
            event = api.patch(f"/events/{event['eventId']}", edit).json()
    whole = find_event(event["eventId"])
    assert whole
    for name, shown in (("opens_at", event["registrationOpensAt"]), ("closes_at", event["registrationClosesAt"])):
        known = getattr(whole.seats, name)
        assert known == (shown and int(datetime.fromisoformat(shown).timestamp()))
    assert whole.seats.ends_at == Times.of(whole.event).ends_at


@given(
    day=st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1)),
    end=strategies.clock_times(),
    zone=st.sampled_from(sorted(time_zones())),
)
def test_the_end_is_when_clocks_there_first_show_it(day: date, end: str, zone: str) -> None:
    shown = datetime.combine(day, time.fromisoformat(end))
    assume(strategies.is_shown(shown, ZoneInfo(zone)))
    ends_at = Times(day.isoformat(), day.isoformat(), "00:00", end, zone).ends_at
    there = [datetime.fromtimestamp(ends_at - earlier, ZoneInfo(zone)).replace(tzinfo=None) for earlier in (0, 7200)]
    assert there[0] == shown
    assert there[1] < shown
