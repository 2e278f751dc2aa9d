"""What operators read: no text of a user moves their cursor, or looks like a line of ours."""

import io
import json
import logging
import re
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from eventsite.management.operating import OperatorCommand
from eventsite.text.printable import PrintableFormatter, PrintableServerFormatter, printable
from registrations.notices import words
from tests.api import EVENT, Api
from tests.registrations.notices import streaming as stream

HOSTILE = "A\x1b]0;owned\x07\r\n2026-01-01 INFO forged\x9b31m\u2028\u202b\x00".replace("\0", "\x7f")
EXECUTED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def test_every_character_that_a_terminal_executes_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        if EXECUTED.match(character := chr(code)) or character == "\n":
            assert printable(character).isascii() and printable(character).startswith("\\")
    assert printable("Ünïcödé – 👩\u200d👧 a\u00a0b") == "Ünïcödé – 👩\u200d👧 a\u00a0b"


@given(value=st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_stays_the_same_json(value: Any) -> None:
    shown = printable(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert not EXECUTED.search(shown) and "\n" not in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_the_terminal_has_no_character_for_is_escaped_too(encoding: str) -> None:
    shown = printable(json.dumps(["Ünï – 👩\u200d👧"], ensure_ascii=False), encoding)
    assert json.loads(shown.encode(encoding).decode(encoding)) == ["Ünï – 👩\u200d👧"]
    assert printable("Ü", "latin-1") == "Ü"


def test_a_command_prints_in_any_encoding(api: Api) -> None:
    event = api.event(title="Übung 👩")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    call_command("show", event, stdout=out)
    out.seek(0)
    assert "\\u00dcbung \\ud83d\\udc69" in out.read()


@pytest.fixture
def hostile(api: Api) -> str:
    """An event and a person whose every text is hostile, and who is registered."""
    assert api.post("/users", {"userId": "eve", "name": HOSTILE}).status_code == 201
    texts = dict.fromkeys(("title", "description", "location", "organizer"), HOSTILE)
    event = api.event(**EVENT | texts | {"eventId": "party"})
    api.register(event, "eve")
    api.patch("/events/party", {"location": f"{HOSTILE}!"})
    return event


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize(
    "command", [["show", "party"], ["show", "eve"], ["export_user", "eve"], ["export"], ["erase_user", "eve"]], ids=str
)
def test_no_command_prints_what_a_terminal_executes(hostile: str, command: list[str]) -> None:
    printed = run(*command)
    assert "owned" in printed
    assert not EXECUTED.search(printed)
    assert not any(line.startswith("2026-01-01") for line in printed.split("\n"))


def test_an_import_prints_nothing_of_the_kind(tmp_path: Any) -> None:
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps([{"userId": HOSTILE, "name": HOSTILE, "email": HOSTILE}, {HOSTILE: HOSTILE}]))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 refused"):
        call_command("import", str(path), "--dry-run", stdout=out, stderr=out)
    assert "owned" in out.getvalue() and not EXECUTED.search(out.getvalue())


def test_an_error_of_a_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(OperatorCommand):
        def handle(self, *args: Any, **options: Any) -> None:
            raise CommandError(HOSTILE)

    with pytest.raises(SystemExit):
        Failing().run_from_argv(["manage.py", "failing"])
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and not EXECUTED.search(shown)


def formatter(name: str) -> logging.Formatter:
    kinds = {"line": PrintableFormatter, "served": PrintableServerFormatter}
    formatters: Any = settings.LOGGING["formatters"]
    declared = dict(formatters[name])
    assert declared.pop("()") == f"{kinds[name].__module__}.{kinds[name].__name__}"
    return kinds[name](declared.pop("format"), **declared)


def test_no_line_of_the_log_is_forged(hostile: str) -> None:
    for notice in stream.reported():
        record = logging.makeLogRecord({"msg": "%s", "args": (words.line(notice),)})
        assert not EXECUTED.search(line := formatter("line").format(record)) and "\n" not in line
    record = logging.makeLogRecord({"msg": '"%s" %s', "args": (f"GET /{HOSTILE}", "404"), "server_time": "now"})
    assert not EXECUTED.search(line := formatter("served").format(record)) and "\n" not in line


def test_a_traceback_keeps_its_lines_and_nothing_else() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    shown = formatter("line").format(record)
    assert shown.count("\n") > 2 and not EXECUTED.search(shown)
