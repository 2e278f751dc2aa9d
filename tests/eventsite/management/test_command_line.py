"""`manage.py help`: every command that it lists works, and no other one is known."""

from contextlib import suppress
from pathlib import Path

import pytest

from eventsite.management.command_line import KEPT, CommandLine
from tests.eventsite.processes import manage

OURS = {
    "audit_seats", "create_tables", "dead_letters", "erase_user", "export", "export_user", "follow", "import",
    "load_demo", "local_user", "plan", "purge_event", "remove_tables", "runserver", "shell", "show", "test",
}  # fmt: skip


def test_help_lists_what_works(tmp_path: Path) -> None:
    offered = set(manage(tmp_path, "help", "--commands").stdout.split())
    assert offered >= OURS | KEPT
    unknown = offered - OURS - KEPT
    assert [name for name in unknown if not list(Path().glob(f"*/management/commands/{name}.py"))] == []


def test_every_command_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for command in sorted(OURS | KEPT):
        with suppress(SystemExit):
            CommandLine(["manage.py", "help", command]).execute()
        printed = capsys.readouterr()
        assert (printed.err, "usage:" in printed.out) == ("", True), command


TRAPS = [
    "migrate", "flush", "sendtestemail", "generateschema", "makemessages", "compilemessages", "collectstatic",
    "startapp", "startproject", "testserver",
]  # fmt: skip


@pytest.mark.parametrize("command", TRAPS)
def test_a_command_that_cannot_work_is_not_known(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        CommandLine(["manage.py", command]).execute()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"Unknown command: '{command}'")
    assert printed.out == ""


def test_the_test_command_runs_pytest(tmp_path: Path) -> None:
    ended = manage(tmp_path, "test", "--collect-only", "-q", __file__, "tests/no_such_file.py")
    assert (ended.returncode, "not found" in ended.stderr) == (int(pytest.ExitCode.USAGE_ERROR), True)


@pytest.mark.parametrize("command", ["check", "diffsettings", "spectacular", "findstatic eventsite/pages.css"])
def test_commands_of_django_work(tmp_path: Path, command: str) -> None:
    ended = manage(tmp_path, *command.split())
    assert (ended.returncode, ended.stderr) == (0, "")
