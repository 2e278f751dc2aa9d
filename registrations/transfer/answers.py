"""Answers to the questions of an event: from `answers` of our records, or from columns with the questions' labels."""

from typing import Any

from events.questions import YES_NO, fitting
from eventsite.errors import WrongValues
from registrations.transfer import notes
from registrations.transfer.columns import TRUTHS, normalized
from registrations.transfer.notes import Notes

Question = dict[str, Any]


def by_label(questions: list[Question]) -> dict[str, Question]:
    """Return questions by their labels, as headers of columns are compared."""
    return {normalized(question["label"]): question for question in questions}


def kept(questions: list[Question], values: dict[str, Any], place: str, found: Notes) -> dict[str, Any] | None:
    """Return the answers of a registration that fit, or None where the event asks nothing.

    A required answer may be missing: the person signed up where it was not asked.

    Args:
        questions: What the event asks.
        values: The record, with `answers` by the questions' ids, or with the labels of questions as names.
        place: Where the record is.
        found: Receives the answers that do not fit.
    """
    sent = values.get("answers")
    answers = dict(sent) if isinstance(sent, dict) else {}
    labelled = by_label(questions)
    for name, value in values.items():
        question = labelled.get(normalized(name))
        if question and name not in ("answers",) and value is not None:
            answers.setdefault(question["questionId"], value)
    fits: dict[str, Any] = {}
    for question in questions:
        answer = _typed(question, answers.get(question["questionId"]))
        try:
            fits |= fitting([question | {"required": False}], {question["questionId"]: answer})
        except WrongValues:
            found.add(notes.ANSWERS, f"{place}: {question['label'][:60]}: {repr(answer)[:60]}")
    return fits if questions else None


def _typed(question: Question, answer: Any) -> Any:
    """Return true or false for the words of a sheet, where the question asks for one of them."""
    if question["kind"] == YES_NO and isinstance(answer, str):
        return TRUTHS.get(answer.strip().lower(), answer)
    return answer
