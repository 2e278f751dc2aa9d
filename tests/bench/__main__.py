"""What every call costs, beside the same in FastAPI and boto3: ``python -m tests.bench [--quick] [--compare FILE]``.

Both services run as processes of their own and are called through their Lambda handlers, in turn, against one engine,
on the same number of equal things. What counts is the CPU time of the process that serves, which other work on the
machine hardly changes; DynamoDB's calls and units are counted in a pass of their own, as counting takes time too.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.bench import cases, figures
from tests.bench.cases import Case
from tests.bench.services import EVENT, SERVICES, Data, Service, prepare, running
from tests.engines import running_engine

SIZES: dict[str, tuple[int, ...]] = {
    "events": (100, 1_000, 10_000),
    "registrations": (100, 10_000),
    "waiting": (250, 5_000),
}
QUICK: dict[str, tuple[int, ...]] = {"events": (100, 1_000), "registrations": (100,), "waiting": (250,)}
SHORTER: dict[str, tuple[int, ...]] = {"events": (100, 10_000), "registrations": (100, 1_000), "waiting": (250, 1_000)}
WARM, COUNTED, SOME = 10, 3, 60
PROCESSES, THREADS = 4, 32
MIXED = 2_000
"""Mixed requests in a round. Ten rounds are sent."""

Figures = list[dict[str, Any]]


class Bench:
    """Both services, the sizes of their data, and what was measured."""

    def __init__(self, endpoint: str, sizes: dict[str, tuple[int, ...]], mixed: int, services: list[Service]) -> None:
        self._endpoint, self._sizes, self._mixed = endpoint, sizes, mixed
        self._data = [(service, Data(service, endpoint)) for service in services]
        self.figures: Figures = []
        self._next_user = 1

    def run(self) -> Iterator[str]:
        """Measure everything. Yields what was done, step by step."""
        self._people(100)
        for case in cases.ALWAYS:
            yield self._measure(case, None)
        made = 0
        for size in self._sizes["events"]:
            for _, data in self._data:
                data.events(range(made, size))
            if not made and self._mixed:  # while the engine is fast
                self._memory()
            made = size
            for case in cases.OF_EVENTS:
                yield self._measure(case, size)
        yield from self._registrations()
        yield from self._queue()

    def _registrations(self) -> Iterator[str]:
        events = self._event(capacity=100_000)
        there = 0
        for size in self._sizes["registrations"]:
            self._register(events, self._people(size - there))
            there = size
            some = self._people(2 * SOME)
            for number in range(cases.OF_REGISTRATIONS):
                yield self._measure_each([cases.of_registrations(event, some)[number] for event in events], size)

    def _queue(self) -> Iterator[str]:
        for size in self._sizes["waiting"]:
            events = self._event(capacity=SOME)
            seated = self._people(SOME)
            self._register(events, seated)
            self._register(events, self._people(size))
            some = self._people(SOME)
            for number in range(cases.OF_WAITING):
                yield self._measure_each([cases.of_waiting(event, some, seated)[number] for event in events], size)

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
        for (service, _), event in zip(self._data, events, strict=True):
            path = f"/events/{event}/registrations"
            service.order([{"method": "POST", "path": path, "body": {"userId": user}} for user in users])
        for service, _ in self._data:
            assert max(service.answers()["status"], default=201) == 201, service.name

    def _measure(self, case: Case, size: int | None) -> str:
        return self._measure_each([case] * len(self._data), size)

    def _measure_each(self, each: list[Case], size: int | None) -> str:
        for (service, _), case in zip(self._data, each, strict=True):
            if case.rival or service.name != "rival":
                self.figures.append(_figure(service, case, size))
        return each[0].name

    def throughput(self, events: int) -> None:
        """Register many users for a number of events, from several processes with many threads each."""
        count = PROCESSES * THREADS * 4
        users = self._people(count)
        for service, _ in self._data:
            made = [json.loads(service.send([self._new()])["body"])["eventId"] for _ in range(events)]
            self.figures.append(_throughput(service.name, self._endpoint, made, users))

    def _memory(self) -> None:
        """What a process of ours holds in the course of many mixed requests."""
        [event, *_] = self._event()
        requests = [request for user in self._people(self._mixed // 10) for request in cases.mixed(event, user)]
        with running("eventsite", self._endpoint) as service:
            held = [service.send(requests)["megabytes"] for _ in range(10)]
        self.figures.append({"case": f"{10 * len(requests):,} mixed requests", "service": service.name, "held": held})

    def _new(self) -> dict[str, Any]:
        return {"method": "POST", "path": "/events", "body": EVENT | {"status": "published"}}


def _figure(service: Service, case: Case, size: int | None) -> dict[str, Any]:
    """What a case costs. Of the requests, which may not be repeated, a few are counted and some only warm up."""
    requests = [case.make(number) for number in range(case.repeats)]
    if case.before:
        service.send([request for number in range(case.repeats) for request in case.before(number)])
    counted = service.send(requests[:COUNTED], count=True)
    service.send(requests[COUNTED:WARM])
    told = service.send(requests[WARM:])
    milliseconds = sorted(1000 * seconds for seconds in told["cpu"])
    return {
        "case": case.name,
        "service": service.name,
        "grows_with": case.grows_with,
        "size": size,
        "calls": round(len(counted["calls"]) / COUNTED, 1),
        "units": round(counted["units"] / COUNTED, 1),
        "cpu_ms": round(statistics.median(milliseconds), 3),
        "cpu_ms_p99": round(milliseconds[int(len(milliseconds) * 0.99)], 3),
        "bytes": round(statistics.median(told["bytes"])),
        "megabytes": round(told["megabytes"]),
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


def measure(*, quick: bool = False, shorter: bool = False) -> Figures:
    """Run the benchmark, with a bar of its progress."""
    sizes = QUICK if quick else SHORTER if shorter else SIZES
    steps = len(cases.ALWAYS) + len(cases.OF_EVENTS) * len(sizes["events"])
    steps += cases.OF_REGISTRATIONS * len(sizes["registrations"]) + cases.OF_WAITING * len(sizes["waiting"])
    with running_engine(module="ministack") as endpoint, ExitStack() as stack:
        prepare(endpoint)
        bench = Bench(
            endpoint,
            sizes,
            0 if quick else MIXED // 10 if shorter else MIXED,
            [stack.enter_context(running(name, endpoint)) for name in SERVICES],
        )
        for _ in tqdm(bench.run(), total=steps, unit=" calls", file=sys.stderr):
            pass
        for events in () if quick else (32, 1):
            bench.throughput(events)
    return bench.figures


def main() -> None:
    """Measure, print, and write the requested files."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="small sizes only: under a minute")
    parser.add_argument("--shorter", action="store_true", help="fewer sizes, and a tenth of the registrations")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show what became of an earlier run's figures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--figures", action="store_true", help="write docs/figures.md with its charts")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    measured = measure(quick=options.quick, shorter=options.shorter)
    how = "with `--quick`, " if options.quick else "with `--shorter`, " if options.shorter else ""
    machine = (
        f"{how}{platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} before"
    )
    before = json.loads(options.compare.read_text()) if options.compare else figures.last_release()
    print(figures.table(measured, before))
    if options.json:
        options.json.write_text(figures.compact(measured))
    if options.figures:
        figures.write(measured, machine)


if __name__ == "__main__":
    main()
