"""Deliver notices to the operator's webhooks, signed by Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The host is resolved for each post, all of its addresses must be public, and the connection goes to one of these. So a
host that changes between the resolution and the post has no effect. No redirect is followed, no body is read, and a
post ends within `SECONDS`, also if the receiver is slow.
"""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import botocore
from django.conf import settings

from eventsite.env import is_loopback, is_public
from eventsite.web import observability
from registrations.notices.queue import PermanentFailure, RetryLater, Task

CONNECT_SECONDS = 3.0
SECONDS = 10.0
HUNG_SECONDS = 60.0  # seconds without posts after a timeout; mails and other webhooks would wait behind them
ADDRESSES = 3  # addresses of a host that are tried
GONE = 410
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

_hung_until: dict[str, float] = {}


class Forbidden(Exception):
    """The host has an address that is not public."""


def name_of(url: str) -> str:
    """Return the name of a webhook for the queue and the log, because its URL may contain a secret."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def deliver(task: Task) -> list[Task]:
    """Post a notice to a webhook, unless the operator has removed the webhook meanwhile.

    Raises:
        RetryLater: The post failed.
        PermanentFailure: The receiver wants no more posts.
    """
    url = next((url for url in settings.WEBHOOKS if name_of(url) == task.to), None)
    if url is None:
        return []
    if _hung_until.get(task.to, 0) > time.monotonic():
        raise _failed(task, "it does not answer")
    try:
        status, retry_after = post(url, task.notice)
    except Forbidden as error:
        raise _failed(task, str(error)) from error
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, TimeoutError):
            _hung_until[task.to] = time.monotonic() + HUNG_SECONDS
        raise _failed(task, type(error).__name__) from error
    if 200 <= status < 300:
        observability.count("WebhooksSent")
        return []
    failed = _failed(task, str(status), retry_after)
    raise PermanentFailure(str(failed)) if status == GONE else failed


def _failed(task: Task, reason: str, seconds: float = 0) -> RetryLater:
    observability.count("WebhooksFailed")
    return RetryLater(f"webhook {task.to}: {reason}", seconds)


def post(url: str, notice: dict[str, Any]) -> tuple[int, float]:
    """Post a signed notice.

    Returns:
        The status of the answer, and the seconds that the receiver asks to wait (0 if it does not ask).

    Raises:
        Forbidden: An address of the host is not public.
        OSError, HTTPException: There is no answer.
    """
    parts = urlsplit(url)
    body = json.dumps(notice, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"Content-Type": CONTENT_TYPE, "User-Agent": f"eventsite/{settings.VERSION}"}
    headers |= signed(notice["id"], int(time.time()), body, settings.WEBHOOK_SECRETS)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection = _Connection(parts)
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        if connection.is_cut:  # a cut connection looks like the end of the headers
            raise TimeoutError
        return answer.status, _retry_after(answer)
    except (OSError, HTTPException) as error:
        if connection.is_cut:
            raise TimeoutError from error
        raise
    finally:
        connection.close()


def signed(notice_id: str, timestamp: int, body: bytes, secrets: list[bytes]) -> dict[str, str]:
    """Return the headers that prove the sender and the time of a notice, with one signature for each secret.

    The specification requires ids without dots, because dots separate the signed parts.
    """
    webhook_id = notice_id.replace(".", ":")
    content = f"{webhook_id}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets]
    signature = " ".join(f"v1,{one}" for one in made)
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def _retry_after(answer: HTTPResponse) -> float:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() and len(value) < 7 else 0


def allowed_addresses(parts: SplitResult) -> list[str]:
    """Resolve the host of a URL, and return its allowed addresses.

    Raises:
        Forbidden: One of them is not public.
    """
    found = socket.getaddrinfo(parts.hostname, None, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    here = _is_for_this_machine(parts)
    for address in addresses:
        if not (ip_address(address).is_loopback if here else is_public(address)):
            raise Forbidden("its host has an address that is not public")
    return addresses[:ADDRESSES]


def _is_for_this_machine(parts: SplitResult) -> bool:
    """Return True if the receiver may be on this machine, because the data is on it too."""
    has_data = settings.EMBEDDED_ENGINE or is_loopback(settings.DYNAMODB_ENDPOINT)
    return bool(has_data and is_loopback(parts.geturl()))


class _Connection(HTTPConnection):
    """A connection to a checked address that ends after `SECONDS`, whatever the receiver does."""

    is_cut = False  # True once the time is up

    def __init__(self, parts: SplitResult) -> None:
        self.default_port = 443 if parts.scheme == "https" else 80  # the header Host has no default port
        super().__init__(str(parts.hostname), parts.port or self.default_port, timeout=CONNECT_SECONDS)
        self._parts = parts
        self._end: threading.Timer | None = None
        self._same: socket.socket | None = None

    def connect(self) -> None:
        """Connect to the first address that answers."""
        plain = self._reach(allowed_addresses(self._parts))
        plain.settimeout(SECONDS)
        self._same = plain.dup()  # TLS takes over the socket
        self._end = threading.Timer(SECONDS, self._cut)
        self._end.daemon = True
        self._end.start()
        self.sock = plain
        if self._parts.scheme == "https":
            self.sock = _trust().wrap_socket(plain, server_hostname=self.host)

    def _reach(self, addresses: list[str]) -> socket.socket:
        cause: OSError = OSError("the host has no address")
        for address in addresses:
            try:
                return socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                cause = error
        raise cause

    def _cut(self) -> None:
        self.is_cut = True
        if self._same:
            with suppress(OSError):
                self._same.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self._end and self._same:
            self._end.cancel()
            self._same.close()


@cache
def _trust() -> ssl.SSLContext:
    """Return a context with the certificate authorities of botocore, because the system may have none."""
    return ssl.create_default_context(cafile=str(Path(botocore.__file__).with_name("cacert.pem")))
