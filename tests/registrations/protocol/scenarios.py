"""The scenarios of the search: the requests, the event, and the faults."""

import itertools
from collections.abc import Iterator
from typing import Any

from tests.registrations.protocol.search import Faults, Scenario

CRASH, LOST, LATE, TORN = Faults(crashes=1), Faults(lost=1), Faults(late=1), Faults(torn=1)
EACH = (CRASH, LOST, LATE, TORN)
"""One fault of each kind, by itself."""
TOGETHER = (
    Faults(crashes=1, lost=1),
    Faults(crashes=1, late=1),
    Faults(crashes=1, torn=1),
    Faults(lost=1, late=1),
    Faults(lost=1, torn=1),
    Faults(late=1, torn=1),
)
"""Two faults of different kinds."""

EVENTS: tuple[dict[str, Any], ...] = (
    {"capacity": 0},
    {"capacity": 0, "waiting": "u"},
    {"capacity": 0, "seated": "u", "waiting": "vw"},
    {"capacity": 1},
    {"capacity": 1, "waitlist": False},
    {"capacity": 1, "seated": "u"},
    {"capacity": 1, "seated": "u", "waitlist": False},
    {"capacity": 1, "seated": "u", "waiting": "v"},
    {"capacity": 1, "seated": "u", "waiting": "vw"},
    {"capacity": 1, "seated": "uv"},
    {"capacity": 1, "seated": "uv", "waiting": "w"},
    {"capacity": 2, "seated": "u"},
    {"capacity": 2, "seated": "uv", "waiting": "w"},
    {"capacity": 1, "past": "u"},
    {"capacity": 1, "seated": "u", "waiting": "v", "is_open": False},
)
"""The initial states: no to three users; full, overfull (after a lower capacity) and closed."""


def _requests(event: dict[str, object]) -> list[tuple[object, ...]]:
    """Return all requests for an event."""
    capacity = int(str(event["capacity"]))
    people = [(kind, user) for kind in ("register", "leave", "look") for user in "uvw"]
    edits = [("edit", capacity + 1, True), ("edit", capacity + 2, True), ("edit", max(0, capacity - 1), True)]
    others = [("edit", capacity, False), ("edit", capacity, True, False)]
    return [*people, *edits, *others, ("sweep",)]


def _is_worth_it(asked: tuple[tuple[object, ...], ...], event: dict[str, object]) -> bool:
    """Return True if a request changes something, and the first of equal people act."""
    known = "".join(str(event.get(kind, "")) for kind in ("seated", "waiting", "past"))
    strangers = [user for user in "uvw" if user not in known]
    acting = [str(request[1]) for request in asked if request[0] in ("register", "leave", "look")]
    acting_strangers = list(dict.fromkeys(user for user in acting if user in strangers))
    changes = any(request[0] in ("register", "leave", "edit") for request in asked)
    return changes and acting_strangers == strangers[: len(acting_strangers)]


def at_once(count: int) -> Iterator[Scenario]:
    """Every scenario of a number of requests at once, without faults, up to the names of strangers."""
    for event in EVENTS:
        for asked in itertools.combinations_with_replacement(_requests(event), count):
            if _is_worth_it(asked, event):
                yield Scenario(requests=asked, **event)
