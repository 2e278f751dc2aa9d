"""What every call costs, beside the same in FastAPI and boto3: ``python -m tests.bench [--quick] [--compare FILE]``.

Both services run as processes of their own and are called through their Lambda handlers, in turn, against one engine,
on the same number of equal things. What counts is the CPU time of the process that serves, which other work on the
machine changes for both alike, because they take turns every few requests; DynamoDB's calls and units are counted in a
pass of their own, as counting takes time too.

A full run goes from the smallest sizes to the largest, and ends after ``--minutes``. What it did not reach is named.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from tests.bench import cases, cold_start, figures, memory
from tests.bench.cases import Case
from tests.bench.services import EVENT, SERVICES, Data, Service, prepare, running, write_history
from tests.engines import running_engine

SIZES: dict[str, tuple[int, ...]] = {
    "events": (100, 1_000, 10_000),
    "registrations": (100, 1_000, 10_000),
    "waiting": (250, 1_000, 5_000),
}
QUICK: dict[str, tuple[int, ...]] = {"events": (100, 1_000), "registrations": (100,), "waiting": (250,)}
SHORTER: dict[str, tuple[int, ...]] = {"events": (100, 10_000), "registrations": (100, 1_000), "waiting": (250, 1_000)}
WARM, COUNTED, SOME = 40, 3, 100
HISTORY = 60
"""Entries of the history of an event, of which a page is read."""
TURNS = 10
"""Parts into which the measured requests of a call are divided. The services take turns after each."""
AT_A_TIME = 250
"""Registrations that are made without a look at the clock."""
PROCESSES, THREADS = 4, 32
STARTS = 15
"""Cold starts of each service."""

Figures = list[dict[str, Any]]


class TimeIsUp(Exception):
    """The run has lasted as long as it may."""


class Bench:
    """Both services, the sizes of their data, and what was measured."""

    def __init__(
        self, endpoint: str, sizes: dict[str, tuple[int, ...]], services: list[Service], *, until: float
    ) -> None:
        self._endpoint, self._sizes = endpoint, sizes
        self._data = [(service, Data(service, endpoint)) for service in services]
        self._until = until
        self._there = dict.fromkeys(("events", "registrations"), 0)
        self._many: list[str] = []
        """The event with many registrations, in each service."""
        self.figures: Figures = []
        self._next_user = 1

    def run(self, *, whole: bool) -> Iterator[str]:
        """Measure everything, the smallest sizes first. Yields what was done, step by step.

        Args:
            whole: True to measure throughput, too.

        Raises:
            TimeIsUp: The rest was not measured.
        """
        self._people(100)
        for case in cases.ALWAYS:
            yield self._measure(case, None)
        for number in range(max(map(len, self._sizes.values()))):
            size = {kind: sizes[number : number + 1] for kind, sizes in self._sizes.items()}
            yield from self._events(*size["events"])
            yield from self._registrations(*size["registrations"])
            yield from self._queue(*size["waiting"])
            for events in (32, 1) if whole and number == 0 else ():  # while the engine is fast
                self._check_time()
                yield self.throughput(events)

    def _events(self, *sizes: int) -> Iterator[str]:
        for size in sizes:
            for _, data in self._data:
                data.events(range(self._there["events"], size))
            self._there["events"] = size
            for case in cases.OF_EVENTS:
                yield self._measure(case, size)

    def _registrations(self, *sizes: int) -> Iterator[str]:
        self._many = self._many or self._event(capacity=100_000)
        for size in sizes:
            self._register(self._many, self._people(size - self._there["registrations"]))
            self._there["registrations"] = size
            some = self._people(4 * SOME)  # more than of other calls, because register is close to its limit
            of_each = [
                cases.of_registrations(event, some, self._prepared(service, event, some[0]))
                for (service, _), event in zip(self._data, self._many, strict=True)
            ]
            for each in zip(*of_each, strict=True):
                yield self._measure_each(list(each), size)

    def _prepared(self, service: Service, event: str, user: str) -> str:
        """Write the history of an event of ours. Returns: the path of the user's calendar."""
        if service.name == "rival":
            return ""
        write_history(self._endpoint, event, HISTORY)
        made = service.send([{"method": "PUT", "path": f"/users/{user}/calendar"}])
        return urlsplit(json.loads(made["body"])["url"]).path.removeprefix("/dev")

    def _queue(self, *sizes: int) -> Iterator[str]:
        for size in sizes:
            events = self._event(capacity=SOME)
            seated = self._people(SOME)
            self._register(events, seated)
            self._register(events, self._people(size))
            some = self._people(SOME)
            for each in zip(*(cases.of_waiting(event, some, seated) for event in events), strict=True):
                yield self._measure_each(list(each), size)

    def _people(self, count: int) -> list[str]:
        numbers = range(self._next_user, self._next_user + count)
        self._next_user += count
        for _, data in self._data:
            users = data.users(numbers)
        return users

    def _event(self, **changes: Any) -> list[str]:
        """An event in each service. Returns: the ids."""
        body = EVENT | {"status": "published"} | changes
        made = [service.send([{"method": "POST", "path": "/events", "body": body}]) for service, _ in self._data]
        return [json.loads(one["body"])["eventId"] for one in made]

    def _register(self, events: list[str], users: list[str]) -> None:
        for first in range(0, len(users), AT_A_TIME):
            self._check_time()
            for (service, _), event in zip(self._data, events, strict=True):
                path = f"/events/{event}/registrations"
                some = users[first : first + AT_A_TIME]
                service.order([{"method": "POST", "path": path, "body": {"userId": user}} for user in some])
            for service, _ in self._data:
                assert max(service.answers()["status"], default=201) == 201, service.name

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise TimeIsUp

    def _measure(self, case: Case, size: int | None) -> str:
        return self._measure_each([case] * len(self._data), size)

    def _measure_each(self, each: list[Case], size: int | None) -> str:
        """Measure a call of all services, which take turns."""
        self._check_time()
        runs = [
            CaseRun(service, case)
            for (service, _), case in zip(self._data, each, strict=True)
            if case.rival or service.name != "rival"
        ]
        for turn in range(TURNS):
            for run in runs:
                run.take_turn(turn)
        self.figures += [run.figure(size) for run in runs]
        return each[0].name

    def throughput(self, events: int) -> str:
        """Register many users for a number of events, from several processes with many threads each."""
        count = PROCESSES * THREADS * 4
        users = self._people(count)
        for service, _ in self._data:
            made = [json.loads(service.send([self._new()])["body"])["eventId"] for _ in range(events)]
            self.figures.append(_throughput(service.name, self._endpoint, made, users))
        return str(self.figures[-1]["case"])

    def _new(self) -> dict[str, Any]:
        return {"method": "POST", "path": "/events", "body": EVENT | {"status": "published"}}


