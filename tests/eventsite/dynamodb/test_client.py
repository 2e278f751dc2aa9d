"""Our own client over real sockets: connections, failures, and botocore's errors."""

import datetime
import ipaddress
import json
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions
from botocore.config import Config
from botocore.session import get_session
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st

from eventsite.dynamodb import connection as connections
from eventsite.dynamodb.client import Client, Wire, regional_endpoint
from eventsite.dynamodb.retries import is_transient, time_limit
from eventsite.dynamodb.signing import Keys
from eventsite.errors import Unavailable
from tests.api import EVENT, Api
from tests.children import SECONDS
from tests.engines import free_port

KEYS = Keys("test", "test", "token")
FAST = 1.0
"""Seconds that are enough on loopback, even on a busy machine."""


def http(body: bytes, status: int = 200, **headers: Any) -> bytes:
    """An answer of DynamoDB's, as it comes over the wire."""
    headers = {"Content-Length": len(body), "x-amzn-RequestId": "ID", "x_amz_crc32": zlib.crc32(body)} | headers
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items() if value is not None]
    return f"HTTP/1.1 {status} Some Reason\r\n{''.join(lines)}\r\n".encode() + body


class Cut(bytes):
    """An answer after which the connection ends."""


class Late(bytes):
    """An answer that is sent when another request has arrived."""


