"""Refuse the requests that DynamoDB refuses and ministack accepts.

ministack checks the size of expressions and items, reserved words, undefined placeholders and duplicate keys itself.
It accepts an update expression whose paths overlap, one that removes an attribute of a missing map, and a placeholder
that is unused but is the beginning of another one. A service that is tried on it could send such a request unnoticed.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import Any

CLAUSE = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b", re.IGNORECASE)
PATH = re.compile(r"\s*([#\w]+(?:\s*(?:\.\s*[#\w]+|\[\d+\]))*)")
SEGMENT = re.compile(r"\[(\d+)\]|([#\w]+)")
PLACEHOLDER = re.compile(r"[#:]\w+")
PLACEHOLDERS = "ExpressionAttributeNames", "ExpressionAttributeValues"
INVALID = "The document path provided in the update expression is invalid for update"

Path = tuple[str | int, ...]  # the names of the maps' attributes and the indexes of the lists


def tighten(engine: Any) -> None:
    """Let an engine, the module `ministack.services.dynamodb`, refuse what DynamoDB refuses."""
    validate, apply = engine._validate_expression_attrs, engine._apply_update_expression

    def validated(data: Any, fields: tuple[str, ...], *more: Any) -> Any:
        error = validate(data, fields, *more)
        refusal = None if error else expression_error(data, fields)
        return engine.error_response_json("ValidationException", refusal, 400) if refusal else error

    def applied(item: Any, text: str, values: Any, names: Any, *more: Any) -> Any:
        if any(not has_parent(item, path) for path in paths(text, names)):
            raise ValueError(INVALID)
        return apply(item, text, values, names, *more)

    engine._validate_expression_attrs, engine._apply_update_expression = validated, applied


def expression_error(data: dict[str, Any], fields: tuple[str, ...]) -> str | None:
    """Return why DynamoDB refuses the expressions in these fields of a request, or None."""
    used = {name for field in fields for name in PLACEHOLDER.findall(data.get(field) or "")}
    for kind in PLACEHOLDERS:
        unused = (data.get(kind) or {}).keys() - used
        if unused:
            return f"Value provided in {kind} unused in expressions: keys: {{{', '.join(sorted(unused))}}}"
    found = paths(data.get("UpdateExpression") or "", data.get("ExpressionAttributeNames") or {})
    for one, other in combinations(found, 2):
        if one[: len(other)] == other[: len(one)]:
            return (
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
                f"these paths; path one: {list(one)}, path two: {list(other)}"
            )
    return None


def paths(expression: str, names: dict[str, str]) -> list[Path]:
    """Return the paths that an update expression writes, with its `ExpressionAttributeNames` in their places."""
    return [tuple(names.get(str(segment), segment) for segment in path) for path in _paths(expression)]


def has_parent(item: dict[str, Any], path: Path) -> bool:
    """Return True if an item has the map or the list in which the last segment of a path is."""
    place: Any = {"M": item}
    for segment in path[:-1]:
        place = _inner(place, segment)
    return ("L" if isinstance(path[-1], int) else "M") in place


def _inner(place: Any, segment: str | int) -> Any:
    if isinstance(segment, int):
        return dict(enumerate(place.get("L", []))).get(segment, {})
    return place.get("M", {}).get(segment, {})


@lru_cache(1024)
def _paths(expression: str) -> tuple[Path, ...]:
    return tuple(
        tuple(int(index) if index else name for index, name in SEGMENT.findall(path)) for path in _written(expression)
    )


def _written(expression: str) -> Iterator[str]:
    _, *parts = CLAUSE.split(expression)
    for clause in parts[1::2]:
        for action in _at_commas(clause):
            if found := PATH.match(action):
                yield found[1]


def _at_commas(clause: str) -> Iterator[str]:
    """Split a clause at the commas that are in no parentheses."""
    depth = start = 0
    for index, character in enumerate(clause):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            yield clause[start:index]
            start = index + 1
    yield clause[start:]
