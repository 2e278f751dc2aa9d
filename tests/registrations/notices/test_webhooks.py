"""Webhooks: signed as the specification has it, and never sent to where only the inside can go."""

import base64
import hashlib
import json
import logging
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import webhooks
from registrations.notices.queue import PermanentFailure, RetryLater, Task
from tests.api import Api
from tests.eventsite.test_env import SPECIAL
from tests.registrations.notices.carrying import Carried
from tests.registrations.notices.receiving import Receiver, behaving, certificate, receiving

OLD, NEW = b"o" * 24, b"n" * 32
HOST = "hooks.example.org"
PUBLIC = "93.184.215.14"
NOTICE = {"specversion": "1.0", "id": "party.i1.2.promoted", "type": "registration.promoted", "data": {"name": "é"}}


@pytest.fixture
def receiver(settings: Settings) -> Any:
    """A receiver on this machine, where the data of the tests is too."""
    with receiving() as server:
        settings.WEBHOOKS, settings.WEBHOOK_SECRETS = [f"{server.url}/hook?key=0123"], [NEW, OLD]
        yield server


def task(url: str) -> Task:
    return Task("webhook", NOTICE, to=webhooks.name_of(url))


def by_definition(secret: bytes, content: bytes) -> str:
    """HMAC-SHA256 as RFC 2104 defines it, in base64."""
    key = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + content).digest()
    return base64.b64encode(hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()).decode()


def test_a_notice_is_posted_and_signed_with_each_secret(receiver: Receiver, settings: Settings) -> None:
    assert webhooks.deliver(task(settings.WEBHOOKS[0])) == []
    (post,) = receiver.posts
    assert post.path == "/hook?key=0123"
    assert json.loads(post.body) == NOTICE
    assert post.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert post.headers["webhook-id"] == "party:i1:2:promoted", "what is signed is divided by dots"
    assert abs(int(post.headers["webhook-timestamp"]) - time.time()) < 60
    content = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    assert post.headers["webhook-signature"] == f"v1,{by_definition(NEW, content)} v1,{by_definition(OLD, content)}"


def test_it_is_signed_as_the_libraries_of_the_specification_check_it() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = webhooks.signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_notice_goes_to_every_webhook(api: Api, receiver: Receiver, carried: Carried, settings: Settings) -> None:
    settings.WEBHOOKS = [f"{receiver.url}/one", f"{receiver.url}/two"]
    event = api.event(eventId="party")
    api.register(event, api.user("alice"))
    carried.publish()
    posted = sorted((post.path, json.loads(post.body)["type"]) for post in receiver.posts)
    assert posted == [
        (path, what) for path in ("/one", "/two") for what in ("event.created", "registration.registered")
    ]
    carried.publish()
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 2, "the same ids when it comes again"


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name lead to these addresses. Returns: a list of the addresses that are connected to."""
    connected: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> Any:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    return connected


def test_a_name_that_leads_inside_is_not_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in SPECIAL.split():
        connected = resolving(monkeypatch, address)
        with pytest.raises(webhooks.Forbidden):
            webhooks.post(f"https://{HOST}/", NOTICE)
        assert connected == []


def test_a_name_that_leads_outside_and_inside_is_not_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, PUBLIC, "10.0.0.1")
    with pytest.raises(webhooks.Forbidden):
        webhooks.post(f"https://{HOST}/", NOTICE)
    assert connected == []


def test_a_few_addresses_are_tried_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = [f"93.184.215.{number}" for number in range(14, 24)]
    connected = resolving(monkeypatch, *outside)
    with pytest.raises(ConnectionRefusedError):
        webhooks.post(f"https://{HOST}/", NOTICE)
    assert connected == outside[:3]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "https://localhost/", "https://[::1]/", "https://127.1/", "https://0/"]
)
def test_where_the_data_is_not_on_this_machine_no_receiver_is(settings: Settings, url: str) -> None:
    settings.DYNAMODB_ENDPOINT, settings.EMBEDDED_ENGINE = "https://dynamodb.eu-west-1.amazonaws.com", False
    with pytest.raises(webhooks.Forbidden):
        webhooks.post(url, NOTICE)


def test_a_name_for_this_machine_that_leads_elsewhere_is_not_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, PUBLIC)
    with pytest.raises(webhooks.Forbidden):
        webhooks.post("http://localhost:1/", NOTICE)
    assert connected == []


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A receiver over TLS with a public address, and the look-ups of its name."""
    server, client = certificate(tmp_path, HOST)
    looked_up: list[str] = []
    with receiving(server) as receiver:
        port = int(receiver.url.rpartition(":")[2])

        def look_up(host: str, *_: Any, **__: Any) -> Any:
            looked_up.append(host)
            first = len(looked_up) == 1
            return [(0, 0, 0, "", (PUBLIC if first else "127.0.0.1", 443))]

        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            assert address == (PUBLIC, 443), "what was checked is connected to"
            connection = socket.socket()
            connection.settimeout(timeout)
            connection.connect(("127.0.0.1", port))
            return connection

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(socket, "create_connection", connect)
        monkeypatch.setattr(webhooks, "_trust", lambda: client)
        yield receiver, looked_up


