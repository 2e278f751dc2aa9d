"""The host process of the embedded engine: ``python -m eventsite.local.host DIRECTORY LOCK``.

`eventsite.local.engine` starts it. LOCK is an inherited file descriptor: the lock on the directory, which this process
holds until it ends. The engine runs inside this process, so neither can outlive the other.

ministack saves only when it shuts down. The host also saves soon after each write, so a ``kill -9`` of this process
loses at most the last seconds. While saving fails, on a full disk for example, it refuses every write.
"""

import asyncio
import fcntl
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
from threading import Thread
from typing import Any

from eventsite.local.saved_state import SavedState, make_private, open_private

SAVE_SECONDS = 1.0
SAVING_SHARE = 0.05  # of the time; the engine stands still while it saves

ACTIONS = ("DynamoDB_", "DynamoDBStreams_", "AWSCognitoIdentityProviderService.")
COGNITO_PATH = re.compile(r"/oauth2/(authorize|token)|/login|/logout|/[\w-]+/\.well-known/jwks\.json")

READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List")

UNSAVED = "com.amazonaws.dynamodb.v20120810#NotSaved"
"""The error code of a refused write: none that DynamoDB has, so nothing sends the write again."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def main() -> None:
    """Detach from the client that started us, and serve until the last lease is gone."""
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.set_inheritable(int(sys.argv[2]), False)
    asyncio.run(Host(Path(sys.argv[1])).run())


class Host:
    """The engine of one directory, which runs until no client has a lease."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._record = directory / "engine.json"
        self._state = SavedState(directory)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._leases = open_private(directory / "engine.leases")
        self._over, self._written = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Serve until the last lease is gone, save, and return.

        A failure is printed before this process gives its lock up, so that clients find it in the log.
        """
        try:
            await self._run()
        except BaseException as error:
            sys.stderr.write(f"{error}\n" if isinstance(error, SystemExit) else traceback.format_exc())
            sys.stderr.flush()
            os._exit(1)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._over.set)
        make_private(self._directory)
        self._engine = self._load()
        Thread(target=self._await_last_lease, args=(loop,), daemon=True).start()
        saving = asyncio.create_task(self._save_now_and_then())
        await self._serve()
        saving.cancel()
        if self._state.failure:
            sys.exit(self._state.failure)

    def _write_record(self) -> None:
        record = {"pid": os.getpid(), "url": self._url}
        draft = self._record.with_suffix(".new")
        with open_private(draft) as file:
            file.write(json.dumps(record))
        draft.replace(self._record)

    def _load(self) -> Asgi:
        """Import ministack, which reads its settings from the environment, and restore its state."""
        os.environ.clear()  # variables for other tools, AWS's or ministack's own, must not reach the engine
        os.environ.update(_environment(self._directory, self._socket.getsockname()[1]))
        from ministack.app import app
        from ministack.services import dynamodb

        from eventsite.local.strictness import tighten

        tighten(dynamodb)
        self._state.take_over()
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
        """Wait for the end. The server calls this once it is up, and ends when it returns."""
        self._write_record()
        await self._over.wait()
        self._record.unlink(missing_ok=True)

    def _await_last_lease(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the lock that each lease shares. No client gets another lease until this process is gone."""
        fcntl.flock(self._leases, fcntl.LOCK_EX)
        with suppress(RuntimeError):  # it ends already, by a signal
            loop.call_soon_threadsafe(self._over.set)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on calls of DynamoDB, its streams and Cognito, and the pages and keys of Cognito.

        A browser sends the header of such calls only after a preflight, so no web page can reach the data, nor
        ministack's own ``reset``.
        """
        action = dict(scope.get("headers", ())).get(b"x-amz-target", b"").decode("latin-1")
        known = action.startswith(ACTIONS) or COGNITO_PATH.fullmatch(scope.get("path", ""))
        if scope["type"] != "lifespan" and not known:
            await _respond(send, 404, b"")
            return
        writes = scope["type"] == "http" and not action.partition(".")[2].startswith(READS)
        if writes and self._state.failure:
            await _respond(send, 400, json.dumps({"__type": UNSAVED, "message": self._state.failure}).encode())
            return
        await self._engine(scope, receive, send)
        if writes:
            self._written.set()

    async def _save_now_and_then(self) -> None:
        """Save soon after writes, and again until it succeeds.

        Requests run in the same thread, so nothing changes during a save.
        """
        pause = SAVE_SECONDS
        while True:
            await self._written.wait()
            await asyncio.sleep(pause)
            self._written.clear()
            began = time.monotonic()
            self._state.save()
            if self._state.failure:
                with suppress(OSError):  # a full disk takes no log either
                    sys.stderr.write(f"{self._state.failure}\n")
                    sys.stderr.flush()
                self._written.set()
            pause = max(SAVE_SECONDS, (time.monotonic() - began) / SAVING_SHARE)


async def _respond(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/x-amz-json-1.0"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _environment(directory: Path, port: int) -> dict[str, str]:
    """Return the settings of ministack: few services, on loopback, all its files below the directory."""
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
