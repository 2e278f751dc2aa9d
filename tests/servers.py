"""Several server processes on the tests' one engine, and many clients that call them at once."""

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from tests.children import SECONDS, WITH_INPUT, ended
from tests.server import SKEW

T = TypeVar("T")


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    document: Any

    @property
    def word(self) -> str:
        """What became of it: a registration's status, the code of a problem, or the bare HTTP status."""
        document = self.document if isinstance(self.document, dict) else {}
        return str(document.get("code") or document.get("status") or self.status)


class Remote:
    """A client that spreads its threads over the servers. Each thread keeps one connection."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = itertools.cycle(ports)
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def at_once(self, calls: Iterable[Callable[[], T]], *, clients: int) -> list[T]:
        """Execute the calls with some clients at once. Returns: the results, in the order of the calls."""
        with ThreadPoolExecutor(clients) as pool:
            started = [pool.submit(call) for call in calls]
        self.close()
        return [call.result() for call in started]

    def close(self) -> None:
        """Hang up."""
        while self._open:
            self._open.pop().close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request, and send it again after a 503 for as long as a busy machine takes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        deadline = time.monotonic() + SECONDS
        while True:
            reply = self._send(method, path, json.dumps(body) if body is not None else None, named)
            if reply.status != 503 or time.monotonic() > deadline:
                return reply

    def register(self, event_id: str, user_id: str) -> Reply:
        """Register a user for an event, safe to be sent again."""
        path = f"/events/{event_id}/registrations"
        return self.call("POST", path, {"userId": user_id}, idempotency_key=f"{threading.get_ident()}-{next(_keys)}")

    def leave(self, event_id: str, user_id: str) -> Reply:
        """Give up a registration."""
        return self.call("DELETE", f"/events/{event_id}/registrations/{user_id}")

    def resize(self, event_id: str, capacity: int) -> Reply:
        """Change an event's capacity."""
        return self.call("PATCH", f"/events/{event_id}", {"capacity": capacity})

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Reply:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(
                "127.0.0.1", next(self.ports), timeout=SECONDS
            )
            self._open.append(connection)
        connection.request(method, path, body, headers | {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return Reply(answer.status, json.loads(text) if text else None)


_keys = itertools.count()


@contextmanager
def serving(processes: int, *, ahead: float = 0) -> Iterator[Remote]:
    """Run some server processes, whose clocks are some hours ahead (negative: behind)."""
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {SKEW: str(ahead), WITH_INPUT: "1"},
        )
        for _ in range(processes)
    ]
    with ended(*servers):
        yield (remote := Remote([int(server.stdout.readline()) for server in servers if server.stdout]))
        remote.close()
