"""A lean DynamoDB client: the JSON protocol over HTTP/1.1 with keep-alive, and nothing else.

PynamoDB needs only `_make_api_call` and `meta.endpoint_url` from a client. botocore's client serves every AWS service
and costs 1.3 ms of CPU per call. This one leaves out HTTP proxies, FIPS and dual-stack endpoints, partitions other
than AWS and China, and binary attributes. Set ``DYNAMODB_CLIENT=botocore`` to get those.

    arguments ── JSON ──> Signer ──> Wire, kept alive ──> DynamoDB ──> JSON ──> answer, or botocore's ClientError

`Wire` parses HTTP itself because `http.client` costs three times the CPU (0.15 ms instead of 0.05 ms per call: it
parses headers as an e-mail) and takes a connection that ends within the headers for a complete answer.

The client sends each call once. `eventsite.dynamodb.retries` decides when to send it again.
"""

import os
import select
import socket
import ssl
import time
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import botocore
import orjson
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

from eventsite.dynamodb import shapes
from eventsite.dynamodb.signing import Keys, Signer, find_keys

END_OF_HEAD = b"\r\n\r\n"
RECV_BYTES = 64 * 1024
MAX_HEAD_BYTES = 64 * 1024  # bytes; DynamoDB sends some 300
MAX_BODY_BYTES = 100_000_000  # bytes; a BatchGetItem holds 16 MB, which JSON may escape six times as long

NO_RESPONSE = (OSError, EOFError, LookupError, ValueError)  # the errors of a connection that gives no whole response

_sent_ahead: ContextVar["dict[tuple[str, bytes], Wire]"] = ContextVar("sent_ahead")
"""The reads that are sent and not received yet, by operation and body, and the connection of each."""


