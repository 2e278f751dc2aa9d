"""What the clients of a soak do, and the record of it."""

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.api import EVENT
from tests.soak.crew import Server

CUT_OFF = 0
"""The status of a call that nobody answered: its server was killed."""
UNKNOWN = (CUT_OFF, 503)
"""The outcome of a call is unknown to its client."""

PEOPLE = [f"guest-{number:02}" for number in range(36)]
FIXED, RESIZED, BRIEF = ["fixed-0", "fixed-1"], ["resized-0", "resized-1"], ["brief-0", "brief-1"]
"""Events whose capacity stays, whose capacity changes, and that are deleted and recreated."""
EVENTS = [*FIXED, *RESIZED, *BRIEF]
CAPACITY = {"fixed-0": 5, "fixed-1": 12, "resized-0": 4, "resized-1": 8, "brief-0": 1, "brief-1": 2}
GUESTS = {event: PEOPLE[:4] if event in BRIEF else PEOPLE for event in EVENTS}

CLOSED: list[dict[str, Any]] = [
    {"status": "cancelled"},
    {"waitlistEnabled": False},
    {"date": "2020-01-01"},
    {"registrationOpensAt": "2082-01-01T00:00:00Z"},
    {"registrationClosesAt": "2020-01-01T00:00:00Z"},
]
"""Edits after which an event takes fewer registrations, or none."""
OPEN: dict[str, Any] = {
    **{"status": "active", "waitlistEnabled": True, "date": EVENT["date"]},
    **{"registrationOpensAt": None, "registrationClosesAt": None},
}

WEIGHTS = {
    "register": 24,
    "keyed": 16,
    "leave": 22,
    "place": 16,
    "check_in": 5,
    "check_out": 3,
    "people": 5,
    "event": 5,
    "history": 3,
    "waitlists": 3,
    "edit": 5,
    "anew": 2,
}


@dataclass
class Call:
    """One call: what was asked, what was answered, and when."""

    kind: str
    event: str
    user: str
    start: float
    end: float
    status: int
    document: Any
    sent: Any = None
    again: list[Any] = field(default_factory=list)
    """The other answers to the same keyed request."""

    @property
    def word(self) -> str:
        """The status of a registration, the code of a problem, or the bare HTTP status."""
        document = self.document if isinstance(self.document, dict) else {}
        return str(document.get("code") or (self.status == 201 and document.get("status")) or self.status)

    def as_json(self) -> str:
        """The call as a line of a trace."""
        return json.dumps(asdict(self))


