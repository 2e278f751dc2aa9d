"""A day of a large service in virtual time: ``python -m tests.bench.day [--seed 1]``.

1,000,000 events, 10,000,000 registrations, and twenty sales that open at ten o'clock. Two parts:

- The twenty sales run completely: every request by the service's own rules against `tests.bench.physical_engine`, with
  at most as many at a time as AWS has Lambdas for, which start as fast as AWS starts them, and as slowly.
- The rest of the day is a sample: one in `--share` of its requests runs by the same rules, and calls and units are
  multiplied. Events do not share items, so they cost alone what they cost together; what all of them share, the
  partitions of the two indexes, is added up from the sample.

The day's load follows a curve with its peak in the evening. The service's own computing takes its CPU time at the
processor share of a Lambda of 512 MB.
"""

import argparse
import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import django

from tests.bench.prices import dollars

HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 7, 7, 8, 7, 6, 6, 7, 8, 10, 11, 10, 7, 4, 2)
"""The load of each hour of a day, in relation to the others."""
EVENTS, REGISTRATIONS = 1_000_000, 10_000_000
READS, LISTS, LEAVES, CHECK_INS = 10, 2, 0.1, 0.5  # per registration
SALES, SEATS, ASKERS = 20, 500, 1_000
LAMBDAS, PER_SECOND = 1_000, 100  # account quota; environments that start per second (1,000 in 10 s)
COLD_SECONDS, PROCESSOR = 1.0, 0.29
COMPUTING = {"create": 1.2, "register": 2.2, "read": 0.9, "list": 2.1, "leave": 2.1, "check in": 2.1}
"""Milliseconds of CPU on an idle machine. docs/figures.md has those of its own."""
PARTITION_WRITES, PARTITION_READS = 1_000, 3_000  # units a second


@dataclass
class Sale:
    """What became of all who wanted a seat of the twenty sales."""

    answers: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from ten o'clock to each answer."""
    last_seat: float = 0.0
    busiest: int = 0
    """Lambdas at work at once."""


@dataclass
class Part:
    """What a sample of one kind of request cost."""

    requests: int
    calls: float
    writes: float
    reads: float
    seconds: float