class Answer(NamedTuple):
    """An HTTP response. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A client of one endpoint. Threads may share it; a forked process needs its own."""

    def __init__(
        self, *, region: str, endpoint: str | None, keys: Keys | None, connect_seconds: float, read_seconds: float
    ) -> None:
        """Make a client that connects with its first call.

        The default of `endpoint` is the region's own, that of `keys` what botocore would find. `connect_seconds` limits
        connecting, TLS included, and `read_seconds` the time from the first byte sent to the last byte of the answer.
        """
        self.meta = SimpleNamespace(endpoint_url=endpoint or regional_endpoint(region))
        self._signer = Signer(self.meta.endpoint_url, region)
        self._keys: Callable[[], Keys] | None = (lambda: keys) if keys else None
        self._seconds = connect_seconds, read_seconds
        self._idle: list[Wire] = []
        weakref.finalize(self, _close_all, self._idle)

    def warm_up(self) -> None:
        """Load the certificates (some 20 ms of CPU) and the credentials before the first call needs them."""
        if self.meta.endpoint_url.startswith("https:"):
            self._trust  # noqa: B018 (it is cached)
        with suppress(BotoCoreError):  # the first call will raise it
            self._keys = self._keys or find_keys()

    def _make_api_call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Send one call, under the name that PynamoDB calls.

        Raises:
            ClientError: DynamoDB refused the call, as botocore raises it.
            ConnectionError, HTTPClientError: botocore's errors for no answer, or one that cannot be read.
            NoCredentialsError: There are no credentials.
        """
        answer = self.exchange(operation, orjson.dumps(arguments))
        checksum = str(zlib.crc32(answer.body))
        if answer.headers.get("x-amz-crc32", checksum) != checksum:
            raise ResponseStreamingError(error="the body does not match its checksum")
        if answer.status != 200:
            raise _refusal(operation, answer)
        return shapes.read(operation, answer.body)

    @contextmanager
    def sending_ahead(self, calls: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[None]:
        """Send several reads, so that DynamoDB works on all of them while the first answer is awaited.

        Inside, `exchange` receives the answers of these calls instead of sending them. It sends a call that could not
        be sent here, and every call that it makes again. A call that is under way already is not sent again.
        """
        under_way: dict[tuple[str, bytes], Wire] = _sent_ahead.get({})
        sent: dict[tuple[str, bytes], Wire] = {}
        token = _sent_ahead.set(sent)
        try:
            with suppress(BotoCoreError):  # `exchange` meets the same error, and raises it
                for operation, arguments in calls:
                    call = operation, orjson.dumps(arguments)
                    sent[call] = under_way.pop(call) if call in under_way else self._send(*call)
            yield
        finally:
            _sent_ahead.reset(token)
            _close_all(list(sent.values()))  # an answer is still to come on these

    def exchange(self, operation: str, body: bytes) -> Answer:
        """Send one request and return the response. Tests inject faults here."""
        wire = _sent_ahead.get({}).pop((operation, body), None) or self._send(operation, body)
        try:
            answer = wire.receive()
        except NO_RESPONSE as error:
            raise self._as_botocore(error) from error
        if wire.is_open:
            self._idle.append(wire)
        return answer

    def _send(self, operation: str, body: bytes) -> "Wire":
        """Send one request, and return the connection on which its response comes."""
        self._keys = self._keys or find_keys()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        request = self._signer.request(operation, body, self._keys(), moment)
        wire = self._wire()
        try:
            wire.send(request, self._seconds[1])
        except NO_RESPONSE as error:
            raise self._as_botocore(error) from error
        return wire

    def _as_botocore(self, error: Exception) -> BotoCoreError:
        """Return botocore's error for one of `NO_RESPONSE`."""
        if isinstance(error, TimeoutError):
            return ReadTimeoutError(endpoint_url=self.meta.endpoint_url, error=error)
        if isinstance(error, OSError | EOFError):
            return ConnectionClosedError(endpoint_url=self.meta.endpoint_url, error=error)
        return ResponseStreamingError(error="it is not HTTP with a Content-Length")

    def _wire(self) -> "Wire":
        """Return a connection for this thread alone: the last idle one that is still open, or a new one."""
        with suppress(IndexError):  # there is no idle one left
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
        url, until = urlsplit(self.meta.endpoint_url), time.monotonic() + self._seconds[0]
        is_tls = url.scheme == "https"
        connected = _connected(url.hostname or "", url.port or (443 if is_tls else 80), until)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if is_tls:
            connected.settimeout(_left(until))  # of the whole handshake
            connected = self._trust.wrap_socket(connected, server_hostname=url.hostname)
        return connected

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The certificate authorities in AWS_CA_BUNDLE, or those that come with botocore."""
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
        """True if the connection can be used again. Between answers, only its end can be there to read."""
        if self._socket.fileno() >= 0 and self._poll.poll(0):
            self.close()
        return self._socket.fileno() >= 0

    def close(self) -> None:
        self._socket.close()

    def send(self, request: bytes, seconds: float) -> None:
        """Send a request. `seconds` limits the request and its response, however slowly the bytes come."""
        self._until = time.monotonic() + seconds
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(request)
        except BaseException:
            self.close()
            raise

    def receive(self) -> Answer:
        """Read the response to the request that was sent, or raise one of `NO_RESPONSE`."""
        try:
            answer = self._answer()
        except BaseException:  # the rest of this response must not be read as the next one
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def _answer(self) -> Answer:
        read = self._more()
        while END_OF_HEAD not in read[: MAX_HEAD_BYTES + len(END_OF_HEAD)]:
            if len(read) > MAX_HEAD_BYTES:
                raise ValueError("the headers are too long")
            read += self._more()
        head, _, begun = read.partition(END_OF_HEAD)
        status, headers = _parsed(head)
        body, missing = [begun], int(headers["content-length"]) - len(begun)
        if missing > MAX_BODY_BYTES:
            raise ValueError("the body is too long")
        while missing > 0:
            body.append(self._more())
            missing -= len(body[-1])
        if missing:
            raise ValueError("more came than was announced")
        return Answer(status, headers, b"".join(body))

    def _more(self) -> bytes:
        self._socket.settimeout(_left(self._until))
        more = self._socket.recv(RECV_BYTES)
        if not more:
            raise EOFError
        return more


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = first.split(maxsplit=2)
    if not version.startswith("HTTP/1."):
        raise ValueError("it is not HTTP/1.x")
    return int(status), {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _connected(host: str, port: int, until: float) -> socket.socket:
    """Connect to the first address of a host that accepts, within the time.

    `socket.create_connection` grants each address the whole time.
    """
    failure: OSError = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        attempt = socket.socket(family, kind, protocol)
        try:
            attempt.settimeout(_left(until))
            attempt.connect(address)
        except OSError as error:
            attempt.close()
            failure = error
        else:
            return attempt
    raise failure


def _left(until: float) -> float:
    """Return the seconds until a moment. Raise `TimeoutError` if there are none left."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds


def _close_all(wires: list[Wire]) -> None:
    for wire in wires:
        wire.close()


def regional_endpoint(region: str) -> str:
    """Return the URL of DynamoDB in a region.

    https://docs.aws.amazon.com/general/latest/gr/ddb.html
    """
    return f"https://dynamodb.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


def _refusal(operation: str, answer: Answer) -> ClientError:
    """Return the error that botocore would raise.

    An error that DynamoDB did not write, such as a proxy's, has the HTTP status for its code.
    """
    refused = shapes.read_refusal(answer.body)
    code = str(refused["__type"]).partition(":")[0].rpartition("#")[2] if refused else str(answer.status)
    error = {"Code": code, "Message": refused.get("message") or refused.get("Message") or ""}
    metadata = {"HTTPStatusCode": answer.status, "HTTPHeaders": answer.headers}
    response: Any = refused | {"Error": error, "ResponseMetadata": metadata}
    return ClientError(response, operation)
