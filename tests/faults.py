"""DynamoDB at its worst: one call, or every call from one on, fails in a chosen way.

The faults are put in where a client sends: at `Client.exchange`, or, where DYNAMODB_CLIENT asks for botocore's, at its
`before-send`, which may answer in DynamoDB's place. So all of our own code, PynamoDB's and botocore's runs as it is.
"""

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from eventsite.dynamodb import retries
from eventsite.dynamodb.client import Answer, Client
from eventsite.dynamodb.connection import connection


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, and nobody gets an answer."""


class Request(NamedTuple):
    """A call before it is sent."""

    operation: str
    body: bytes
    send: Callable[[], Answer]
    """Sends it to the engine, as the client would."""


def answered(request: Request, status: int, body: bytes) -> Answer:
    """An answer that did not come from the engine."""
    return Answer(status, {"content-type": "application/x-amz-json-1.0"}, body)


def refused(request: Request, code: str, status: int = 400, **more: Any) -> Answer:
    """An error of DynamoDB's."""
    return answered(request, status, json.dumps({"__type": f"com.amazon#{code}", "message": SECRET} | more).encode())


def cancelled(request: Request, code: str, *, item: int) -> Answer:
    """A cancelled transaction, with this reason for one item (-1: the last one) and none for the rest."""
    reasons = [{"Code": "None"} for _ in json.loads(request.body)["TransactItems"]]
    reasons[item] = {"Code": code}
    return refused(request, "TransactionCanceledException", CancellationReasons=reasons)


SECRET = "arn:aws:dynamodb:us-east-1:123456789012:table/secret"
"""Stands in every message of DynamoDB's, and must be in no answer of ours."""


def _is_transaction(request: Request) -> bool:
    return request.operation in ("TransactWriteItems", "TransactGetItems")


def conflict(request: Request) -> Answer:
    """Another transaction holds an item."""
    if _is_transaction(request):
        return cancelled(request, "TransactionConflict", item=0)
    return refused(request, "TransactionConflictException")


def throttled(request: Request) -> Answer:
    """The table, or one item's partition, is out of capacity."""
    if _is_transaction(request):
        return cancelled(request, "ThrottlingError", item=-1)
    return refused(request, "ProvisionedThroughputExceededException")


def busy(request: Request) -> Answer:
    """The whole account is throttled."""
    return refused(request, "ThrottlingException")


def internal_error(request: Request) -> Answer:
    """DynamoDB itself failed."""
    return refused(request, "InternalServerError", 500)


def connection_cut(request: Request) -> Answer:
    """The request does not arrive."""
    raise ConnectionClosedError(endpoint_url=request.operation)


def answer_lost(request: Request) -> Answer:
    """Execute the request and lose its answer."""
    request.send()
    raise ReadTimeoutError(endpoint_url=request.operation)


def killed(request: Request) -> Answer:
    """Execute the request, then let the process die."""
    request.send()
    raise Killed


Fault = Callable[[Request], Answer]
PASSING: list[Fault] = [conflict, throttled, busy, internal_error, connection_cut, answer_lost]


class Calls:
    """The DynamoDB calls that a test makes, by operation, and the number of failed ones."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.failed = 0


Plan = Callable[[int, str], Fault | None]
"""Decides by the number (from 0) and the operation of a call what happens to it."""


@contextmanager
def disturbed(plan: Plan) -> Iterator[Calls]:
    """Let the calls of DynamoDB's fail as planned."""
    calls = Calls()

    one_by_one = threading.Lock()  # a list asks several streams at once

    def exchange(request: Request) -> Answer:
        with one_by_one:
            fault = plan(len(calls.made), request.operation)
            calls.made.append(request.operation)
            calls.failed += fault is not None
        return fault(request) if fault else request.send()

    with _exchanging(connection().client, exchange):
        yield calls


Exchange = Callable[[Request], Answer]


def _exchanging(client: Any, exchange: Exchange) -> AbstractContextManager[None]:
    return _on_own_client(client, exchange) if isinstance(client, Client) else _on_botocore(client, exchange)


@contextmanager
def _on_own_client(client: Client, exchange: Exchange) -> Iterator[None]:
    before = client.exchange

    def instead(operation: str, body: bytes) -> Answer:
        return exchange(Request(operation, body, lambda: before(operation, body)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "exchange", instead)
        yield


@contextmanager
def _on_botocore(client: Any, exchange: Exchange) -> Iterator[None]:
    def before_send(request: Any, event_name: str, **_: Any) -> AWSResponse:
        def send() -> Answer:
            answer = client._endpoint.http_session.send(request)
            return Answer(answer.status_code, dict(answer.headers), answer.content)

        return _for_botocore(exchange(Request(event_name.rpartition(".")[2], request.body, send)))

    client.meta.events.register_last("before-send.dynamodb", before_send)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.dynamodb", before_send)


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _for_botocore(answer: Answer) -> AWSResponse:
    headers: Any = answer.headers  # a plain dict will do
    return AWSResponse("", answer.status, headers, _Body(answer.body))


def failing(fault: Fault, *, at: int = 0, lasting: bool = False) -> AbstractContextManager[Calls]:
    """Let the call number `at` fail, and if it is `lasting` every later one too."""
    return disturbed(lambda number, _: fault if number == at or (lasting and number > at) else None)


def counting() -> AbstractContextManager[Calls]:
    """Only count the calls."""
    return disturbed(lambda *_: None)


class Clock:
    """Time for `eventsite.dynamodb.retries`, in which only waiting counts: a slow machine does not meet a deadline."""

    def __init__(self) -> None:
        self.waited = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.waited

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.waits.append(seconds)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retries, "time", self)
