"""The engine of the tests: ministack behind a server that costs a quarter of its own per call.

    python -m tests.engine

serves on the port GATEWAY_PORT. Calls of DynamoDB, nearly all that tests make, go straight to ministack's handler of
them. Everything else goes through ministack as a whole. `RecreateTables` is an operation that DynamoDB does not have:
every test begins with it, and three tables would take it twelve calls.
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from eventsite.local.strictness import tighten
from tests.children import end_with_input

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
PREFIX = b"DynamoDB_"
RECREATE = "RecreateTables"


def serve(application: Asgi) -> None:
    """Serve an ASGI application until ended."""
    import uvicorn

    end_with_input()
    uvicorn.run(
        application,  # type: ignore[arg-type]
        host="127.0.0.1",
        port=int(os.environ["GATEWAY_PORT"]),
        log_level="error",
        access_log=False,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


async def read(receive: Any) -> bytes:
    """Return the whole body of a request."""
    whole, more = b"", True
    while more:
        message = await receive()
        whole, more = whole + message.get("body", b""), message.get("more_body", False)
    return whole


async def answer(send: Any, status: int, body: bytes) -> None:
    """Send an answer of DynamoDB's."""
    headers = [(b"content-type", b"application/x-amz-json-1.0"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def target(scope: Any) -> bytes:
    """Return the service and the operation that a request names, as `DynamoDB_20120810.GetItem`."""
    return dict(scope.get("headers", ())).get(b"x-amz-target", b"")


def recreations(arguments: Any) -> list[tuple[str, Any]]:
    """Return the calls of a `RecreateTables`, whose tables are arguments of CreateTable."""
    return [
        call
        for table in arguments["Tables"]
        for call in (("DeleteTable", {"TableName": table["TableName"]}), ("CreateTable", table))
    ]


def main() -> None:
    """Serve ministack."""
    from ministack.app import app
    from ministack.core import responses, router
    from ministack.services import dynamodb

    tighten(dynamodb)

    async def front(scope: Any, receive: Any, send: Any) -> None:
        called = target(scope)
        if not called.startswith(PREFIX):
            await app(scope, receive, send)
            return
        signed = {"authorization": dict(scope["headers"]).get(b"authorization", b"").decode()}
        responses.set_request_account_id(router.extract_access_key_id(signed))
        responses.set_request_region(router.extract_region(signed))
        version, _, operation = called.decode().partition(".")
        calls = [(operation, await read(receive))]
        if operation == RECREATE:
            calls = [(name, json.dumps(each).encode()) for name, each in recreations(json.loads(calls[0][1]))]
        for name, sent in calls:
            headers = {"x-amz-target": f"{version}.{name}"}
            status, _, body = await dynamodb.handle_request("POST", "/", headers, sent, {})
        await answer(send, status, body)

    serve(front)


if __name__ == "__main__":
    main()
