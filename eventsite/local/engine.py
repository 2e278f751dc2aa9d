"""The embedded DynamoDB engine of local runs: ministack in a host process that all local processes share.

    runserver, shell, any WSGI server         eventsite.local.host (one per directory)
    ┌──────────────────────────────┐          ┌─────────────────────────────────────────┐
    │ endpoint()  ── a lease ──────┼── TCP ──>│ counts leases, saves, ends with the last │
    │ PynamoDB    ── requests ─────┼── HTTP ─>│ ministack's DynamoDB                     │
    └──────────────────────────────┘          └─────────────────────────────────────────┘

A lease is a loopback connection that stays open as long as its process lives. The kernel closes it however the process
ends, so the host notices a Ctrl-C and a ``kill -9`` alike. After the last lease it saves and ends.

At most one host runs per directory: a client that starts one takes the lock on ``engine.lock`` first and passes it on.
The kernel releases the lock when the host is gone, so clients ignore a stale ``engine.json`` and wait for a host that
will end soon.
"""

import atexit
import fcntl
import importlib.util
import json
import logging
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
from eventsite.local.saved_state import open_private

logger = logging.getLogger(__name__)

START_SECONDS = 60.0  # a busy machine takes its time
STOP_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.05
LOG_LINES = 5

LOCK, RECORD, LOG = "engine.lock", "engine.json", "engine.log"


class EngineFailed(Unavailable):
    """The embedded engine cannot run. The sentence names the reason and the remedy."""


class Lease:
    """A process's claim on a running engine."""

    def __init__(self, channel: socket.socket, url: str) -> None:
        self._channel = channel
        self._owner = os.getpid()
        self.url = url

    @property
    def is_good(self) -> bool:
        """True while the engine runs. It sends nothing after its greeting, so only its end can be there to read."""
        self._channel.setblocking(False)
        try:
            return bool(self._channel.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def release(self) -> None:
        """Release the engine. Wait until everything is saved if this was the last lease.

        A fork of the process that took the lease only closes its copy.
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
    """Return the URL of the embedded engine. Start it if it does not run, also if it has crashed.

    Raises:
        EngineFailed: It cannot run.
    """
    global _lease
    with _lock:
        if _lease is None or not _lease.is_good:
            if _lease is not None:
                logger.warning("The embedded DynamoDB engine has ended. It is started again on the same data.")
            release()
            _lease = lease(settings.LOCAL_DYNAMODB_DIR)
        return _lease.url


@atexit.register
def release() -> None:
    """Release this process's lease, if it has one."""
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

    Raises:
        EngineFailed: It cannot run.
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
        time.sleep(LOOK_AGAIN_SECONDS)  # another process has the lock: it will listen soon, or end
    raise _late(directory)


def _attach(directory: Path, until: float) -> Lease | None:
    """Take a lease of the host that the record names. Return None if it is not there yet, or about to end.

    Call this only while another process holds the lock: then the record cannot name a host that is gone.
    """
    try:
        record = json.loads((directory / RECORD).read_text())
        channel = socket.create_connection(("127.0.0.1", record["leases"]), timeout=1)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return _greeted(channel, directory, until)


def _start(directory: Path, until: float) -> Lease | None:
    """Start a host and take the first lease. Return None if another process holds the lock."""
    with open_private(directory / LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        (directory / RECORD).unlink(missing_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # The lease is requested first and waits in the listener's queue, so the host is never without one.
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
    """Start the host in its own session, where the terminal's Ctrl-C does not reach it. Return its process group."""
    command = [sys.executable, "-m", "eventsite.local.host", str(directory), str(lock), str(listener)]
    with open_private(directory / LOG) as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, our own module)
            command,
            cwd=settings.BASE_DIR,
            pass_fds=(lock, listener),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process.wait()  # for the launcher only: the host is its child, and init reaps it
    return process.pid


def _greeted(channel: socket.socket, directory: Path, until: float) -> Lease | None:
    """Wait for the host's greeting. Return None if the process ends instead, or is no host of this directory."""
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
