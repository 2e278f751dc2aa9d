"""The calls that the benchmark makes, and on what the cost of each may depend."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.services import EVENT, Request

HOME = "home-event"
Make = Callable[[int], Request]


@dataclass(frozen=True)
class Case:
    """One call."""

    name: str
    make: Make
    """The request number so many."""
    grows_with: str = ""
    """Of what there may be few or many."""
    rival: bool = True
    """Whether the other service has it."""
    repeats: int = 200


def _get(path: str, **query: str) -> Make:
    return lambda _: {"path": path, "query": query or None}


def _event(number: int) -> str:
    return f"/events/event-{number:07}"


ALWAYS = [
    Case("links of the service", _get("/")),
    Case("create a user", lambda n: {"method": "POST", "path": "/users", "body": {"userId": f"new-{n}", "name": "A"}}),
    Case("read a user", _get("/users/user-0000001")),
]
OF_EVENTS = [
    Case("read an event", lambda n: {"path": _event(n % 90)}, "events"),
    Case(
        "create an event",
        lambda _: {"method": "POST", "path": "/events", "body": EVENT | {"status": "draft", "date": "2030-01-01"}},
        "events",
    ),
    Case(
        "edit a title",
        lambda n: {"method": "PATCH", "path": _event(n % 90), "body": {"title": f"Party {n}"}},
        "events",
    ),
    Case("50 events of one status", _get("/events", status="active", limit="50"), "events", repeats=60),
    Case("50 events of all statuses", _get("/events", limit="50"), "events", repeats=60),
]


def of_registrations(event: str, users: list[str]) -> list[Case]:
    """Calls about an event with many registrations; the users are not registered yet, and are not in the end."""
    where = f"/events/{event}/registrations"
    repeats = len(users)
    return [
        Case(
            "register",
            lambda n: {"method": "POST", "path": where, "body": {"userId": users[n]}},
            "registrations",
            repeats=repeats,
        ),
        Case("50 registrations of an event", _get(where, limit="50"), "registrations", repeats=60),
        Case("a user's registrations", _get(f"/users/{users[0]}/registrations"), "registrations", repeats=60),
        Case("leave", lambda n: {"method": "DELETE", "path": f"{where}/{users[n]}"}, "registrations", repeats=repeats),
    ]


def of_waiting(event: str, users: list[str], seated: list[str]) -> list[Case]:
    """Calls about a full event with a long queue. Those who are seated leave, one after the other."""
    where = f"/events/{event}/registrations"
    repeats = len(users)
    return [
        Case(
            "join the queue",
            lambda n: {"method": "POST", "path": where, "body": {"userId": users[n]}},
            "waiting",
            repeats=repeats,
        ),
        Case(
            "leave the queue",
            lambda n: {"method": "DELETE", "path": f"{where}/{users[n]}"},
            "waiting",
            repeats=repeats,
        ),
        Case(
            "leave a seat that the next one gets",
            lambda n: {"method": "DELETE", "path": f"{where}/{seated[n]}"},
            "waiting",
            repeats=len(seated),
        ),
    ]
