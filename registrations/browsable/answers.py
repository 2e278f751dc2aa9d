"""The questions of an event as fields of a form, and the answers for a page."""

from typing import Any

from eventsite.pages.forms import Field, Option, text

PREFIX = "answers."
YES_NO = {"true": "Yes", "false": "No"}


def fields(questions: list[dict[str, Any]] | None, answers: dict[str, Any] | None = None) -> list[Field]:
    made = [_field(question) for question in questions or []]
    for one in made:
        one.fill(text((answers or {}).get(one.name.removeprefix(PREFIX))))
    return made


def _field(question: dict[str, Any]) -> Field:
    kind = "text" if question["kind"] == "text" else "select"
    made = Field(PREFIX + question["questionId"], question["label"], kind, prefix="ask")
    made.required, made.optional = question["required"], not question["required"]
    if kind == "select":
        choices = YES_NO if question["kind"] == "yesNo" else {one: one for one in question["choices"]}
        made.options = [Option(value, label, False) for value, label in {"": "Choose …", **choices}.items()]
    else:
        made.attributes["maxlength"] = 1000
    return made


def gather(values: Any, questions: list[dict[str, Any]] | None, *, changes: bool = False) -> None:
    """Convert the answers of a form to the format of the API, in place. On `changes`, an empty field removes one."""
    kinds = {PREFIX + question["questionId"]: question["kind"] for question in questions or []}
    found = {name: values.pop(name)[-1] for name in list(values) if name.startswith(PREFIX)}
    answers = {
        name.removeprefix(PREFIX): _value(kinds.get(name), typed) if typed else None
        for name, typed in found.items()
        if typed or changes
    }
    if answers:
        values["answers"] = answers


def _value(kind: str | None, typed: str) -> Any:
    return {"true": True, "false": False}.get(typed, typed) if kind == "yesNo" else typed


def shown(answers: dict[str, Any] | None, questions: list[dict[str, Any]] | None) -> list[tuple[str, str]]:
    """Return the questions that were answered, each with its answer."""
    labels = {question["questionId"]: question["label"] for question in questions or []}
    return [(labels.get(name, name), _text(value)) for name, value in (answers or {}).items()]


def _text(value: Any) -> str:
    return {True: "Yes", False: "No"}[value] if isinstance(value, bool) else str(value)
