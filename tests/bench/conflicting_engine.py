"""A DynamoDB whose transactions take time, in front of an engine whose transactions do not.

DynamoDB holds the items of a transaction while it runs, for some milliseconds, and refuses any other write to them
with TransactionConflict instead of letting it wait. No local engine does. This proxy does: it notes the keys of
every transaction that passes, refuses whatever touches one of them, and frees them after `--hold` seconds. (A
transaction whose condition fails is over with its answer: DynamoDB checks conditions before it accepts anything.)

    python -m tests.bench.conflicting_engine --upstream http://127.0.0.1:8000 [--port 0] [--hold 0.01]

It prints its URL and serves until it is terminated. Only loopback.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

KEY_NAMES = ("eventId", "userId", "item")
"""The names of all key attributes of all tables; a put names its key only as a part of its item."""
KEYS_OF_TABLE = {"events": ("eventId", "item"), "registrations": ("eventId", "userId"), "users": ("userId",)}


def keys_of(operation: str, arguments: dict[str, Any]) -> list[str]:
    """The items that a write touches, in its order."""
    if operation == "TransactWriteItems":
        return [_key(next(iter(part.values()))) for part in arguments["TransactItems"]]
    return [_key(arguments)] if operation in ("PutItem", "UpdateItem", "DeleteItem") else []


def _key(part: dict[str, Any]) -> str:
    table = part["TableName"]
    names = next(names for ending, names in KEYS_OF_TABLE.items() if table.endswith(ending))
    item = part.get("Key") or part["Item"]
    return json.dumps([table, *(item[name] for name in names)])


def conflict(operation: str, keys: list[str], held: set[str]) -> bytes:
    """DynamoDB's refusal."""
    if operation != "TransactWriteItems":
        document: dict[str, Any] = {"__type": "com.amazonaws#TransactionConflictException"}
    else:
        reasons = [{"Code": "TransactionConflict" if key in held else "None"} for key in keys]
        document = {"__type": "com.amazonaws#TransactionCanceledException", "CancellationReasons": reasons}
    body = json.dumps(document | {"message": "a key is held by another transaction"}).encode()
    return b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


class Proxy:
    """Passes requests on, one connection to the engine for each connection of a client."""

    def __init__(self, upstream: str, hold: float) -> None:
        self._upstream, self._hold = urlsplit(upstream), hold
        self._held: set[str] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its client closes it."""
        engine = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            while message := await _read(reader):
                writer.write(await self._answer(message, engine))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            engine[1].close()

    async def _answer(self, message: bytes, engine: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
        head, _, body = message.partition(b"\r\n\r\n")
        operation = _header(head, b"x-amz-target").rpartition(".")[2]
        writes = operation.endswith(("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"))
        keys = keys_of(operation, json.loads(body)) if writes else []
        if not self._held.isdisjoint(keys):
            return conflict(operation, keys, self._held)
        until = time.monotonic() + self._hold
        if operation != "TransactWriteItems":
            return await _exchange(message, engine)
        self._held.update(keys)
        try:
            answer = await _exchange(message, engine)
            if answer.startswith(b"HTTP/1.1 200"):
                await asyncio.sleep(until - time.monotonic())
        finally:
            self._held.difference_update(keys)
        return answer


async def _exchange(message: bytes, engine: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    engine[1].write(message)
    return await _read(engine[0])


async def _read(reader: asyncio.StreamReader) -> bytes:
    """One HTTP message with a Content-Length; nothing at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    return head + await reader.readexactly(int(_header(head, b"content-length") or 0))


def _header(head: bytes, name: bytes) -> str:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next((value.strip().decode() for found, _, value in lines if found.lower() == name), "")


async def _main(upstream: str, port: int, hold: float) -> None:
    server = await asyncio.start_server(Proxy(upstream, hold).serve, "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def _arguments() -> Iterator[Any]:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conflicting_engine")
    parser.add_argument("--upstream", required=True, help="the URL of the engine behind")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--hold", type=float, default=0.01, help="seconds")
    return vars(parser.parse_args()).values()  # type: ignore[return-value]


if __name__ == "__main__":
    asyncio.run(_main(*_arguments()))
