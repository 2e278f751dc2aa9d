"""The calls that the benchmark makes, every one of the contract's, and on what the cost of each may depend."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.bench.services import EVENT, Request

Make = Callable[[int], Request]
ONE = "/users/user-0000001"
QUESTION = {"questionId": "meal", "label": "Your meal", "kind": "text", "required": False}
MESSAGE: dict[str, object] = {"subject": "Bring a cake", "text": "We meet at the gate at noon.", "to": "everybody"}
HTML = {"Accept": "text/html"}
PREFLIGHT: Request = {
    "method": "OPTIONS",
    "path": "/events",
    "headers": {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"},
}


@dataclass(frozen=True)
class Case:
    """One call."""

    name: str
    make: Make
    """Makes the request of a number."""
    grows_with: str = ""
    """Of what there may be few or many."""
    rival: bool = True
    """Whether the other service has it."""
    repeats: int = 100
    before: Callable[[int], list[Request]] | None = None
    """Makes the requests that are sent first, unmeasured, so that the request of a number is possible."""


def _get(path: str, **query: str) -> Make:
    return lambda _: {"path": path, "query": query or None}


def _post(path: str, body: dict[str, object]) -> Request:
    return {"method": "POST", "path": path, "body": body}


def _event(number: int) -> str:
    return f"/events/event-{number:07}"


def _doomed(number: int) -> list[Request]:
    return [_post("/events", EVENT | {"eventId": f"doomed-{number}", "status": "published"})]


def _attended(number: int) -> list[Request]:
    """An event with three people."""
    path = f"/events/doomed-{number}/registrations"
    return [*_doomed(number), *(_post(path, {"userId": f"user-{one:07}"}) for one in (1, 2, 3))]


def _asked(number: int) -> list[Request]:
    """An event with a question, and a person who has answered it."""
    path = f"/events/asking-{number}/registrations"
    event = EVENT | {"eventId": f"asking-{number}", "status": "published", "questions": [QUESTION]}
    return [_post("/events", event), _post(path, {"userId": "user-0000001", "answers": {"meal": "Cake"}})]


def _silent(number: int) -> list[Request]:
    """An event with a person, which has sent no message yet."""
    event = EVENT | {"eventId": f"silent-{number}", "status": "published"}
    return [_post("/events", event), _post(f"/events/silent-{number}/registrations", {"userId": "user-0000001"})]


ALWAYS = [
    Case("links of the service", _get("/")),
    Case("health of the service", _get("/health")),
    Case("preflight of a browser", lambda _: PREFLIGHT, rival=False),
    Case("documentation, Swagger UI", lambda _: {"path": "/docs", "headers": HTML}),
    Case("documentation, ReDoc", lambda _: {"path": "/redoc", "headers": HTML}),
    Case("OpenAPI document", _get("/openapi.json")),
    Case("OpenAPI document, its own path", _get("/schema"), rival=False),
    Case("create a user", lambda n: _post("/users", {"userId": f"new-{n}", "name": "A"})),
    Case("read a user", _get("/users/user-0000001")),
    Case("edit a user", lambda n: {"method": "PATCH", "path": "/users/user-0000001", "body": {"name": f"A{n}"}}),
    Case("replace a user", lambda n: {"method": "PUT", "path": "/users/user-0000001", "body": {"name": f"B{n}"}}),
    Case("50 users", _get("/users", limit="50")),
    Case(
        "delete a user",
        lambda n: {"method": "DELETE", "path": f"/users/doomed-{n}"},
        before=lambda n: [_post("/users", {"userId": f"doomed-{n}", "name": "A"})],
    ),
    Case("users of a name", _get("/users", name="Some", limit="50"), rival=False),
    Case("a new address of a user's calendar", lambda _: {"method": "PUT", "path": f"{ONE}/calendar"}, rival=False),
    Case("the address of a user's calendar", _get(f"{ONE}/calendar"), rival=False),
    Case("no address of a user's calendar", lambda _: {"method": "DELETE", "path": f"{ONE}/calendar"}, rival=False),
    Case(
        "change the answers of a registration",
        lambda n: {
            "method": "PATCH",
            "path": f"/events/asking-{n}/registrations/user-0000001",
            "body": {"answers": {"meal": f"Bread {n}"}},
        },
        rival=False,
        before=_asked,
    ),
    Case(
        "send a message to an event's people",
        lambda n: _post(f"/events/silent-{n}/messages", MESSAGE),
        rival=False,
        before=_silent,
    ),
]
OF_EVENTS = [
    Case("read an event", lambda n: {"path": _event(n % 90)}, "events"),
    Case(
        "read an event as a calendar",
        lambda n: {"path": _event(n % 90), "query": {"format": "ics"}},
        "events",
        rival=False,
    ),
    Case(
        "create an event",
        lambda _: _post("/events", EVENT | {"status": "draft", "date": "2030-01-01"}),
        "events",
    ),
    Case(
        "edit a title",
        lambda n: {"method": "PATCH", "path": _event(n % 90), "body": {"title": f"Party {n}"}},
        "events",
    ),
    Case(
        "edit a title with PUT",
        lambda n: {"method": "PUT", "path": _event(n % 90), "body": {"title": f"Feast {n}"}},
        "events",
    ),
    Case("50 events of one status", _get("/events", status="active", limit="50"), "events"),
    Case("50 events of all statuses", _get("/events", limit="50"), "events"),
    Case(
        "50 events of one status from a day on",
        _get("/events", **{"status": "active", "from": "2084-03-01", "limit": "50"}),
        "events",
        rival=False,
    ),
    Case(
        "delete an event",
        lambda n: {"method": "DELETE", "path": f"/events/doomed-{n}"},
        "events",
        before=_doomed,
    ),
    Case(
        "delete an event with three people",
        lambda n: {"method": "DELETE", "path": f"/events/doomed-{n}", "query": {"registrations": "cancel"}},
        "events",
        rival=False,
        before=_attended,
    ),
]


def of_registrations(event: str, users: list[str], calendar: str) -> list[Case]:
    """Calls for an event with many registrations.

    Args:
        event: The event, which has a history.
        users: Users who are not registered before or after.
        calendar: The secret address of the calendar of the first of them.
    """
    where = f"/events/{event}/registrations"
    first, second = users[::2], users[1::2]
    cases = [
        Case("register", lambda n: _post(where, {"userId": first[n]})),
        Case("register, older path", lambda n: _post(f"/events/{event}/register", {"userId": second[n]})),
        Case("one's registration", lambda n: {"path": f"{where}/{first[n]}"}),
        Case("50 registrations of an event", _get(where, limit="50")),
        Case("50 registrations with their people", _get(where, limit="50", expand="user"), rival=False),
        Case("50 registrations as a sheet", _get(where, limit="50", format="csv"), rival=False),
        Case("a user's registrations", _get(f"/users/{first[0]}/registrations")),
        Case("a user's calendar", _get(f"/users/{first[0]}/calendar", format="ics"), rival=False),
        Case("a user's calendar under its address", _get(calendar), rival=False),
        Case("check in", lambda n: {"method": "PUT", "path": f"{where}/{first[n]}/check-in"}),
        Case("undo a check-in", lambda n: {"method": "DELETE", "path": f"{where}/{first[n]}/check-in"}),
        Case("50 entries of an event's history", _get(f"/events/{event}/history", limit="50"), rival=False),
        Case("leave", lambda n: {"method": "DELETE", "path": f"{where}/{first[n]}"}),
        Case("leave, older path", lambda n: {"method": "DELETE", "path": f"/events/{event}/register/{second[n]}"}),
    ]
    return [replace(case, grows_with="registrations", repeats=len(first)) for case in cases]


def of_waiting(event: str, users: list[str], seated: list[str]) -> list[Case]:
    """Calls for a full event with a long queue. The seated users leave one after the other."""
    where = f"/events/{event}/registrations"
    cases = [
        Case("join the queue", lambda n: _post(where, {"userId": users[n]})),
        Case("one's place in the queue", lambda n: {"path": f"{where}/{users[n]}"}),
        Case("50 of the queue", _get(f"/events/{event}/waitlist", limit="50")),
        Case("a user's waitlists", lambda n: {"path": f"/users/{users[n]}/waitlists"}),
        Case("leave the queue", lambda n: {"method": "DELETE", "path": f"{where}/{users[n]}"}),
        Case("leave a seat that the next one gets", lambda n: {"method": "DELETE", "path": f"{where}/{seated[n]}"}),
    ]
    return [replace(case, grows_with="waiting", repeats=len(seated)) for case in cases]


def every() -> list[Case]:
    """Return all cases, for anything."""
    some = [f"user-{number:07}" for number in range(2)]
    return [
        *ALWAYS,
        *OF_EVENTS,
        *of_registrations("event", some, "/calendars/token.ics"),
        *of_waiting("event", some, some),
    ]


OF_REGISTRATIONS, OF_WAITING = len(of_registrations("", ["", ""], "")), len(of_waiting("", [], []))
"""The number of each."""


def mixed(event: str, user: str) -> list[Request]:
    """Ten requests about an event and a user who is not registered for it, and is not in the end."""
    where = f"/events/{event}/registrations"
    return [
        {"path": f"/events/{event}"},
        {"path": "/events", "query": {"limit": "50"}},
        {"path": "/events", "query": {"status": "active", "limit": "100"}},
        _post(where, {"userId": user}),
        {"path": where, "query": {"limit": "50"}},
        {"path": f"{where}/{user}"},
        {"path": f"/users/{user}/registrations"},
        {"method": "DELETE", "path": f"{where}/{user}"},
        {"method": "PATCH", "path": f"/events/{event}", "body": {"title": f"For {user}"}},
        {"method": "PATCH", "path": f"/users/{user}", "body": {"name": "Somebody"}},
    ]