class Client:
    """Calls any of the servers, and remembers nothing but its connections. For one thread."""

    def __init__(self, servers: Sequence[Server], dice: random.Random) -> None:
        self._servers, self._dice = servers, dice
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Send a request once. Returns: the status (`CUT_OFF` where there is no answer) and the document."""
        port = self._dice.choice([port for server in self._servers if (port := server.port)])
        if port not in self._connections:
            self._connections[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        try:
            self._connections[port].request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self._connections[port].getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connections.pop(port).close()
            return CUT_OFF, None
        if not text and answer.status != 204:  # killed while it sent the headers: without a length, that is an end
            self._connections.pop(port).close()
            return CUT_OFF, None
        if answer.status == 503 and not answer.headers.get("Retry-After"):
            return 500, "a 503 without Retry-After"
        return answer.status, json.loads(text) if text else None

    def surely(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """Send a request until it is answered."""
        while (answer := self.ask(method, path, body, key))[0] in UNKNOWN:
            time.sleep(0.1)
        return answer

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()


def create(client: Client, event: str) -> int:
    """Make an event under its id. Returns: the status."""
    status, _ = client.ask("POST", "/events", EVENT | {"eventId": event, "capacity": CAPACITY[event]})
    return status


class Guest(threading.Thread):
    """A client that makes random calls until it is stopped."""

    def __init__(self, servers: Sequence[Server], seed: str, over: threading.Event, pause: float) -> None:
        super().__init__()
        self._dice = random.Random(seed)
        self._seed, self._over, self._pause = seed, over, pause
        self._client, self._other = (Client(servers, random.Random(f"{seed}-{one}")) for one in range(2))
        self.calls: list[Call] = []
        self.failed: BaseException | None = None

    def run(self) -> None:
        """Do something, wait a little, do something else."""
        try:
            while not self._over.wait(self._dice.uniform(0, self._pause)):
                kind = self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
                event = self._dice.choice(BRIEF if kind == "anew" else EVENTS)
                getattr(self, f"_{kind}")(event, self._dice.choice(GUESTS[event]))
        except BaseException as error:
            self.failed = error
        self._client.close()
        self._other.close()

    def _make(self, kind: str, event: str, user: str, method: str, path: str, body: Any = None) -> Call:
        start = time.monotonic()
        status, document = self._client.ask(method, path, body)
        call = Call(kind, event, user, start, time.monotonic(), status, document, body)
        self.calls.append(call)
        return call

    def _register(self, event: str, user: str) -> None:
        self._make("register", event, user, "POST", f"/events/{event}/registrations", {"userId": user})

    def _keyed(self, event: str, user: str) -> None:
        """Register, twice at once or again later, until there is an answer."""
        key, start, path = f"{self._seed}-{len(self.calls)}", time.monotonic(), f"/events/{event}/registrations"
        asked = ("POST", path, {"userId": user}, key)
        answers: list[tuple[int, Any]] = []
        if self._dice.random() < 0.3:
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(lambda client: client.ask(*asked), (self._client, self._other)))
        known = [answer for answer in answers if answer[0] not in UNKNOWN] or [self._client.surely(*asked)]
        end = time.monotonic()
        if self._dice.random() < 0.3:
            known.append(self._client.ask(*asked))
        again = [list(answer) for answer in known[1:] if answer[0] not in UNKNOWN]
        self.calls.append(Call("keyed", event, user, start, end, *known[0], again=again))

    def _leave(self, event: str, user: str) -> None:
        self._make("leave", event, user, "DELETE", f"/events/{event}/registrations/{user}")

    def _place(self, event: str, user: str) -> None:
        self._make("place", event, user, "GET", f"/events/{event}/registrations/{user}")

    def _check_in(self, event: str, user: str) -> None:
        self._make("check_in", event, user, "PUT", f"/events/{event}/registrations/{user}/check-in")

    def _check_out(self, event: str, user: str) -> None:
        self._make("check_out", event, user, "DELETE", f"/events/{event}/registrations/{user}/check-in")

    def _people(self, event: str, user: str) -> None:
        self._make("people", event, "", "GET", f"/events/{event}/registrations")

    def _event(self, event: str, user: str) -> None:
        self._make("event", event, "", "GET", f"/events/{event}")

    def _history(self, event: str, user: str) -> None:
        self._make("history", event, "", "GET", f"/events/{event}/registrations?status=cancelled")

    def _waitlists(self, event: str, user: str) -> None:
        self._make("waitlists", "", user, "GET", f"/users/{user}/waitlists")

    def _edit(self, event: str, user: str) -> None:
        changes: list[dict[str, Any]] = [*CLOSED, {"title": "Another"}]
        if event in RESIZED:
            changes += [{"capacity": self._dice.choice((0, 2, 4, 8, 16))}] * 4
        change = self._dice.choice(changes)
        self._make("edit", event, "", "PATCH", f"/events/{event}", change)
        if change in CLOSED:
            self._make("edit", event, "", "PATCH", f"/events/{event}", OPEN)

    def _anew(self, event: str, user: str) -> None:
        """Empty an event, delete it, recreate it."""
        for guest in GUESTS[event]:
            self._leave(event, guest)
        self._make("delete", event, "", "DELETE", f"/events/{event}")
        body = EVENT | {"eventId": event, "capacity": CAPACITY[event]}
        self._make("create", event, "", "POST", "/events", body)
