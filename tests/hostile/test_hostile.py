"""Thousands of hostile requests over the Lambda's handler and over a server: no promise breaks, and no table changes.

``python -m pytest -m slow tests/hostile`` sends them, a few minutes long, and prints how many of which class. A failure
names the class and the number of its request, which draws the same one again.
"""

import http.client
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any

import pytest

from eventsite.dynamodb.base_model import table_models
from eventsite.dynamodb.connection import connection
from tests import lambdas
from tests.api import Api
from tests.children import SECONDS
from tests.eventsite.auth import issuing
from tests.hostile import answers
from tests.hostile.conftest import SENT
from tests.hostile.requests import CLASSES, Sent

pytestmark = pytest.mark.slow

MOST_TOLD = 20

Send = Callable[[Sent], tuple[int, dict[str, str], str]]


def tables() -> list[str]:
    """Everything that is stored, as something to compare."""
    client = connection().client
    names = sorted(model.Meta.table_name for model in table_models())
    return [repr(client._make_api_call("Scan", {"TableName": name})["Items"]) for name in names]


@pytest.fixture(autouse=True)
def world(tables: None, api: Api) -> None:
    """What there is to break: an event with one seat, which alice has, and bob, who waits."""
    api.event(eventId="party", capacity=1)
    for user in ("alice", "bob"):
        api.register("party", api.user(user))


def over_the_lambda(function: lambdas.Function) -> Send:
    """Send requests as events of API Gateway's."""

    def send(sent: Sent) -> tuple[int, dict[str, str], str]:
        answer = function.call(sent.method, sent.path, sent.body, **sent.headers)
        answers.logged_once(answer.log, sent)
        assert answer.size <= lambdas.MAX_BYTES
        return answer.status, answer.headers, answer.text

    return send


@contextmanager
def server(engine: str, **variables: str) -> Iterator[Send]:
    """Send requests to a server in a process of its own."""
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL_DYNAMODB": engine} | variables
    command = [sys.executable, "-m", "tests.server"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        try:
            yield lambda sent: over_http(port, sent)
        finally:
            process.terminate()


def over_http(port: int, sent: Sent) -> tuple[int, dict[str, str], str]:
    """Send a request on a connection of its own."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        wire.putrequest(sent.method, sent.path, skip_host="Host" in sent.headers, skip_accept_encoding=True)
        for name, value in sent.headers.items():
            wire.putheader(name, value.encode("latin-1", "replace"))
        wire.putheader("Content-Length", str(len(sent.body or b"")))
        wire.endheaders()
        with suppress(ConnectionError):  # it has its answer already
            wire.send(sent.body or b"")
        answer = wire.getresponse()
        named = {name.title(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read().decode("utf-8", "replace")
    finally:
        wire.close()


def besiege(way: str, send: Send) -> None:
    """Send all requests of all classes, and judge each answer."""
    stored, broken = tables(), []
    for kind, (make, count) in CLASSES.items():
        for number in range(count):
            sent = make(Random(f"{kind} {number}"))
            SENT[way, kind] += 1
            try:
                answer = send(sent)
                answers.judge(sent, *answer)
                before, stored = stored, tables()
                assert answer[0] < 400 or before == stored, "a refused request changed something"
            except Exception as error:
                broken.append(f"{kind} {number}: {str(error)[:500]}\n    {str(sent)[:500]}")
    assert not broken, f"{len(broken)} broken promises\n" + "\n".join(broken[:MOST_TOLD])


@pytest.mark.parametrize("mode", ["open", "cognito"])
def test_the_lambda_holds(engine: str, mode: str) -> None:
    with issuing.serving() as jwks:
        variables = {"AUTH_MODE": mode} | pool(jwks)
        with lambdas.running(engine, **variables) as function:
            besiege(f"Lambda, {mode}", over_the_lambda(function))


@pytest.mark.parametrize("mode", ["open", "cognito"])
def test_the_server_holds(engine: str, mode: str) -> None:
    with issuing.serving() as jwks:
        variables = {"AUTH_MODE": mode, "SECRET_KEY": lambdas.SETTLED["SECRET_KEY"]} | pool(jwks)
        with server(engine, **variables) as send:
            besiege(f"server, {mode}", send)


def pool(jwks: Any) -> dict[str, str]:
    """The user pool whose tokens the requests carry."""
    return {
        "COGNITO_USER_POOL_ID": issuing.POOL.pool_id,
        "COGNITO_CLIENT_ID": issuing.POOL.client_id,
        "COGNITO_JWKS_URL": jwks.url,
        "COGNITO_DOMAIN": "https://login.example",
    }
