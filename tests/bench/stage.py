"""A bench for a deployed stage, from outside: ``python -m tests.bench.stage URL [--token TOKEN]``.

It measures the latency of each call, cold starts, the opening of an event's doors to many clients at once, and a full
event that refuses. It prints them beside the prediction of our simulation, and removes everything that it made. Before
it starts, it prints the most requests, seconds and dollars that it may use, and asks.

The stage runs open, or the token is an administrator's. `CALLER_RATE` and the stage's throttle bound what one machine
can send: refused requests (429) are counted, and are no error.
"""

import argparse
import http.client
import json
import secrets
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from tests.bench.prices import dollars

TIMEOUT = 35.0  # seconds; longer than API Gateway's 29 s
ROUND_TRIP, PROCESSOR = 4.0, 0.29  # ms per call of DynamoDB; the processors of a Lambda of 512 MB
EVENT = {
    "title": "Bench",
    "description": "Made by a benchmark, and removed by it.",
    "date": "2099-01-01",
    "location": "Nowhere",
    "organizer": "A benchmark",
    "status": "published",
    "waitlistEnabled": True,
}
CALLS: dict[str, tuple[float, float, float]] = {
    "read an event": (1, 0.9, 1),
    "50 events of one status": (2, 2.1, 28),
    "create an event": (1, 1.2, 5),
    "edit a title": (2, 1.4, 3),
    "create a user": (1, 1.0, 2),
    "register": (4, 2.2, 8),
    "one's registration": (1, 0.9, 3),
    "50 registrations of an event": (5, 2.9, 7),
    "leave": (4, 2.1, 12),
}
"""DynamoDB calls, milliseconds of CPU and capacity units of each call, from docs/figures.md."""


class OverBudget(Exception):
    """The next request would exceed what was agreed on."""


@dataclass
class Budget:
    """The most requests and seconds that a run may use."""

    requests: int
    seconds: float
    _until: float = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds

    def take(self) -> None:
        """Count one request.

        Raises:
            OverBudget: There is none left, or no time.
        """
        with self._lock:
            self.requests -= 1
            if self.requests < 0 or time.monotonic() > self._until:
                raise OverBudget


@dataclass
class Answer:
    """One response, and how long it took."""

    status: int
    seconds: float
    document: Any = None


