"""The embedded DynamoDB engine of local runs: ministack in a host process that all local processes share.

    runserver, shell, any WSGI server         eventsite.local.host (one per directory)
    ┌──────────────────────────────┐          ┌─────────────────────────────────────────┐
    │ endpoint()  ── a lease ──────┼─ flock ─>│ saves, and ends after the last lease     │
    │ PynamoDB    ── requests ─────┼── HTTP ─>│ ministack's DynamoDB                     │
    └──────────────────────────────┘          └─────────────────────────────────────────┘

A lease is a shared lock on ``engine.leases``, which the host wants for itself alone. The kernel releases it however its
process ends, so the host notices a Ctrl-C and a ``kill -9`` alike. After the last lease it saves and ends.

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
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from django.conf import settings

from eventsite.errors import Unavailable
from eventsite.local.saved_state import open_private

logger = logging.getLogger(__name__)

START_SECONDS = 60.0  # a busy machine takes its time
STOP_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.02
LOG_LINES = 5

LOCK, LEASES, RECORD, LOG = "engine.lock", "engine.leases", "engine.json", "engine.log"


class EngineFailed(Unavailable):
    """The embedded engine cannot run. The sentence names the reason and the remedy."""


class Lease:
    """A process's claim on a running engine."""

    def __init__(self, directory: Path) -> None:
        self.claim = open_private(directory / LEASES)
        self._host = open_private(directory / LOCK)
        self._owner = os.getpid()
        self.url = ""

    @property
    def is_good(self) -> bool:
        """True while the engine runs, which holds its lock that long."""
        if not _locks(self._host, fcntl.LOCK_SH):
            return True
        fcntl.flock(self._host, fcntl.LOCK_UN)
        return False

    def release(self) -> None:
        """Release the engine. Wait until everything is saved if this was the last lease.

        A fork of the process that took the lease only closes its copy.
        """
        if self._owner == os.getpid() and not self.claim.closed:
            fcntl.flock(self.claim, fcntl.LOCK_UN)
            until = time.monotonic() + STOP_SECONDS
            while self.is_good and not self._is_one_of_several() and time.monotonic() < until:
                time.sleep(LOOK_AGAIN_SECONDS)
        self.claim.close()
        self._host.close()

    def _is_one_of_several(self) -> bool:
        """Return True if others have leases, which share the lock. The engine that ends does not share it."""
        is_shared = not _locks(self.claim, fcntl.LOCK_EX) and _locks(self.claim, fcntl.LOCK_SH)
        fcntl.flock(self.claim, fcntl.LOCK_UN)
        return is_shared


def _locks(file: TextIO, kind: int) -> bool:
    """Lock a file. Return False if a lock of another process excludes this one."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


_lease: Lease | None = None
_lock = threading.Lock()


def endpoint() -> str:
    """Return the URL of the embedded engine. Start it if it does not run, also if it has crashed."""
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
    """Attach to the engine that runs on a directory, or start one there. Raise `EngineFailed` if it cannot run."""
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
    taken = Lease(directory)
    try:
        while time.monotonic() < until:
            if _locks(taken.claim, fcntl.LOCK_SH):  # else the host is ending
                taken.url = _start(taken, directory, until) or _recorded(directory)
                if taken.url:
                    return taken
                fcntl.flock(taken.claim, fcntl.LOCK_UN)  # a host that cannot be found may end
            time.sleep(LOOK_AGAIN_SECONDS)
        raise _late(directory)
    except EngineFailed:
        taken.release()
        raise


def _recorded(directory: Path) -> str:
    """Return the URL of the host that runs, or an empty string while it starts or ends."""
    try:
        record = json.loads((directory / RECORD).read_text())
        os.kill(record["pid"], 0)  # a crashed one leaves its record to the next one, which removes it
        return str(record["url"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _start(taken: Lease, directory: Path, until: float) -> str:
    """Start a host and return its URL, or an empty string if another process holds the lock."""
    with open_private(directory / LOCK) as lock:
        if not _locks(lock, fcntl.LOCK_EX):
            return ""
        (directory / RECORD).unlink(missing_ok=True)
        host = _spawn(directory, lock.fileno())
    while taken.is_good and time.monotonic() < until:
        if url := _recorded(directory):
            return url
        time.sleep(LOOK_AGAIN_SECONDS)
    failed = _late(directory) if taken.is_good else _failed(directory, "did not start")
    with suppress(ProcessLookupError):
        os.killpg(host, signal.SIGKILL)
    raise failed


def _spawn(directory: Path, lock: int) -> int:
    """Start the host in its own session, where the terminal's Ctrl-C does not reach it. Return its process group."""
    command = [sys.executable, "-m", "eventsite.local.host", str(directory), str(lock)]
    with open_private(directory / LOG) as log:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter, our own module)
            command,
            cwd=settings.BASE_DIR,
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process.wait()  # for the launcher only: the host is its child, and init reaps it
    return process.pid


def _late(directory: Path) -> EngineFailed:
    return _failed(directory, f"was not ready within {START_SECONDS:g} seconds")


def _failed(directory: Path, how: str) -> EngineFailed:
    return EngineFailed(f"The embedded DynamoDB engine {how}.{_last_words(directory)}")


def _last_words(directory: Path) -> str:
    log = directory / LOG
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()[-LOG_LINES:]
        return "\n".join([f" The end of {log}:", *lines]) if lines else f" {log} is empty."
    return ""
