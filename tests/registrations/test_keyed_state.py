"""The first answer of a keyed request comes again, although the present state would refuse the request."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.api import EVENT, Api, problem
from tests.events.questions import DIET
from tests.faults import Clock, Killed, failing, killed
from tests.registrations.auditing import audit
from tests.signing_in import As, adam, olivia, oscar

ANSWER = {"diet": "vegan"}
AGE = {"questionId": "age", "label": "Age?", "kind": "text", "required": True}
BODY = {"userId": "ana", "answers": ANSWER}
PATH = "/events/party/registrations"


def edit(**changes: Any) -> Callable[[Api], Any]:
    """Return an edit of the event."""
    return lambda api: api.patch("/events/party", changes)


def fill(api: Api) -> None:
    """Leave as many seats as are taken, and switch the waitlist off."""
    api.patch("/events/party", {"capacity": 1, "waitlistEnabled": False})


CHANGES: dict[str, Callable[[Api], Any]] = {
    "a question is new": edit(questions=[DIET, AGE]),
    "a choice is gone": edit(questions=[DIET | {"choices": ["meat"]}]),
    "the question is of another kind": edit(questions=[DIET | {"kind": "yesNo", "choices": []}]),
    "no question is left": edit(questions=[]),
    "the window has closed": edit(registrationClosesAt="2020-01-01T00:00:00Z"),
    "the window is not open yet": edit(registrationOpensAt="2098-01-01T00:00:00Z"),
    "the event is over": edit(date="2020-01-01"),
    "the event is cancelled": edit(status="cancelled"),
    "the event is a draft": edit(status="draft"),
    "the event is full": fill,
    "the event is deleted": lambda api: api.delete("/events/party?registrations=cancel"),
    "the user has left": lambda api: api.leave("party", "ana"),
    "the user is deleted": lambda api: api.delete("/users/ana"),
}


@pytest.fixture
def party(api: Api) -> Api:
    """An event that asks about the diet, and a user."""
    api.event(eventId="party", questions=[DIET])
    api.user("ana")
    return api


@pytest.mark.parametrize("changed", CHANGES)
def test_a_registration_is_answered_as_before(party: Api, changed: str) -> None:
    first = party.post(PATH, BODY, idempotency_key="k")
    assert first.status_code == 201, first.content
    CHANGES[changed](party)
    again = party.post(PATH, BODY, idempotency_key="k")
    assert (again.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize("changed", CHANGES)
def test_a_refusal_is_answered_as_before(party: Api, changed: str) -> None:
    party.patch("/events/party", {"capacity": 0, "waitlistEnabled": False})
    assert problem(party.post(PATH, BODY, idempotency_key="k")) == (409, "event_full")
    CHANGES[changed](party)
    assert problem(party.post(PATH, BODY, idempotency_key="k")) == (409, "event_full")


@pytest.mark.parametrize("changed", ["a question is new", "a choice is gone"])
def test_a_key_of_another_body_is_refused_before_its_answers(party: Api, changed: str) -> None:
    party.post(PATH, BODY, idempotency_key="k")
    CHANGES[changed](party)
    answer = party.post(PATH, BODY | {"answers": {"diet": "fish"}}, idempotency_key="k")
    assert problem(answer) == (422, "idempotency_key_reused")


def test_wrong_answers_use_no_key_up(party: Api) -> None:
    for _ in range(2):
        assert problem(party.post(PATH, {"userId": "ana"}, idempotency_key="k")) == (422, "validation_error")
    party.patch("/events/party", {"questions": []})
    assert party.post(PATH, {"userId": "ana"}, idempotency_key="k").status_code == 201


@pytest.mark.parametrize("call", range(1, 7))
def test_a_request_that_crashed_is_answered_if_it_was_committed(
    party: Api, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Its process dies after a call. The repetition, whose answers do not fit any more, executes nothing."""
    Clock().install(monkeypatch)
    with suppress(Killed), failing(killed, at=call):
        party.post(PATH, BODY, idempotency_key="k")
    CHANGES["a question is new"](party)
    again = party.post(PATH, BODY, idempotency_key="k")
    seats = party.get("/events/party").json()["registeredCount"]
    assert (again.status_code, seats) in ((201, 1), (422, 0))
    assert audit("party") == []
    if seats == 0:
        fitting = party.post(PATH, BODY | {"answers": ANSWER | {"age": "40"}}, idempotency_key="k")
        assert fitting.status_code == 201, "the key is free again"


EVENT_BODY = EVENT | {"eventId": "own", "organizers": []}


def test_an_organizer_who_lost_the_event_is_answered_as_before(cognito: None) -> None:
    As(oscar().access).event(eventId="party", organizers=[olivia().sub])
    As(adam().access).post("/users", {"userId": "ana", "name": "Ana"})
    body = {"userId": "ana"}
    first = As(olivia().access).post(PATH, body, idempotency_key="k")
    As(oscar().access).patch("/events/party", {"organizers": []})
    again = As(olivia().access).post(PATH, body, idempotency_key="k")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("/events", EVENT_BODY, lambda api: api.patch("/events/own", {"title": "Other", "capacity": 9})),
        ("/events", EVENT_BODY, lambda api: api.delete("/events/own")),
        ("/users", {"userId": "own", "name": "Ann"}, lambda api: api.patch("/users/own", {"name": "Other"})),
        ("/users", {"userId": "own", "name": "Ann"}, lambda api: api.delete("/users/own")),
    ],
)
def test_a_creation_is_answered_as_before(api: Api, path: str, body: Any, change: Callable[[Api], Any]) -> None:
    first = api.post(path, body, idempotency_key="k")
    change(api)
    again = api.post(path, body, idempotency_key="k")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