class Day:
    """The simulated service."""

    def __init__(self, seed: int) -> None:
        from tests.bench.physical_engine import PhysicalEngine
        from tests.bench.virtual_time import VirtualTime
        from tests.torn import ministack

        self.clock = VirtualTime(seed)
        self.engine = PhysicalEngine(ministack(), self.clock)
        self._random = random.Random(seed)

    @contextmanager
    def staged(self) -> Iterator[None]:
        """Make the tables, and let time pass inside."""
        from eventsite.dynamodb.base_model import table_models
        from tests.bench.contention import memory_of_its_own

        with self.engine.connected(), self.clock, memory_of_its_own():
            for model in table_models():
                model.create_table(wait=False)
            yield
            self.engine.is_running = False

    # The sales

    def sales(self) -> Sale:
        """Open all sales at once. Everybody asks within a minute, most of them at once."""
        events = [self._event(SEATS) for _ in range(SALES)]
        queue = [(events[n % SALES], user, self._asks()) for n, user in enumerate(_names(SALES * ASKERS))]
        queue.sort(key=lambda asker: asker[2])
        self._people(user for _, user, _ in queue)
        sale, waiting, working = Sale(), iter(queue), [0]

        def environment(number: int) -> Callable[[], None]:
            def live() -> None:
                self.clock.sleep(number / PER_SECOND if number >= LAMBDAS else 0)
                is_cold = True
                for event, user, asks in waiting:
                    self.clock.sleep(max(0.0, asks - self.clock.now))
                    working[0] += 1
                    sale.busiest = max(sale.busiest, working[0])
                    self.clock.sleep(COLD_SECONDS if is_cold else 0)
                    is_cold = False
                    word = self._computed("register", partial(self._register, event, user))
                    working[0] -= 1
                    self._note(sale, word, asks)

            return live

        self.engine.is_running = True
        self.clock.run([environment(number) for number in range(LAMBDAS)])
        self.engine.is_running = False
        return sale

    def _asks(self) -> float:
        """The second in which somebody asks: half of all within the first two, the rest within a minute."""
        return self._random.expovariate(1 / 2) if self._random.random() < 0.5 else self._random.uniform(0, 60)

    def _note(self, sale: Sale, word: str, asks: float) -> None:
        sale.answers[word] += 1
        sale.waits.append(self.clock.now - asks)
        if word == "registered":
            sale.last_seat = self.clock.now

    # The rest of the day

    def sampled(self, share: int) -> dict[str, Part]:
        """Run one in `share` of the day's requests, one kind after the other."""
        events = EVENTS // share
        made = self._costing("create", [lambda: self._event(20)] * events)
        ids = self._made[-events:]
        people = _names(REGISTRATIONS // share)
        self._people(people)
        pairs = [(ids[n % len(ids)], user) for n, user in enumerate(people)]
        parts = {"create": made}
        parts["register"] = self._costing("register", [partial(self._register, *pair) for pair in pairs])
        few = pairs[:: max(1, len(pairs) // 200)]
        parts["read"] = self._costing("read", [partial(self._read, event) for event, _ in few])
        parts["list"] = self._costing("list", [self._list] * 20)
        leaving = pairs[: max(1, int(len(pairs) * LEAVES))]
        parts["leave"] = self._costing("leave", [partial(self._leave, *pair) for pair in leaving])
        coming = pairs[len(leaving) :][: max(1, int(len(pairs) * CHECK_INS))]
        parts["check in"] = self._costing("check in", [partial(self._check_in, *pair) for pair in coming])
        return parts

    def _costing(self, kind: str, requests: list[Callable[[], Any]]) -> Part:
        before = self._spent()
        self.engine.is_running = True
        self.clock.run([lambda: [self._computed(kind, request) for request in requests]])
        self.engine.is_running = False
        calls, writes, reads, seconds = (
            (late - early) / len(requests) for early, late in zip(before, self._spent(), strict=True)
        )
        return Part(len(requests), calls, writes, reads, seconds)

    def _spent(self) -> tuple[float, float, float, float]:
        costs = self.engine.costs
        return costs.calls.total(), costs.writes.total(), sum(costs.reads.values()), self.clock.now

    # Requests

    def _computed(self, kind: str, request: Callable[[], Any]) -> Any:
        self.clock.sleep(COMPUTING[kind] / 1000 / PROCESSOR)
        return request()

    _made: list[str] = []

    def _event(self, capacity: int) -> str:
        from events import services
        from tests.api import EVENT

        names = ("title", "description", "date", "location", "organizer", "status")
        fields = {name: EVENT[name] for name in names} | {"capacity": capacity, "waitlist_enabled": True}
        self._made.append(str(services.create(fields, organizer_id=None).event.event_id))
        return self._made[-1]

    def _register(self, event: str, user: str) -> str:
        from django.conf import settings

        from eventsite.auth.scope import EVERYTHING
        from eventsite.dynamodb.retries import time_limit
        from eventsite.errors import DomainError
        from registrations import seating

        try:
            with time_limit(settings.REQUEST_SECONDS):
                return str(seating.register(event, user, scope=EVERYTHING).status)
        except DomainError as error:
            return error.code

    def _leave(self, event: str, user: str) -> None:
        from eventsite.auth.scope import EVERYTHING
        from registrations import seating

        seating.leave(event, user, scope=EVERYTHING)

    def _read(self, event: str) -> None:
        from events import services
        from eventsite.auth.scope import EVERYTHING

        services.read(event, scope=EVERYTHING)

    def _check_in(self, event: str, user: str) -> None:
        from eventsite.auth.scope import EVERYTHING
        from registrations import checkin

        checkin.check_in(event, user, by=None, scope=EVERYTHING)

    def _list(self) -> None:
        """Read a list of one status as an attendee."""
        from events import listing
        from eventsite.auth.scope import NOTHING

        listing.page(listing.streams(scope=NOTHING, statuses=("published",)), listing.Span(), limit=50)

    def _people(self, names: Any) -> None:
        from eventsite import clock
        from users.models import User

        with User.batch_write() as batch:
            for name in names:
                batch.save(User(name, name=name, created_at=clock.now()))


def _names(count: int) -> list[str]:
    """Return ids of users. They are UUIDs, because the log of an event has no room for longer ones."""
    from tests.bench.contention import names

    return list(itertools.islice(names(), count))


PER_DAY = {
    "create": EVENTS,
    "register": REGISTRATIONS,
    "read": REGISTRATIONS * READS,
    "list": REGISTRATIONS * LISTS,
    "leave": REGISTRATIONS * LEAVES,
    "check in": REGISTRATIONS * CHECK_INS,
}
PEAK = max(HOURS) / sum(HOURS) / 3600
"""The part of a day's load in each second of its busiest hour."""


def of_sales(sale: Sale) -> str:
    """Return what became of the sales, as lines of text."""
    waits = sorted(sale.waits)
    at = ", ".join(f"{waits[int(len(waits) * share)]:.2f} s (p{100 * share:.0f})" for share in (0.5, 0.9, 0.99))
    return (
        f"sales: {len(waits):,} requests for {SALES} events of {SEATS} seats: {dict(sale.answers)}\n"
        f"sales: answered within {at}, {waits[-1]:.2f} s (all)\n"
        f"sales: the last seat after {sale.last_seat:.1f} s, {sale.busiest:,} Lambdas at once at most"
    )


def of_day(parts: dict[str, Part], index_writes: float, index_reads: float) -> str:
    """Return the rest of the day, as lines of text.

    Args:
        parts: The kinds of requests.
        index_writes: Units of the partition of a status in the index, to create an event.
        index_reads: Units of the same partition, to list events.
    """
    lines = [f"{'':9} {'a day':>13} {'at peak':>9} {'Lambdas':>8} {'calls':>6} {'writes':>7} {'reads':>7}"]
    for kind, part in parts.items():
        count = PER_DAY[kind]
        lines.append(
            f"{kind:9} {count:13,.0f} {count * PEAK:9,.0f} {count * PEAK * part.seconds:8,.1f}"
            f" {part.calls:6.1f} {part.writes:7.1f} {part.reads:7.1f}"
        )
    total = {name: _together(parts, name) for name in ("writes", "reads", "seconds")}
    count = sum(PER_DAY.values())
    changes = (REGISTRATIONS * (1 + LEAVES + CHECK_INS) + EVENTS) * PEAK
    cost = dollars(requests=count, seconds=total["seconds"], write_units=total["writes"], read_units=total["reads"])
    return "\n".join(
        [
            *lines,
            f"at peak: {count * PEAK:,.0f} requests, {total['seconds'] * PEAK:,.0f} Lambdas at work,"
            f" {total['writes'] * PEAK:,.0f} write units, {total['reads'] * PEAK:,.0f} read units a second",
            f"at peak: {index_writes * EVENTS * PEAK:,.0f} of {PARTITION_WRITES:,} write units and"
            f" {index_reads * PER_DAY['list'] * PEAK:,.0f} of {PARTITION_READS:,} read units of a status's partition",
            f"at peak: {changes:,.0f} changes in the stream, {REGISTRATIONS * PEAK:,.0f} mails a second",
            f"a day: ${cost:,.0f}, and ${dollars(mails=REGISTRATIONS):,.0f} for one mail per registration",
        ]
    )


def _together(parts: dict[str, Part], name: str) -> float:
    return sum(PER_DAY[kind] * float(getattr(part, name)) for kind, part in parts.items())


def _in_index(units_of: Any) -> float:
    """Return the units that were spent in the index of statuses."""
    return float(sum(units for key, units in units_of.items() if "/status-date/" in key))


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=int, default=10_000, help="one in so many of the day's requests is simulated")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    sale_day = Day(options.seed)
    with sale_day.staged():
        sale = sale_day.sales()
    rest = Day(options.seed)
    with rest.staged():
        parts = rest.sampled(options.share)
        costs = rest.engine.costs
        written, read = (_in_index(counter) for counter in (costs.items, costs.read_items))
    print(of_sales(sale))
    print(of_day(parts, written / parts["create"].requests, read / parts["list"].requests))


if __name__ == "__main__":
    main()