def test_a_name_is_looked_up_once_and_proved_by_its_certificate(outside: Any, settings: Settings) -> None:
    settings.WEBHOOK_SECRETS = [NEW]
    receiver, looked_up = outside
    settings.DYNAMODB_ENDPOINT, settings.EMBEDDED_ENGINE = "https://dynamodb.eu-west-1.amazonaws.com", False
    assert webhooks.post(f"https://{HOST}/hook", NOTICE) == (204, 0)
    assert looked_up == [HOST], "a second look could have led elsewhere"
    assert receiver.posts[0].headers["host"] == HOST


def test_who_cannot_prove_the_name_gets_nothing(outside: Any, settings: Settings) -> None:
    receiver, _ = outside
    with pytest.raises(ssl.SSLCertVerificationError):
        webhooks.post("https://other.example.org/hook", NOTICE)
    assert receiver.posts == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, settings: Settings, status: int) -> None:
    receiver.answers = [(status, {"Location": f"{receiver.url}/inside"})]
    with pytest.raises(RetryLater, match=str(status)):
        webhooks.deliver(task(settings.WEBHOOKS[0]))
    assert [post.path for post in receiver.posts] == ["/hook?key=0123"]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_an_accepted_notice_is_done(receiver: Receiver, settings: Settings, status: int) -> None:
    receiver.answers = [(status, {})]
    assert webhooks.deliver(task(settings.WEBHOOKS[0])) == []


@pytest.mark.parametrize("status", [199, 400, 401, 404, 429, 500, 503])
def test_a_notice_that_is_not_accepted_is_tried_again(receiver: Receiver, settings: Settings, status: int) -> None:
    receiver.answers = [(status, {})]
    with pytest.raises(RetryLater):
        webhooks.deliver(task(settings.WEBHOOKS[0]))


def test_who_wants_no_more_gets_no_more(receiver: Receiver, settings: Settings) -> None:
    receiver.answers = [(410, {})]
    with pytest.raises(PermanentFailure, match="410"):
        webhooks.deliver(task(settings.WEBHOOKS[0]))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("0", 0), ("-1", 0), ("1e9", 0), ("9" * 30, 0), ("Sat, 21 Nov 2026", 0), ("²", 0)],
)
def test_who_asks_for_patience_gets_it(receiver: Receiver, settings: Settings, said: str, seconds: float) -> None:
    receiver.answers = [(503, {"Retry-After": said.encode().decode("latin-1")})]
    with pytest.raises(RetryLater) as postponed:
        webhooks.deliver(task(settings.WEBHOOKS[0]))
    assert postponed.value.seconds == seconds


def test_a_webhook_that_the_operator_took_away_gets_nothing_more(receiver: Receiver, settings: Settings) -> None:
    gone, settings.WEBHOOKS = settings.WEBHOOKS[0], []
    assert webhooks.deliver(task(gone)) == []
    assert receiver.posts == []


DRIP = threading.Event()


def drip(connection: socket.socket) -> None:
    """An answer that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        DRIP.wait(0.02)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize("speak", [drip, say_nothing])
def test_who_is_slow_is_cut_off(settings: Settings, monkeypatch: pytest.MonkeyPatch, speak: Any) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.3)
    with behaving(speak) as url:
        settings.WEBHOOKS, settings.WEBHOOK_SECRETS = [url], [NEW]
        with pytest.raises(TimeoutError):  # or the answer would never end
            webhooks.post(url, NOTICE)


def test_who_hangs_is_left_alone_for_a_while(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def hang(url: str, notice: dict[str, Any]) -> tuple[int, float]:
        tried.append(url)
        raise TimeoutError

    monkeypatch.setattr(webhooks, "post", hang)
    monkeypatch.setattr(webhooks, "_hung_until", {})
    settings.WEBHOOKS = ["https://one.example", "https://two.example"]
    now = time.monotonic()
    for later in (0, 1, webhooks.HUNG_SECONDS - 1, webhooks.HUNG_SECONDS + 1):
        monkeypatch.setattr(time, "monotonic", lambda moment=now + later: moment)
        with pytest.raises(RetryLater):
            webhooks.deliver(task("https://one.example"))
    with pytest.raises(RetryLater):
        webhooks.deliver(task("https://two.example"))
    assert tried == ["https://one.example", "https://one.example", "https://two.example"]


def flood(connection: socket.socket) -> None:
    """A body without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def test_no_body_is_read(settings: Settings) -> None:
    with behaving(flood) as url:
        settings.WEBHOOKS, settings.WEBHOOK_SECRETS = [url], [NEW]
        assert webhooks.deliver(task(url)) == []


@pytest.mark.parametrize(
    "nonsense", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000]
)
def test_who_answers_nonsense_is_tried_again(settings: Settings, nonsense: bytes) -> None:
    with behaving(lambda connection: connection.sendall(nonsense)) as url:
        settings.WEBHOOKS, settings.WEBHOOK_SECRETS = [url], [NEW]
        with pytest.raises(RetryLater):
            webhooks.deliver(task(url))


def test_neither_the_queue_nor_the_log_has_the_key_in_the_url(
    receiver: Receiver, settings: Settings, carried: Carried, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [(410, {})]
    body = task(settings.WEBHOOKS[0]).body
    assert "0123" not in body
    carried.put([body])
    with caplog.at_level(logging.DEBUG):
        assert carried.once() == []
    assert "410" in caplog.text
    assert "0123" not in caplog.text and "127.0.0.1" not in caplog.text