class Stage:
    """A deployed service. Each thread keeps a connection of its own."""

    def __init__(self, url: str, token: str | None, budget: Budget) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connect = lambda: kind(parts.netloc, timeout=TIMEOUT)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._own = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        self.budget = budget

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Send one request within the budget. The connection is made before the clock starts."""
        self.budget.take()
        connection = self._connection()
        began = time.perf_counter()
        try:
            connection.request(
                method, self._prefix + path, json.dumps(body) if body is not None else None, self._headers
            )
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return Answer(0, time.perf_counter() - began)
        seconds = time.perf_counter() - began
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Answer(answer.status, seconds, json.loads(text) if text and is_json else None)

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = self._connect()
            self._open.append(found)
        if found.sock is None:
            found.connect()
        return found

    def at_once(self, requests: list[Callable[[], Answer]]) -> list[Answer]:
        """Send requests at the same moment, each on a connection that is already open."""
        together = threading.Barrier(len(requests))

        def one(request: Callable[[], Answer]) -> Answer:
            self._connection()
            together.wait(TIMEOUT)
            return request()

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(one, requests))

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@dataclass
class Bench:
    """The measurements of one run, and the ids of everything that it made."""

    stage: Stage
    clients: int
    repeats: int
    mark: str = field(default_factory=lambda: f"bench-{secrets.token_hex(4)}")
    events: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    rows: dict[str, list[Answer]] = field(default_factory=dict)

    def run(self) -> None:
        """Measure everything, in the order in which one thing needs the other."""
        self._repeat("create a user", self._user, self.repeats + 2 * self.clients)
        self._repeat("create an event", lambda n: self._event(f"e{n}"), self.repeats)
        event = self.events[0]
        self._repeat("read an event", lambda _: self.stage.send("GET", f"/events/{event}"))
        self._repeat("50 events of one status", lambda _: self.stage.send("GET", "/events?status=published&limit=50"))
        self._repeat("edit a title", lambda n: self.stage.send("PATCH", f"/events/{event}", {"title": f"Bench {n}"}))
        self._repeat("register", lambda n: self._register(event, self.users[n]))
        self._repeat("one's registration", lambda n: self.stage.send("GET", self._seat(event, n)))
        rows = f"/events/{event}/registrations?limit=50"
        self._repeat("50 registrations of an event", lambda _: self.stage.send("GET", rows))
        self._repeat("leave", lambda n: self.stage.send("DELETE", self._seat(event, n)))
        self.rows["cold starts, all at once"] = self.stage.at_once(
            [lambda: self.stage.send("GET", f"/events/{event}")] * self.clients
        )
        self._doors()

    def _doors(self) -> None:
        """Let everybody in at once, and then as many again who find it full."""
        self._event("doors", capacity=self.clients, waitlistEnabled=False)
        event = self.events[-1]
        first, second = self.users[: self.clients], self.users[self.clients : 2 * self.clients]
        for name, users in (("the doors open", first), ("the event is full", second)):
            self.rows[name] = self.stage.at_once([partial(self._register, event, user) for user in users])

    def _repeat(self, name: str, request: Callable[[int], Answer], times: int | None = None) -> None:
        self.rows[name] = [request(number) for number in range(times or self.repeats)]

    def _user(self, number: int) -> Answer:
        self.users.append(f"{self.mark}-u{number}")
        return self.stage.send("POST", "/users", {"userId": self.users[-1], "name": "Bench"})

    def _event(self, name: str, **changes: Any) -> Answer:
        self.events.append(f"{self.mark}-{name}")
        return self.stage.send("POST", "/events", EVENT | {"eventId": self.events[-1], "capacity": 100_000} | changes)

    def _register(self, event: str, user: str) -> Answer:
        return self.stage.send("POST", f"/events/{event}/registrations", {"userId": user})

    def _seat(self, event: str, number: int) -> str:
        return f"/events/{event}/registrations/{self.users[number]}"

    def clean_up(self) -> list[str]:
        """Remove everything that was made. Return the paths of everything left."""
        self.stage.budget = Budget(3 * (len(self.events) + len(self.users)), 300)
        paths = [f"/events/{event}?registrations=cancel" for event in self.events]
        paths += [f"/users/{user}" for user in self.users]
        return [path for path in paths if not self._is_removed(path)]

    def _is_removed(self, path: str) -> bool:
        for _ in range(3):
            if self.stage.send("DELETE", path).status in (204, 404):
                return True
            time.sleep(1)  # it is throttled
        return False


def requests_of(clients: int, repeats: int) -> int:
    """Return the most requests of a run, cleaning up included."""
    measured = 9 * repeats + 2 * clients + 3 * clients + 1
    made = (repeats + 1) + (repeats + 2 * clients)
    return measured + made


def prediction(name: str) -> float | None:
    """Return the milliseconds that our figures promise for a call inside AWS, without the way to it."""
    if name not in CALLS:
        return None
    calls, processor, _ = CALLS[name]
    return calls * ROUND_TRIP + processor / PROCESSOR


def table(bench: Bench) -> str:
    """Return the measurements as lines of text."""
    lines = [f"{'':30} {'n':>5} {'p50 ms':>8} {'p90 ms':>8} {'p99 ms':>8} {'most':>8} {'predicted':>10}  answers"]
    for name, answers in bench.rows.items():
        taken = sorted(1000 * one.seconds for one in answers)
        at = [taken[min(len(taken) - 1, int(len(taken) * share))] for share in (0.5, 0.9, 0.99)]
        promised = prediction(name)
        shown = f"{promised:10.1f}" if promised else f"{'':10}"
        counted = ", ".join(f"{count}x {status}" for status, count in Counter(_kinds(answers)).most_common())
        figures = " ".join(f"{one:8.1f}" for one in (*at, taken[-1]))
        lines.append(f"{name:30} {len(taken):5} {figures} {shown}  {counted}")
    return "\n".join([*lines, _cold(bench)])


def _kinds(answers: list[Answer]) -> Iterator[str]:
    for one in answers:
        code = one.document.get("code", "") if isinstance(one.document, dict) else ""
        yield f"{one.status or 'no answer'} {code}".strip()


def _cold(bench: Bench) -> str:
    """Return how many requests of the burst took so much longer that a process must have started for them."""
    warm = statistics.median(one.seconds for one in bench.rows["read an event"])
    burst = [one.seconds for one in bench.rows["cold starts, all at once"]]
    cold = [seconds for seconds in burst if seconds > 3 * warm + 0.1]
    if not cold:
        return f"No cold start among {len(burst)} requests at once."
    took = 1000 * statistics.median(cold)
    return f"{len(cold)} of {len(burst)} requests at once met a cold start: {took:.0f} ms (median)."


def simulated(clients: int) -> str:
    """Return the simulation's prediction for the doors: the same rules, in virtual time."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    from tests.bench.contention import rush

    result = rush(clients, seats=clients, clients=clients, waitlist=False)
    p50, p99 = (1000 * result.within(share) for share in (0.5, 0.99))
    return (
        f"The simulation lets {clients} in at once with p50 {p50:.0f} ms and p99 {p99:.0f} ms inside AWS; "
        "add the way to the region and API Gateway's own time."
    )


@contextmanager
def _cleaned_up(bench: Bench) -> Iterator[None]:
    try:
        yield
    except OverBudget:
        print("The budget is used up; the rest was not measured.")
    finally:
        left = bench.clean_up()
        bench.stage.close()
        print(
            f"Still there, to be removed by hand: {', '.join(left)}" if left else "Everything that was made is removed."
        )


def main(arguments: list[str] | None = None) -> int:
    """Ask, measure, print and clean up."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stage")
    parser.add_argument("url", help="the address of the stage, with its prefix: https://….amazonaws.com/dev")
    parser.add_argument("--token", help="a bearer token of an administrator; none if the stage runs open")
    parser.add_argument("--clients", type=int, default=32, help="how many come at once (default: 32)")
    parser.add_argument("--repeats", type=int, default=30, help="of each call (default: 30)")
    parser.add_argument("--seconds", type=float, default=300, help="the longest that it may measure (default: 300)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--no-simulation", action="store_true", help="leave the prediction for the doors out")
    options = parser.parse_args(arguments)
    most = requests_of(options.clients, options.repeats)
    cost = dollars(requests=most, seconds=most * 0.1, write_units=most * 10, read_units=most * 20)
    print(f"At most {most:,} requests to {options.url} in {options.seconds:.0f} s, about ${cost:.2f} at list prices.")
    if not options.yes and input("Go on? [y/N] ").strip().lower() != "y":
        return 1
    bench = Bench(Stage(options.url, options.token, Budget(most, options.seconds)), options.clients, options.repeats)
    with _cleaned_up(bench):
        bench.run()
    if "the event is full" in bench.rows:
        print(table(bench))
        if not options.no_simulation:
            print(simulated(options.clients))
    return 0


if __name__ == "__main__":
    sys.exit(main())
