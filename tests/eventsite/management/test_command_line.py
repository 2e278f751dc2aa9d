"""`manage.py help`: what makes sense here, and nothing about SQL."""

from pathlib import Path

import pytest

from eventsite.management.command_line import ABOUT_SQL
from tests.eventsite.processes import manage


def test_help_offers_no_sql(tmp_path: Path) -> None:
    offered = set(manage(tmp_path, "help", "--commands").stdout.split())
    assert offered & ABOUT_SQL == set()
    assert {"runserver", "create_tables", "audit_seats", "shell", "check"} <= offered


@pytest.mark.parametrize("command", ["migrate", "dumpdata", "flush"])
def test_what_is_not_offered_is_not_known(tmp_path: Path, command: str) -> None:
    ended = manage(tmp_path, command)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Unknown command: '{command}'")


def test_the_system_checks_run_as_ever(tmp_path: Path) -> None:
    ended = manage(tmp_path, "check")
    assert (ended.returncode, ended.stderr) == (0, "")
