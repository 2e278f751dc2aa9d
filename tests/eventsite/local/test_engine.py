"""The embedded engine: one per directory, as long as somebody uses it, and nothing is lost."""

import fcntl
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Event, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

from eventsite.local import engine
from eventsite.local.engine import EngineFailed, Lease
from tests.eventsite.processes import SECONDS, has_ended, python, record

Take = Callable[[], Lease]

SESSION = get_session()
CLIENT = "print(engine.endpoint()); sys.stdin.read()"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture
def take(directory: Path) -> Iterator[Take]:
    """Take a lease of the engine of the directory. All are released at the end."""
    taken: list[Lease] = []

    def take() -> Lease:
        taken.append(engine.lease(directory))
        return taken[-1]

    yield take
    for lease in taken:
        lease.release()


def dynamodb(url: str) -> Any:
    return SESSION.create_client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def write(url: str, table: str) -> None:
    """Leave something in the engine that can be looked for: a table."""
    dynamodb(url).create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def written(url: str) -> list[str]:
    names: list[str] = dynamodb(url).list_tables()["TableNames"]
    return names


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


# One engine per directory


def test_two_leases_share_one_engine(take: Take) -> None:
    assert take().url == take().url


def test_two_directories_have_two_engines(take: Take, tmp_path: Path) -> None:
    other = engine.lease(tmp_path / "other")
    try:
        assert other.url != take().url
    finally:
        other.release()


def test_processes_that_start_at_once_share_one_engine(directory: Path) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(python(directory, CLIENT)) for _ in range(4)]
        urls = {client.stdout.readline() for client in clients if client.stdout}
    assert len(urls) == 1
    assert urls.pop().startswith("http://127.0.0.1:")


def test_threads_of_one_process_share_one_lease(directory: Path) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    print(len(set(pool.map(lambda _: engine.endpoint(), range(8)))))
"""
    with python(directory, code) as client:
        assert client.communicate(timeout=SECONDS)[0] == "1\n"


# As long as somebody uses it


def test_the_engine_ends_with_its_last_lease(take: Take, directory: Path) -> None:
    first, second = take(), take()
    first.release()
    assert second.is_good
    assert written(second.url) == []
    second.release()
    assert has_ended(directory)
    assert not (directory / "engine.json").exists()


def test_the_engine_ends_with_a_killed_client(directory: Path) -> None:
    with python(directory, CLIENT) as client:
        assert client.stdout
        write(client.stdout.readline().strip(), "kept")
        client.kill()
        client.wait()
    assert has_ended(directory)
    again = engine.lease(directory)
    try:
        assert written(again.url) == ["kept"]
    finally:
        again.release()


def test_ctrl_c_does_not_reach_the_engine(take: Take, directory: Path) -> None:
    lease = take()
    host = record(directory)["pid"]
    assert os.getsid(host) != os.getsid(0)  # a terminal interrupts the processes of its own session
    os.kill(host, signal.SIGINT)
    assert written(lease.url) == []


def test_a_fork_leaves_the_lease_to_its_parent(directory: Path) -> None:
    code = """
engine.endpoint()
if os.fork() == 0:
    sys.exit()  # with everything that is done at an ordinary exit
os.wait()
print(engine._lease.is_good)
"""
    with python(directory, code) as client:
        assert client.communicate(timeout=SECONDS)[0] == "True\n"


def test_a_fork_takes_a_lease_of_its_own_that_outlives_its_parent(directory: Path) -> None:
    code = """
url = engine.endpoint()
ready, parent = os.pipe(), os.pipe()
if os.fork():
    os.close(ready[1])
    os.read(ready[0], 1)
    sys.exit()
os.close(parent[1])
same = engine.endpoint() == url
os.write(ready[1], b".")
os.read(parent[0], 1)
print(same, engine._lease.is_good)
"""
    with python(directory, code) as client:
        assert client.stdout
        assert client.stdout.read() == "True True\n"
    assert has_ended(directory)


def test_an_engine_that_died_is_started_again(directory: Path) -> None:
    code = """
print(engine.endpoint())
while engine._lease.is_good:
    pass
