"""docs/coming-from.md is true: every call of its tables is made, theirs as they document it and ours."""

import json
import re
from typing import Any, NamedTuple

import pytest

from tests import tour
from tests.api import Api
from tests.signing_in import As, adam, olivia, oscar

PAGE = (tour.ROOT / "docs" / "coming-from.md").read_text()
HEADER = "| # | their call | there | here | send instead | why |"
BODY = json.loads(PAGE.partition("```json\n")[2].partition("\n```")[0])
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) ([^\s`]+)(?: ([^`]+))?`")
NEXT_PAGE = 'rel="next"'


class Row(NamedTuple):
    """A line of a table."""

    service: str
    theirs: str
    here: str
    instead: str

    def __str__(self) -> str:
        return f"{self.service}: {self.theirs}"


def rows() -> list[Row]:
    """Every line of every table of calls."""
    found = []
    for section in PAGE.split("\n## ")[1:]:
        service = section.partition("\n")[0].partition(":")[0]
        for line in section.partition(HEADER)[2].partition("\n\n")[0].splitlines()[2:]:
            _, theirs, _, here, instead, _ = (cell.strip() for cell in line.strip("|").split("|"))
            found.append(Row(service, theirs, here, instead))
    return found


EVERY_ROW = pytest.mark.parametrize("row", rows(), ids=str)


def call(api: Api, cell: str) -> Any:
    """Make the call that a cell names. Returns: the answer."""
    named = CALL.search(cell)
    assert named, cell
    method, path, body = named.groups()
    bare = {"content_type": ""} if "without `Content-Type`" in cell else {}
    return api.call(method, path, sent(body) if body else None, **bare)


def sent(text: str) -> Any:
    """Return the body that a cell names: JSON, or `<event>` with the changes behind it."""
    if not text.startswith("<event"):
        return json.loads(text)
    more = text.removeprefix("<event").removesuffix(">").removeprefix(",")
    return BODY | json.loads(f"{{{more}}}")


def people(api: Api, event: str) -> None:
    """Ann and Bea have the two seats of an event, Cem waits, and Dan has no part in it."""
    for user in ("ann", "bea", "cem"):
        assert api.register(event, user).status_code == 201


@pytest.fixture
def service(request: pytest.FixtureRequest, row: Row) -> tuple[Api, Api]:
    """The service as the page has it: who calls, and who calls without a token."""
    event: dict[str, Any] = BODY | {"eventId": "event-123", "waitlistEnabled": True}
    caller, founder = Api(), Api()
    if row.service == "D":
        request.getfixturevalue("cognito")
        caller, founder = As(olivia().access), As(adam().access)
        another = As(oscar().access).post("/events", event | {"eventId": "event-456"})
        assert another.status_code == 201
    assert caller.post("/events", event).status_code == 201
    for user in ("ann", "bea", "cem", "dan"):
        founder.user(user)
    assert caller.post("/events", event | {"eventId": "event-789"}).status_code == 201
    people(caller, "event-123")
    return caller, Api()


def asked(row: Row, service: tuple[Api, Api]) -> Any:
    caller, stranger = service
    return call(stranger if "without a token" in row.theirs else caller, row.theirs)


@EVERY_ROW
def test_each_call_gets_the_answer_on_the_page(row: Row, service: tuple[Api, Api]) -> None:
    _check(row, asked(row, service))
    if row.instead:
        answer = call(service[0], row.instead)
        assert 200 <= answer.status_code < 300, answer.content
        assert "without a body" not in row.instead or (answer.status_code, answer.content) == (204, b"")


def _check(row: Row, answer: Any) -> None:
    """Compare the answer to their call with the page."""
    assert answer.status_code == int(row.here[:3]), answer.content
    if answer.status_code >= 400:
        assert answer.json()["code"] == re.findall(r"`(\w+)`", row.here)[0]
    if "array" in row.here:
        assert isinstance(answer.json(), list)
    if "without a body" in row.here:
        assert answer.content == b""
    if "or null" in row.here:
        assert "promotedUser" in answer.json()
    if "`waitlisted`" in row.here:
        assert (answer.json()["status"], answer.json()["waitlistPosition"]) == ("waitlisted", 2)


def test_every_difference_has_its_number() -> None:
    numbers = [int(number) for number in re.findall(r"(?m)^\| (\d+) \|", PAGE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


def test_every_call_of_each_service_is_there() -> None:
    assert {service: sum(row.service == service for row in rows()) for service in "ABCD"} == {
        "A": 8,
        "B": 19,
        "C": 23,
        "D": 12,
    }
