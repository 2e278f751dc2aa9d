"""Processes as a developer starts them: a clean environment, a data directory of their own, nothing left behind."""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from threading import Thread, Timer
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings

from tests.children import SECONDS


def environment(directory: Path, **extra: str) -> dict[str, str]:
    """The environment of a fresh checkout whose data lives in `directory`."""
    ours = ("AWS_", "DYNAMODB_", "EVENTS_", "USERS_", "REGISTRATIONS_", "AUTH_", "DJANGO_", "BASE_PATH", "DEBUG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"LOCAL_DYNAMODB_DIR": str(directory), "PYTHONUNBUFFERED": "1"} | extra


def manage(directory: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(directory, **extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def lean(directory: Path) -> dict[str, str]:
    """The variables with which a Python sees what requirements.txt brings, and nothing else that is installed."""
    wanted, seen = list(_named((settings.BASE_DIR / "requirements.txt").read_text().splitlines())), set()
    while wanted:
        if (name := wanted.pop()) not in seen:
            seen.add(name)
            wanted += _named(distribution(name).requires or ())
    missing = [module for module, owners in packages_distributions().items() if not seen & {*map(_plain, owners)}]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "sitecustomize.py").write_text(HIDING.format(missing=missing))
    return {"PYTHONPATH": str(directory)}


HIDING = """
import sys
from importlib.machinery import PathFinder
class Lean(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {missing} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Lean
"""


def _named(requirements: Iterable[str]) -> Iterator[str]:
    """The distributions that requirements name, those of extras only where they are installed anyway."""
    for requirement in requirements:
        found = re.match(r"([A-Za-z0-9._-]+)", requirement)
        with suppress(PackageNotFoundError):
            if found and (" extra ==" not in requirement or found[1] in ("cryptography", "drf-spectacular-sidecar")):
                yield _plain(distribution(found[1]).name)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@contextmanager
def python(directory: Path, code: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a script that uses the service without Django's commands, and kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import os, sys; from eventsite.local import engine\n{code}"],
        cwd=settings.BASE_DIR,
        env=environment(directory, DJANGO_SETTINGS_MODULE="eventsite.settings"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, watched(process):
        yield process


@contextmanager
def watched(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Kill a process at the end, or when it takes too long for its reader to wait."""
    timer = Timer(SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        process.kill()


class Server:
    """`manage.py runserver` on a free port, with what it printed so far in `output`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.output = ""
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait until it listens."""
        assert self._process.stdout
        for line in self._process.stdout:
            self.output += line
            if found := re.search(r"development server at (http://\S+)/", line):
                self._url = found[1]
            if line.startswith("Quit the server"):
                return
        raise AssertionError(f"The server ended:\n{self.output}")

    def wait_for(self, words: str) -> None:
        """Wait until it prints a line with some words."""
        assert self._process.stdout
        for line in self._process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"The server ended without saying {words!r}:\n{self.output}")

    def call(self, path: str, body: Any = None) -> Any:
        """Send a request, a POST if it has a body, and return the JSON that comes back."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", int(self._url.rpartition(":")[2])

    def end(self, how: signal.Signals) -> None:
        """Send a signal to all its processes, as a terminal does with Ctrl-C, and wait for their end."""
        os.killpg(self._process.pid, how)
        self._process.wait(SECONDS)


IN_BACKGROUND = ("sh", "-c", "trap '' INT; exec \"$@\"", "sh")
"""Starts the command that follows with SIGINT ignored, as `nohup … &` in a script does."""


@contextmanager
def runserver(directory: Path, *arguments: str, launcher: Sequence[str] = (), **extra: str) -> Iterator[Server]:
    """Run the development server for a while."""
    process = subprocess.Popen(
        [*launcher, sys.executable, "manage.py", "runserver", "0", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(directory, **extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process, watched(process):
        try:
            yield Server(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def record(directory: Path) -> dict[str, Any]:
    """Return the record that the engine of a directory keeps."""
    told: dict[str, Any] = json.loads((directory / "engine.json").read_text())
    return told


def has_ended(directory: Path) -> bool:
    """Wait for the end of a directory's engine, that is, for its lock. Returns: whether it came in time."""

    def hold() -> None:
        with (directory / "engine.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    waiter = Thread(target=hold, daemon=True)
    waiter.start()
    waiter.join(SECONDS)
    return not waiter.is_alive()
