"""The requests that `tests.bench.stage` sends to a deployed stage."""

import secrets
from typing import Any, NamedTuple

EVENT = {
    "title": "Bench",
    "description": "Made by a benchmark, and removed by it.",
    "date": "2099-01-01",
    "location": "Nowhere",
    "organizer": "A benchmark",
    "status": "published",
    "waitlistEnabled": True,
}
TRIES = 3  # requests to remove one thing, which may be throttled
NEW_USERS, NEW_EVENTS = "create a user", "create an event"
COLD, DOORS, FULL = "cold starts, all at once", "the doors open", "the event is full"
Request = tuple[str, str, Any]
"""Method, path and body."""


class Step(NamedTuple):
    """The requests of one row, sent one after the other or all at once."""

    name: str
    requests: list[Request]
    at_once: bool = False


class Plan:
    """The requests of a run, in the order in which one needs the other."""

    def __init__(self, clients: int, repeats: int) -> None:
        self._clients, self._repeats = clients, repeats
        self.mark = f"bench-{secrets.token_hex(4)}"
        self.users = [f"{self.mark}-u{number}" for number in range(max(repeats, 2 * clients))]
        self.events = [f"{self.mark}-e{number}" for number in range(repeats)]
        self.queue, self.doors = f"{self.mark}-queue", f"{self.mark}-doors"

    def steps(self) -> list[Step]:
        """Return all steps but the last, which removes everything."""
        return [*self._creations(), *self._reads(), *self._seats(), *self._places(), *self._crowds()]

    @property
    def requests(self) -> int:
        """Return the number of their requests."""
        return sum(len(step.requests) for step in self.steps())

    @property
    def removals(self) -> int:
        """Return the most requests that remove everything."""
        return TRIES * (len(self.users) + len(self.events) + 2)

    def _creations(self) -> list[Step]:
        users: list[Request] = [("POST", "/users", {"userId": user, "name": "Bench"}) for user in self.users]
        crowds = [
            _new_event(self.queue, capacity=0),
            _new_event(self.doors, capacity=self._clients, waitlistEnabled=False),
        ]
        return [Step(NEW_USERS, users), Step(NEW_EVENTS, [*map(_new_event, self.events), *crowds])]

    def _reads(self) -> list[Step]:
        event, user = f"/events/{self.events[0]}", f"/users/{self.users[0]}"
        return [
            self._repeated("links of the service", ("GET", "/", None)),
            self._repeated("health of the service", ("GET", "/health", None)),
            self._repeated("read an event", ("GET", event, None)),
            self._repeated("50 events of one status", ("GET", "/events?status=published&limit=50", None)),
            self._repeated("50 events of all statuses", ("GET", "/events?limit=50", None)),
            self._repeated("edit a title", ("PATCH", event, {"title": "Bench, edited"})),
            self._repeated("read a user", ("GET", user, None)),
            self._repeated("edit a user", ("PATCH", user, {"name": "Bench, edited"})),
        ]

    def _seats(self) -> list[Step]:
        event = f"/events/{self.events[0]}"
        return [
            self._each("register", "POST", f"{event}/registrations"),
            self._each("one's registration", "GET", f"{event}/registrations/{{}}"),
            self._each("a user's registrations", "GET", "/users/{}/registrations"),
            self._repeated("50 registrations of an event", ("GET", f"{event}/registrations?limit=50", None)),
            self._each("check in", "PUT", f"{event}/registrations/{{}}/check-in"),
            self._each("undo a check-in", "DELETE", f"{event}/registrations/{{}}/check-in"),
            self._repeated("50 entries of an event's history", ("GET", f"{event}/history?limit=50", None)),
            self._each("leave", "DELETE", f"{event}/registrations/{{}}"),
        ]

    def _places(self) -> list[Step]:
        event = f"/events/{self.queue}"
        return [
            self._each("join the queue", "POST", f"{event}/registrations"),
            self._each("one's place in the queue", "GET", f"{event}/registrations/{{}}"),
            self._repeated("50 of the queue", ("GET", f"{event}/waitlist?limit=50", None)),
            self._each("a user's waitlists", "GET", "/users/{}/waitlists"),
            self._each("leave the queue", "DELETE", f"{event}/registrations/{{}}"),
        ]

    def _crowds(self) -> list[Step]:
        """Let many clients read at once, then fill an event at once, and as many again find it full."""
        path = f"/events/{self.doors}"
        first, second = self.users[: self._clients], self.users[self._clients : 2 * self._clients]
        doors = [[("POST", f"{path}/registrations", {"userId": user}) for user in users] for users in (first, second)]
        return [
            Step(COLD, [("GET", path, None)] * self._clients, at_once=True),
            Step(DOORS, list(doors[0]), at_once=True),
            Step(FULL, list(doors[1]), at_once=True),
        ]

    def _repeated(self, name: str, request: Request) -> Step:
        return Step(name, [request] * self._repeats)

    def _each(self, name: str, method: str, path: str) -> Step:
        """Send a request for each of some users. A user is named in the path, or else in the body."""
        users = self.users[: self._repeats]
        return Step(
            name, [(method, path.format(user), {"userId": user} if method == "POST" else None) for user in users]
        )


def _new_event(event_id: str, **changes: Any) -> Request:
    return "POST", "/events", EVENT | {"eventId": event_id, "capacity": 100_000} | changes
