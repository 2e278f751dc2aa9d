"""Answers to an event's questions: asked at sign-up, changeable until the end, shown in lists and sheets."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsite import clock
from eventsite.text.visible import is_blank
from tests.api import Api, problem
from tests.events.questions import BADGE, FOOD
from tests.metering import Meter
from tests.registrations.interleaving import COMMIT, READ_BOTH, WRITE, right_before, right_before_step
from tests.signing_in import As, adam, alice, olivia, oscar

PARKS = {"questionId": "parks", "label": "=Parking?", "kind": "yesNo"}
QUESTIONS = [FOOD, BADGE, PARKS]


def sign_up(api: Api, event: str, user: str, answers: Any = None, **headers: str) -> Any:
    body = {"userId": user} | ({} if answers is None else {"answers": answers})
    return api.post(f"/events/{event}/registrations", body, **headers)


def wrong(answer: Any) -> set[str]:
    assert problem(answer) == (422, "validation_error"), answer.content
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("answers", "fields"),
    [
        (None, {"answers.food"}),
        ({}, {"answers.food"}),
        ({"food": None}, {"answers.food"}),
        ({"food": "Meat"}, {"answers.food"}),
        ({"food": ["Vegan"]}, {"answers.food"}),
        ({"badge": "x" * 1001, "parks": "yes"}, {"answers.food", "answers.badge", "answers.parks"}),
        ({"food": "All", "badge": 7}, {"answers.badge"}),
        ({"food": "All", "badge": "a\0b"}, {"answers.badge"}),
        ({"food": "All", "parks": 1}, {"answers.parks"}),
        ("Vegan", {"answers"}),
        ([], {"answers"}),
    ],
)
def test_what_does_not_answer_a_question_is_refused_by_the_question(api: Api, answers: Any, fields: set[str]) -> None:
    event, user = api.event(questions=QUESTIONS), api.user()
    assert wrong(sign_up(api, event, user, answers)) == fields
    assert wrong(sign_up(api, event, user, answers, idempotency_key="again")) == fields
    assert api.get(f"/events/{event}").json()["registeredCount"] == 0
    assert sign_up(api, event, user, {"food": "All"}, idempotency_key="better").status_code == 201


REFUSALS: dict[str, tuple[dict[str, Any], int]] = {
    "event_full": ({"capacity": 0, "waitlistEnabled": False}, 409),
    "registration_not_open": ({"registrationOpensAt": "2082-01-01T00:00:00Z"}, 409),
    "registration_closed": ({"status": "cancelled"}, 409),
    "event_not_found": ({"status": "draft"}, 404),
    "user_not_found": ({}, 404),
    "already_registered": ({}, 409),
}


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("answers", [None, {}, {"food": "Meat"}], ids=str)
@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "again"}], ids=["plain", "keyed"])
@pytest.mark.parametrize("code", REFUSALS)
def test_other_refusals_come_before_those_of_answers(code: str, headers: dict[str, str], answers: Any) -> None:
    changes, status = REFUSALS[code]
    owner, admin, person = As(olivia().access), As(adam().access), As(alice().access)
    event, user = owner.event(questions=QUESTIONS, **changes), admin.user(alice().sub)
    asking = person
    if code == "user_not_found":
        asking, user = admin, "stranger"
    if code == "already_registered":
        assert sign_up(person, event, user, {"food": "All"}).status_code == 201
    for _ in range(2):
        assert problem(sign_up(asking, event, user, answers, **headers)) == (status, code)


def test_a_sign_up_without_answers_is_tried_once_before_it_is_refused(api: Api, meter: Meter) -> None:
    event, user = api.event(questions=QUESTIONS), api.user()
    meter.reset()
    assert wrong(sign_up(api, event, user)) == {"answers.food"}
    assert meter.calls == ["BatchGetItem", "BatchGetItem", "GetItem", "GetItem"]  # the last one reads the questions


def test_a_refusal_that_came_before_that_of_answers_is_the_answer_to_the_key(api: Api) -> None:
    event, user = api.event(questions=QUESTIONS, status="cancelled"), api.user()
    assert problem(sign_up(api, event, user, idempotency_key="again")) == (409, "registration_closed")
    api.patch(f"/events/{event}", {"status": "published"})
    assert problem(sign_up(api, event, user, idempotency_key="again")) == (409, "registration_closed")
    assert wrong(sign_up(api, event, user, idempotency_key="new")) == {"answers.food"}


@pytest.mark.parametrize("unseen", [" ", "\u200b", "\u2800"])
def test_an_answer_without_a_visible_character_is_none(api: Api, unseen: str) -> None:
    event, user = api.event(questions=[BADGE | {"required": True}]), api.user()
    assert wrong(sign_up(api, event, user, {"badge": unseen})) == {"answers.badge"}


ANSWERS = st.fixed_dictionaries(
    {"food": st.sampled_from(["All", "Vegan"])},
    optional={
        "badge": st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=50
        ).filter(lambda text: not is_blank(text)),
        "parks": st.booleans(),
        "gone": st.just("not asked"),
    },
)


@given(answers=ANSWERS, changes=ANSWERS)
def test_answers_are_kept_shown_and_changed(api: Api, answers: dict[str, Any], changes: dict[str, Any]) -> None:
    event, user = api.event(questions=QUESTIONS, capacity=1), api.user()
    known = {name: value for name, value in answers.items() if name != "gone"}
    assert sign_up(api, event, user, answers).json()["answers"] == known
    path = f"/events/{event}/registrations"
    assert api.get(f"{path}/{user}").json()["answers"] == api.get(path).json()[0]["answers"] == known
    known |= {name: value for name, value in changes.items() if name != "gone"}
    assert api.patch(f"{path}/{user}", {"answers": changes}).json()["answers"] == known
    assert api.get(f"{path}/{user}").json()["answers"] == api.get(path).json()[0]["answers"] == known
    assert api.patch(f"{path}/{user}", {"answers": {"badge": None}}).json()["answers"].get("badge") is None
    api.leave(event, user)
    assert api.get(f"{path}?status=cancelled").json()[0]["answers"]["food"] == changes["food"]


def test_who_waits_has_answers_too(api: Api) -> None:
    event, user = api.event(questions=QUESTIONS, capacity=0), api.user()
    assert sign_up(api, event, user, {"food": "Vegan"}).json()["status"] == "waitlisted"
    assert api.get(f"/events/{event}/waitlist").json()[0]["answers"] == {"food": "Vegan"}
    assert api.get(f"/users/{user}/registrations").json()[0]["registration"]["answers"] == {"food": "Vegan"}


def test_an_event_that_asks_nothing_keeps_no_answers(api: Api) -> None:
    event, user = api.event(), api.user()
    assert sign_up(api, event, user, {"food": "Vegan"}).json()["answers"] == {}


def test_a_question_that_is_added_later_is_asked_from_then_on(api: Api) -> None:
    event, (first, second) = api.event(questions=[BADGE]), api.users(2)
    assert sign_up(api, event, first).json()["answers"] == {}
    api.patch(f"/events/{event}", {"questions": QUESTIONS})
    assert wrong(sign_up(api, event, second)) == {"answers.food"}
    assert api.get(f"/events/{event}/registrations/{first}").json()["answers"] == {}
    api.patch(f"/events/{event}", {"questions": []})
    assert sign_up(api, event, second).status_code == 201


LATER: dict[str, list[dict[str, Any]]] = {
    "other choices": [FOOD | {"choices": ["Meat"]}, BADGE],
    "of another kind": [FOOD | {"kind": "yesNo", "choices": []}, BADGE],
    "one more": [FOOD, BADGE, {"questionId": "more", "label": "More?", "kind": "text", "required": True}],
}


@pytest.mark.parametrize("questions", LATER.values(), ids=LATER)
def test_a_change_of_one_answer_is_not_refused_for_another(api: Api, questions: list[dict[str, Any]]) -> None:
    event, user = api.event(questions=[FOOD, BADGE]), api.user()
    sign_up(api, event, user, {"food": "Vegan", "badge": "Ann"})
    api.patch(f"/events/{event}", {"questions": questions})
    path = f"/events/{event}/registrations/{user}"
    assert api.patch(path, {"answers": {"badge": "Anna"}}).json()["answers"] == {"food": "Vegan", "badge": "Anna"}
    for answers in ({"food": None}, {"food": "Fish"}, {"badge": "x" * 1001}):
        assert wrong(api.patch(path, {"answers": answers})) == {f"answers.{next(iter(answers))}"}
    api.patch(f"/events/{event}", {"questions": [BADGE]})
    assert api.patch(path, {"answers": {"food": "All"}}).json()["answers"] == {"badge": "Anna"}


def test_answers_do_not_change_after_the_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event, user = api.event(questions=QUESTIONS), api.user()
    sign_up(api, event, user, {"food": "Vegan"})
    path = f"/events/{event}/registrations/{user}"
    assert problem(api.patch(f"/events/{event}/registrations/nobody", {"answers": {}})) == (
        404,
        "registration_not_found",
    )
    assert wrong(api.patch(path, {})) == {"answers"}
    monkeypatch.setattr(clock, "seconds", lambda: 4_000_000_000)
    assert problem(api.patch(path, {"answers": {"food": "All"}})) == (409, "registration_closed")


@pytest.mark.parametrize("nth", [1, 2])
def test_two_changes_at_once_are_both_kept(api: Api, nth: int) -> None:
    event, user = api.event(questions=QUESTIONS), api.user()
    sign_up(api, event, user, {"food": "Vegan"})
    path = f"/events/{event}/registrations/{user}"
    step = (READ_BOTH, WRITE)[nth - 1]
    with right_before(step, lambda: api.patch(path, {"answers": {"badge": "Al"}})):
        assert api.patch(path, {"answers": {"parks": True}}).status_code == 200
    assert api.get(path).json()["answers"] == {"food": "Vegan", "badge": "Al", "parks": True}


def test_a_change_right_before_the_registration_is_given_up_is_kept(api: Api) -> None:
    event, user = api.event(questions=QUESTIONS), api.user()
    sign_up(api, event, user, {"food": "Vegan"})
    path = f"/events/{event}/registrations"
    with right_before_step(COMMIT, lambda: api.patch(f"{path}/{user}", {"answers": {"food": "All"}})):
        api.leave(event, user)
    assert api.get(f"{path}?status=cancelled").json()[0]["answers"] == {"food": "All"}


def test_only_an_event_that_asks_costs_another_look(api: Api, meter: Meter) -> None:
    plain, asking, (first, second) = api.event(), api.event(questions=[BADGE]), api.users(2)
    for event, user in ((plain, first), (asking, second)):
        meter.reset()
        assert sign_up(api, event, user).status_code == 201
        assert (meter.calls.count("GetItem") > 0) is (event == asking)


def test_a_sheet_has_a_column_for_each_question(api: Api) -> None:
    event, user = api.event(questions=QUESTIONS), api.user("ann")
    sign_up(api, event, user, {"food": "Vegan", "badge": "=1+1", "parks": True})
    (row,) = csv.DictReader(io.StringIO(api.get(f"/events/{event}/registrations?format=csv").content.decode()))
    assert {name: row[name] for name in list(row)[-4:]} == {
        "checkedInAt": "",
        "What do you eat?": "Vegan",
        "Name on the badge?": "'=1+1",
        "'=Parking?": "yes",
    }


@pytest.mark.usefixtures("cognito")
def test_attendees_change_their_own_answers_and_organizers_everyones() -> None:
    owner, attendee, stranger = As(olivia().access), As(alice().access), As(None)
    event = owner.event(questions=QUESTIONS)
    assert wrong(attendee.post(f"/events/{event}/registrations", {})) == {"answers.food"}
    assert attendee.post(f"/events/{event}/registrations", {"answers": {"food": "All"}}).status_code == 201
    path = f"/events/{event}/registrations/{alice().sub}"
    assert attendee.patch(path, {"answers": {"food": "Vegan"}}).json()["answers"] == {"food": "Vegan"}
    assert owner.patch(path, {"answers": {"food": "All"}}).json()["answers"] == {"food": "All"}
    assert problem(stranger.patch(path, {"answers": {}})) == (401, "not_authenticated")
    draft = owner.event(questions=QUESTIONS, status="draft")
    assert problem(attendee.post(f"/events/{draft}/registrations", {"answers": {}})) == (404, "event_not_found")


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("status", ["draft", "cancelled", "completed"])
@pytest.mark.parametrize("capacity", [0, 1])
def test_attendees_change_their_answers_in_every_status_of_the_event(status: str, capacity: int) -> None:
    owner, attendee, other = As(olivia().access), As(alice().access), As(oscar().access)
    event = owner.event(questions=QUESTIONS, capacity=capacity)
    path = f"/events/{event}/registrations/{alice().sub}"
    assert attendee.post(f"/events/{event}/registrations", {"answers": {"food": "All"}}).status_code == 201
    assert owner.patch(f"/events/{event}", {"status": status}).status_code == 200
    assert attendee.patch(path, {"answers": {"food": "Vegan"}}).json()["answers"] == {"food": "Vegan"}
    assert attendee.get(path).json()["answers"] == {"food": "Vegan"}
    assert wrong(attendee.patch(path, {"answers": {"food": "Meat"}})) == {"answers.food"}
    assert problem(other.patch(path, {"answers": {"food": "All"}})) == (404, "registration_not_found")
    assert attendee.leave(event, alice().sub).status_code == 200
    assert problem(attendee.patch(path, {"answers": {"food": "All"}})) == (404, "registration_not_found")
