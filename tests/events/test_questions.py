"""What an organizer asks at sign-up: which questions an event may have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.api import EVENT, Api, problem
from tests.events.questions import BADGE, FOOD

AS_KEPT = {"choices": [], "required": False}

QUESTIONS = st.lists(
    st.fixed_dictionaries(
        {"questionId": strategies.ids(), "label": strategies.texts(200)},
        optional={"required": st.booleans(), "colour": st.just("red")},
    ).flatmap(
        lambda question: st.sampled_from(
            [{"kind": "text"}, {"kind": "yesNo"}, {"kind": "choice", "choices": ["a", "b", "a"]}]
        ).map(lambda kind: {**question, **kind})  # type: ignore[dict-item]
    ),
    max_size=10,
    unique_by=lambda question: question["questionId"],
)


def kept(question: dict[str, Any]) -> dict[str, Any]:
    """How an event keeps a question."""
    known = {name: value for name, value in question.items() if name != "colour"}
    return AS_KEPT | known | ({"choices": ["a", "b"]} if question["kind"] == "choice" else {})


@given(questions=QUESTIONS, others=QUESTIONS)
def test_an_event_keeps_its_questions(api: Api, questions: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    event = api.event(questions=questions)
    assert api.get(f"/events/{event}").json()["questions"] == [kept(one) for one in questions]
    edited = api.patch(f"/events/{event}", {"questions": others})
    assert edited.json()["questions"] == [kept(one) for one in others]


def test_an_event_need_not_ask_anything(api: Api) -> None:
    event = api.event()
    assert api.get(f"/events/{event}").json()["questions"] == []
    api.patch(f"/events/{event}", {"questions": [FOOD]})
    assert api.patch(f"/events/{event}", {"title": "Another", "unlisted": None}).json()["questions"] == [FOOD]
    assert api.patch(f"/events/{event}", {"questions": None}).json()["questions"] == []


@pytest.mark.parametrize(
    ("questions", "fields"),
    [
        ("food", {"questions"}),
        ([FOOD] * 2, {"questions.1.questionId"}),
        ([{"questionId": str(number), "label": "?", "kind": "text"} for number in range(11)], {"questions"}),
        ([7], {"questions.0"}),
        ([FOOD, {}], {"questions.1.questionId", "questions.1.label", "questions.1.kind"}),
        ([BADGE | {"kind": "number"}], {"questions.0.kind"}),
        ([BADGE | {"label": "x" * 201}], {"questions.0.label"}),
        ([BADGE | {"label": " "}], {"questions.0.label"}),
        ([BADGE | {"questionId": "a b"}], {"questions.0.questionId"}),
        ([BADGE | {"required": "yes"}], {"questions.0.required"}),
        ([FOOD | {"choices": []}], {"questions.0.choices"}),
        ([FOOD | {"choices": None}], {"questions.0.choices"}),
        ([FOOD | {"choices": ["a", "x" * 101]}], {"questions.0.choices.1"}),
        ([FOOD | {"choices": [str(number) for number in range(21)]}], {"questions.0.choices"}),
        ([FOOD | {"choices": "a"}], {"questions.0.choices"}),
    ],
)
def test_a_malformed_question_is_refused(api: Api, questions: Any, fields: set[str]) -> None:
    event = api.event()
    for answer in (
        api.post("/events", EVENT | {"questions": questions}),
        api.patch(f"/events/{event}", {"questions": questions}),
    ):
        assert problem(answer) == (422, "validation_error")
        assert {error["field"] for error in answer.json()["errors"]} == fields


def test_an_edit_lists_the_missing_fields_of_a_question_in_order(api: Api) -> None:
    answer = api.patch(f"/events/{api.event()}", {"questions": [{}]})
    assert [error["field"].removeprefix("questions.0.") for error in answer.json()["errors"]] == [
        "questionId",
        "label",
        "kind",
    ]
