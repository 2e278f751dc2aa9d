"""The short road to DynamoDB: a client that speaks its JSON protocol over HTTP/1.1, and nothing else.

PynamoDB asks no more of a client than `_make_api_call` and `meta.endpoint_url`. botocore's serves every service of
AWS, and spends two thirds of a request's CPU on finding out what is always the same here. What this one leaves out
(HTTP proxies, FIPS and dual-stack endpoints, partitions other than AWS's own and China's, binary attributes) needs
``DYNAMODB_CLIENT=botocore``.

    arguments ── JSON ──> Signer ──> Wire, kept alive ──> DynamoDB ──> JSON ──> answer, or botocore's ClientError

It sends each call once; when to send it again is for `eventsite.dynamodb.retries` to say.
"""

import json
import os
import select
import socket
import ssl
import time
import weakref
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)

from eventsite.dynamodb.signing import Keys, Signer, find_keys

END_OF_HEAD = b"\r\n\r\n"
AT_ONCE = 64 * 1024
"""So many bytes of an answer are taken out of the socket at a time."""


class Answer(NamedTuple):
    """What came back: the HTTP status, the headers with their names in lower case, the body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A client of one endpoint, for any number of threads; after a fork, the child needs one of its own."""

    def __init__(
        self, *, region: str, endpoint: str | None, keys: Keys | None, connect_seconds: float, read_seconds: float
    ) -> None:
        """`endpoint`: None means the region's own; `keys`: None means those that botocore would find."""
        self.meta = SimpleNamespace(endpoint_url=endpoint or regional_endpoint(region))
        self._signer = Signer(self.meta.endpoint_url, region)
        self._keys: Callable[[], Keys] | None = (lambda: keys) if keys else None
        self._seconds = connect_seconds, read_seconds
        self._idle: list[Wire] = []
        weakref.finalize(self, _close_all, self._idle)

    def warm_up(self) -> None:
        """Load now what the first call would: the certificates (some 20 ms of CPU), and the credentials."""
        if self.meta.endpoint_url.startswith("https:"):
            self._trust  # noqa: B018 (it is kept)
        with suppress(BotoCoreError):  # the first call will tell
            self._keys = self._keys or find_keys()

    def _make_api_call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Carry out one call, under the name that PynamoDB knows it by.

        Raises: `ClientError` as botocore does; `ConnectionError` and `HTTPClientError` of botocore's when there was
        no answer, or none that can be read; `NoCredentialsError`.
        """
        answer = self.exchange(operation, json.dumps(arguments).encode())
        checksum = str(zlib.crc32(answer.body))
        if answer.headers.get("x-amz-crc32", checksum) != checksum:
            raise ResponseStreamingError(error="the body is not what its checksum says")
        if answer.status >= 300:
            raise _refusal(operation, answer)
        try:
            told: dict[str, Any] = json.loads(answer.body)
        except ValueError as error:
            raise ResponseStreamingError(error="the body is not JSON") from error
        return told

    def exchange(self, operation: str, body: bytes) -> Answer:
        """Send one request and wait for its answer; here tests let calls fail."""
        self._keys = self._keys or find_keys()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        request = self._signer.request(operation, body, self._keys(), moment)
        wire = self._wire()
        try:
            answer = wire.exchange(request)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self.meta.endpoint_url, error=error) from error
        except (OSError, EOFError) as error:
            raise ConnectionClosedError(endpoint_url=self.meta.endpoint_url, error=error) from error
        except (LookupError, ValueError) as error:
            raise ResponseStreamingError(error="it is not HTTP with a Content-Length") from error
        if wire.is_open:
            self._idle.append(wire)
        return answer

    def _wire(self) -> "Wire":
        """A connection that nobody else uses: the last one that is still open, or a new one."""
        with suppress(IndexError):  # there is none left
            while not (wire := self._idle.pop()).is_open:
                pass
            return wire
        try:
            return Wire(self._connect())
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=self.meta.endpoint_url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=self.meta.endpoint_url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self.meta.endpoint_url, error=error) from error

    def _connect(self) -> socket.socket:
        url = urlsplit(self.meta.endpoint_url)
        is_tls = url.scheme == "https"
        connect_seconds, read_seconds = self._seconds
        connected = socket.create_connection((url.hostname, url.port or (443 if is_tls else 80)), connect_seconds)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tls:
            connected = self._trust.wrap_socket(connected, server_hostname=url.hostname)
        connected.settimeout(read_seconds)
        return connected

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Whom to believe: botocore's certificate authorities, or those in AWS_CA_BUNDLE."""
        own = Path(botocore.__file__).with_name("cacert.pem")
        return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or str(own))


class Wire:
    """One connection, for one request at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN)

    @property
    def is_open(self) -> bool:
        """Whether it can be used again; it is closed where it cannot. Between answers, all that can come is the end."""
        if self._socket.fileno() >= 0 and self._poll.poll(0):
            self.close()
        return self._socket.fileno() >= 0

    def close(self) -> None:
        self._socket.close()

    def exchange(self, request: bytes) -> Answer:
        """Send a request and read its answer.

        Raises: `TimeoutError`; `OSError` and `EOFError` when the connection ended; `LookupError` and `ValueError`
        when what came is no answer.
        """
        try:
            self._socket.sendall(request)
            answer = self._answer()
        except BaseException:  # the rest of an answer must not be taken for the next one
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def _answer(self) -> Answer:
        read = b""
        while END_OF_HEAD not in read:
            read += self._more()
        head, _, begun = read.partition(END_OF_HEAD)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body, missing = [begun], int(headers["content-length"]) - len(begun)
        while missing > 0:
            body.append(self._more())
            missing -= len(body[-1])
        if missing:
            raise ValueError("more came than was announced")
        return Answer(int(first.split(maxsplit=2)[1]), headers, b"".join(body))

    def _more(self) -> bytes:
        more = self._socket.recv(AT_ONCE)
        if not more:
            raise EOFError
        return more


def _close_all(wires: list[Wire]) -> None:
    for wire in wires:
        wire.close()


def regional_endpoint(region: str) -> str:
    """DynamoDB's own endpoint in a region.

    https://docs.aws.amazon.com/general/latest/gr/ddb.html
    """
    return f"https://dynamodb.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _refusal(operation: str, answer: Answer) -> ClientError:
    """The error that botocore would raise; without DynamoDB's own words, from a proxy say, its code is the status."""
    try:
        told = json.loads(answer.body)
        code = str(told["__type"]).partition(":")[0].rpartition("#")[2]
    except (ValueError, LookupError, TypeError):
        told, code = {}, str(answer.status)
    error = {"Code": code, "Message": told.get("message") or told.get("Message") or ""}
    metadata = {"HTTPStatusCode": answer.status, "HTTPHeaders": answer.headers}
    response: Any = told | {"Error": error, "ResponseMetadata": metadata}
    return ClientError(response, operation)
