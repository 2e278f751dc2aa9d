"""How a hot event fares: many clients, one item that every transaction needs.

    python -m tests.bench.contention [--joins] [--clients 1 2 4 ...] [--seconds 5]

The engine's transactions hold their keys for 10 ms and refuse overlapping ones (`tests.bench.conflicting_engine`), so
100 a second is what serial execution would allow. Every client registers one user after the other for one event, by
the rules themselves (`registrations.seating`) under a request's deadline, until the time is up. The clients are
threads of this process; their share of a processor is printed, so that one can see whether it is the limit.
"""

import argparse
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import django

HOLD_SECONDS = 0.01
CLIENTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Result:
    """What some clients achieved."""

    clients: int
    in_time: int
    """Registrations answered before the time was up."""
    lasted: float
    seconds: list[float]
    """How long each registration took, in order; also those that were under way when the time was up."""
    refused: int
    transactions: int
    processor: float
    """Processor seconds of the clients per second."""

    @property
    def per_second(self) -> float:
        """Registrations per second."""
        return self.in_time / self.lasted

    def within(self, share: float) -> float:
        """The seconds within which this share of the registrations was answered."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))]

    @property
    def attempts(self) -> float:
        """Transactions sent per registration."""
        return self.transactions / len(self.seconds)

    def __str__(self) -> str:
        return (
            f"{self.clients:7} {self.per_second:14.1f} {self.within(0.5):7.2f} {self.within(0.99):7.2f}"
            f" {self.seconds[-1]:7.2f} {self.attempts:9.1f} {self.refused:8} {self.processor:10.2f}"
        )


HEADING = "clients  registrations/s   p50 s   p99 s   max s  attempts  refused  processor"


def measure(clients: int, *, seconds: float, joins: bool = False) -> Result:
    """Let some clients register users for one event, each one after the other, for some seconds.

    Takes: `joins`: whether the event is full, so that everybody joins the queue.
    """
    from tests.faults import counting

    event_id = _hot_event(capacity=0 if joins else 100_000)
    users = iter(_users(int(150 * (seconds + 1))))
    started, processor = time.monotonic(), time.process_time()
    until = started + seconds
    crowd = [_Client(event_id, users, until) for _ in range(clients)]
    with counting() as calls:
        for client in crowd:
            client.start()
        for client in crowd:
            client.join()
    return Result(
        clients=clients,
        in_time=sum(client.in_time for client in crowd),
        lasted=seconds,
        seconds=sorted(second for client in crowd for second in client.seconds),
        refused=sum(client.refused for client in crowd),
        transactions=calls.made.count("TransactWriteItems"),
        processor=(time.process_time() - processor) / (time.monotonic() - started),
    )


class _Client(threading.Thread):
    """One who registers users, one after the other."""

    def __init__(self, event_id: str, users: Iterator[str], until: float) -> None:
        super().__init__()
        self._event_id, self._users, self._until = event_id, users, until
        self.seconds: list[float] = []
        self.in_time = 0
        self.refused = 0

    def run(self) -> None:
        while time.monotonic() < self._until:
            self._register(next(self._users))

    def _register(self, user_id: str) -> None:
        from django.conf import settings

        from eventsite.dynamodb.retries import time_limit
        from eventsite.errors import DomainError
        from registrations import seating

        started = time.monotonic()
        try:
            with time_limit(settings.REQUEST_SECONDS):
                seating.register(self._event_id, user_id)
        except DomainError:
            self.refused += 1
        finished = time.monotonic()
        self.seconds.append(finished - started)
        self.in_time += finished < self._until


def _hot_event(*, capacity: int) -> str:
    from events import editing
    from tests.api import EVENT

    names = ("title", "description", "date", "location", "organizer", "status")
    fields = {name: EVENT[name] for name in names} | {"capacity": capacity, "waitlist_enabled": True}
    return str(editing.create(fields).event.event_id)


def _users(count: int) -> list[str]:
    from eventsite import clock
    from users.models import User

    prefix = str(time.monotonic_ns())
    names = [f"user-{prefix}-{number}" for number in range(count)]
    with User.batch_write() as batch:
        for name in names:
            batch.save(User(name, name=name, created_at=clock.now()))
    return names


def main() -> None:
    """Print the curve."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.contention")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=5.0, help="per number of clients")
    parser.add_argument("--joins", action="store_true", help="the event is full: everybody joins the queue")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    from eventsite.dynamodb import tables
    from tests.engines import conflicting_engine, running_engine, served_by

    print(HEADING)
    with running_engine() as engine, conflicting_engine(engine, HOLD_SECONDS) as url, served_by(url):
        tables.create_missing()
        for clients in options.clients:
            print(measure(clients, seconds=options.seconds, joins=options.joins), flush=True)


if __name__ == "__main__":
    main()
