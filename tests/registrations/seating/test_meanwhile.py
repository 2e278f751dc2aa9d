"""A deletion between any two calls of another request: no request fails for a reason of ours."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from events.models import Event
from eventsite.dynamodb.connection import PatientConnection
from registrations.models import RegistrationItem
from registrations.seating import trim
from tests.api import EVENT, Api
from tests.faults import Answer, Request, disturbed
from tests.registrations.auditing import audit
from tests.registrations.cutting import cut_off_joining, cut_off_leaving
from tests.registrations.interleaving import UPDATE, WRITE, calls_through, right_before

PARTY, ALICE, BOB = "party", "alice", "bob"
Act = Callable[[Api], Any]


def prepare(api: Api, *, leaves: bool = False) -> None:
    """Create an event with one seat. Bob has it, by an operation that is committed and not applied.

    Args:
        api: The service.
        leaves: True if Bob has left again, by an operation that is not applied either.
    """
    for user in (ALICE, BOB):
        api.user(user)
    api.event(eventId=PARTY, capacity=1)
    cut_off_joining(PARTY, BOB)
    if leaves:
        cut_off_leaving(PARTY, BOB)


def delete_event(api: Api) -> Any:
    return api.delete(f"/events/{PARTY}?registrations=cancel")


def create_again(api: Api) -> Any:
    delete_event(api)
    return api.post("/events", EVENT | {"eventId": PARTY, "capacity": 1})


FIRST: dict[str, Act] = {
    "register": lambda api: api.register(PARTY, ALICE),
    "register with a key": lambda api: api.register(PARTY, ALICE, idempotency_key="k"),
    "leave": lambda api: api.leave(PARTY, BOB),
    "delete the user": lambda api: api.delete(f"/users/{BOB}"),
    "delete the user who left": lambda api: api.delete(f"/users/{BOB}"),
    "delete the event": delete_event,
    "delete an empty event": lambda api: api.delete(f"/events/{PARTY}"),
    "edit the title": lambda api: api.patch(f"/events/{PARTY}", {"title": "Another"}),
    "edit the capacity": lambda api: api.patch(f"/events/{PARTY}", {"capacity": 2}),
    "check in": lambda api: api.put(f"/events/{PARTY}/registrations/{BOB}/check-in"),
}
AFTER_LEAVING = ("delete an empty event", "delete the user who left")
SECOND: dict[str, Act] = {
    "the event is deleted": delete_event,
    "the event is deleted and created again": create_again,
    "the user is deleted": lambda api: (api.delete(f"/users/{BOB}"), api.delete(f"/users/{ALICE}"))[1],
}


def before_call(number: int, act: Callable[[], Any], then: Callable[[], Any]) -> tuple[Any, bool]:
    """Run `then`, and `act` right before its call of this number.

    Returns:
        The result of `then`, and whether it made that many calls.
    """
    original, calls = PatientConnection._make_api_call, [0]

    def interrupted(connection: Any, name: str, arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            act()
        return original(connection, name, arguments)

    with calls_through(interrupted):
        return then(), calls[0] >= number


SECOND_BY_DEFAULT = "the event is deleted and created again"


@pytest.mark.parametrize(
    "second", [pytest.param(name, marks=() if name == SECOND_BY_DEFAULT else pytest.mark.slow) for name in SECOND]
)
@pytest.mark.parametrize("first", FIRST)
def test_no_request_fails_because_of_a_deletion_between_its_calls(api: Api, first: str, second: str) -> None:
    number, reached = 1, True
    while reached:
        prepare(api, leaves=first in AFTER_LEAVING)
        others: list[Any] = []

        def act(others: list[Any] = others) -> None:
            others.append(SECOND[second](api))

        answer, reached = before_call(number, act, lambda: FIRST[first](api))
        for one in (answer, *others):
            assert one.status_code < 500, f"before call {number}: {one.content}"
        if second == "the event is deleted and created again" and first.startswith("register"):
            assert answer.status_code == 201, f"before call {number}: {answer.content}"
        delete_event(api)
        for user in (ALICE, BOB):
            api.delete(f"/users/{user}")
        assert list(RegistrationItem.scan()) == [], f"before call {number}"
        number += 1


# Answers to edits


def test_the_answer_to_an_edit_of_texts_has_the_counts_of_the_moment_of_the_edit(api: Api) -> None:
    prepare(api)
    with right_before(WRITE, lambda: api.register(PARTY, ALICE)):
        answer = api.patch(f"/events/{PARTY}", {"title": "Another"})
    now = api.get(f"/events/{PARTY}")
    assert (answer.json(), answer["ETag"]) == (now.json(), now["ETag"])
    assert answer.json()["waitlistCount"] == 1


EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "texts": ({"title": "Another"}, WRITE),
    "texts, while another user comes": ({"title": "Another"}, UPDATE),
    "capacity": ({"capacity": 3}, WRITE),
}
"""Some edits, each with the write that makes it. The first write of texts fails if another user comes."""


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_whose_answer_was_lost_does_not_mix_two_edits(api: Api, kind: str) -> None:
    """Between the write whose answer is lost and its repetition, another edit follows, and another user comes."""
    prepare(api)
    changes, write = EDITS[kind]
    moments: list[Any] = []

    def lose_the_answer(request: Request) -> Answer:
        answer = request.send()
        if json.dumps(Event.ITEM).encode() not in request.body:
            return answer  # it is the write of the user who comes
        moments.append(api.get(f"/events/{PARTY}"))
        api.patch(f"/events/{PARTY}", {"capacity": 7})
        api.register(PARTY, ALICE)
        raise ReadTimeoutError(endpoint_url=request.operation)

    def plan(_: int, operation: str) -> Any:
        if operation != write or moments:
            return None
        return lose_the_answer

    comes = right_before(WRITE, lambda: api.register(PARTY, api.user("carol"))) if write == UPDATE else nullcontext()
    with disturbed(plan), comes:
        answer = api.patch(f"/events/{PARTY}", changes)
    moments.append(api.get(f"/events/{PARTY}"))
    assert len(moments) == 2
    assert (answer["ETag"], answer.json()) in [(moment["ETag"], moment.json()) for moment in moments]


# Late copies


def test_a_late_copy_of_the_own_commit_is_no_second_one_and_no_invalid_request(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first copy of the commit is delayed, and arrives right before the second one."""
    prepare(api)
    monkeypatch.setattr(trim, "is_calm", lambda *_: False)
    delayed: list[Callable[[], Answer]] = []

    def delay(request: Request) -> Answer:
        delayed.append(request.send)
        raise ReadTimeoutError(endpoint_url=request.operation)

    def arrive(request: Request) -> Answer:
        delayed.pop()()
        return request.send()

    plans = iter([delay, arrive])
    with disturbed(lambda _, operation: next(plans, None) if operation == UPDATE else None):
        answer = api.register(PARTY, ALICE)
    assert (answer.status_code, answer.json()["waitlistPosition"]) == (201, 1)
    api.leave(PARTY, BOB)
    assert [row["userId"] for row in api.get(f"/events/{PARTY}/registrations").json()] == [ALICE]
    assert audit(PARTY) == []


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("people", [False, True], ids=["no one joins", "a user joins"])
@pytest.mark.parametrize("change", [{"title": "Another"}, {"capacity": 2}, {"date": "2083-05-01"}], ids=str)
def test_an_edit_never_answers_a_later_event_of_the_same_id(
    api: Api, change: dict[str, Any], people: bool, number: int
) -> None:
    prepare(api)

    def meanwhile() -> None:
        create_again(api)
        if people:
            api.register(PARTY, ALICE)

    answer, _ = before_call(number, meanwhile, lambda: api.patch(f"/events/{PARTY}", change))
    assert answer.status_code in (200, 404)
    if answer.status_code == 200:
        assert {name: answer.json()[name] for name in change} == change
