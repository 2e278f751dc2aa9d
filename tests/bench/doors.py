"""The opening of the doors: clients ask for a seat again and again until registration opens.

    python -m tests.bench.doors [--clients 1000] [--seats 500] [--every 5] [--seed 1]

The clients come during the minute before the event opens, and each asks every few seconds. In virtual time against the
engine with physics, as `tests.bench.contention`. The figures are the DynamoDB calls and units of one request before the
event opens; after that the time to each answer, and how exactly the tickets follow the order of arrival.
"""

import argparse
import itertools
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import django

MINUTE = 60.0  # seconds
NOT_OPEN = "registration_not_open"


@dataclass
class Opening:
    """The requests before and after the opening."""

    early: int = 0
    """Requests before the event opened."""
    early_calls: int = 0
    early_units: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from the first request after the opening to its answer, in the order of arrival."""
    tickets: list[int] = field(default_factory=list)
    """The tickets in the order of arrival."""

    @property
    def displaced(self) -> list[int]:
        """Return by how many places each ticket differs from the order of arrival, ascending."""
        ranks = {ticket: rank for rank, ticket in enumerate(sorted(self.tickets))}
        return sorted(abs(ranks[ticket] - place) for place, ticket in enumerate(self.tickets))

    def __str__(self) -> str:
        waits, displaced = sorted(self.waits), self.displaced
        early = max(1, self.early)
        return "\n".join(
            [
                f"before: {self.early} requests, {self.early_calls / early:.2f} calls and"
                f" {self.early_units / early:.2f} units each",
                f"after: {dict(self.answers)}",
                f"answered within {waits[len(waits) // 2]:.2f} s (median),"
                f" {waits[len(waits) * 99 // 100]:.2f} s (99 %), {waits[-1]:.2f} s (all)",
                f"places between arrival and ticket: {displaced[len(displaced) // 2]} (median),"
                f" {displaced[len(displaced) * 99 // 100]} (99 %), {displaced[-1]} (most)",
            ]
        )


def open_doors(clients: int, *, seats: int, every: float, seed: int = 1) -> Opening:
    """Let clients ask from a minute before the opening on.

    Args:
        clients: The number of clients.
        seats: The seats of the event, which has a waitlist.
        every: Seconds between two requests of a client.
        seed: The seed of everything random.
    """
    from tests.bench.contention import existing, memory_of_its_own, names, stage
    from tests.bench.physical_engine import PhysicalEngine
    from tests.bench.virtual_time import VirtualTime
    from tests.torn import ministack

    clock = VirtualTime(seed)
    engine = PhysicalEngine(ministack(), clock)
    opening = Opening()
    arrivals: dict[str, tuple[float, float]] = {}

    def client(event_id: str, user_id: str, start: float) -> None:
        clock.sleep(start)
        while True:
            began = clock.now
            word = _ask(event_id, user_id)
            if word != NOT_OPEN:
                opening.answers[word] += 1
                arrivals[user_id] = began, clock.now - began
                return
            opening.early += 1
            clock.sleep(every * random.uniform(0.9, 1.1))

    def count_early() -> None:
        clock.sleep(MINUTE)
        opening.early_calls = engine.costs.calls.total()
        opening.early_units = engine.costs.reads.total() + engine.costs.writes.total()

    with engine.connected(), clock, stage(engine, seats, waitlist=True) as event_id, memory_of_its_own():
        _open_in_a_minute(event_id)
        users = list(existing(itertools.islice(names(), clients), engine))
        engine.is_running = True
        asking = [partial(client, event_id, user, random.uniform(0, MINUTE)) for user in users]
        clock.run([count_early, *asking])
        engine.is_running = False
        in_order = sorted(arrivals, key=lambda user: arrivals[user])
        opening.waits = [arrivals[user][1] for user in in_order]
        opening.tickets = [_ticket(event_id, user) for user in in_order]
    return opening


def _open_in_a_minute(event_id: str) -> None:
    from events import editing
    from eventsite import clock
    from eventsite.auth.scope import EVERYTHING

    opens_at = datetime.fromtimestamp(clock.seconds() + MINUTE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    editing.edit(event_id, {"registration_opens_at": opens_at}, scope=EVERYTHING)


def _ask(event_id: str, user_id: str) -> str:
    from django.conf import settings

    from eventsite.auth.scope import EVERYTHING
    from eventsite.dynamodb.retries import time_limit
    from eventsite.errors import DomainError
    from registrations import seating

    try:
        with time_limit(settings.REQUEST_SECONDS):
            return str(seating.register(event_id, user_id, scope=EVERYTHING).status)
    except DomainError as error:
        return error.code


def _ticket(event_id: str, user_id: str) -> int:
    from registrations.models import UserRegistration

    return int(UserRegistration.get(*UserRegistration.key_of(event_id, user_id)).ticket or 0)


def main() -> None:
    """Print how an opening went."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.doors")
    parser.add_argument("--clients", type=int, default=1_000)
    parser.add_argument("--seats", type=int, default=500)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two requests of a client")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventsite.settings")
    django.setup()
    print(open_doors(options.clients, seats=options.seats, every=options.every, seed=options.seed))


if __name__ == "__main__":
    main()
