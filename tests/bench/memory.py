"""What a process of the service holds in the course of many requests of all kinds."""

import json
import time
from typing import Any

from tests.bench import cases
from tests.bench.services import EVENT, Data, prepare, running
from tests.engines import running_engine

ROUNDS, USERS = 40, 50
"""Rounds of requests, and the users of each round. A user makes ten requests."""


def measure(*, until: float) -> list[dict[str, Any]]:
    """Send mixed requests to one process of ours.

    Args:
        until: The time of `time.monotonic` after which no further round begins.

    Returns:
        One figure: the megabytes that the process has held at most, after each round. None if no round was finished.
    """
    held: list[float] = []
    with running_engine(module="ministack") as endpoint:
        prepare(endpoint)
        with running("eventsite", endpoint) as service:
            data = Data(service, endpoint)
            data.events(range(200))
            users = data.users(range(USERS))
            made = service.send([{"method": "POST", "path": "/events", "body": EVENT | {"status": "published"}}])
            event = json.loads(made["body"])["eventId"]
            requests = [request for user in users for request in cases.mixed(event, user)]
            while len(held) < ROUNDS and time.monotonic() < until:
                held.append(round(service.send(requests)["megabytes"], 1))
    count = len(held) * len(requests)
    return [{"case": f"{count:,} mixed requests", "service": "eventsite", "held": held}] if held else []
