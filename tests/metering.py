"""Counting what DynamoDB is asked and what AWS would charge for it.

Reads are computed from the items in the answers by AWS's rules (4 KB a unit, half of that when eventually
consistent, each item of a batch rounded up by itself), because engines report flat figures; writes are what the
engine reports, which follows AWS (2 units a KB in a transaction, 1 in an index).
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
from threading import Lock
from types import TracebackType
from typing import Any

from eventsite.dynamodb.connection import PatientConnection

REPORTED = frozenset(
    {"BatchWriteItem", "DeleteItem", "PutItem", "TransactGetItems", "TransactWriteItems", "UpdateItem"}
)
"""The operations whose units the engine reports, if it is asked."""


class Meter:
    """Counts every call on the service's connection while it is entered."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.units = 0.0
        self._lock = Lock()

    def __enter__(self) -> "Meter":
        self._original = PatientConnection._make_api_call
        meter = self

        def counted(connection: Any, operation: str, arguments: dict[str, Any]) -> Any:
            asked = {"ReturnConsumedCapacity": "TOTAL"} if operation in REPORTED else {}
            answer = meter._original(connection, operation, arguments | asked)
            with meter._lock:  # several threads read one list of events
                meter.calls.append(operation)
                meter.units += units(operation, arguments, answer)
            return answer

        PatientConnection._make_api_call = counted  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        PatientConnection._make_api_call = self._original  # type: ignore[method-assign]

    def reset(self) -> None:
        """Forget what was counted."""
        self.calls, self.units = [], 0.0


def units(operation: str, arguments: dict[str, Any], answer: dict[str, Any]) -> float:
    factor = 1.0 if arguments.get("ConsistentRead") else 0.5
    if operation == "GetItem":
        return factor * _blocks([answer.get("Item", {})])
    if operation in ("Query", "Scan"):
        if arguments.get("Select") == "COUNT":
            return factor * max(1, math.ceil(answer["ScannedCount"] * COUNTED_BYTES / 4096))
        return factor * _blocks(answer["Items"])
    if operation == "BatchGetItem":
        asked, found = arguments["RequestItems"], answer["Responses"]
        return sum(_batch_units(request, found.get(table, [])) for table, request in asked.items())
    consumed = answer.get("ConsumedCapacity", [])
    return float(sum(one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed])))


def _batch_units(request: dict[str, Any], items: list[Any]) -> float:
    """Return the units of each item by itself. A missing item costs as much as a small one."""
    missing = len(request["Keys"]) - len(items)
    return (1.0 if request.get("ConsistentRead") else 0.5) * (missing + sum(_blocks([item]) for item in items))


COUNTED_BYTES = 350
"""About the size of a registration, for queries that only count."""


def _blocks(items: list[dict[str, Any]]) -> int:
    return max(1, math.ceil(sum(map(_size, items)) / 4096))


def _size(item: dict[str, Any]) -> int:
    """Bytes of an item, about as AWS counts them: the names and the values."""
    return sum(
        len(name) + len(next(iter(value.values())) if "S" in value else json.dumps(value))
        for name, value in item.items()
    )
