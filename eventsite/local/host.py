"""The host of the embedded engine: ``python -m eventsite.local.host DIRECTORY LOCK LISTENER``.

Started by `eventsite.local.engine`, never by hand. LOCK and LISTENER are inherited file descriptors: the lock on the
directory, which this process holds until its end, and the listening socket on which clients take their leases.
The engine runs inside this process, so there is no way in which one of the two could outlive the other.

ministack saves only when it is asked to end. So that even a ``kill -9`` of this very process costs no more than the
last few seconds of writes, the host saves soon after each write as well.
"""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SAVE_SECONDS = 1.0
SAVING_SHARE = 0.05
"""Saving stops the engine for as long as it takes, so it may take this share of the time and no more."""

SERVICES = ("dynamodb", "cognito")
"""What the engine does, under the names by which ministack saves it; Cognito is loaded when it is first used."""

ACTIONS = ("DynamoDB_", "DynamoDBStreams_", "AWSCognitoIdentityProviderService.")
COGNITO_PATH = re.compile(r"/oauth2/(authorize|token)|/login|/logout|/[\w-]+/\.well-known/jwks\.json")

READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List")

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def main() -> None:
    """Leave the launcher behind, so that no client has this process for a child, and serve until nobody is left."""
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    directory, lock, listener = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.set_inheritable(lock, False)
    asyncio.run(Host(directory, socket.socket(fileno=listener)).run())


class Host:
    """The engine of one directory, and the count of those who use it."""

    def __init__(self, directory: Path, listener: socket.socket) -> None:
        self._directory = directory
        self._record = directory / "engine.json"
        self._listener = listener
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._leases = 0
        self._ready, self._over, self._written = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Serve until the last lease is gone; save, and return.

        What fails is told before anything is closed, so that clients find it in the log once they see the end.
        """
        try:
            await self._run()
        except BaseException as error:
            sys.stderr.write(f"{error}\n" if isinstance(error, SystemExit) else traceback.format_exc())
            sys.stderr.flush()
            os._exit(1)

    async def _run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._over.set)
        self._write_record()
        self._server = await asyncio.start_server(self._hold, sock=self._listener)
        self._engine = self._load()
        saving = asyncio.create_task(self._save_now_and_then())
        await self._serve()
        saving.cancel()

    def _write_record(self) -> None:
        record = {"pid": os.getpid(), "leases": self._listener.getsockname()[1], "url": self._url}
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(record))
        draft.replace(self._record)

    def _load(self) -> Asgi:
        """Import ministack, which reads its settings from the environment as it is imported.

        Raises: `SystemExit` when there is saved state that it cannot read: it would begin with nothing, and in the
        end save the nothing over it.
        """
        os.environ.clear()  # what is set for other tools, AWS's or ministack's own, must not reach the engine
        os.environ.update(_environment(self._directory, self._socket.getsockname()[1]))
        from ministack.app import app
        from ministack.core import persistence

        for service in SERVICES:
            state = Path(persistence.STATE_DIR) / f"{service}.json"
            if state.exists() and persistence.load_state(service) is None:
                sys.exit(f"The saved state in {state} cannot be read: mend it, or move it away to begin anew.")
        engine: Asgi = app
        return engine

    async def _serve(self) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"fd://{self._socket.detach()}"]
        config.loglevel = "WARNING"
        config.graceful_timeout = 1
        app: Any = self._answer
        await serve(app, config, shutdown_trigger=self._until_over)

    async def _until_over(self) -> None:
        """What the server calls once it is up, and whose return ends it."""
        self._ready.set()
        await self._over.wait()
        self._record.unlink(missing_ok=True)
        self._server.close()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep one lease, from its greeting until its client is gone.

        The last client's connection stays open until everything is saved: its end tells the client that it is.
        """
        self._leases += 1
        await self._ready.wait()
        if not self._over.is_set():
            writer.write(json.dumps({"directory": str(self._directory), "url": self._url}).encode() + b"\n")
            await _end_of(reader)
            self._leases -= 1
            if not self._leases:
                self._last = writer
                self._over.set()
                return
        writer.close()

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Let calls of DynamoDB, its streams and Cognito through, and what browsers and verifiers need of Cognito.

        The header makes a browser ask first, so no web page can reach the data, nor ministack's own ``reset``.
        """
        action = dict(scope.get("headers", ())).get(b"x-amz-target", b"").decode("latin-1")
        known = action.startswith(ACTIONS) or COGNITO_PATH.fullmatch(scope.get("path", ""))
        if scope["type"] != "lifespan" and not known:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._engine(scope, receive, send)
        if scope["type"] == "http" and not action.partition(".")[2].startswith(READS):
            self._written.set()

    async def _save_now_and_then(self) -> None:
        """Save soon after writes. In the loop's own thread, as all requests are: nothing changes meanwhile."""
        from ministack.core import persistence

        pause = SAVE_SECONDS
        while True:
            await self._written.wait()
            await asyncio.sleep(pause)
            self._written.clear()
            began = time.monotonic()
            loaded = {service: sys.modules.get(f"ministack.services.{service}") for service in SERVICES}
            persistence.save_all({service: module.get_state for service, module in loaded.items() if module})
            pause = max(SAVE_SECONDS, (time.monotonic() - began) / SAVING_SHARE)


async def _end_of(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError, asyncio.CancelledError):
        await reader.read()


def _environment(directory: Path, port: int) -> dict[str, str]:
    """The settings of ministack: few services, on loopback, with every file it could write below the directory."""
    return {
        "SERVICES": "dynamodb,dynamodbstreams,cognito-idp",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "TMPDIR": str(directory),
        # ministack removes containers that it takes for leftovers of its own, unless it finds no Docker.
        "DOCKER_HOST": f"unix://{directory / 'no-docker.sock'}",
        "LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    main()