print(engine.endpoint())
sys.stdin.read()
"""
    with python(directory, code) as client:
        assert client.stdout
        first = client.stdout.readline().strip()
        kill(record(directory)["pid"])
        second = client.stdout.readline().strip()
        assert second not in ("", first)
        assert written(second) == []


# Arriving at a bad moment


def test_a_record_left_by_a_crash_is_not_believed(take: Take, directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:  # has the port now, and is silent
        directory.mkdir()
        (directory / "engine.json").write_text(f'{{"leases": {stranger.getsockname()[1]}}}')
        assert written(take().url) == []


@pytest.mark.parametrize("left", ["{", "[]", '{"leases": 1}'])
def test_a_damaged_record_is_not_believed(take: Take, directory: Path, left: str) -> None:
    first = take()
    (directory / "engine.json").write_text(left)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(engine.lease, directory)
        first.release()  # the engine cannot be found any more, only waited for
        lease = second.result(SECONDS)
    try:
        assert written(lease.url) == []
    finally:
        lease.release()


def test_a_client_waits_for_the_holder_of_the_lock(take: Take, directory: Path) -> None:
    directory.mkdir()
    with (directory / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = Thread(target=take)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not (directory / "engine.json").exists()
    waiting.join(SECONDS)
    assert (directory / "engine.json").exists()


def test_a_client_that_comes_as_the_engine_ends_gets_the_next_one(directory: Path) -> None:
    lease = engine.lease(directory)
    for number in range(3):
        ending = Thread(target=lease.release)
        ending.start()
        lease = engine.lease(directory)
        write(lease.url, f"table-{number}")
        ending.join()
    try:
        assert written(lease.url) == [f"table-{number}" for number in range(3)]
    finally:
        lease.release()


# Nothing is lost


def test_release_returns_when_everything_is_saved(take: Take, directory: Path) -> None:
    lease = take()
    write(lease.url, "kept")
    lease.release()
    assert "kept" in (directory / "state" / "dynamodb.json").read_text()
    assert written(take().url) == ["kept"]


def test_a_process_that_exits_waits_until_everything_is_saved(directory: Path) -> None:
    with python(directory, CLIENT) as client:
        assert client.stdin and client.stdout
        write(client.stdout.readline().strip(), "kept")
        host = record(directory)["pid"]
        os.kill(host, signal.SIGSTOP)
        try:
            client.stdin.close()
            with pytest.raises(TimeoutExpired):
                client.wait(1)
        finally:
            os.kill(host, signal.SIGCONT)
        client.wait(SECONDS)
    assert "kept" in (directory / "state" / "dynamodb.json").read_text()


def test_writes_are_saved_before_the_end_too(take: Take, directory: Path) -> None:
    lease = take()
    write(lease.url, "kept")
    saved, deadline = directory / "state" / "dynamodb.json", time.monotonic() + SECONDS
    while not saved.exists() and time.monotonic() < deadline:
        Event().wait(0.02)
    kill(record(directory)["pid"])
    while lease.is_good and time.monotonic() < deadline:
        Event().wait(0.02)
    assert not lease.is_good
    assert written(take().url) == ["kept"]


SCOPED = {"__account_region_scoped__": True}
NO_STATE = [
    "", "{", "null", "[]", "{}", "5", '"text"', "[1]", '{"tables": ', '{"tables": 5}', '{"tables": {}}', '{"x": []}',
    json.dumps({"__ministack_format__": 99, "payload": {"tables": SCOPED | {"data": {}}}}),
    json.dumps({"__ministack_format__": 2, "payload": []}),
    json.dumps({"__ministack_format__": 2, "payload": {"tables": SCOPED}}),
    json.dumps({"__ministack_format__": 2, "payload": {"tables": SCOPED | {"data": {"no-key": {}}}}}),
    json.dumps({"__ministack_format__": 2, "payload": {"tables": SCOPED | {"data": {"1\x00us-east-1\x00'a'": []}}}}),
]  # fmt: skip


RESTORE = """
os.environ |= {"PERSIST_STATE": "1", "STATE_DIR": os.environ["LOCAL_DYNAMODB_DIR"] + "/state"}
import json, pathlib
from eventsite.local.saved_state import SavedState
directory = pathlib.Path(os.environ["LOCAL_DYNAMODB_DIR"])
(directory / "state").mkdir(parents=True)
for service, text in json.load(sys.stdin):
    saved = directory / "state" / f"{service}.json"
    saved.write_text(text)
    try:
        SavedState(directory).take_over()
        print(f"{service} {text!r} was restored")
    except SystemExit as refusal:
        assert str(refusal).startswith(f"The saved state in {saved} cannot be read ("), refusal
    saved.unlink()
