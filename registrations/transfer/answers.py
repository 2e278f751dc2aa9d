"""Import the answers to the questions of an event, from `answers` or from columns named by labels."""

from typing import Any

from events.questions import YES_NO, fitting
from eventsite.errors import WrongValues
from registrations.transfer import notes
from registrations.transfer.columns import TRUTHS, normalized
from registrations.transfer.notes import Notes

Question = dict[str, Any]


def by_label(questions: list[Question]) -> dict[str, Question]:
    """Return the questions by their labels, normalized like headers of columns."""
    return {normalized(question["label"]): question for question in questions}


def kept(questions: list[Question], values: dict[str, Any], place: str, found: Notes) -> dict[str, Any] | None:
    """Return the valid answers of a registration, or None if the event asks no questions.

    A required answer may be missing, because the other service did not ask.

    Args:
        questions: The questions of the event.
        values: The record, with `answers` by the ids of questions, or with their labels as names.
        place: The place of the record, for notes.
        found: Receives the answers that are not valid.
    """
    sent = values.get("answers")
    answers = dict(sent) if isinstance(sent, dict) else {}
    labelled = by_label(questions)
    for name, value in values.items():
        question = labelled.get(normalized(name))
        if question and name != "answers" and value is not None:
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
    """Convert the word of a sheet to a boolean, if the question asks for one."""
    if question["kind"] == YES_NO and isinstance(answer, str):
        return TRUTHS.get(answer.strip().lower(), answer)
    return answer
