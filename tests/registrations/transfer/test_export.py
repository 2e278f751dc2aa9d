"""`manage.py export`: what it writes is all there is, and `import` makes the same of it again."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eventsite.dynamodb.base_model import table_models
from tests.api import Api
from tests.registrations.transfer.sheets import BROKEN

FORMATS = {"jsonl": ["season.jsonl"], "csv": ["users.csv", "events.csv", "registrations.csv"]}


@pytest.fixture
def season(api: Api) -> None:
    """Two events, one of them full, with a queue, a promotion, a leaver and difficult names."""
    for user, name in (("alice", "=Alice, A."), ("bob", 'Bob "the" Übung'), ("carol", "Carol\nC."), ("-dave", "Dave")):
        api.post("/users", {"userId": user, "name": name, "email": f"{user.strip('-')}@example.com"})
    api.post("/users", {"userId": "erin", "name": "Erin", "notify": False})
    api.event(eventId="party", capacity=1, title="-1+2", startTime="19:00", timeZone="Europe/Berlin")
    api.event(eventId="empty", status="draft", waitlistEnabled=False)
    for user in ("alice", "bob", "carol", "-dave"):
        api.register("party", user)
    api.leave("party", "alice")
    api.patch("/events/party", {"location": "Hall"})


def reported(api: Api) -> dict[str, Any]:
    """Return all that the API shows."""
    paths = ["/users", "/events", "/events/party/registrations", "/events/party/registrations?status=cancelled"]
    paths += ["/events/party/waitlist", "/users/alice/registrations?status=cancelled", "/users/-dave/waitlists"]
    answers = {path: api.get(path).json() for path in paths}
    answers["/users"].sort(key=lambda user: user["userId"])
    return answers


def empty_the_tables() -> None:
    for model in table_models():
        model.delete_table()
        model.create_table(wait=False)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.usefixtures("season")
def test_what_was_exported_is_the_same_after_an_import(api: Api, tmp_path: Path, form: str) -> None:
    before = reported(api)
    to = tmp_path / "season.jsonl" if form == "jsonl" else tmp_path
    call_command("export", str(to), format=form)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FORMATS[form])
    empty_the_tables()
    call_command("import", *(str(tmp_path / name) for name in FORMATS[form]))
    assert reported(api) == before
    assert api.leave("party", "bob").json()["promotedUser"] == "carol"


@pytest.mark.usefixtures("season")
def test_it_prints_where_no_file_is_named() -> None:
    printed = io.StringIO()
    call_command("export", stdout=printed, stderr=io.StringIO())
    assert len(printed.getvalue().splitlines()) == 5 + 2 + 4


@pytest.mark.usefixtures("season")
def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    call_command("export", str(tmp_path), format="csv")
    assert "'-1+2" in (tmp_path / "events.csv").read_text()
    assert '"\'=Alice, A."' in (tmp_path / "users.csv").read_text()


@pytest.mark.usefixtures("season")
def test_an_interrupted_export_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("registrations.transfer.export.snapshot.event_ids", interrupted)
    for form, to in (("jsonl", tmp_path / "season.jsonl"), ("csv", tmp_path)):
        with pytest.raises(CommandError, match="Interrupted") as ended:
            call_command("export", str(to), format=form)
        assert ended.value.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", str(tmp_path / "file" / "season.jsonl"))
    with pytest.raises(CommandError, match="need a directory"):
        call_command("export", format="csv")


@BROKEN
def test_a_broken_sheet_names_the_place_and_imports_nothing(api: Api, tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "users.csv").write_text("userId,name\nbob,Bob\n")
    (tmp_path / "broken.csv").write_text(text, newline="")
    with pytest.raises(CommandError, match=f"broken.csv, {place}"):
        call_command("import", str(tmp_path / "users.csv"), str(tmp_path / "broken.csv"))
    assert api.get("/users").json() == []
