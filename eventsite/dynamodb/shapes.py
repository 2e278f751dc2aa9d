"""The shape of DynamoDB's answers: the code checks what it relies on once, where an answer arrives.

An answer of another shape comes from something between us and DynamoDB, or from an emulator. It is treated as an answer
that did not arrive: the call is sent again, and the request ends with 503 if that does not help.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
"""

from collections.abc import Callable
from typing import Any, TypeGuard

import orjson
from botocore.exceptions import ResponseStreamingError
from pynamodb.exceptions import PynamoDBException

Json = dict[str, Any]


class UnreadableItem(PynamoDBException):
    msg = "An item does not fit its model."


def read(operation: str, body: bytes) -> Json:
    """Return the answer to a call, or raise `ResponseStreamingError` if it is not what DynamoDB answers."""
    answer = _parsed(body)
    has_shape: Callable[[Json], bool] = SHAPES.get(operation, _is_dict)
    if answer is None or not has_shape(answer):
        raise ResponseStreamingError(error=f"the body is no answer to {operation}")
    return answer


def read_refusal(body: bytes) -> Json:
    """Parse an error of DynamoDB's. Return an empty dict if the body is something else.

    Raises:
        ResponseStreamingError: It cancels a transaction, or refuses a condition, and does not say how.
    """
    refusal = _parsed(body)
    if refusal is None or not isinstance(refusal.get("__type"), str):
        return {}
    reasons = refusal.get("CancellationReasons", [])
    is_cancelled = refusal["__type"].endswith("TransactionCanceledException")
    if not (_is_list_of(reasons, _is_reason) and _is_item(refusal.get("Item", {})) and (reasons or not is_cancelled)):
        raise ResponseStreamingError(error="the refusal has no reasons, or unreadable ones")
    return refusal


def _parsed(body: bytes) -> Json | None:
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _is_dict(value: Any) -> TypeGuard[Json]:
    return type(value) is dict


def _is_item(value: Any) -> bool:
    """Return True for attribute values by name, such as ``{"userId": {"S": "alice"}}``. Models check their insides."""
    return type(value) is dict and set(map(type, value.values())) <= {dict}


def _is_reason(value: Any) -> bool:
    return _is_dict(value) and isinstance(value.get("Code"), str) and _is_item(value.get("Item", {}))


def _is_list_of(value: Any, check: Callable[[Any], bool]) -> bool:
    return type(value) is list and all(map(check, value))


def _are_items(value: Any) -> TypeGuard[list[Json]]:
    return _is_list_of(value, _is_item)


def _is_batch(answer: Json) -> bool:
    tables, unread = answer.get("Responses"), answer.get("UnprocessedKeys", {})
    return _is_dict(tables) and all(map(_are_items, tables.values())) and _is_dict(unread)


def _is_snapshot(answer: Json) -> bool:
    return _is_list_of(answer.get("Responses"), lambda part: _is_dict(part) and _is_item(part.get("Item", {})))


def _is_page(answer: Json) -> bool:
    items, last = answer.get("Items"), answer.get("LastEvaluatedKey")
    if not _are_items(items) or answer.get("Count") != len(items) or type(answer.get("ScannedCount")) is not int:
        return False
    return last is None or (_is_item(last) and bool(last))


SHAPES: dict[str, Callable[[Json], bool]] = {
    "BatchGetItem": _is_batch,
    "BatchWriteItem": lambda answer: _is_dict(answer.get("UnprocessedItems", {})),
    "DeleteItem": lambda answer: _is_item(answer.get("Attributes", {})),
    "DescribeTable": lambda answer: _is_dict(answer.get("Table")),
    "GetItem": lambda answer: _is_item(answer.get("Item", {})),
    "PutItem": lambda answer: _is_item(answer.get("Attributes", {})),
    "Query": _is_page,
    "Scan": _is_page,
    "TransactGetItems": _is_snapshot,
    "UpdateItem": lambda answer: _is_item(answer.get("Attributes", {})),
}
"""For each operation, whether what the code reads of its answer is of the right type. Others are only objects."""


def is_value(value: Any) -> bool:
    """Return True for an attribute value of any depth: ``{"L": [{"S": "a"}]}``."""
    if not _is_dict(value) or len(value) != 1:
        return False
    ((kind, held),) = value.items()
    match kind:
        case "L":
            return _is_list_of(held, is_value)
        case "M":
            return _is_dict(held) and all(map(is_value, held.values()))
        case "SS" | "NS":
            return _is_list_of(held, lambda one: type(one) is str)
    return type(held) in (str, bool)


def text(item: Json, name: str) -> str:
    """Return a text of an item. Raise `UnreadableItem` if there is none of this name."""
    try:
        value = item[name]["S"]
    except (LookupError, TypeError):
        value = None
    if type(value) is not str:
        raise UnreadableItem
    return value
