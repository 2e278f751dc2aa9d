"""`manage.py load_demo`: a season to look around in, the same however often it is loaded."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from registrations.transfer import demo
from registrations.transfer.assemble import assemble
from tests.api import Api


def test_the_season_is_one_that_could_be() -> None:
    season = assemble(demo.records(date(2027, 3, 1)))
    assert (len(season.events), len(season.users)) == (40, 500)
    assert (season.refused, season.notes.details) == ([], {})
    for event in season.events:
        seats, queue = len(event.attendees["registered"]), len(event.attendees["waitlisted"])
        assert seats <= event.fields["capacity"]
        assert not queue or seats == event.fields["capacity"]
    assert Counter(event.fields["status"] for event in season.events).keys() == {
        "published",
        "completed",
        "cancelled",
        "draft",
    }
    for person in [one for event in season.events for people in event.attendees.values() for one in people]:
        assert person.carried["registered_at"] < (person.carried["cancelled_at"] or "2027-03-02")
    assert sum(bool(event.attendees["waitlisted"]) for event in season.events) >= 8
    assert sum(event.fields["date"] >= "2027-03-01" for event in season.events) >= 20


def test_the_season_has_all_that_an_organizer_uses() -> None:
    season = assemble(demo.records(date(2027, 3, 1)))
    fields = [event.fields for event in season.events]
    for name in ("organizers", "questions", "unlisted", "end_date", "registration_opens_at", "registration_closes_at"):
        assert any(one.get(name) for one in fields), name
    assert any(one["date"] < "2027-03-01" <= (one.get("end_date") or "") for one in fields), "one is running"
    carried = [person.carried for event in season.events for person in event.attendees["registered"]]
    assert any(one["checked_in_at"] for one in carried) and any(one["answers"] for one in carried)


def test_it_is_the_same_every_time() -> None:
    assert list(demo.records(date(2027, 3, 1))) == list(demo.records(date(2027, 3, 1)))


def test_it_is_loaded_and_loaded_again(api: Api, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    records = [*demo.records(date.today())]
    users = [record for record in records if record["kind"] == "user"][:30]
    some = {user["userId"] for user in users}
    few = [
        one for one in records if one.get("userId", users[0]["userId"]) in some and one.get("eventId", "")[-2:] < "04"
    ]
    monkeypatch.setattr(demo, "records", lambda today: iter(few))
    call_command("load_demo", dry_run=True)
    assert api.get("/events").json() == []
    call_command("load_demo")
    for event in api.get("/events?limit=1000").json():
        path = f"/events/{event['eventId']}"
        inside = api.walk(f"{path}/registrations?checkedIn=true&limit=1000")
        assert api.get(path).json()["checkedInCount"] == len(inside)
    before = api.get("/events?limit=1000").json(), api.get("/users").json()
    assert (len(before[0]), len(before[1])) == (3, 30)
    call_command("load_demo")
    assert (api.get("/events?limit=1000").json(), api.get("/users").json()) == before
    reported = capsys.readouterr().out.splitlines()
    assert reported[0].startswith("Would load 3 events, 30 users and ")
    again = "Loaded 0 events, 0 users and 0 registrations. (30 users and 3 events were there already.)"
    assert reported[-1] == again


def test_it_is_for_this_machine(settings: Settings) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="not on this machine"):
        call_command("load_demo")
