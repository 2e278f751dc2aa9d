"""Operator commands: each kind of failure has a sentence of its own, and local runs need no preparation."""

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from django.conf import settings
from django.core.management import CommandError, call_command

from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.connection import connection
from eventsite.management import operating
from tests.api import Api
from tests.eventsite.processes import manage
from tests.faults import Clock, Fault, Request, failing, refused


@pytest.fixture
def commands(tmp_path: Path, api: Api) -> dict[str, list[str]]:
    """Every command of an operator that works on the tables, with arguments that lead to them."""
    event, user = api.event(), api.user()
    users = tmp_path / "users.jsonl"
    users.write_text('{"userId": "u", "name": "U"}\n')
    return {
        "audit_seats": [],
        "erase_user": [user],
        "export": [str(tmp_path / "all.jsonl")],
        "export_user": [user],
        "import": [str(users)],
        "load_demo": ["--anyway"],
        "purge_event": [event],
        "show": [event],
        "create_tables": [],
        "remove_tables": [],
    }


def refusal(command: str, arguments: list[str]) -> str:
    with pytest.raises(CommandError) as failed:
        call_command(command, *arguments, stdout=io.StringIO(), stderr=io.StringIO())
    return str(failed.value)


def raising(kind: type[Exception], **details: Any) -> Fault:
    def fault(request: Request) -> Any:
        raise kind(**details)

    return fault


def refusing(code: str, status: int = 400) -> Fault:
    return lambda request: refused(request, code, status)


URL = {"endpoint_url": "http://a.example"}
SILENT, BUSY, CREDENTIALS = "does not answer", "was busy for too long", "does not accept the credentials"
KINDS: list[tuple[str, Fault]] = [
    (SILENT, raising(EndpointConnectionError, **URL)),
    (SILENT, raising(ConnectTimeoutError, **URL)),
    (SILENT, raising(ConnectionClosedError, **URL)),
    (SILENT, raising(ReadTimeoutError, **URL)),
    (SILENT, raising(SSLError, **URL, error="no")),
    (SILENT, raising(ResponseStreamingError, error="no")),
    ("There are no AWS credentials", raising(NoCredentialsError)),
    ("There are no AWS credentials", raising(PartialCredentialsError, provider="env", cred_var="KEY")),
    (CREDENTIALS, refusing("UnrecognizedClientException")),
    (CREDENTIALS, refusing("ExpiredTokenException")),
    (CREDENTIALS, refusing("InvalidSignatureException")),
    ("These credentials do not allow it", refusing("AccessDeniedException")),
    (BUSY, refusing("ThrottlingException")),
    (BUSY, refusing("ProvisionedThroughputExceededException")),
    (BUSY, refusing("InternalServerError", 500)),
    ("refused: ", refusing("ValidationException")),
]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a local run: nothing makes tables, and waiting takes no time."""
    monkeypatch.setattr(settings, "LOCAL", False)
    Clock().install(monkeypatch)


@pytest.mark.parametrize("words, fault", KINDS)
def test_each_kind_of_failure_has_its_sentence(
    commands: dict[str, list[str]], words: str, fault: Fault, elsewhere: None
) -> None:
    others = {kind for kind, _ in KINDS} - {words}
    for command, arguments in commands.items():
        with failing(fault, lasting=True):
            sentence = refusal(command, arguments)
        assert words in sentence, command
        assert not any(other in sentence for other in others)


@pytest.fixture
def no_tables() -> Iterator[None]:
    for model in table_models():
        model.delete_table()
    yield


def test_missing_tables_are_named_with_the_remedy(
    commands: dict[str, list[str]], elsewhere: None, no_tables: None
) -> None:
    for command in commands.keys() - {"create_tables", "remove_tables"}:
        sentence = refusal(command, commands[command])
        assert sentence.endswith("run `manage.py create_tables`."), command
        assert [model for model in table_models() if model.Meta.table_name in sentence]


@pytest.mark.parametrize("command", ["export", "show", "index_users", "export_user", "erase_user"])
def test_an_item_that_cannot_be_read_is_a_sentence(api: Api, command: str) -> None:
    item = {"userId": {"S": "odd"}, "name": {"N": "1"}, "createdAt": {"S": "2026-11-30"}}
    connection()._make_api_call("PutItem", {"TableName": settings.USERS_TABLE, "Item": item})
    arguments = [] if command in ("export", "index_users") else ["odd"]
    assert refusal(command, arguments).endswith(" is not as this release writes it, and cannot be read.")


def test_one_missing_table_is_named_alone(commands: dict[str, list[str]], elsewhere: None) -> None:
    users = next(model for model in table_models() if "users" in model.Meta.table_name)
    users.delete_table()
    assert refusal("export", commands["export"]) == (
        f"There is no table {users.Meta.table_name}: run `manage.py create_tables`."
    )


@pytest.mark.parametrize("command", ["export", "audit_seats"])
def test_a_local_run_makes_its_tables(tmp_path: Path, command: str) -> None:
    ended = manage(tmp_path, command)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


class Unwritable(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.error = OSError(number, os.strerror(number))

    def write(self, text: str) -> int:
        raise self.error


PRINTING = pytest.mark.parametrize("command", ["show", "export", "export_user", "audit_seats"])


@PRINTING
def test_output_that_cannot_be_written_is_a_sentence(commands: dict[str, list[str]], command: str) -> None:
    arguments = [] if command == "export" else commands[command]
    with pytest.raises(CommandError, match=r"^It cannot be written: .*No space left on device\.$"):
        call_command(command, *arguments, stdout=Unwritable(errno.ENOSPC), stderr=io.StringIO())


@PRINTING
def test_a_reader_that_has_ended_ends_the_command_without_a_word(commands: dict[str, list[str]], command: str) -> None:
    arguments, errors = [] if command == "export" else commands[command], io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(command, *arguments, stdout=Unwritable(errno.EPIPE), stderr=errors)
    assert (ended.value.code, errors.getvalue()) == (141, "")


def test_an_export_is_private(tmp_path: Path, api: Api) -> None:
    api.user()
    (tmp_path / "all.jsonl").touch(0o644)
    (tmp_path / "all.jsonl.part").touch(0o644)
    call_command("export", str(tmp_path / "all.jsonl"), stdout=io.StringIO(), stderr=io.StringIO())
    call_command("export", str(tmp_path / "sheets"), format="csv", stdout=io.StringIO(), stderr=io.StringIO())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}


def test_in_a_pipe_there_is_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter(range(0, 1000, 4))
    monkeypatch.setattr("eventsite.management.operating.time.monotonic", lambda: next(seconds))
    assert list(operating.with_bar(range(6), "users", 6)) == list(range(6))
    assert capsys.readouterr().err.splitlines() == ["users: 3 of 6", "users: 6 of 6"]
