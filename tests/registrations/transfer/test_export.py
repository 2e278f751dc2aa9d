"""`manage.py export`: what it writes is all there is, and `import` makes the same of it again."""

import io
import os
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eventsite.dynamodb.base_model import table_models
from tests.api import Api
from tests.children import SECONDS
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


@pytest.mark.usefixtures("season")
def test_a_directory_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for to in ("", ".", str(tmp_path / "here")):
        with pytest.raises(CommandError, match=r"is a directory: name a file, or add --format csv\.$"):
            call_command("export", to, stderr=io.StringIO())
    assert [*tmp_path.rglob("*")] == [tmp_path / "here"]


@pytest.mark.usefixtures("season")
def test_a_sheet_that_cannot_get_its_name_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / "users.csv" / "full").mkdir(parents=True)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", str(tmp_path), format="csv", stderr=io.StringIO())
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.usefixtures("season")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.extend(pipe.read_text().splitlines()))
    reader.start()
    call_command("export", str(pipe), stderr=io.StringIO())
    reader.join(SECONDS)
    assert len(read) == 5 + 2 + 4
    assert [*tmp_path.iterdir()] == [pipe] and pipe.is_fifo()


@pytest.mark.usefixtures("season")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_leads_to_the_exported_file(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "link.jsonl").symlink_to("file.jsonl")
    if is_there:
        (tmp_path / "file.jsonl").write_text("before")
    call_command("export", str(tmp_path / "link.jsonl"), stderr=io.StringIO())
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len((tmp_path / "file.jsonl").read_text().splitlines()) == 5 + 2 + 4


@BROKEN
def test_a_broken_sheet_names_the_place_and_imports_nothing(api: Api, tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "users.csv").write_text("userId,name\nbob,Bob\n")
    (tmp_path / "broken.csv").write_text(text, newline="")
    with pytest.raises(CommandError, match=f"broken.csv, {place}"):
        call_command("import", str(tmp_path / "users.csv"), str(tmp_path / "broken.csv"))
    assert api.get("/users").json() == []