class CaseRun:
    """The requests of one call to one service. None of them may be repeated."""

    def __init__(self, service: Service, case: Case) -> None:
        self._service, self._case = service, case
        requests = [case.make(number) for number in range(case.repeats)]
        if case.before:
            service.send([request for number in range(case.repeats) for request in case.before(number)])
        self._counted = service.send(requests[:COUNTED], count=True)
        service.send(requests[COUNTED:WARM])
        self._requests = requests[WARM:]
        self._answers: list[dict[str, Any]] = []

    def take_turn(self, turn: int) -> None:
        """Send every `TURNS`th request."""
        self._answers.append(self._service.send(self._requests[turn::TURNS]))

    def figure(self, size: int | None) -> dict[str, Any]:
        """Return what the call cost."""
        case, counted = self._case, self._counted
        milliseconds = sorted(1000 * seconds for answer in self._answers for seconds in answer["cpu"])
        return {
            "case": case.name,
            "service": self._service.name,
            "grows_with": case.grows_with,
            "size": size,
            "calls": round(len(counted["calls"]) / COUNTED, 1),
            "units": round(counted["units"] / COUNTED, 1),
            "cpu_ms": round(statistics.median(milliseconds), 3),
            "cpu_ms_most": round(milliseconds[-1], 3),
            "bytes": round(statistics.median(size for answer in self._answers for size in answer["bytes"])),
            "megabytes": round(self._answers[-1]["megabytes"]),
        }


