"""The questions of an event at sign-up, and the validation of answers (CONTRACT: `questions`, `answers`)."""

from typing import Any

from eventsite.errors import WrongValues
from eventsite.text import encodable
from eventsite.text.visible import is_blank

TEXT, CHOICE, YES_NO = KINDS = ("text", "choice", "yesNo")
LONGEST_ANSWER = 1000  # characters; the contract leaves it open, and an item of DynamoDB ends at 400 KB

REQUIRED = "Please answer this question."
NOT_A_TEXT = f"Answer with a text of at most {LONGEST_ANSWER:,} characters."
NOT_A_CHOICE = "Choose one of the answers offered."
NOT_YES_OR_NO = "Answer with true for yes, or false for no."
NOT_AN_OBJECT = "Send the answers as an object: each question's id with its answer."


def fitting(questions: list[dict[str, Any]], answers: Any) -> dict[str, Any]:
    """Return the answers to the questions of an event, without those to other questions.

    Raises:
        WrongValues: Answers are missing or not valid; each under ``answers.<questionId>``.
    """
    if not isinstance(answers, dict | None):
        raise WrongValues({"answers": NOT_AN_OBJECT})
    kept: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for question in questions:
        name = question["questionId"]
        answer = (answers or {}).get(name)
        if answer is None or (isinstance(answer, str) and is_blank(answer)):
            wrong |= {f"answers.{name}": REQUIRED} if question["required"] else {}
        elif sentence := _misfit(question, answer):
            wrong[f"answers.{name}"] = sentence
        else:
            kept[name] = answer
    if wrong:
        raise WrongValues(wrong)
    return kept


def changed(questions: list[dict[str, Any]], stored: dict[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answers after a change, in which None removes one. Those to questions that are gone are left out.

    Stored answers are not validated again: the organizers may have changed their questions since.

    Raises:
        WrongValues: As in `fitting`, for the changed answers.
    """
    sent = [question for question in questions if question["questionId"] in answers]
    others = {question["questionId"] for question in questions} - answers.keys()
    return {name: value for name, value in stored.items() if name in others} | fitting(sent, answers)


def _misfit(question: dict[str, Any], answer: Any) -> str:
    """Return why an answer is not valid for its question, or an empty string if it is."""
    match question["kind"]:
        case "choice":
            return "" if answer in question["choices"] else NOT_A_CHOICE
        case "yesNo":
            return "" if isinstance(answer, bool) else NOT_YES_OR_NO
    fits = isinstance(answer, str) and len(answer) <= LONGEST_ANSWER and "\0" not in answer
    return "" if fits and encodable(answer) == answer else NOT_A_TEXT
