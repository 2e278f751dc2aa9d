"""`manage.py import`: what other services hold is here afterwards, served and audited."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from events.models import Event
from registrations.models import EventTicket
from registrations.transfer import export, write
from registrations.transfer.assemble import assemble
from tests.api import Api
from tests.registrations.transfer import tables as theirs
from tests.registrations.transfer.tables import scan
from users.models import User

B_RECORDS = [
    theirs.b_counters(2, 3),
    *(theirs.b_row(user) for user in ("ann", "bea")),
    *(theirs.b_row(user, position) for position, user in enumerate(("zoe", "cem", "dan"))),
    *(theirs.b_user(user) for user in ("ann", "bea", "cem", "dan", "zoe")),
]

EVERYBODY = ("ann", "bea", "cem", "dan", "eve")


@pytest.fixture
def b(tmp_path: Path) -> list[str]:
    """Files with the two tables of service B."""
    return [
        str(scan(tmp_path / "events.json", [theirs.B_EVENT])),
        str(scan(tmp_path / "registration-system.json", B_RECORDS)),
    ]


def the_event(api: Api) -> dict[str, Any]:
    (event,) = api.get("/events").json()
    return dict(event)


def test_events_seats_and_queue_are_here_afterwards(api: Api, b: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import", *b)
    event = the_event(api)
    assert (event["registeredCount"], event["waitlistCount"], event["status"]) == (2, 3, "active")
    path = f"/events/{event['eventId']}"
    assert [one["userId"] for one in api.get(f"{path}/registrations?status=registered").json()] == ["ann", "bea"]
    queue = api.get(f"{path}/waitlist").json()
    assert [(one["userId"], one["waitlistPosition"]) for one in queue] == [("zoe", 1), ("cem", 2), ("dan", 3)]
    assert capsys.readouterr().out.splitlines() == [
        f"Ids changed to fit our rule: The event conf.2083 is called {event['eventId']} here.",
        "1 event, 5 users and 5 registrations to import.",
        "Audited 1 event: all is well.",
    ]


def test_an_event_that_came_in_goes_on_as_any_other(api: Api, b: list[str]) -> None:
    call_command("import", *b)
    event_id = the_event(api)["eventId"]
    assert api.leave(event_id, "cem").json()["promotedUser"] is None
    assert api.leave(event_id, "ann").json()["promotedUser"] == "zoe"
    assert api.register(event_id, "ann").json()["waitlistPosition"] == 2
    raised = api.patch(f"/events/{event_id}", {"capacity": 4}).json()
    assert (raised["registeredCount"], raised["waitlistCount"]) == (4, 0)
    zoe = api.get(f"/events/{event_id}/registrations/zoe").json()
    assert (zoe["status"], zoe["promotedAt"] is None) == ("registered", False)
    call_command("audit_seats")


def test_our_first_release_is_here_with_ids_times_and_history(api: Api, tmp_path: Path) -> None:
    call_command("import", str(scan(tmp_path / "all.json", theirs.FIRST_RELEASE)))
    event = the_event(api)
    assert (event["version"], event["organizerId"], event["createdAt"]) == (3, "olivia", "2026-10-01T08:00:00.000000Z")
    alice = api.get("/events/party/registrations/alice").json()
    assert alice == {
        "registrationId": "f55a094e-c536-4d83-8cd4-e0bbd8c77d01",
        "eventId": "party",
        "userId": "alice",
        "status": "registered",
        "registeredAt": "2026-10-03T08:00:01.000000Z",
        "promotedAt": "2026-10-03T08:00:09.000000Z",
        "cancelledAt": None,
        "waitlistPosition": None,
        "answers": {},
        "checkedInAt": None,
    }
    cancelled = api.get("/events/party/registrations?status=cancelled").json()
    assert [(one["userId"], one["cancelledAt"]) for one in cancelled] == [("old", "2026-10-03T08:00:09.000000Z")]
    assert [one["userId"] for one in api.get("/events/party/waitlist").json()] == ["zoe", "bob"]
    assert api.register("party", "old").json()["waitlistPosition"] == 3


def test_what_our_lists_answer_comes_in_again(api: Api, tmp_path: Path, tables: None) -> None:
    event, users = api.event(eventId="party", capacity=1), api.users(3)
    for user in users:
        api.register(event, user)
    lists = ["/events", "/users", f"/events/{event}/registrations"]
    answers = {path: api.get(path).json() for path in lists}
    for number, answer in enumerate(answers.values()):
        (tmp_path / f"{number}.json").write_text(json.dumps(answer))
    for user in users:
        api.leave(event, user)
    api.delete(f"/events/{event}")
    call_command("import", *(str(path) for path in sorted(tmp_path.iterdir())))
    assert {path: api.get(path).json() for path in lists} == answers


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_export_writes_comes_in_as_it_was(api: Api, tmp_path: Path, form: str) -> None:
    for user in EVERYBODY:
        fields = {"email": f"{user}@example.com", "notify": user != "bea"}
        api.post("/users", {"userId": user, "name": f"={user}, the first", **fields})
    api.event(eventId="party", capacity=1, startTime="19:00", timeZone="Europe/Berlin")
    api.event(eventId="empty", status="draft", waitlistEnabled=False)
    for user in ("ann", "eve", "cem", "bea", "dan"):
        api.register("party", user)
    api.leave("party", "ann")
    api.leave("party", "cem")
    api.patch("/events/party", {"location": "Hall"})
    before, of_users = (
        list(export.everything()),
        [api.get(f"/users/{user}/registrations").json() for user in EVERYBODY],
    )
    to = tmp_path / ("season" if form == "csv" else "season.jsonl")
    call_command("export", str(to), format=form)
    for event in ("party", "empty"):
        api.delete(f"/events/{event}?registrations=cancel")
    for person in list(User.scan()):
        person.delete()
    call_command("import", *map(str, sorted(to.glob("*.csv")) if form == "csv" else [to]))
    assert sorted(map(json.dumps, export.everything())) == sorted(map(json.dumps, before))
    assert [api.get(f"/users/{user}/registrations").json() for user in EVERYBODY] == of_users


def test_a_dry_run_writes_nothing(api: Api, b: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import", *b, "--dry-run")
    assert (api.get("/events").json(), api.get("/users").json()) == ([], [])
    assert "1 event, 5 users and 5 registrations to import." in capsys.readouterr().out


def test_a_broken_file_imports_nothing(api: Api, b: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"Items": [\n{"eventId": }]}')
    with pytest.raises(CommandError, match=r"broken\.json, line 2, column 13: .+ Nothing was imported\."):
        call_command("import", *b, str(broken))
    with pytest.raises(CommandError, match=r"No such file .+ Nothing was imported\."):
        call_command("import", *b, str(tmp_path / "nowhere.json"))
    assert api.get("/events").json() == []


def test_a_refused_record_is_named_and_nothing_is_written(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dateless = theirs.A_EVENT | {"eventId": "dateless", "date": "soon"}
    file = str(scan(tmp_path / "events.json", [dateless, theirs.A_EVENT]))
    with pytest.raises(CommandError, match=r"^1 refused; --skip leaves them out"):
        call_command("import", file)
    assert capsys.readouterr().err.startswith("Refused: events.json, line 1, record 1, column date: ")
    assert api.get("/events").json() == []
    with pytest.raises(SystemExit) as ended:
        call_command("import", file, "--skip")
    assert ended.value.code == 1
    assert [event["title"] for event in api.get("/events").json()] == ["Glazing day"]


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--strict"], 1)])
def test_what_was_changed_is_a_failure_only_where_that_is_asked_for(
    b: list[str], options: list[str], status: int
) -> None:
    try:
        call_command("import", *b, *options)
    except SystemExit as ended:
        assert ended.code == status
    else:
        assert status == 0


def test_a_second_import_changes_nothing(api: Api, b: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import", *b)
    event_id = the_event(api)["eventId"]
    api.leave(event_id, "ann")
    before = [api.get(f"/events/{event_id}{path}").json() for path in ("", "/registrations", "/waitlist")]
    capsys.readouterr()
    call_command("import", *b)
    assert [api.get(f"/events/{event_id}{path}").json() for path in ("", "/registrations", "/waitlist")] == before
    assert f"Event {event_id} was here already and was left as it is." in capsys.readouterr().out


@pytest.mark.parametrize("cut", ["_write_people", "_finish"])
def test_an_import_that_was_cut_off_is_taken_up_again(api: Api, b: list[str], cut: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(write, cut, _die)
        with pytest.raises(ZeroDivisionError):
            call_command("import", *b)
    assert [event["status"] for event in api.get("/events").json()] == ["draft"]
    call_command("import", *b)
    event = the_event(api)
    assert (event["registeredCount"], event["waitlistCount"], event["status"]) == (2, 3, "active")
    assert len(list(EventTicket.in_order(event["eventId"], Event.get(event["eventId"]).incarnation, limit=100))) == 5


def _die(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_nobody_gets_in_while_an_event_is_written(api: Api) -> None:
    (wanted,) = assemble([theirs.A_EVENT]).events
    user = api.user()
    assert write.claim(wanted)
    assert api.register(wanted.event_id, user).json()["code"] == "registration_closed"


@pytest.mark.parametrize(
    ("known", "verified"), [({}, True), ({"emailVerified": False}, None), ({"emailVerified": True}, True)]
)
def test_an_imported_address_counts_as_verified(
    api: Api, tmp_path: Path, known: dict[str, bool], verified: bool | None
) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps([{"userId": "ann", "name": "Ann", "email": "ann@example.org"} | known]))
    call_command("import", str(path))
    assert bool(User.get("ann").email_verified) is bool(verified)