def _throughput(name: str, endpoint: str, events: list[str], users: list[str]) -> dict[str, Any]:
    requests = [
        {"method": "POST", "path": f"/events/{events[n % len(events)]}/registrations", "body": {"userId": user}}
        for n, user in enumerate(users)
    ]
    with ExitStack() as stack:
        processes = [stack.enter_context(running(name, endpoint)) for _ in range(PROCESSES)]
        for number, process in enumerate(processes):
            process.order(requests[number::PROCESSES], threads=THREADS)
        told = [process.answers() for process in processes]
    registered = sum(status == 201 for one in told for status in one["status"])
    return {
        "case": "register, all for one event" if len(events) == 1 else "register, for many events",
        "service": name,
        "registered": registered,
        "refused": len(users) - registered,
        "per_second": round(registered / max(one["seconds"] for one in told), 1),
        "cpu_ms": round(1000 * sum(one["processor"] for one in told) / len(users), 3),
    }


def measure(*, quick: bool = False, shorter: bool = False, minutes: float = 60) -> tuple[Figures, str]:
    """Run the benchmark, with a bar of its progress.

    Args:
        quick: True for small sizes only, without memory, throughput and cold starts.
        shorter: True for two sizes of each, with all of these.
        minutes: The longest that it may last. It ends with the step that it is at, as a rule within a minute.

    Returns:
        The figures, and the call and size at which the time was up; an empty text if it was not.
    """
    until = time.monotonic() + 60 * minutes
    if quick:
        return costs(QUICK, until=until, whole=False)
    others = cold_starts() + memory.measure(until=until)  # not beside the rest: it would compute more slowly
    found, ended_after = costs(SHORTER if shorter else SIZES, until=until, whole=True)
    return found + others, ended_after


def costs(sizes: dict[str, tuple[int, ...]], *, until: float, whole: bool) -> tuple[Figures, str]:
    """Measure both services. Returns: as `measure`."""
    steps = len(cases.ALWAYS) + len(cases.OF_EVENTS) * len(sizes["events"]) + (2 if whole else 0)
    steps += cases.OF_REGISTRATIONS * len(sizes["registrations"]) + cases.OF_WAITING * len(sizes["waiting"])
    with running_engine(module="ministack") as endpoint, ExitStack() as stack:
        prepare(endpoint)
        services = [stack.enter_context(running(name, endpoint)) for name in SERVICES]
        bench = Bench(endpoint, sizes, services, until=until)
        done: list[str] = []
        try:
            done.extend(tqdm(bench.run(whole=whole), total=steps, unit=" calls", file=sys.stderr))
        except TimeIsUp:
            return bench.figures, done[-1] if done else "nothing"
    return bench.figures, ""


def cold_starts() -> Figures:
    """Measure the cold starts of ours and of a bare FastAPI service."""
    return [
        {
            "case": "cold start",
            "service": name,
            "init_s": round(starts.medians[0], 3),
            "first_read_s": round(starts.medians[1], 3),
            "package_mb": round(starts.megabytes, 1),
        }
        for name, starts in cold_start.measure(STARTS).items()
    ]


def _end(*_: object) -> None:
    """End the run and keep what it has measured. The processes of the engines and the services end, too."""
    raise TimeIsUp


def main() -> None:
    """Measure, print, and write the requested files."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="small sizes only: a few minutes")
    parser.add_argument("--shorter", action="store_true", help="two sizes of each, and fewer registrations")
    parser.add_argument("--minutes", type=float, default=60, help="the longest that it may last (default: 60)")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show what became of an earlier run's figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument(
        "--figures", type=Path, nargs="?", const=figures.PAGE, metavar="PAGE", help="write docs/figures.md and charts"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    load, began = os.getloadavg()[0], time.monotonic()
    measured, ended_after = measure(quick=options.quick, shorter=options.shorter, minutes=options.minutes)
    machine = (
        f"{platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} before, "
        f"{(time.monotonic() - began) / 60:.0f} minutes"
    )
    before = json.loads(options.compare.read_text()) if options.compare else figures.last_release()
    print(figures.table(measured, before))
    if options.json:
        options.json.write_text(figures.compact(measured))
    if options.figures:
        form = " --quick" if options.quick else " --shorter" if options.shorter else ""
        command = f"python -m tests.bench --figures{form}"
        figures.write(options.figures, measured, command=command, machine=machine, ended_after=ended_after)


if __name__ == "__main__":
    main()
