"""Letting something happen in the one moment that matters: between two calls of a request to DynamoDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from eventsite.dynamodb.connection import PatientConnection

WRITE, READ, READ_BATCH, READ_MANY = "TransactWriteItems", "GetItem", "BatchGetItem", "Query"
UPDATE, REMOVE = "UpdateItem", "DeleteItem"
LOCK, COMMIT, SETTLE, EDIT = (UPDATE, 1), (UPDATE, 2), (WRITE, 1), (WRITE, 1)
"""The writes of an operation on a registration, and of an edit of the seats: which of their kind they are."""


@contextmanager
def right_before(operation: str, do: Callable[[], Any], *, nth: int = 1) -> Iterator[None]:
    """Do something once, right before the nth call of this kind that is made to DynamoDB from now on."""
    original, calls = PatientConnection._make_api_call, [0]

    def interrupted(connection: Any, name: str, arguments: Any) -> Any:
        calls[0] += name == operation
        if name == operation and calls[0] == nth:
            do()
        return original(connection, name, arguments)

    with patch.object(PatientConnection, "_make_api_call", interrupted):
        yield
    assert calls[0] >= nth, f"{operation} was called {calls[0]} times"
