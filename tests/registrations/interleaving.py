"""Run code at an exact moment: between two calls of a request to DynamoDB."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from events.ledger.models import Seats
from eventsite.dynamodb.client import Client
from eventsite.dynamodb.connection import PatientConnection
from eventsite.dynamodb.steps import EXECUTORS, Transact, Update

WRITE, READ, READ_BATCH, READ_MANY = "TransactWriteItems", "GetItem", "BatchGetItem", "Query"
READ_BOTH = "TransactGetItems"
UPDATE, REMOVE = "UpdateItem", "DeleteItem"
COMMIT, APPLY, AT_ONCE = "commit", "apply", "at once"
"""The writes of an operation: the commit to the log, the application, and both in one transaction."""


@contextmanager
def calls_through(interrupted: Callable[[Any, str, Any], Any]) -> Iterator[None]:
    """Let every call to DynamoDB go through a function, one after the other: none is sent ahead.

    What begins inside, in another thread too, has to end inside. Otherwise the connection would not become what it was.
    """
    with (
        patch.object(PatientConnection, "_make_api_call", interrupted),
        patch.object(Client, "sending_ahead", lambda *_: nullcontext()),
    ):
        yield
        assert PatientConnection._make_api_call is interrupted, "another one began inside and has not ended"


@contextmanager
def right_before(operation: str, do: Callable[[], Any], *, nth: int = 1) -> Iterator[None]:
    """Run a function once, right before the nth call of this kind to DynamoDB."""
    original, calls = PatientConnection._make_api_call, [0]

    def interrupted(connection: Any, name: str, arguments: Any) -> Any:
        calls[0] += name == operation
        if name == operation and calls[0] == nth:
            do()
        return original(connection, name, arguments)

    with calls_through(interrupted):
        yield
    assert calls[0] >= nth, f"{operation} was called {calls[0]} times"


@contextmanager
def right_before_step(name: str, do: Callable[[], Any]) -> Iterator[None]:
    """Run a function once, right before the first step of this name (`COMMIT`, `APPLY` or `AT_ONCE`)."""
    done = [False]

    def watched(execute: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def execute_then(step: Any) -> Any:
            if not done[0] and name_of(step) == name:
                done[0] = True
                do()
            return execute(step)

        return execute_then

    with patch.dict(EXECUTORS, {kind: watched(EXECUTORS[kind]) for kind in (Update, Transact)}):
        yield
    assert done[0], f"there was no step {name}"


def name_of(step: Any) -> str:
    """Return the name of a step of an operation, or an empty text for others."""
    if isinstance(step, Update) and isinstance(step.record, Seats):
        return COMMIT
    if isinstance(step, Transact) and "row" in step.parts:
        return AT_ONCE if "seats" in step.parts else APPLY
    return ""