class Server:
    """Answers each request on loopback with the next answer of a script. None closes the connection.

    The last answer is repeated. What it was sent is in `requests`, one list per connection.
    """

    def __init__(self, *script: bytes | None, wrap: Callable[[socket.socket], socket.socket] = lambda one: one) -> None:
        self._script, self._wrap = list(script), wrap
        self.requests: list[list[bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._arrived, self._open = threading.Condition(), list[socket.socket]()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connected = self._listener.accept()[0]
            except OSError:
                return
            with suppress(OSError):  # a client that does not trust us
                self._open.append(self._wrap(connected))
                self.requests.append([])
                threading.Thread(target=self._serve, args=(self._open[-1], self.requests[-1]), daemon=True).start()

    def _serve(self, connected: socket.socket, requests: list[bytes]) -> None:
        with closing(connected), suppress(OSError):
            while request := _request(connected):
                with self._arrived:
                    requests.append(request)
                    self._arrived.notify_all()
                    answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                if answer is None:
                    return
                if isinstance(answer, Late):
                    self.await_requests(2)
                connected.sendall(answer)
                if isinstance(answer, Cut):
                    return

    def await_requests(self, count: int) -> None:
        """Wait until this number of requests has arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: sum(map(len, self.requests)) >= count, SECONDS)

    def hang_up(self) -> None:
        """End the connections that are open now, and wait until that has arrived."""
        for connected in self._open:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self.hang_up()


def _request(connected: socket.socket) -> bytes:
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return received
        more = connected.recv(65536)
        if not more:
            return b""
        received += more


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Server] = []

    def start(*script: bytes | None, **options: Any) -> Server:
        servers.append(Server(*script, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def client_of(server: Server, scheme: str = "http") -> Client:
    url = f"{scheme}://127.0.0.1:{server.port}"
    return Client(region="eu-west-1", endpoint=url, keys=KEYS, connect_seconds=1, read_seconds=FAST)


def ask(client: Any, operation: str = "GetItem") -> dict[str, Any]:
    answer: dict[str, Any] = client._make_api_call(operation, {"TableName": "täble"})
    return answer


# Connections.


def test_a_connection_is_used_again(serve: Serve) -> None:
    server = serve(http(b'{"n": 1}'), http(b'{"n": 2}'))
    client = client_of(server)
    assert [ask(client), ask(client)] == [{"n": 1}, {"n": 2}]
    assert len(server.requests) == 1
    head, _, body = server.requests[0][0].partition(b"\r\n\r\n")
    assert (b"DynamoDB_20120810.GetItem" in head, json.loads(body)) == (True, {"TableName": "täble"})


def test_calls_at_the_same_time_have_connections_of_their_own_and_leave_them_to_the_next(serve: Serve) -> None:
    crowd = 8
    together = threading.Barrier(crowd)
    server = serve(http(b"{}"))
    client = client_of(server)
    connect = client._connect  # noqa: SLF001 (the moment at which all of them have no connection)

    def all_at_once() -> socket.socket:
        together.wait(SECONDS)
        return connect()

    client._connect = all_at_once  # type: ignore[method-assign]  # noqa: SLF001
    threads = [threading.Thread(target=ask, args=(client,)) for _ in range(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3 * crowd):
        ask(client)
    assert len(server.requests) == crowd


def reads(*tables: str) -> list[tuple[str, dict[str, Any]]]:
    return [("GetItem", {"TableName": table}) for table in tables]


def read(client: Client, table: str) -> dict[str, Any]:
    answer: dict[str, Any] = client._make_api_call(*reads(table)[0])
    return answer


def test_reads_that_are_sent_ahead_get_the_answers_to_themselves(serve: Serve) -> None:
    server = serve(*(http(json.dumps({"n": number}).encode()) for number in range(1, 6)))
    client = client_of(server)
    for first in (1, 4):  # over new connections, then over the same ones
        with client.sending_ahead(reads("a", "b")):
            server.await_requests(first + 1)
            assert {read(client, table)["n"] for table in ("b", "a")} == {first, first + 1}
        if first == 1:
            assert read(client, "a") == {"n": 3}
    assert len(server.requests) == 2


def test_a_read_is_sent_ahead_once_and_sent_again_by_a_second_call(serve: Serve) -> None:
    server = serve(http(b'{"n": 1}'), http(b'{"n": 2}'))
    client = client_of(server)
    with client.sending_ahead(reads("a")):
        assert [read(client, "a"), read(client, "a")] == [{"n": 1}, {"n": 2}]


def test_a_read_that_is_under_way_is_not_sent_again(serve: Serve) -> None:
    server = serve(http(b'{"n": 1}'), http(b'{"n": 2}'))
    client = client_of(server)
    with client.sending_ahead(reads("a")):
        server.await_requests(1)
        with client.sending_ahead(reads("a", "b")):
            assert [read(client, "a"), read(client, "b")] == [{"n": 1}, {"n": 2}]
    assert sum(map(len, server.requests)) == 2


def test_an_answer_that_is_not_awaited_is_not_taken_for_the_next_one(serve: Serve) -> None:
    server = serve(Late(http(b'{"n": 1}')), http(b'{"n": 2}'))
    client = client_of(server)
    with suppress(KeyError), client.sending_ahead(reads("a")):
        server.await_requests(1)
        raise KeyError
    assert [read(client, "a"), len(server.requests)] == [{"n": 2}, 2]


NO_CONNECTION = (exceptions.EndpointConnectionError, exceptions.ConnectionClosedError)
"""What a closed server looks like: nothing listens, or the kernel resets what it has accepted."""


def test_a_read_that_cannot_be_sent_ahead_fails_where_it_is_made(serve: Serve) -> None:
    server = serve(http(b"{}"))
    client = client_of(server)
    server.close()
    with client.sending_ahead(reads("a", "b")), pytest.raises(NO_CONNECTION):
        read(client, "b")


def test_the_time_of_a_read_that_is_sent_ahead_begins_when_it_is_sent(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(serve(http(b"{}")))
    with client.sending_ahead(reads("a")):
        later = time.monotonic() + 2 * FAST
        monkeypatch.setattr("eventsite.dynamodb.client.time.monotonic", lambda: later)
        with pytest.raises(exceptions.ReadTimeoutError):
            read(client, "a")


def test_no_read_is_sent_ahead_after_the_deadline(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.event()
    sent: list[Any] = []
    monkeypatch.setattr(Client, "_send", lambda *call: sent.append(call))
    with time_limit(0), pytest.raises(Unavailable):
        connections.connection().read_together(reads(settings.EVENTS_TABLE, settings.USERS_TABLE))
    assert sent == []


def test_a_connection_that_has_ended_meanwhile_is_replaced_before_anything_is_sent(serve: Serve) -> None:
    server = serve(http(b"{}"))
    client = client_of(server)
    ask(client)
    server.hang_up()
    assert ask(client) == {}
    assert [len(requests) for requests in server.requests] == [1, 1]


def test_a_connection_that_the_server_will_close_is_not_kept(serve: Serve) -> None:
    server = serve(http(b"{}", Connection="close"))
    client = client_of(server)
    assert [ask(client), ask(client)] == [{}, {}]
    assert len(server.requests) == 2


def test_a_connection_that_failed_is_not_used_again(serve: Serve) -> None:
    server = serve(http(b"{}")[:-1], http(b'{"of": "the second"}'))
    client = client_of(server)
    with pytest.raises(exceptions.ReadTimeoutError):
        ask(client)
    assert ask(client) == {"of": "the second"}


@pytest.mark.parametrize("size", [10, 70_000, 1_000_000])
def test_answers_of_any_size_arrive(serve: Serve, size: int) -> None:
    assert ask(client_of(serve(http(json.dumps({"text": "é" * size}).encode())))) == {"text": "é" * size}


def test_a_forked_process_makes_a_connection_of_its_own(api: Api) -> None:
    api.post("/events", EVENT | {"eventId": "party"})
    answers = multiprocessing.get_context("fork").Queue()

    def read() -> None:
        answers.put([api.get("/events/party").status_code for _ in range(20)])

    children = [multiprocessing.get_context("fork").Process(target=read) for _ in range(2)]
    for child in children:
        child.start()
    assert [api.get("/events/party").status_code for _ in range(20)] == [200] * 20
    assert [answers.get(timeout=SECONDS) for _ in children] == [[200] * 20] * 2
    for child in children:
        child.join()


# Encrypted.


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 with its key, which nobody else has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(addresses, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("authority") / "both.pem"
    text = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, text)
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def encrypted(serve: Serve, authority: Path) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    return serve(http(b"{}"), wrap=lambda connected: context.wrap_socket(connected, server_side=True))


def test_a_server_with_a_trusted_certificate_is_talked_to_over_one_connection(
    encrypted: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    client = client_of(encrypted, "https")
    assert [ask(client) for _ in range(3)] == [{}] * 3
    assert [len(requests) for requests in encrypted.requests] == [3]


def test_nothing_is_sent_to_a_server_without_a_trusted_certificate(encrypted: Server) -> None:
    with pytest.raises(exceptions.SSLError, match="certificate verify failed"):
        ask(client_of(encrypted, "https"))
    assert encrypted.requests == []


def test_a_certificate_of_another_name_does_not_do(
    encrypted: Server, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    client = client_of(encrypted, "https")
    client.meta.endpoint_url = f"https://localhost:{encrypted.port}"
    with pytest.raises(exceptions.SSLError):
        ask(client)


# Failures.

NO_LENGTH: dict[str, Any] = {"Content-Length": None}
PASSING = {
    "nothing comes": (b"", exceptions.ReadTimeoutError),
    "a part comes": (http(b'{"a": 1}')[:-3], exceptions.ReadTimeoutError),
    "the connection ends": (None, exceptions.ConnectionClosedError),
    "an answer without a length": (http(b"{}", **NO_LENGTH), exceptions.ResponseStreamingError),
    "no HTTP at all": (b"220 mail ready\r\n\r\n", exceptions.ResponseStreamingError),
    "no JSON": (http(b"<html>"), exceptions.ResponseStreamingError),
    "a body that was changed on its way": (http(b'{"a": 1}', x_amz_crc32=1), exceptions.ResponseStreamingError),
}


@pytest.mark.parametrize("answer, kind", PASSING.values(), ids=PASSING)
def test_a_malformed_answer_is_a_transient_error_of_botocores(
    serve: Serve, answer: bytes | None, kind: type[Exception]
) -> None:
    client = client_of(serve(answer, http(b'{"well": "again"}')))
    with pytest.raises(kind) as caught:
        ask(client)
    assert is_transient(caught.value)
    assert ask(client) == {"well": "again"}


def test_an_answer_that_ends_early_is_none(serve: Serve) -> None:
    server = serve(Cut(http(b'{"a": 1}')[:-3]))
    with pytest.raises(exceptions.ConnectionClosedError):
        ask(client_of(server))


@pytest.mark.parametrize(
    "url", [f"http://127.0.0.1:{free_port()}", "http://no-such-host.invalid"], ids=["nobody listens", "no such host"]
)
def test_an_endpoint_out_of_reach_is_an_error_of_botocores_that_may_pass(url: str) -> None:
    client = Client(region="eu-west-1", endpoint=url, keys=KEYS, connect_seconds=FAST, read_seconds=FAST)
    with pytest.raises(exceptions.EndpointConnectionError) as caught:
        ask(client)
    assert is_transient(caught.value)


def test_a_host_that_does_not_answer_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:  # fill its queue
            one.setblocking(False)
            one.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        client = Client(region="eu-west-1", endpoint=url, keys=KEYS, connect_seconds=FAST, read_seconds=FAST)
        with pytest.raises(exceptions.ConnectTimeoutError) as caught:
            ask(client)
        assert is_transient(caught.value)
        for one in waiting:
            one.close()


class Drip:
    """A server that sends its answer a byte at a time and never comes to its end."""

    def __init__(self, begin: bytes, drop: bytes) -> None:
        self._begin, self._drop, self._over = begin, drop, threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connected = self._listener.accept()[0]
        with closing(connected), suppress(OSError):
            connected.sendall(self._begin)
            while not self._over.wait(0.01):
                connected.sendall(self._drop)

    def close(self) -> None:
        self._over.set()
        self._listener.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n"
DRIPS = {
    "nothing yet": (b"", b""),
    "a head": (b"HTTP/1.1 200 OK\r\n", b"x"),
    "many heads": (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "a body": (HEAD + b"\r\n", b"x"),
}


@pytest.mark.parametrize("begin, drop", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_given_up_in_time(begin: bytes, drop: bytes) -> None:
    server = Drip(begin, drop)
    url = f"http://127.0.0.1:{server.port}"
    client = Client(region="eu-west-1", endpoint=url, keys=KEYS, connect_seconds=FAST, read_seconds=0.3)
    try:
        with pytest.raises(exceptions.ReadTimeoutError) as caught:
            ask(client)
        assert is_transient(caught.value)
    finally:
        server.close()


LONG_HEADS = {
    "one header": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000_000,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 3_000_000,
    "an ended one": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: " + b"y" * 70_000 + b"\r\n\r\n{}",
    "a body beyond all": b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",
    "a negative body": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "another protocol": b"SMTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "no status": b"HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", LONG_HEADS.values(), ids=LONG_HEADS)
def test_no_more_is_read_than_an_answer_can_have(serve: Serve, answer: bytes) -> None:
    client = client_of(serve(answer))
    with pytest.raises(exceptions.ResponseStreamingError):
        ask(client)


@given(st.binary(max_size=200))
@example(b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n")
@example(b"HTTP/1.1 \xb2 OK\r\nContent-Length: 2\r\n\r\n{}")
@example(b"\r\n\r\n")
def test_bytes_that_are_no_answer_are_an_error_that_may_pass(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with suppress(OSError, EOFError, LookupError, ValueError):  # `exchange` turns these into botocore's
            wire = Wire(ours)
            wire.send(b"", FAST)
            wire.receive()


def test_all_addresses_of_a_host_have_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.1", 80))  # which belongs to nobody
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address] * 50)
    waits: list[float] = []

    class Silent(socket.socket):
        def connect(self, address: Any) -> None:
            waits.append(self.gettimeout() or 0)
            now[0] += waits[-1]
            raise TimeoutError

    now = [0.0]
    monkeypatch.setattr(socket, "socket", Silent)
    monkeypatch.setattr("eventsite.dynamodb.client.time.monotonic", lambda: now[0])
    client = Client(region="eu-west-1", endpoint="http://a.example", keys=KEYS, connect_seconds=1, read_seconds=FAST)
    with pytest.raises(exceptions.ConnectTimeoutError):
        ask(client)
    assert sum(waits) <= 1


# The same as botocore's.

ITEM = {"eventId": {"S": "a"}, "capacity": {"N": "1"}}
ERRORS = [
    (400, {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no table"}),
    (400, {"__type": "com.amazon.coral.validate#ValidationException", "message": "bad"}),
    (400, {"__type": "a.b#ValidationException:http://example.com/why", "message": "bad"}),
    (400, {"__type": "ThrottlingException", "Message": "slow down"}),
    (400, {"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "Message": "no"}),
    (500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": None}),
    (400, {"__type": "a#ConditionalCheckFailedException", "message": "The conditional request failed", "Item": ITEM}),
    (400, {
        "__type": "a#TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Message": "failed", "Item": ITEM},
            {"Code": "TransactionConflict", "Message": "held"},
        ],
    }),
    (413, {}),
    (503, b"<html>Service Unavailable</html>"),
]  # fmt: skip


@pytest.mark.parametrize("status, told", ERRORS)
def test_an_error_is_raised_as_botocore_raises_it(serve: Serve, status: int, told: Any) -> None:
    server = serve(http(told if isinstance(told, bytes) else json.dumps(told).encode(), status))
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=False)
    session = get_session()
    session.set_credentials(*KEYS)
    url = f"http://127.0.0.1:{server.port}"
    botocores = session.create_client("dynamodb", "eu-west-1", endpoint_url=url, config=config)
    operation = "TransactWriteItems" if "Reasons" in str(told) else "UpdateItem"
    ours, theirs = refusal(client_of(server), operation), refusal(botocores, operation)
    assert ours["Error"]["Code"] == theirs["Error"]["Code"]
    assert ours["ResponseMetadata"]["HTTPStatusCode"] == status == theirs["ResponseMetadata"]["HTTPStatusCode"]
    assert ours["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == "ID"
    for part in ("Item", "CancellationReasons"):
        assert ours.get(part) == theirs.get(part)
    if not isinstance(told, bytes):
        assert ours["Error"]["Message"] == (theirs["Error"]["Message"] or "")


def refusal(client: Any, operation: str) -> Any:
    with pytest.raises(exceptions.ClientError) as caught:
        client._make_api_call(operation, {})
    assert caught.value.operation_name == operation
    return caught.value.response


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1", "ap-southeast-4"])
def test_the_endpoint_of_a_region_is_botocores(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    session = get_session()
    session.set_credentials(*KEYS)
    assert regional_endpoint(region) == session.create_client("dynamodb", region).meta.endpoint_url


# The choice.


@pytest.mark.parametrize("word, kind", [("lean", Client), ("botocore", object)])
def test_the_setting_chooses_the_client(api: Api, monkeypatch: pytest.MonkeyPatch, word: str, kind: type) -> None:
    monkeypatch.setattr(settings, "DYNAMODB_CLIENT", word)
    connections.disconnect()
    try:
        assert isinstance(connections.connection().client, Client) is (kind is Client)
        assert api.post("/events", EVENT | {"eventId": "party"}).status_code == 201
        assert api.post("/events", EVENT | {"eventId": "party"}).status_code == 409
        assert len(api.get("/events").json()) == 1
    finally:
        connections.disconnect()


def test_a_client_that_does_not_exist_is_refused_at_start() -> None:
    environment = os.environ | {"DYNAMODB_CLIENT": "boto3"}
    command = [sys.executable, "-c", "import eventsite.settings"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "DYNAMODB_CLIENT must be one of lean, botocore, not 'boto3'." in done.stderr
