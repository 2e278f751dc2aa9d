"""The pause that docs/operations.md describes: from the first release's tables into today's, and back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eventsite.dynamodb.connection import connection
from tests.api import Api
from tests.bench import moving
from tests.registrations.transfer.tables import FIRST_RELEASE
from tests.tour import ROOT

STEPS = ("Stop the old function", "Scan the old tables", "Make the new tables", "Import", "Start the new function")


def ask(operation: str, arguments: dict[str, Any]) -> Any:
    return connection()._make_api_call(operation, arguments)


@pytest.fixture
def old_tables(api: Api) -> Iterator[None]:
    """The first release's, with a party: one seat, which Alice has, and a queue of two."""
    moving.make_tables(ask)
    moving.fill(ask, FIRST_RELEASE)
    yield
    for name in moving.KEYS:
        ask("DeleteTable", {"TableName": moving.PREFIX + name})


def old_contents() -> list[Any]:
    return [page for name in moving.KEYS for page in moving.pages(ask, moving.PREFIX + name)]


def test_the_old_tables_are_not_taken_for_todays(monkeypatch: pytest.MonkeyPatch, old_tables: None) -> None:
    """`create_tables --migrate` refuses such tables, and names the page with the steps."""
    from registrations.models import RegistrationItem

    monkeypatch.setattr(RegistrationItem.Meta, "table_name", moving.PREFIX + "registrations")
    with pytest.raises(CommandError, match="first-release-registrations cannot be migrated in place"):
        call_command("create_tables", "--migrate")


def test_after_the_pause_everything_is_as_it_was_and_the_old_tables_are_untouched(
    api: Api, old_tables: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = old_contents()
    files = [str(path) for path in moving.scan(ask, tmp_path)]
    call_command("import", *files, "--dry-run")
    assert api.get("/events").json() == []
    call_command("import", *files)
    assert "1 event, 4 users and 4 registrations to import." in capsys.readouterr().out

    event = api.get("/events/party").json()
    assert (event["version"], event["registeredCount"], event["waitlistCount"]) == (3, 1, 2)
    assert [row["userId"] for row in api.get("/events/party/registrations").json()] == ["alice", "zoe", "bob"]
    assert [row["userId"] for row in api.get("/events/party/registrations?status=cancelled").json()] == ["old"]
    assert api.leave("party", "alice").json()["promotedUser"] == "zoe"
    call_command("audit_seats")

    assert old_contents() == before


def test_an_import_that_was_cut_off_is_done_again(api: Api, old_tables: None, tmp_path: Path) -> None:
    files = [str(path) for path in moving.scan(ask, tmp_path)]
    call_command("import", *files)
    call_command("import", *files)
    assert [row["userId"] for row in api.get("/events/party/registrations").json()] == ["alice", "zoe", "bob"]


def test_the_steps_are_in_order() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    section = page.partition("## From the first release")[2].partition("\n## ")[0]
    assert re.findall(r"^\d\. \*\*(.+?)\.\*\*", section, re.MULTILINE) == list(STEPS)
    assert "python -m tests.bench.moving" in section
