"""`manage.py export`: what it writes is all there is, and `import` makes the same of it again."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.api import Api


@pytest.fixture
def season(api: Api) -> None:
    """Two events, one of them full, with a queue, a promotion and somebody who left; names that are hard to write."""
    for user, name in (("alice", "=Alice, A."), ("bob", 'Bob "the" Übung'), ("carol", "Carol\nC."), ("-dave", "Dave")):
        api.post("/users", {"userId": user, "name": name, "email": f"{user.strip('-')}@example.com"})
    api.user("erin")
    api.event(eventId="party", capacity=1, title="-1+2", startTime="19:00", timeZone="Europe/Berlin")
    api.event(eventId="empty", status="draft", waitlistEnabled=False)
    for user in ("alice", "bob", "carol", "-dave"):
        api.register("party", user)
    api.leave("party", "alice")
    api.patch("/events/party", {"location": "Hall"})


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
def test_what_is_cut_off_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("registrations.moving.exporting.look.event_ids", interrupted)
    for form, to in (("jsonl", tmp_path / "season.jsonl"), ("csv", tmp_path)):
        with pytest.raises(CommandError, match="Interrupted") as ended:
            call_command("export", str(to), format=form)
        assert ended.value.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export", str(tmp_path / "file" / "season.jsonl"))
    with pytest.raises(CommandError, match="need a directory"):
        call_command("export", format="csv")
