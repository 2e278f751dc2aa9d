"""The form of an event's questions: a few fields for each, and empty ones for more."""

import re
import unicodedata
import uuid
from typing import Any

from rest_framework.exceptions import ValidationError

from events.questions import CHOICE, TEXT, YES_NO
from events.serializers import QuestionSerializer
from eventsite.auth.permissions import CHANGE_EVENT
from eventsite.pages.forms import TRUE, Field, Form, Option, text
from eventsite.pages.page import Part

PREFIX = "questions."
KINDS = {TEXT: "Free text", CHOICE: "One of several answers", YES_NO: "Yes or no"}
MOST, SPARE = 10, 2


class Questions(Part, routes=["event"]):
    """The questions at sign-up, for the organizers of an event."""

    template = "events/questions.html"
    place = 20

    def context(self, data: Any) -> dict[str, Any] | None:
        if not self.runs(CHANGE_EVENT, data):
            return None
        return {"below": True, "count": len(data.get("questions") or []), "questions": questions_form(self, data)}

    def form(self, method: str) -> Form | None:
        now = self.page.current() if self._is_sent() else None
        return questions_form(self, now) if now else None

    def translate(self, values: Any) -> None:
        """Collect the fields of the questions into the list of the API, or raise `ValidationError` for wrong fields."""
        if not self._is_sent() or self.submission is None:
            return
        asked: dict[int, dict[str, Any]] = {}
        wrong: dict[str, Any] = {}
        for number, row in _rows(self.submission.sent).items():
            if question := _question(row, list(asked.values())):
                asked[number] = question
                wrong |= _wrong(number, question)
        if wrong:
            raise ValidationError({"questions": wrong})
        for name in [name for name in values if name.startswith(PREFIX)]:
            del values[name]
        values.setlist("questions", list(asked.values()))

    def outcome(self, data: Any) -> str:
        return "The questions are saved." if self._is_sent() else ""

    def _is_sent(self) -> bool:
        return self.submission is not None and any(name.startswith(PREFIX) for name in self.submission.sent)


def questions_form(part: Part, event: dict[str, Any]) -> Form:
    """Return the form: the fields of each question, and of some new ones."""
    asked: list[dict[str, Any]] = event.get("questions") or []
    made = Form(part.request.path, "Save questions", "PUT", hidden={"_version": str(event["version"])})
    for number, question in enumerate([*asked, *({} for _ in range(SPARE))][:MOST]):
        made.fields += _fields(number, question)
        if question:
            made.hidden[f"{PREFIX}{number}.questionId"] = question["questionId"]
    return made


def _fields(number: int, question: dict[str, Any]) -> list[Field]:
    named = f"Question {number + 1}"
    label = Field(f"{PREFIX}{number}.label", named, "text", question.get("label", ""), prefix="question")
    label.attributes["maxlength"] = 200
    label.help = "" if not question else "Empty it to ask it no more."
    kind = Field(f"{PREFIX}{number}.kind", f"{named}: kind of answer", "select", prefix="question")
    kind.options = [Option(value, words, value == question.get("kind", TEXT)) for value, words in KINDS.items()]
    choices = Field(f"{PREFIX}{number}.choices", f"{named}: answers to choose from", "textarea", prefix="question")
    choices.value, choices.help = "\n".join(question.get("choices") or []), "One in each line."
    needed = Field(f"{PREFIX}{number}.required", f"{named} has to be answered", "checkbox", prefix="question")
    needed.value = text(bool(question.get("required")))
    return [label, kind, choices, needed]


def _rows(sent: Any) -> dict[int, dict[str, str]]:
    """Return the fields of each question by its number."""
    rows: dict[int, dict[str, str]] = {}
    for name in sent:
        if found := re.fullmatch(rf"{re.escape(PREFIX)}(\d)\.(\w+)", name):
            rows.setdefault(int(found[1]), {})[found[2]] = sent[name]
    return dict(sorted(rows.items()))


def _question(row: dict[str, str], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return a question as the API takes it, or None if there is none.

    A new question without a text and without answers is none. Neither is an old one without a text.
    """
    label, lines = row.get("label", "").strip(), row.get("choices", "").split("\n")
    if not label and ("questionId" in row or not row.get("choices", "").strip()):
        return None
    question: dict[str, Any] = {"questionId": row.get("questionId") or _new_id(label, others), "label": label}
    question |= {"kind": row.get("kind", TEXT), "required": row.get("required") == TRUE}
    return question | {"choices": [line.strip() for line in lines if line.strip()]}


def _new_id(label: str, others: list[dict[str, Any]]) -> str:
    """Return an id that is made of the words of a question, for export and programs."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall("[a-z0-9]+", plain))[:32].strip("-")
    taken = {one["questionId"] for one in others}
    return words if words and words not in taken else f"{words or 'question'}-{uuid.uuid4().hex[:6]}"


def _wrong(number: int, question: dict[str, Any]) -> dict[str, Any]:
    try:
        QuestionSerializer().run_validation(question)
    except ValidationError as error:
        return {str(number): error.detail}
    return {}
