"""DynamoDB at its worst: one call, or every call from one on, fails in a chosen way.

The faults are put in at botocore's `before-send`, which may answer a request in DynamoDB's place. So all of our own
code, PynamoDB's and botocore's runs as it is.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from eventsite.dynamodb import retries
from eventsite.dynamodb.connection import connection


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, and nobody gets an answer."""


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def answered(request: AWSRequest, status: int, body: bytes) -> AWSResponse:
    """An answer that did not come from the engine."""
    return AWSResponse(request.url, status, {"content-type": "application/x-amz-json-1.0"}, _Body(body))


def refused(request: AWSRequest, code: str, status: int = 400, **more: Any) -> AWSResponse:
    """An error of DynamoDB's."""
    return answered(request, status, json.dumps({"__type": f"com.amazon#{code}", "message": SECRET} | more).encode())


def cancelled(request: AWSRequest, code: str, *, item: int) -> AWSResponse:
    """A cancelled transaction, with this reason for one item (-1: the last one) and none for the rest."""
    reasons = [{"Code": "None"} for _ in json.loads(request.body)["TransactItems"]]
    reasons[item] = {"Code": code}
    return refused(request, "TransactionCanceledException", CancellationReasons=reasons)


SECRET = "arn:aws:dynamodb:us-east-1:123456789012:table/secret"
"""Stands in every message of DynamoDB's, and must be in no answer of ours."""


def _is_transaction(request: AWSRequest) -> bool:
    return bool(request.headers["X-Amz-Target"].endswith((b"TransactWriteItems", b"TransactGetItems")))


def conflict(request: AWSRequest) -> AWSResponse:
    """Another transaction holds an item."""
    if _is_transaction(request):
        return cancelled(request, "TransactionConflict", item=0)
    return refused(request, "TransactionConflictException")


def throttled(request: AWSRequest) -> AWSResponse:
    """The table, or one item's partition, is out of capacity."""
    if _is_transaction(request):
        return cancelled(request, "ThrottlingError", item=-1)
    return refused(request, "ProvisionedThroughputExceededException")


def busy(request: AWSRequest) -> AWSResponse:
    """The whole account is throttled."""
    return refused(request, "ThrottlingException")


def internal_error(request: AWSRequest) -> AWSResponse:
    """DynamoDB itself failed."""
    return refused(request, "InternalServerError", 500)


def connection_cut(request: AWSRequest) -> AWSResponse:
    """The request does not arrive."""
    raise ConnectionClosedError(endpoint_url=request.url)


def answer_lost(request: AWSRequest) -> AWSResponse:
    """The request is carried out, and its answer does not arrive."""
    send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def killed(request: AWSRequest) -> AWSResponse:
    """The request is carried out, and then the process dies."""
    send(request)
    raise Killed


Fault = Callable[[AWSRequest], AWSResponse]
PASSING: list[Fault] = [conflict, throttled, busy, internal_error, connection_cut, answer_lost]


def send(request: AWSRequest) -> AWSResponse:
    """Send a request to the engine, as botocore would."""
    return connection().client._endpoint.http_session.send(request)


class Calls:
    """The calls of DynamoDB's that something makes, by operation; and the ones that failed."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failed = 0


Plan = Callable[[int, str], Fault | None]
"""Decides by the number (from 0) and the operation of a call what happens to it."""


@contextmanager
def disturbed(plan: Plan) -> Iterator[Calls]:
    """Let the calls of DynamoDB's fail as planned."""
    calls = Calls()

    def before_send(request: AWSRequest, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        fault = plan(len(calls.made), operation)
        calls.made.append(operation)
        calls.failed += fault is not None
        return fault(request) if fault else None

    events = connection().client.meta.events
    events.register_last("before-send.dynamodb", before_send)
    try:
        yield calls
    finally:
        events.unregister("before-send.dynamodb", before_send)


def failing(fault: Fault, *, at: int = 0, lasting: bool = False) -> AbstractContextManager[Calls]:
    """Let the call number `at` fail, and if it is `lasting` every later one too."""
    return disturbed(lambda number, _: fault if number == at or (lasting and number > at) else None)


def counting() -> AbstractContextManager[Calls]:
    """Only count the calls."""
    return disturbed(lambda *_: None)


class Clock:
    """Time for `eventsite.dynamodb.retries`: waiting takes none, and yet the deadline comes."""

    def __init__(self) -> None:
        self.waited = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return time.monotonic() + self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.waits.append(seconds)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retries, "time", self)
        for loop in (retries.SENDING, retries.PLANNING):
            monkeypatch.setattr(loop, "sleep", self.sleep)
