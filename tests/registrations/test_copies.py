"""Copies of one keyed request at once: all have the same answer."""

import threading
from typing import Any

import pytest

from events.ledger.models import Seats
from eventsite.dynamodb.steps import Now, Steps
from registrations.seating import admission_queue
from registrations.seating.admission_queue import Turn
from tests.api import Api
from tests.children import SECONDS
from tests.faults import Clock, Killed, failing, killed
from tests.registrations.auditing import audit
from tests.registrations.interleaving import AT_ONCE, UPDATE, right_before, right_before_step

ANNOUNCED, ANSWERED = 1, 2
"""The updates of the marker that a keyed joining makes, in one transaction for the rest."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy waits for another one in no time."""
    Clock().install(monkeypatch)


def in_a_copy(send: Any, answers: list[Any]) -> None:
    """Answer a copy of the request in its own thread, which has its own time and attempts."""
    thread = threading.Thread(target=lambda: answers.append(send()))
    thread.start()
    thread.join()


def test_a_copy_that_took_over_gave_the_first_answer(api: Api) -> None:
    """Somebody leaves between the two answers, so each of the copies would tell another position."""
    event, (seated, first, user) = api.event(capacity=1), api.users(3)
    api.register(event, seated)
    api.register(event, first)
    answers: list[Any] = []

    def send() -> Any:
        return api.register(event, user, idempotency_key="once")

    def meanwhile() -> None:
        api.leave(event, first)
        in_a_copy(send, answers)

    with right_before(UPDATE, meanwhile, nth=ANSWERED):
        answers.append(send())
    answers.append(send())
    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, answers[0].json())] * 3
    assert answers[0].json()["waitlistPosition"] == 1
    assert audit(event) == []


def test_the_first_answer_stands_where_the_copy_that_takes_over_is_late(api: Api) -> None:
    """The copy has taken over and is ready to store its answer when the other one does."""
    event, (seated, first, user) = api.event(capacity=1), api.users(3)
    api.register(event, seated)
    api.register(event, first)
    answers: list[Any] = []

    def send() -> Any:
        return api.register(event, user, idempotency_key="once")

    taken_over, answered = threading.Event(), threading.Event()

    def hand_over() -> None:
        taken_over.set()
        assert answered.wait(SECONDS)

    def copy() -> None:
        with right_before(UPDATE, hand_over, nth=3):  # takes over, fences, leaves the answer
            answers.append(send())

    thread = threading.Thread(target=copy)

    def meanwhile() -> None:
        api.leave(event, first)
        thread.start()
        assert taken_over.wait(SECONDS)

    with right_before(UPDATE, meanwhile, nth=ANSWERED):
        answers.append(send())
        answered.set()
        thread.join()
    answers.append(send())
    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, answers[0].json())] * 3
    assert audit(event) == []


def test_a_refusal_that_another_copy_overtook_is_not_answered(api: Api) -> None:
    event, (seated, user) = api.event(capacity=1, waitlistEnabled=False), api.users(2)
    api.register(event, seated)
    answers: list[Any] = []

    def send() -> Any:
        return api.register(event, user, idempotency_key="once")

    def meanwhile() -> None:
        api.leave(event, seated)
        in_a_copy(send, answers)

    with right_before(UPDATE, meanwhile, nth=ANNOUNCED):  # a refusal announces nothing: it is its answer
        answers.append(send())
    assert [(answer.status_code, answer.json()) for answer in answers] == [(201, answers[0].json())] * 2
    assert audit(event) == []


def test_a_leave_before_the_first_answer_does_not_change_it(api: Api) -> None:
    event, user = api.event(), api.user()
    with pytest.raises(Killed), failing(killed, at=4):  # after the commit: event, marker, look, marker, transaction
        api.register(event, user, idempotency_key="once")
    assert api.leave(event, user).status_code == 200
    answer = api.register(event, user, idempotency_key="once")
    assert (answer.status_code, answer.json()["status"], answer.json()["cancelledAt"]) == (201, "registered", None)
    assert api.get(f"/events/{event}/registrations/{user}").json()["status"] == "cancelled"
    assert audit(event) == []


def test_a_user_who_came_again_before_the_first_answer_does_not_get_the_later_one(api: Api) -> None:
    """Nothing of the first registration is left, so its answer is unknown."""
    event, user = api.event(), api.user()
    with pytest.raises(Killed), failing(killed, at=4):  # after the commit
        api.register(event, user, idempotency_key="once")
    assert api.leave(event, user).status_code == 200
    assert api.register(event, user).status_code == 201
    assert api.register(event, user, idempotency_key="once").status_code == 503
    assert audit(event) == []


def test_a_copy_that_comes_in_a_crowd_lets_the_first_one_have_its_turn(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fence would turn down whatever the whole crowd has planned."""
    event, user = api.event(capacity=1), api.user()
    answers: list[Any] = []
    about_to_commit, copy_waits = threading.Event(), threading.Event()

    def send() -> Any:
        return api.register(event, user, idempotency_key="once")

    def first() -> None:
        def pause() -> None:
            about_to_commit.set()
            assert copy_waits.wait(SECONDS)

        with right_before_step(AT_ONCE, pause):
            answers.append(send())

    thread = threading.Thread(target=first)
    thread.start()
    assert about_to_commit.wait(SECONDS)

    def wait(turn: Turn, seats: Seats, number: int = 1) -> Steps[None]:
        turn.request.ticket = 1  # as if it were its turn
        copy_waits.set()
        thread.join()
        yield Now()

    monkeypatch.setattr(admission_queue, "CONTENTION", 0)
    monkeypatch.setattr(Turn, "wait", wait)
    answers.append(send())
    assert answers[0].json() == answers[1].json()
    assert sum(Seats.get(event).epochs) == 1
