"""`manage.py show`, `purge_event`, `erase_user`, `export_user`: what an operator does for and about people."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eventsite.dynamodb.retries import time_limit
from tests.api import Api, problem
from tests.faults import busy, failing
from users.models import User


@pytest.fixture
def party(api: Api) -> str:
    """An event with one seat, which alice has. Bob waits, and carol has left."""
    for name in ("Alice", "Bob", "Carol"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name.lower()}@example.com"})
    event = api.event(eventId="party", capacity=1, startTime="19:00", timeZone="Europe/Berlin")
    for user in ("carol", "alice", "bob"):
        api.register(event, user)
    api.leave(event, "carol")
    return event


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command and returns what it printed."""

    def run(*command: Any, **options: Any) -> str:
        call_command(*command, **options)
        return str(capsys.readouterr().out)

    return run


def test_an_event_is_shown_with_its_people(api: Api, party: str, printed: Any) -> None:
    lines = printed("show", "party").splitlines()
    assert "seats      1 of 1 taken, 1 waiting" in lines
    assert "when       2083-04-01 19:00 Europe/Berlin" in lines
    people = [line.split()[:4] for line in lines[lines.index("") + 1 :] if line]
    assert people == [
        ["number", "user", "name", "status"],
        ["1", "alice", "Alice", "registered"],
        ["2", "bob", "Bob", "waitlisted"],
        ["3", "carol", "Carol", "cancelled"],
    ]


def test_an_event_is_shown_with_its_last_day(api: Api, printed: Any) -> None:
    hours = {"startTime": "19:00", "endTime": "22:00", "timeZone": "Europe/Berlin"}
    for more, when in (
        ({}, "2083-04-01"),
        ({"endDate": "2083-04-03"}, "2083-04-01 to 2083-04-03"),
        (hours, "2083-04-01 19:00 to 22:00 Europe/Berlin"),
        (hours | {"endDate": "2083-04-03"}, "2083-04-01 19:00 to 2083-04-03 22:00 Europe/Berlin"),
    ):
        assert f"when       {when}" in printed("show", api.event(**more)).splitlines()


def test_a_user_is_shown_with_their_events(api: Api, party: str, printed: Any) -> None:
    lines = printed("show", "bob").splitlines()
    assert "e-mail  bob@example.com" in lines
    assert any(line.split()[:3] == ["party", "Spring", "party"] and line.endswith(" 1") for line in lines)


def test_an_event_without_anybody_is_shown(api: Api, printed: Any) -> None:
    assert "No registrations yet." in printed("show", api.event())


@pytest.mark.parametrize("command", ["show", "purge_event", "erase_user", "export_user"])
def test_a_missing_item_is_one_sentence(command: str) -> None:
    for missing in ("nosuch", "no id", "", "x" * 3000):
        with pytest.raises(CommandError, match=r"^There is no (event|user).*\.$") as refused:
            call_command(command, missing)
    assert refused.value.returncode == 1


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(("command", "there"), [("purge_event", "party"), ("erase_user", "alice")])
def test_of_several_ids_the_missing_ones_are_named_and_the_others_done(
    party: str, command: str, there: str, dry_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=r"^There is no (event|user) with this id: gone, nosuch\.$"):
        call_command(command, "gone", there, "nosuch", dry_run=dry_run)
    assert there in capsys.readouterr().out


def test_an_interrupted_erasure_is_finished_by_the_next_one(api: Api, party: str, printed: Any) -> None:
    alice = User.find("alice")
    assert alice
    alice.delete()  # the registration is still there
    assert printed("erase_user", "alice") == "Erased alice (deleted already): 1 registration, 0 cancelled.\n"
    assert api.get("/events/party/registrations/bob").json()["status"] == "registered"
    with pytest.raises(CommandError, match=r"^There is no user with this id: alice\.$"):
        printed("erase_user", "alice")


@pytest.mark.parametrize("command", ["show", "purge_event", "erase_user", "export_user"])
def test_a_silent_dynamodb_is_one_sentence(command: str) -> None:
    with failing(busy, lasting=True), time_limit(0.5), pytest.raises(CommandError) as refused:
        call_command(command, "nosuch")
    assert str(refused.value).endswith(".") and "\n" not in str(refused.value)


def test_an_event_is_purged_with_everybody(api: Api, party: str, printed: Any) -> None:
    reported = "party (Spring party): 1 registered, 1 waiting."
    assert printed("purge_event", party, dry_run=True) == f"Would delete {reported}\n"
    assert api.get("/events/party").status_code == 200
    assert printed("purge_event", party) == f"Deleted {reported}\n"
    assert problem(api.get("/events/party")) == (404, "event_not_found")
    assert api.get("/users/alice/registrations").json() == []


def test_a_user_is_erased_with_everything(api: Api, party: str, printed: Any) -> None:
    reported = "alice (Alice): 1 registration, 0 cancelled."
    assert printed("erase_user", "alice", dry_run=True) == f"Would erase {reported}\n"
    assert api.get("/users/alice").status_code == 200
    assert printed("erase_user", "alice") == f"Erased {reported}\n"
    assert problem(api.get("/users/alice")) == (404, "user_not_found")
    assert api.get("/events/party/registrations/bob").json()["status"] == "registered"


def test_all_that_is_kept_about_a_user_is_exported(api: Api, party: str, printed: Any) -> None:
    kept = json.loads(printed("export_user", "carol"))
    assert kept["user"] == api.get("/users/carol").json()
    assert kept["registrations"] == _as_attendees_see(api.get("/users/carol/registrations?status=cancelled").json())
    bobs = json.loads(printed("export_user", "bob"))["registrations"]
    assert bobs == _as_attendees_see(api.get("/users/bob/waitlists").json())


def _as_attendees_see(listed: Any) -> Any:
    """Return a user's registrations without the co-organizers of the events."""
    for entry in listed:
        del entry["event"]["organizers"]
    return listed
