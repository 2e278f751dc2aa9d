"""Write PynamoDB's conditions and actions as arguments of a call.

PynamoDB does this too, and takes three times as long: it matches each name against a pattern and asks each attribute
for its path several times. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from collections.abc import Sequence
from typing import Any

from pynamodb.expressions.condition import Comparison, Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action, AddAction, DeleteAction, RemoveAction, SetAction

CLAUSES = ((SetAction, "SET"), (RemoveAction, "REMOVE"), (AddAction, "ADD"), (DeleteAction, "DELETE"))


def arguments(condition: Condition | None, actions: Sequence[Action] = ()) -> dict[str, Any]:
    """Return a condition, and the actions of an update, with the names and values that they use."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    written: dict[str, Any] = {}
    if condition is not None:
        written["ConditionExpression"] = _text(condition, names, values)
    if actions:
        written["UpdateExpression"] = _update(actions, names, values)
    if names:
        written["ExpressionAttributeNames"] = {placeholder: name for name, placeholder in names.items()}
    if values:
        written["ExpressionAttributeValues"] = values
    return written


def _update(actions: Sequence[Action], names: dict[str, str], values: dict[str, Any]) -> str:
    clauses = []
    for kind, word in CLAUSES:
        if texts := [_text(action, names, values) for action in actions if type(action) is kind]:
            clauses.append(f"{word} {', '.join(texts)}")
    return " ".join(clauses)


def _text(part: Any, names: dict[str, str], values: dict[str, Any]) -> str:
    """Return the text of a condition, an action or an operand. Add its names and values."""
    kind = type(part)
    if kind is Path:
        path = part.values[0]
        if len(path) == 1:
            return names.get(path[0]) or _placeholder(path[0], names)
        return ".".join([names.get(segment) or _placeholder(segment, names) for segment in path])
    if kind is Value:
        placeholder = f":{len(values)}"
        values[placeholder] = part.values[0]
        return placeholder
    texts = [_text(one, names, values) for one in part.values]
    if kind is Comparison:
        return f"{texts[0]} {part.operator} {texts[1]}"
    text: str = part.format_string.format(*texts, operator=getattr(part, "operator", ""))
    return text


def _placeholder(segment: str, names: dict[str, str]) -> str:
    """Return the placeholder of a part of a path: of ``epochs[3]``, that of the name, with the index."""
    name, bracket, index = segment.partition("[")
    return names.setdefault(name, f"#{len(names)}") + bracket + index
