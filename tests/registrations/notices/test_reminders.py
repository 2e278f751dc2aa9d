"""The day before an event, at ten in its zone, each person with a seat gets one reminder."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from events.models import Event
from eventsite import clock
from eventsite.web.fields import time_zones
from registrations.models import UserRegistration
from registrations.notices import reminders
from tests.api import Api
from tests.registrations.notices.carrying import Carried, text
from tests.registrations.notices.streaming import reported

TIMES = {"startTime": "19:00", "endTime": "22:00", "timeZone": "America/New_York"}
DUE = "2083-03-31T14:00:00.000000Z"  # 10:00 in New York, the day before


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.fixture
def party(api: Api, carried: Carried) -> str:
    """An event with two seats for Alice and Bob, while Carol waits. Nothing is left to be mailed."""
    for name in ("Alice", "Bob", "Carol"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name.lower()}@example.com"})
    event = api.event(eventId="party", capacity=2, **TIMES)
    for user in ("alice", "bob", "carol"):
        api.register(event, user)
    carried.publish()
    return event


def reminded(carried: Carried) -> list[str]:
    mails = carried.publish([])
    assert all(mail["Subject"] == "Reminder: Spring party" for mail in mails)
    return [mail["To"].addresses[0].username for mail in mails]


def test_people_with_a_seat_are_reminded_at_ten(party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "2083-03-31T13:59:59.999999Z")
    assert reminders.remind() == 0
    at(monkeypatch, DUE)
    assert reminders.remind() == 1
    mails = carried.publish([])
    assert [mail["To"].addresses[0].username for mail in mails] == ["alice", "bob"]
    assert "Thu 1 Apr 2083, 19:00" in text(mails[0]) and "/registrations/alice" in text(mails[0])
    assert [part.get_filename() for part in mails[0].iter_attachments()] == ["event.ics"]


def test_a_schedule_that_runs_twice_or_late_reminds_once(
    party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2083-04-01T20:00:00.000000Z")  # late, and before it starts
    assert reminders.remind() == 1
    assert reminded(carried) == ["alice", "bob"]
    assert reminders.remind() == 0
    for marker in reminders.RemindedEvent.scan():
        if marker.item == reminders.RemindedEvent.ITEM:
            marker.delete()  # as if the first run had died before it left the marker
    assert reminders.remind() == 1
    assert reminded(carried) == []


@pytest.mark.parametrize("status", ["scheduled", "published", "active"])
def test_people_of_an_unlisted_event_are_reminded_too(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    api.patch(f"/events/{party}", {"unlisted": True, "status": status})
    carried.publish()
    at(monkeypatch, DUE)
    assert reminders.remind() == 1
    assert reminded(carried) == ["alice", "bob"]


def test_nobody_is_reminded_of_what_has_begun(party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, "2083-04-01T23:00:00.000000Z")
    assert reminders.remind() == 0


@pytest.mark.parametrize(
    ("asked", "people"),
    [("2083-03-31T03:59:59.999999Z", ["alice", "bob"]), ("2083-03-31T04:00:00.000000Z", ["bob"])],
)
def test_a_person_who_signs_up_that_day_needs_no_reminder(
    party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch, asked: str, people: list[str]
) -> None:
    item = UserRegistration(*UserRegistration.key_of(party, "alice"))
    item.update([UserRegistration.registered_at.set(asked)])  # at midnight in New York, or just before
    at(monkeypatch, DUE)
    assert reminders.remind() == 1
    assert reminded(carried) == people


@pytest.mark.parametrize(
    "change", [{"status": "cancelled"}, {"status": "draft"}, {"date": "2083-04-09"}, {"date": "2083-03-30"}], ids=str
)
def test_what_became_of_the_event_meanwhile_counts(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    at(monkeypatch, DUE)
    assert reminders.remind() == 1
    tasks, carried.bodies = carried.bodies, []
    api.patch(f"/events/{party}", change)
    carried.publish()
    carried.bodies = tasks
    assert reminded(carried) == []


def test_people_who_want_no_mail_are_not_reminded(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.patch("/users/bob", {"notify": False})
    at(monkeypatch, DUE)
    reminders.remind()
    assert reminded(carried) == ["alice"]


def test_without_mail_nothing_is_looked_at(settings: Settings, meter: Any) -> None:
    settings.MAIL_FROM = ""
    assert reminders.remind() == 0
    assert meter.calls == []


@given(zone=st.none() | st.sampled_from(sorted(time_zones())), day=st.dates(datetime(2000, 1, 2).date()))
def test_ten_is_ten_in_the_zone_of_the_event(zone: str | None, day: Any) -> None:
    event = Event("party", date=day.isoformat(), time_zone=zone, incarnation="1")
    due = reminders.due_at(event)
    assert (due.hour, due.minute) == (10, 0) and (day - due.date()).days == 1
    now = due.astimezone(UTC)
    assert reminders.is_due(event, now)
    assert not reminders.is_due(event, now - timedelta(microseconds=1))
    assert reminders.notice_of(event)["data"]["since"] <= now.strftime(clock.FORMAT)


def test_the_schedule_of_a_stage_calls_it() -> None:
    import json
    from pathlib import Path

    from django.conf import settings as configured

    stage = json.loads(Path(configured.BASE_DIR, "zappa_settings.json").read_text())["dev"]
    (entry,) = [one for one in stage["events"] if one["function"] == "registrations.notices.reminders.run"]
    assert entry["expression"] == "rate(15 minutes)"


def test_it_does_not_come_from_the_stream(party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, DUE)
    reminders.remind()
    reminded(carried)
    assert not any(notice["type"] == "event.reminder" for notice in reported())
