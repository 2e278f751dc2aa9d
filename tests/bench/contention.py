"""How a hot event fares: many clients, one item that every registration needs.

    python -m tests.bench.contention [--clients 1 32 256 1000] [--seconds 5] [--joins | --leave] [--pinned]
    python -m tests.bench.contention --users 10000 --seats 500 [--no-waitlist] [--clients 1000]

Every client registers one user after the other for one event, by the rules themselves (`registrations.seating`) under
a request's deadline. Time is virtual (`tests.bench.virtual_time`) and DynamoDB is the embedded engine with physics
before it (`tests.bench.physical_engine`), so the figures do not depend on this machine. The service's own computing
takes no time in them.

With `--leave`, registered users leave instead. With `--dying`, this share of the requests ends after one of its calls,
as if its process had crashed; the figures are those of the other requests.

The second form lets a number of people ask once each, and prints how long it takes until the last one has
an answer, and what it costs.
"""

import argparse
import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import django

CLIENTS = (1, 32, 256, 1000)
MOST_LEAVE = 600  # leavings a second; fewer registered users than that would run out
MOST_CALLS = 6  # of a request in contention, after one of which its process may crash


@dataclass
class Result:
    """What some clients achieved."""

    clients: int
    lasted: float
    seconds: list[float]
    """How long each registration took, in order; also those that were under way when the time was up."""
    in_time: int
    answers: Counter[str]
    costs: Any
    hottest: list[tuple[str, float]] = field(default_factory=list)
    """What was written most, and how many units per second."""

    @property
    def per_second(self) -> float:
        """Registrations answered per second."""
        return self.in_time / self.lasted

    @property
    def refused(self) -> int:
        """How many got a 503."""
        return self.answers["unavailable"]

    def within(self, share: float) -> float:
        """The seconds within which this share of the registrations was answered."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]

    def each(self, counter: Counter[str]) -> float:
        """Of what was counted, the part of one registration."""
        return sum(counter.values()) / len(self.seconds)

    def __str__(self) -> str:
        costs = self.costs
        return (
            f"{self.clients:7} {self.per_second:9.1f} {self.within(0.5):7.3f} {self.within(0.99):7.3f}"
            f" {self.seconds[-1]:7.3f} {self.each(costs.calls):6.2f} {self.each(costs.writes):7.2f}"
            f" {self.each(costs.reads):7.2f} {self.each(costs.refusals):8.2f} {self.refused:5}"
        )


HEADING = "clients  answers/s   p50 s   p99 s   max s  calls  writes   reads refusals   503"


class Killed(BaseException):
    """The process of a request crashes."""


def measure(
    clients: int,
    *,
    seconds: float = 5.0,
    joins: bool = False,
    leavers: int = 0,
    dying: float = 0.0,
    pinned: bool = False,
    seed: int = 1,
) -> Result:
    """Let some clients register users for one event, each one after the other, for some seconds.

    Args:
        clients: The number of clients.
        seconds: The virtual time.
        joins: True if the event is full, so that every user joins the queue.
        leavers: The number of users who are registered and leave; 0 if users register.
        dying: The share of the requests whose process crashes after one of their calls.
        pinned: As `Physics`.
        seed: The seed of everything random.
    """
    run = _Run(clients, seed=seed, pinned=pinned, dying=dying)
    return run.until(seconds, capacity=0 if joins else 100_000, leavers=leavers)


def rush(users: int, *, seats: int, clients: int, waitlist: bool = True, pinned: bool = False, seed: int = 1) -> Result:
    """Let a number of users ask for a number of seats, once each, a number of clients at a time."""
    return _Run(clients, seed=seed, pinned=pinned).rush(users, seats=seats, waitlist=waitlist)


class _Run:
    """One event on an engine of its own."""

    def __init__(self, clients: int, *, seed: int, pinned: bool, dying: float = 0.0) -> None:
        from tests.bench.physical_engine import PhysicalEngine, Physics
        from tests.bench.virtual_time import VirtualTime
        from tests.torn import ministack

        self._clients = clients
        self._clock = VirtualTime(seed)
        self._engine = PhysicalEngine(ministack(), self._clock, Physics(pinned=pinned))
        self._dying = dying
        self._seconds: list[float] = []
        self._answers: Counter[str] = Counter()
        self._in_time = 0

    def until(self, seconds: float, *, capacity: int, leavers: int = 0) -> Result:
        """Register new users until the time is up, or let some registered users leave."""

        def client(event_id: str, users: Iterator[str]) -> None:
            for user in users:
                self._request(_leave if leavers else _register, event_id, user, until=seconds)
                if self._clock.now >= seconds:
                    return

        with self._engine.connected(), self._clock, stage(self._engine, capacity, waitlist=True) as event_id:
            users = existing(itertools.islice(names(), leavers or None), self._engine)
            if leavers:
                users = iter([user for user in users if _register(event_id, user)])
            self._go(event_id, client, users)
        return self._result(seconds)

    def rush(self, users: int, *, seats: int, waitlist: bool) -> Result:
        """Let everybody ask once."""

        def client(event_id: str, names: Iterator[str]) -> None:
            for name in names:
                self._request(_register, event_id, name, until=float("inf"))

        with self._engine.connected(), self._clock, stage(self._engine, seats, waitlist=waitlist) as event_id:
            self._go(event_id, client, existing(itertools.islice(names(), users), self._engine))
        return self._result(self._clock.now)

    def _go(self, event_id: str, client: Any, names: Iterator[str]) -> None:
        self._engine.is_running = True
        with memory_of_its_own():
            self._clock.run([lambda: client(event_id, names)] * self._clients)

    def _request(self, act: Callable[[str, str], str], event_id: str, user_id: str, *, until: float) -> None:
        from django.conf import settings

        from eventsite.dynamodb.retries import time_limit
        from eventsite.errors import DomainError

        started = self._clock.now
        try:
            with time_limit(settings.REQUEST_SECONDS), self._mortal():
                answer = act(event_id, user_id)
        except DomainError as error:
            answer = error.code
        except Killed:
            self._answers["killed"] += 1
            return
        self._answers[answer] += 1
        self._seconds.append(self._clock.now - started)
        self._in_time += self._clock.now < until

    @contextmanager
    def _mortal(self) -> Iterator[None]:
        """Let the process of some requests crash after one of their first calls."""
        calls = random.randint(1, MOST_CALLS) if random.random() < self._dying else 0
        with self._engine.interrupted(calls, Killed) if calls else nullcontext():
            yield

    def _result(self, lasted: float) -> Result:
        costs = self._engine.costs
        hottest = [(key, units / lasted) for key, units in costs.items.most_common(5)]
        return Result(self._clients, lasted, sorted(self._seconds), self._in_time, self._answers, costs, hottest)


def _register(event_id: str, user_id: str) -> str:
    from eventsite.auth.scope import EVERYTHING
    from registrations import seating

    return str(seating.register(event_id, user_id, scope=EVERYTHING).status)


def _leave(event_id: str, user_id: str) -> str:
    from eventsite.auth.scope import EVERYTHING
    from registrations import seating

    seating.leave(event_id, user_id, scope=EVERYTHING)
    return "left"


@contextmanager
def memory_of_its_own() -> Iterator[None]:
    """Let every client remember only what it did itself: on Lambda each is a process."""
    from registrations.seating import operations

    class OfEachClient(threading.local):
        def __init__(self) -> None:
            self.memory = operations.Memory()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.memory, name)

    with patch.object(operations, "MEMORY", OfEachClient()):
        yield


@contextmanager
def stage(engine: Any, capacity: int, *, waitlist: bool) -> Iterator[str]:
    """Empty tables and one event."""
    from eventsite.dynamodb.base_model import table_models

    for model in table_models():
        model.create_table(wait=False)
    try:
        yield _hot_event(capacity=capacity, waitlist=waitlist)
    finally:
        engine.is_running = False
        for table in engine("ListTables", {})["TableNames"]:
            engine("DeleteTable", {"TableName": table})


def _hot_event(*, capacity: int, waitlist: bool) -> str:
    from events import services
    from tests.api import EVENT

    names = ("title", "description", "date", "location", "organizer", "status")
    fields = {name: EVENT[name] for name in names} | {"capacity": capacity, "waitlist_enabled": waitlist}
    return str(services.create(fields, organizer_id=None).event.event_id)


def names() -> Iterator[str]:
    """Ids as the service makes them."""
    for number in itertools.count(1):
        yield f"{number:08}-0000-4000-8000-000000000000"


def existing(names: Iterator[str], engine: Any) -> Iterator[str]:
    """The users of these ids, made (at no cost) when they are asked for."""
    from eventsite import clock
    from users.models import User

    for name in names:
        running, engine.is_running = engine.is_running, False
        User(name, name=name, created_at=clock.now()).save()
        engine.is_running = running
        yield name


def main() -> None:
    """Print the curve, or how the rush went."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.contention")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=5.0, help="per number of clients, in virtual time")
    parser.add_argument("--joins", action="store_true", help="the event is full: everybody joins the queue")
    parser.add_argument("--leave", action="store_true", help="users who are registered leave")
    parser.add_argument("--dying", type=float, default=0.0, help="the share of the requests whose process crashes")
    parser.add_argument("--pinned", action="store_true", help="no partition has been split yet")
    parser.add_argument("--hottest", action="store_true", help="also print what is written most")
    parser.add_argument("--users", type=int, help="so many people ask once each")
    parser.add_argument("--seats", type=int, default=500, help="for so many seats")
    parser.add_argument("--no-waitlist", action="store_true", help="and nobody can wait")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    print(HEADING)
    for clients in options.clients:
        if options.users:
            result = rush(
                options.users,
                seats=options.seats,
                clients=clients,
                waitlist=not options.no_waitlist,
                pinned=options.pinned,
            )
        else:
            result = measure(
                clients,
                seconds=options.seconds,
                joins=options.joins,
                leavers=round(MOST_LEAVE * options.seconds) if options.leave else 0,
                dying=options.dying,
                pinned=options.pinned,
            )
        print(result, flush=True)
        if options.users:
            _print_bill(result)
        for key, units in result.hottest if options.hottest else ():
            print(f"        {units:8.1f} units/s  {key}")


def _print_bill(result: Result) -> None:
    """The whole of a rush."""
    costs = result.costs
    print(f"        {result.lasted:.1f} s to the last answer: {dict(result.answers)}")
    writes, reads = costs.writes.total(), costs.reads.total()
    print(f"        {costs.calls.total()} calls, {writes:.0f} write and {reads:.0f} read units")
    ((key, units),) = costs.read_items.most_common(1)
    print(f"        {units:.0f} read units of {key}")


if __name__ == "__main__":
    main()
