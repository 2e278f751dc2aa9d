"""`manage.py runserver`: serves from a fresh checkout, and keeps its data."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from eventsite.management.commands.runserver import url_of
from tests.eventsite.processes import IN_BACKGROUND, SECONDS, Server, has_ended, lean, manage, record, runserver

ALICE = {"userId": "alice", "name": "Alice"}
MODES = pytest.mark.parametrize("mode", [["--noreload"], []], ids=["plain", "autoreload"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server for all tests that only look at one."""
    with runserver(tmp_path_factory.mktemp("data"), "--noreload") as running:
        yield running


@MODES
def test_a_fresh_checkout_serves(tmp_path: Path, mode: list[str]) -> None:
    with runserver(tmp_path, *mode) as server:
        assert server.call("/health")["status"] == "healthy"
        assert server.call("/users", ALICE)["userId"] == "alice"
        assert [line for line in server.output.splitlines() if str(tmp_path) in line] == [
            f"Data: in {tmp_path}, kept by the embedded DynamoDB engine at {record(tmp_path)['url']}"
        ]


@MODES
def test_a_port_that_there_is_not_is_a_sentence(tmp_path: Path, mode: list[str]) -> None:
    ended = manage(tmp_path, "runserver", "99999", *mode)
    assert (ended.returncode, ended.stderr) == (1, "CommandError: There is no port 99999: the last one is 65535.\n")


@pytest.mark.slow
def test_it_can_begin_with_a_season_to_look_around_in(tmp_path: Path) -> None:
    with runserver(tmp_path, "--noreload", "--demo") as server:
        assert len(server.call("/events?limit=1000")) == 40


@pytest.mark.parametrize(
    ("how", "mode"),
    [
        pytest.param(how, mode, id=f"{how.name}-{name}", marks=pytest.mark.slow if is_long else ())
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
        for name, mode, is_long in (("plain", ["--noreload"], False), ("autoreload", [], how != signal.SIGINT))
    ],
)
def test_it_ends_on_each_signal_though_started_in_the_background_and_keeps_its_data(
    tmp_path: Path, mode: list[str], how: signal.Signals
) -> None:
    with runserver(tmp_path, *mode, launcher=IN_BACKGROUND) as server:
        server.call("/users", ALICE)
        server.end(how)
        assert has_ended(tmp_path)
    with runserver(tmp_path, "--noreload") as server:
        assert server.call("/users/alice")["name"] == "Alice"


@MODES
def test_an_engine_that_was_killed_is_back_with_the_next_request(tmp_path: Path, mode: list[str]) -> None:
    with runserver(tmp_path, *mode) as server:
        server.call("/users", ALICE)
        until_saved(tmp_path, "alice")
        before = record(tmp_path)["pid"]
        os.kill(before, signal.SIGKILL)
        assert server.call("/users/alice")["name"] == "Alice"
        assert server.call("/health")["status"] == "healthy"
        assert record(tmp_path)["pid"] != before
        server.wait_for("The embedded DynamoDB engine has ended. It is started again on the same data.")


def until_saved(directory: Path, word: str) -> None:
    saved, deadline = directory / "state" / "dynamodb.json", time.monotonic() + SECONDS
    while not saved.exists() or word not in saved.read_text():
        assert time.monotonic() < deadline
        Event().wait(0.02)


def test_the_autoreloader_keeps_the_engine(tmp_path: Path) -> None:
    watched = tmp_path / "path" / "sitecustomize.py"  # a module that every Python imports as it starts
    watched.parent.mkdir()
    watched.touch()
    with runserver(tmp_path / "data", PYTHONPATH=str(watched.parent)) as server:
        server.call("/users", ALICE)
        before = record(tmp_path / "data")
        os.utime(watched, (time.time() + 1, time.time() + 1))
        server.wait_until_up()
        assert server.call("/users/alice")["name"] == "Alice"
        assert record(tmp_path / "data") == before


@pytest.mark.parametrize(
    ("address", "host"),
    [("127.0.0.1", "127.0.0.1"), ("0", "localhost"), ("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]")],
)
def test_links_in_mails_lead_to_where_it_listens(address: str, host: str) -> None:
    assert url_of(address, "8123") == f"http://{host}:8123"


def test_a_request_that_stalls_holds_up_nobody(server: Server) -> None:
    with socket.create_connection(server.address) as stalling:
        stalling.sendall(b"GET / HTTP/1.1\r\n")
        assert server.call("/health")["status"] == "healthy"


def test_another_endpoint_needs_no_engine(tmp_path: Path, engine: str) -> None:
    configured = {"AWS_ENDPOINT_URL_DYNAMODB": engine, "DYNAMODB_TABLE_PREFIX": "elsewhere-"}
    with runserver(tmp_path / "data", "--noreload", **configured) as server:
        assert server.call("/health")["status"] == "healthy"
        assert f"Data: in DynamoDB at {engine}\n" in server.output
        assert "Created the table elsewhere-users." in server.output
    assert not (tmp_path / "data").exists()


def test_what_a_request_needs_is_enough_to_serve_from_an_endpoint(tmp_path: Path, engine: str) -> None:
    configured = {"AWS_ENDPOINT_URL_DYNAMODB": engine, "DYNAMODB_TABLE_PREFIX": "lean-"} | lean(tmp_path / "path")
    with runserver(tmp_path / "data", "--noreload", **configured) as server:
        assert server.call("/health")["status"] == "healthy"
        assert server.call("/users", ALICE)["userId"] == "alice"


@MODES
def test_without_an_endpoint_it_names_the_package_to_install(tmp_path: Path, mode: list[str]) -> None:
    ended = manage(tmp_path / "data", "runserver", "0", *mode, **lean(tmp_path / "path"))
    assert ended.returncode == 1
    assert "run `pip install -r requirements-dev.txt`, or set AWS_ENDPOINT_URL_DYNAMODB" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("mode", [[], ["--demo"]], ids=["", "demo"])
def test_an_endpoint_that_does_not_answer_is_named(tmp_path: Path, mode: list[str]) -> None:
    ended = manage(tmp_path, "runserver", "0", *mode, AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert "Error: DynamoDB at http://127.0.0.1:1 does not answer.\n" in ended.stderr
    assert "Traceback" not in ended.stderr


@MODES
def test_data_that_cannot_be_kept_are_refused_in_a_sentence(tmp_path: Path, mode: list[str]) -> None:
    (tmp_path / "file").touch()
    ended = manage(tmp_path / "file" / "data", "runserver", "0", *mode)
    assert ended.returncode == 1
    assert ended.stderr.startswith("CommandError: The embedded DynamoDB engine cannot keep its data in ")
    assert ended.stderr.count("\n") == 1


def test_it_prints_the_address_to_open(server: Server) -> None:
    assert f"Open in a browser: http://127.0.0.1:{server.address[1]}/events\n" in server.output


def test_it_listens_on_this_machine_only_by_default(server: Server) -> None:
    assert "http://127.0.0.1:" in server.output
    with socket.create_connection(server.address, timeout=SECONDS) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
