"""Letting something happen in the one moment that matters: between two calls of a request to DynamoDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from events.signals import seats_freed
from eventsite.dynamodb.connection import PatientConnection

WRITE, READ, READ_MANY, REMOVE = "TransactWriteItems", "GetItem", "Query", "DeleteItem"


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


@contextmanager
def cut_off() -> Iterator[None]:
    """Edits end before the queue moves, as if the process had been killed."""
    with patch.object(seats_freed, "send"):
        yield
