"""Credentials, and requests that are signed with them (Signature Version 4).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import os
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import NoCredentialsError

API = "DynamoDB_20120810"
ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None = None


def find_keys() -> Callable[[], Keys]:
    """Return the source of the current credentials: the environment, or the chain of botocore.

    The chain (profiles, single sign-on, the container's or the instance's role, …) is slow to import. Lambda does not
    need it: its credentials are in the environment, and stay valid for the life of the process. Without any,
    `NoCredentialsError` is raised.
    """
    keys = Keys(
        os.environ.get("AWS_ACCESS_KEY_ID", ""),
        os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        os.environ.get("AWS_SESSION_TOKEN"),
    )
    if keys.access_key and keys.secret_key and not os.environ.get("AWS_CREDENTIAL_EXPIRATION"):
        return lambda: keys
    from botocore.session import get_session

    found = get_session().get_credentials()
    if found is None:
        raise NoCredentialsError

    def ask() -> Keys:
        keys: Any = found.get_frozen_credentials()  # renews them if they are about to expire
        return Keys(keys.access_key, keys.secret_key, keys.token)

    return ask


class Signer:
    def __init__(self, endpoint: str, region: str) -> None:
        url = urlsplit(endpoint)
        name = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        is_usual = url.port in (None, {"https": 443, "http": 80}[url.scheme])
        self._host = str(name) if is_usual else f"{name}:{url.port}"
        self._path = url.path or "/"
        self._region = region

    def request(self, operation: str, body: bytes, keys: Keys, moment: str) -> bytes:
        """Return the HTTP request as bytes. `moment` is the time in UTC, such as ``20270101T120000Z``."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in self.headers(operation, body, keys, moment).items()])
        head = f"POST {self._path} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def headers(self, operation: str, body: bytes, keys: Keys, moment: str) -> dict[str, str]:
        headers = {"content-type": "application/x-amz-json-1.0", "host": self._host, "x-amz-date": moment}
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        headers["x-amz-target"] = f"{API}.{operation}"  # last: SigV4 wants the headers in the order of their names
        signed = ";".join(headers)
        listed = "\n".join([f"{name}:{value}" for name, value in headers.items()])
        canonical = f"POST\n{self._path}\n\n{listed}\n\n{signed}\n{sha256(body).hexdigest()}"
        scope = f"{moment[:8]}/{self._region}/dynamodb/aws4_request"
        text = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = _mac(_signing_key(keys.secret_key, moment[:8], self._region), text).hex()
        proof = f"Credential={keys.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        headers["authorization"] = f"{ALGORITHM} {proof}"
        return headers


@lru_cache(maxsize=4)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "dynamodb", "aws4_request"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
