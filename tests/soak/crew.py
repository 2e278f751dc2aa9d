"""The servers of a soak: each with a wrong clock of its own, killed at any moment and started again."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.children import WITH_INPUT, ended
from tests.server import SKEW

MOST_HOURS = 3.0


class Server:
    """A place for a server process. A killed one is followed by another, on another port."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.port = 0
        """Where it serves; 0 while nothing does."""
        self.start()

    def start(self) -> None:
        """Start a process and wait until it serves."""
        skew = self._dice.uniform(-MOST_HOURS, MOST_HOURS)
        environment = os.environ | {SKEW: str(skew), "LOG_LEVEL": "CRITICAL", WITH_INPUT: "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """End the process as the operating system does it: nothing of it runs any more."""
        self.port = 0
        with ended(self._process):
            self._process.kill()


class Killer:
    """Kills one server after the other, at random moments, while it runs."""

    def __init__(self, servers: list[Server], dice: random.Random, seconds: tuple[float, float]) -> None:
        self._servers, self._dice, self._seconds = servers, dice, seconds
        self._over = threading.Event()
        self.kills = 0

    def _run(self) -> None:
        while not self._over.wait(self._dice.uniform(*self._seconds)):
            server = self._dice.choice(self._servers)
            server.kill()
            self.kills += 1
            server.start()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Kill servers from the beginning of the block to its end. All servers run then."""
        self._over.clear()
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@contextmanager
def crew(count: int, dice: random.Random) -> Iterator[list[Server]]:
    """Run some servers until the end of the block."""
    servers = [Server(dice) for _ in range(count)]
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()
