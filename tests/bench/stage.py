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

from tests.bench import figures
from tests.bench.prices import dollars
from tests.bench.stage_plan import COLD, DOORS, FULL, NEW_EVENTS, NEW_USERS, TRIES, Plan, Request, Step

TIMEOUT = 35.0  # seconds; longer than API Gateway's 29 s
ROUND_TRIP, PROCESSOR = 4.0, 0.29  # ms per call of DynamoDB; the processors of a Lambda of 512 MB
SECONDS_EACH, WRITES_EACH, READS_EACH = 0.1, 10, 20  # of the Lambda and units, more than a request takes on average
CLEANING_SECONDS = 300.0
ADVICE = "The stage has to run open, or the token has to be an administrator's."


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
        began = time.perf_counter()
        connection = None
        try:
            connection = self._connection()
            began = time.perf_counter()
            connection.request(
                method, self._prefix + path, json.dumps(body) if body is not None else None, self._headers
            )
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            if connection:
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


class Refused(Exception):
    """The stage does not let the bench create what it needs."""


class Bench:
    """The measurements of one run, and what it made."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.stage, self.plan = stage, plan
        self.rows: dict[str, list[Answer]] = {}
        self._made: list[str] = []

    def run(self) -> None:
        """Take all steps.

        Raises:
            OverBudget: The rest was not measured.
            Refused: The stage does not let the bench create anything.
        """
        for step in self.plan.steps():
            answers = self.rows.setdefault(step.name, [])
            if step.at_once:
                answers += self.stage.at_once([partial(self.stage.send, *request) for request in step.requests])
            else:
                answers += (self._sent(request, step) for request in step.requests)

    def _sent(self, request: Request, step: Step) -> Answer:
        answer = self.stage.send(*request)
        if step.name in (NEW_USERS, NEW_EVENTS):
            if not answer.status and not self._made:
                raise Refused("The stage does not answer.")
            if 0 < answer.status < 500 and answer.status not in (201, 429):
                raise Refused(f"The stage refuses to {step.name}: {next(_kinds([answer]))}. {ADVICE}")
            made = request[2].get("eventId")
            self._made.append(f"/events/{made}?registrations=cancel" if made else f"/users/{request[2]['userId']}")
        return answer

    def clean_up(self) -> list[str]:
        """Remove everything that may have been made. Return the paths of everything left."""
        self.stage.budget = Budget(self.plan.removals, CLEANING_SECONDS)
        events_first = sorted(self._made, key=lambda path: path.startswith("/users/"))
        return [path for path in events_first if not self._is_removed(path)]

    def _is_removed(self, path: str) -> bool:
        crowds = (self.plan.events[0], self.plan.queue, self.plan.doors)
        name = "delete a user" if path.startswith("/users/") else "delete an event"
        for _ in range(TRIES):
            try:
                answer = self.stage.send("DELETE", path)
            except OverBudget:
                return False
            if not any(crowd in path for crowd in crowds):
                self.rows.setdefault(name, []).append(answer)
            if answer.status in (204, 404):
                return True
            time.sleep(1)  # it is throttled
        return False


def predictions() -> dict[str, float]:
    """Return the milliseconds inside AWS that docs/figures.md promises for each call, without the way to it."""
    return {name: row["calls"] * ROUND_TRIP + row["CPU ms"] / PROCESSOR for name, row in figures.published().items()}


def table(bench: Bench, promised: dict[str, float]) -> str:
    """Return the measurements as lines of text."""
    lines = [f"{'':33} {'n':>5} {'p50 ms':>8} {'p90 ms':>8} {'p99 ms':>8} {'most':>8} {'predicted':>10}  answers"]
    for name, answers in bench.rows.items():
        taken = sorted(1000 * one.seconds for one in answers) or [0.0]
        at = [taken[min(len(taken) - 1, int(len(taken) * share))] for share in (0.5, 0.9, 0.99)]
        shown = f"{promised[name]:10.1f}" if name in promised else f"{'':10}"
        counted = ", ".join(f"{count}x {status}" for status, count in Counter(_kinds(answers)).most_common())
        measured = " ".join(f"{one:8.1f}" for one in (*at, taken[-1]))
        lines.append(f"{name:33} {len(answers):5} {measured} {shown}  {counted}")
    return "\n".join([*lines, _cold(bench)])


def _kinds(answers: list[Answer]) -> Iterator[str]:
    for one in answers:
        code = one.document.get("code", "") if isinstance(one.document, dict) else ""
        yield f"{one.status or 'no answer'} {code}".strip()


def _cold(bench: Bench) -> str:
    """Return how many requests of the burst took so much longer that a process must have started for them."""
    burst = [one.seconds for one in bench.rows.get(COLD, [])]
    if not burst:
        return "No requests were sent at once."
    warm = statistics.median(one.seconds for one in bench.rows["read an event"])
    cold = [seconds for seconds in burst if seconds > 3 * warm + 0.1]
    if not cold:
        return f"No cold start among {len(burst)} requests at once."
    took = 1000 * statistics.median(cold)
    return f"{len(cold)} of {len(burst)} requests at once met a cold start: {took:.0f} ms (median)."


def simulated(clients: int) -> tuple[float, str]:
    """Return the simulation's prediction for the doors: the median in milliseconds, and a sentence."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    from tests.bench.contention import rush

    result = rush(clients, seats=clients, clients=clients, waitlist=False)
    p50, p99 = (1000 * result.within(share) for share in (0.5, 0.99))
    return p50, (
        f"The simulation lets {clients} in at once with p50 {p50:.0f} ms and p99 {p99:.0f} ms inside AWS.\n"
        "The predictions leave out the way to the region, API Gateway's own time and cold starts."
    )


@contextmanager
def _cleaned_up(bench: Bench) -> Iterator[None]:
    try:
        yield
    except OverBudget:
        print("The budget is used up; the rest was not measured.")
    except Refused as refusal:
        print(refusal)
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
    plan = Plan(options.clients, options.repeats)
    most = plan.requests + plan.removals
    cost = dollars(
        requests=most, seconds=most * SECONDS_EACH, write_units=most * WRITES_EACH, read_units=most * READS_EACH
    )
    print(
        f"At most {most:,} requests to {options.url} in {options.seconds:.0f} s and {CLEANING_SECONDS:.0f} s"
        f" to clean up, about ${cost:.2f} at list prices."
    )
    if not options.yes and input("Go on? [y/N] ").strip().lower() != "y":
        return 1
    bench = Bench(Stage(options.url, options.token, Budget(plan.requests, options.seconds)), plan)
    with _cleaned_up(bench):
        bench.run()
    if not any(bench.rows.values()):
        return 1
    promised, sentence = predictions(), ""
    if FULL in bench.rows and not options.no_simulation:
        promised[DOORS], sentence = simulated(options.clients)
    print(table(bench, promised))
    print(sentence)
    return 0 if FULL in bench.rows else 1


if __name__ == "__main__":
    sys.exit(main())
