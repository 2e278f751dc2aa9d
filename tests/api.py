"""A small client of the service for tests: JSON in, JSON out, headers as keywords (`if_match='"1"'`)."""

import itertools
import json
from typing import Any

from django.test import Client

_numbers = itertools.count(1)

MOST_PAGES = 50

EVENT = {
    "title": "Spring party",
    "description": "Music and cake in the garden.",
    "date": "2083-04-01",
    "location": "Garden",
    "capacity": 2,
    "organizer": "The garden club",
    "status": "published",
    "waitlistEnabled": True,
}
"""An event that is not over for long. 2083 has the calendar of 2027, so each date is on the same day of the week."""


class Api:
    """The service, called in this process."""

    def __init__(self) -> None:
        self._client = Client(raise_request_exception=False, SERVER_NAME="localhost")

    def call(self, method: str, path: str, body: Any = None, *, raw: Any = None, **headers: str) -> Any:
        """Send a request and return Django's response. `raw` is sent as it is, `body` as JSON."""
        content_type = headers.pop("content_type", "application/json")
        data = raw if raw is not None else json.dumps(body) if body is not None else ""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(method, path, data, content_type=content_type, headers=named)

    def get(self, path: str, **headers: str) -> Any:
        """GET a path."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """POST JSON."""
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        """PUT JSON."""
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        """PATCH JSON."""
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE a path."""
        return self.call("DELETE", path, **headers)

    def event(self, **changes: Any) -> str:
        """Create an event that differs from `EVENT` in these fields, and return its id."""
        answer = self.post("/events", EVENT | changes)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["eventId"])

    def user(self, user_id: str | None = None) -> str:
        """Create a user and return the id. The default is short and sorts in the order of creation."""
        user_id = user_id or f"user-{next(_numbers):06}"
        answer = self.post("/users", {"userId": user_id, "name": user_id.title()})
        assert answer.status_code == 201, answer.content
        return user_id

    def users(self, count: int) -> list[str]:
        """Create some users."""
        return [self.user() for _ in range(count)]

    def register(self, event_id: str, user_id: str, **headers: str) -> Any:
        """Register a user for an event."""
        return self.post(f"/events/{event_id}/registrations", {"userId": user_id}, **headers)

    def leave(self, event_id: str, user_id: str) -> Any:
        """Give up a user's registration."""
        return self.delete(f"/events/{event_id}/registrations/{user_id}")

    def walk(self, path: str) -> list[Any]:
        """Every element of a list, following the links from page to page, which must come to an end."""
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            answer = self.get(path)
            assert answer.status_code == 200, answer.content
            found += answer.json()
            path = next_page(answer)
            if not path:
                return found
        raise AssertionError(f"the list goes on after {MOST_PAGES} pages: {path}")


def next_page(answer: Any) -> str:
    """Return the path of the next page from the Link header, or an empty string on the last page."""
    link = answer.headers.get("Link", "")
    return link.partition("<http://localhost")[2].partition(">")[0]


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of a problem document, after a look at its shape."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.content
    document = answer.json()
    assert document["status"] == answer.status_code
    assert {"type", "title", "status", "detail", "code", "instance"} <= document.keys()
    return answer.status_code, document["code"]
