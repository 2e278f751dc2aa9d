"""The embedded DynamoDB engine of local runs: ministack, in a process of its own, shared by all that need it.

    runserver, shell, any WSGI server         eventsite.local.host (one per directory)
    ┌──────────────────────────────┐          ┌─────────────────────────────────────────┐
    │ endpoint()  ── a lease ──────┼── TCP ──>│ counts leases, saves, ends with the last │
    │ PynamoDB    ── requests ─────┼── HTTP ─>│ ministack's DynamoDB                     │
    └──────────────────────────────┘          └─────────────────────────────────────────┘

A lease is a loopback connection that stays open for as long as its process lives. The kernel closes it however the
process ends, so the host learns of a Ctrl-C and of a ``kill -9`` alike; with the last lease it saves and ends.

At most one host runs on a directory, because it holds the lock on ``engine.lock`` from before its birth: whoever
wants to start it takes the lock and hands it down. The lock goes when the host is gone, and not before, so neither
a stale ``engine.json`` nor a host that is just ending can mislead anybody: one is not believed, the other waited for.
"""

import atexit
import fcntl
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from eventsite.errors import Unavailable

START_SECONDS = 60.0  # a busy machine takes its time
STOP_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.05
LOG_LINES = 5

LOCK, RECORD, LOG = "engine.lock", "engine.json", "engine.log"


class EngineFailed(Unavailable):
    """The embedded engine cannot be had; the sentence says why, and what to do about it."""


class Lease:
    """A process's claim on a running engine."""

    def __init__(self, channel: socket.socket, url: str) -> None:
        self._channel = channel
        self._owner = os.getpid()
        self.url = url

    @property
    def is_good(self) -> bool:
        """Whether the engine still runs: it says nothing after its greeting, so all that can come is the end."""
        self._channel.setblocking(False)
        try:
            return bool(self._channel.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def release(self) -> None:
        """Give the engine up, and wait until that is safe: it was the last lease, and everything is saved, or not.

        In a fork of the process that took the lease, nothing is given up: it is not the fork's to give.
        """
        if self._owner == os.getpid():
            with suppress(OSError):
                self._channel.shutdown(socket.SHUT_WR)
                self._channel.settimeout(STOP_SECONDS)
                self._channel.recv(1)
        self._channel.close()


_lease: Lease | None = None
_lock = threading.Lock()


def endpoint() -> str:
    """The URL of the embedded engine, which runs from now on for as long as this process does.

    Raises: `EngineFailed`.
    """
    global _lease
    with _lock:
        if _lease is None or not _lease.is_good:
            release()
            _lease = lease(settings.LOCAL_DYNAMODB_DIR)
        return _lease.url


@atexit.register
def release() -> None:
    """Give up this process's lease, if it has one."""
    global _lease
    if _lease is not None:
        _lease.release()
        _lease = None


def _forked() -> None:
    global _lock
    _lock = threading.Lock()  # another thread may have held it at the fork, and threads are not forked
    release()


os.register_at_fork(after_in_child=_forked)


def lease(directory: Path) -> Lease:
    """Attach to the engine that runs on a directory, or start one there.

    Raises: `EngineFailed`.
    """
    if importlib.util.find_spec("ministack") is None:
        raise EngineFailed(
            "The embedded DynamoDB engine is not installed: run `pip install -r requirements-dev.txt`, "
            "or set AWS_ENDPOINT_URL_DYNAMODB to a DynamoDB that runs."
        )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _attach_or_start(directory, time.monotonic() + START_SECONDS)
    except OSError as error:
        raise EngineFailed(
            f"The embedded DynamoDB engine cannot keep its data in {directory} ({error.strerror}): "
            "set LOCAL_DYNAMODB_DIR to a directory that can be written."
        ) from error


def _attach_or_start(directory: Path, until: float) -> Lease:
    while time.monotonic() < until:
        found = _start(directory, until) or _attach(directory, until)
        if found:
            return found
        time.sleep(LOOK_AGAIN_SECONDS)  # another one has the lock: it is about to listen, or about to end
    raise _late(directory)


def _attach(directory: Path, until: float) -> Lease | None:
    """Take a lease of the host that the record names; None if it is not there yet, or ends.

    To be asked only while the lock is held: nobody who is not there any more is taken for the host then.
    """
    try:
        record = json.loads((directory / RECORD).read_text())
        channel = socket.create_connection(("127.0.0.1", record["leases"]), timeout=1)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return _greeted(channel, directory, until)


def _start(directory: Path, until: float) -> Lease | None:
    """Start a host and take the first lease; None if another process holds the lock."""
    with (directory / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        (directory / RECORD).unlink(missing_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # The lease comes first and waits in the listener's queue, so the host is never without one.
            channel = socket.create_connection(listener.getsockname())
            host = _spawn(directory, lock.fileno(), listener.fileno())
    try:
        started = _greeted(channel, directory, until)
    except EngineFailed:
        with suppress(ProcessLookupError):
            os.killpg(host, signal.SIGKILL)
        raise
    if started is None:
        raise EngineFailed(f"The embedded DynamoDB engine did not start.{_last_words(directory)}")
    return started


def _spawn(directory: Path, lock: int, listener: int) -> int:
    """Run the host in a session of its own, out of reach of the terminal's Ctrl-C. Returns: its process group."""
    command = [sys.executable, "-m", "eventsite.local.host", str(directory), str(lock), str(listener)]
    with (directory / LOG).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, our own module)
            command,
            cwd=settings.BASE_DIR,
            pass_fds=(lock, listener),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process.wait()  # for the launcher only: the host is its child, and nobody has to bury it
    return process.pid


def _greeted(channel: socket.socket, directory: Path, until: float) -> Lease | None:
    """Wait for the host to say that its engine is ready; None if it ends instead, or is a stranger."""
    try:
        channel.settimeout(max(0.01, until - time.monotonic()))
        with channel.makefile("rb") as lines:
            greeting: Any = json.loads(lines.readline() or b"{}")
    except TimeoutError:
        channel.close()
        raise _late(directory) from None
    except (OSError, ValueError):
        greeting = {}
    if greeting.get("directory") == str(directory):
        return Lease(channel, greeting["url"])
    channel.close()
    return None


def _late(directory: Path) -> EngineFailed:
    return EngineFailed(
        f"The embedded DynamoDB engine was not ready within {START_SECONDS:g} seconds.{_last_words(directory)}"
    )


def _last_words(directory: Path) -> str:
    log = directory / LOG
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
        return "\n".join([f" The end of {log}:", *lines]) if lines else f" {log} is empty."
    return ""
