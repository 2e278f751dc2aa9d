"""A store in memory that interprets the conditions and actions of PynamoDB that the service sends.

tests/registrations/protocol/test_store.py checks it against the engine.
"""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from pynamodb.expressions import condition as conditions
from pynamodb.expressions import operand as operands
from pynamodb.expressions import update as updates
from pynamodb.expressions.condition import Condition

from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.steps import Check, Delete, Put, Update

Raw = dict[str, Any]
Key = tuple[str, ...]
"""The table and the parts of the key."""


def key_of(record: BaseModel) -> Key:
    """Return the key of a record's item."""
    return (record.Meta.table_name, *(str(getattr(record, name)) for name in record.key_attributes()))


def frozen(item: Raw | None) -> str | None:
    """Return an item as text: equal items are equal texts."""
    return None if item is None else json.dumps(item, sort_keys=True)


def thawed(text: str | None) -> Any:
    """Return the item that `frozen` wrote."""
    return None if text is None else json.loads(text)


# Operands


def _segments(path: operands.Path) -> list[str | int]:
    found: list[str | int] = []
    for segment in path.path:
        name, *indexes = re.split(r"\[(\d+)\]", segment) if "~" not in segment else [segment]
        found += [name, *(int(index) for index in indexes if index)]
    return found


def _at(item: Raw | None, path: operands.Path) -> Any:
    """Return the typed value at a path, or None."""
    value: Any = {"M": item or {}}
    for segment in _segments(path):
        if isinstance(segment, int):
            elements = (value or {}).get("L", [])
            value = elements[segment] if segment < len(elements) else None
        else:
            value = (value or {}).get("M", {}).get(segment)
    return value


def value_of(operand: Any, item: Raw | None) -> Any:
    """Return the typed value of an operand, or None."""
    match operand:
        case operands.Value():
            return operand.value
        case operands.Path():
            return _at(item, operand)
        case operands._Size():
            measured: Any = operand.values[0]
            inner = _at(item, measured if isinstance(measured, operands.Path) else operand)  # type: ignore[arg-type]
            return inner and {"N": str(len(next(iter(inner.values()))))}
        case operands._Increment():
            return _sum(item, operand, 1)
        case operands._Decrement():
            return _sum(item, operand, -1)
        case operands._IfNotExists():
            first = value_of(operand.values[0], item)
            return value_of(operand.values[1], item) if first is None else first
    raise NotImplementedError(operand)


def _sum(item: Raw | None, operand: Any, sign: int) -> Any:
    left, right = (int(value_of(one, item)["N"]) for one in operand.values)
    return {"N": str(left + sign * right)}


# Conditions


def holds(condition: Condition | None, item: Raw | None) -> bool:  # noqa: PLR0911 (a table)
    """Return True if a condition holds for an item, or for a missing one."""
    match condition:
        case None:
            return True
        case conditions.And():
            return all(holds(one, item) for one in condition.values)
        case conditions.Or():
            return any(holds(one, item) for one in condition.values)
        case conditions.Not():
            return not holds(condition.values[0], item)
        case conditions.Exists():
            return value_of(condition.values[0], item) is not None
        case conditions.NotExists():
            return value_of(condition.values[0], item) is None
        case conditions.Comparison():
            return _compared(condition.operator, *(value_of(one, item) for one in condition.values))
        case conditions.Between():
            value, low, high = (value_of(one, item) for one in condition.values)
            return _compared(">=", value, low) and _compared("<=", value, high)
    raise NotImplementedError(condition)


def _compared(operator: str, left: Any, right: Any) -> bool:  # noqa: PLR0911 (a table)
    if left is None or right is None:
        return operator == "<>" and left is not right
    if left.keys() != right.keys():
        return operator == "<>"
    one, other = (int(value["N"]) if "N" in value else next(iter(value.values())) for value in (left, right))
    match operator:
        case "=":
            return bool(one == other)
        case "<>":
            return bool(one != other)
        case "<":
            return bool(one < other)
        case "<=":
            return bool(one <= other)
        case ">":
            return bool(one > other)
    return bool(one >= other)


# Actions


def updated(record: BaseModel, actions: Iterable[Any], item: Raw | None) -> Raw:
    """Return an item after some actions. All of them read it as it was before.

    Raises:
        ValueError: Two paths overlap. DynamoDB refuses that.
        KeyError: A path has no parent. DynamoDB refuses that too.
    """
    actions = list(actions)
    paths = [_segments(action.values[0]) for action in actions]
    if any(one[: len(other)] == other[: len(one)] for one, other in combinations(paths, 2)):
        raise ValueError(actions)
    keys = {name: {"S": str(getattr(record, attribute))} for name, attribute in _keys(record)}
    after: Raw = json.loads(json.dumps(item or keys))
    for action in actions:
        added: Any = action.values[0]
        path = _segments(added)
        match action:
            case updates.SetAction():
                _put(after, path, value_of(action.values[1], item))
            case updates.RemoveAction():
                _put(after, path, None)
            case updates.AddAction():
                _put(after, path, _added(_at(item, added), value_of(action.values[1], item)))
            case _:
                raise NotImplementedError(action)
    return after


def _keys(record: BaseModel) -> Iterable[tuple[str, str]]:
    return zip(record.key_names(), record.key_attributes(), strict=True)


def _added(old: Any, value: Any) -> Any:
    if "N" in value:
        return {"N": str(int((old or {"N": "0"})["N"]) + int(value["N"]))}
    ((kind, members),) = value.items()
    return {kind: sorted({*(old or {kind: []})[kind], *members}, key=lambda member: (len(member), member))}


def _put(item: Raw, path: list[str | int], value: Any) -> None:
    place: Any = {"M": item}
    for segment in path[:-1]:
        place = place["L"][segment] if isinstance(segment, int) else place["M"][segment]
    last = path[-1]
    inner = place["L"] if isinstance(last, int) else place["M"]
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value


# Whole writes


def written(part: Update | Put | Delete | Check, item: Raw | None) -> tuple[bool, Raw | None]:
    """Return whether the condition of a write holds, and the item afterwards."""
    if not holds(part.condition, item):
        return False, item
    match part:
        case Update():
            return True, updated(part.record, part.actions, item)
        case Put():
            return True, dict(part.record.serialize())
        case Delete():
            return True, None
    return True, item


def transacted(items: Mapping[Key, str], parts: Mapping[str, Any]) -> tuple[dict[str, str | None], dict[Key, Any]]:
    """Return the outcome of a transaction.

    Args:
        items: The stored items.
        parts: The parts of the transaction by their labels.

    Returns:
        The stored items of the parts whose conditions fail, by their labels, and all items afterwards if none fails.
    """
    failures: dict[str, str | None] = {}
    changed: dict[Key, Any] = {}
    for label, part in parts.items():
        key = key_of(part.record)
        done, changed[key] = written(part, thawed(items.get(key)))
        if not done:
            failures[label] = items.get(key)
    return failures, changed