"""


def test_state_of_another_shape_is_refused(directory: Path) -> None:
    files = [("dynamodb", text) for text in NO_STATE]
    files += [("cognito", text.replace("tables", "user_pools")) for text in NO_STATE]
    with python(directory, RESTORE) as client:
        assert client.communicate(json.dumps(files), timeout=SECONDS)[0] == ""
        assert client.returncode == 0


@pytest.mark.parametrize("text", ["[]", '{"tables": '])
def test_state_that_cannot_be_read_is_left_alone(directory: Path, text: str) -> None:
    saved = directory / "state" / "dynamodb.json"
    saved.parent.mkdir(parents=True)
    saved.write_text(text)
    with pytest.raises(EngineFailed, match=f"The saved state in {saved} cannot be read"):
        engine.lease(directory)
    assert saved.read_text() == text


def test_what_was_readable_for_others_becomes_private(directory: Path, take: Take) -> None:
    saved = directory / "state"
    saved.mkdir(parents=True)
    (directory / "notes.txt").touch(0o644)  # not ours
    old = [
        saved / "cognito-rsa-key.pem",
        directory / "secret-key",
        *(directory / f"engine.{kind}" for kind in ("lock", "log", "json")),
    ]
    for path in old:
        path.touch(0o644)
    lease = take()
    write(lease.url, "kept")
    lease.release()
    ours = [path for path in directory.rglob("*") if path.is_file() and path.name != "notes.txt"]
    assert saved / "dynamodb.json" in ours
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in ours} == {path.name: "0o600" for path in ours}
    assert (directory / "notes.txt").stat().st_mode & 0o777 == 0o644


def test_a_full_disk_is_an_error_of_the_next_write_and_nothing_that_was_saved_is_lost(
    directory: Path, take: Take
) -> None:
    lease = take()
    write(lease.url, "kept")
    host, saved = record(directory)["pid"], directory / "state" / "dynamodb.json"
    until(lambda: saved.exists() and "kept" in saved.read_text())
    _, most = resource.prlimit(host, resource.RLIMIT_FSIZE)
    resource.prlimit(host, resource.RLIMIT_FSIZE, (0, most))  # no file may grow, the log neither: as on a full disk
    client = dynamodb(lease.url)
    refusals = [refusal(client, number) for number in range(5)]
    until(lambda: bool(refusal(client, 0)))
    assert refusals[0] == ""  # it was in memory before it could not be saved
    assert "cannot save its data in" in refusal(client, 1)
    assert written(lease.url) == ["kept"]  # reading goes on
    assert "kept" in saved.read_text()
    resource.prlimit(host, resource.RLIMIT_FSIZE, (most, most))
    until(lambda: not refusal(client, 2))
    lease.release()
    assert scanned(take().url) >= {"0", "2"}


def refusal(client: Any, number: int) -> str:
    """Write an item. Return the message of the error, empty if there is none."""
    try:
        client.put_item(TableName="kept", Item={"id": {"S": str(number)}})
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NotSaved"
        return str(error)
    return ""


def scanned(url: str) -> set[str]:
    return {item["id"]["S"] for item in dynamodb(url).scan(TableName="kept")["Items"]}


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, generously: only a test that fails waits that long."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        Event().wait(0.02)


def test_nothing_is_written_elsewhere(take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("TMPDIR", "STATE_DIR", "S3_DATA_DIR"):
        monkeypatch.setenv(name, str(elsewhere))
    lease = take()
    write(lease.url, "kept")
    assert not list(elsewhere.iterdir())
    lease.release()
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_ministack/health", "/", "/bucket"])
def test_web_pages_get_nothing_out_of_the_engine(take: Take, path: str) -> None:
    """A page may send a plain POST anywhere, but not with the header that DynamoDB's calls have."""
    lease = take()
    write(lease.url, "kept")
    with pytest.raises(HTTPError, match="404") as refused:
        urlopen(Request(lease.url + path, b"{}", {"Origin": "https://example.com"}), timeout=SECONDS)
    refused.value.close()
    assert written(lease.url) == ["kept"]


# When it cannot be had


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EngineFailed, match=r"cannot keep its data in .*file/data \(Not a directory\): set LOCAL_DYN"):
        engine.lease(tmp_path / "file" / "data")


def test_a_missing_package_is_named(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ministack", None)
    with pytest.raises(EngineFailed, match=r"not installed: run `pip install -r requirements-dev.txt`"):
        take()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that the host takes for ministack."""
    package = tmp_path / "path" / "ministack"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    return package / "app.py"


def test_an_engine_that_cannot_start_is_quoted(directory: Path, stand_in: Path) -> None:
    stand_in.write_text("raise RuntimeError('the flux is low')")
    with pytest.raises(EngineFailed) as failed:
        engine.lease(directory)
    assert f"did not start. The end of {directory / 'engine.log'}:" in failed.value.sentence
    assert failed.value.sentence.endswith("RuntimeError: the flux is low")


def test_an_engine_that_does_not_get_ready_is_given_up(
    directory: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.write_text("import threading; threading.Event().wait()")
    monkeypatch.setattr(engine, "START_SECONDS", 0.5)
    with pytest.raises(EngineFailed, match=r"was not ready within 0.5 seconds. .*engine.log is empty"):
        engine.lease(directory)
    assert has_ended(directory)
