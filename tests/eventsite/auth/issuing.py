"""An issuer of tokens that Cognito would never make, with RSA keys and a JWKS on loopback."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from eventsite.auth.user_pool import Pool

POOL = Pool.of("us-east-1_Issued", "ourclient", "", "")
PART = urlsafe_b64encode


@lru_cache
def key(name: str) -> RSAPrivateKey:
    """A key pair of this name."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str) -> dict[str, Any]:
    """The public half of a key, as a JWKS has it."""
    made: dict[str, Any] = RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True)
    return made | {"kid": name, "use": "sig", "alg": "RS256"}


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good access token with changes. None removes a claim."""
    now = int(time.time())
    good = {
        "sub": "issued-sub",
        "iss": POOL.issuer,
        "token_use": "access",
        "client_id": POOL.client_id,
        "iat": now,
        "exp": now + 600,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(signed_with: str = "first", **changes: Any) -> str:
    """A token with these changes to a good one's claims."""
    return jwt.encode(claims(**changes), key(signed_with), "RS256", {"kid": signed_with})


def raw_token(header: bytes, payload: bytes, signed_with: str = "first") -> str:
    """A token with a good signature over any bytes."""
    signing_input = b".".join(PART(part).rstrip(b"=") for part in (header, payload))
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(signing_input, key(signed_with))
    return (signing_input + b"." + PART(signature).rstrip(b"=")).decode()


class Jwks:
    """A server of public keys: `answer` is its response, `asked` the number of its requests."""

    def __init__(self) -> None:
        self.status = 200
        self.answer = json.dumps({"keys": [jwk("first")]}).encode()
        self.asked = 0
        self.url = ""

    def publish(self, *names: str) -> None:
        """Serve these keys from now on."""
        self.answer = json.dumps({"keys": [jwk(name) for name in names]}).encode()


@contextmanager
def serving() -> Iterator[Jwks]:
    """Serve keys for a while."""
    jwks = Jwks()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            jwks.asked += 1
            self.send_response(jwks.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(jwks.answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        jwks.url = f"http://127.0.0.1:{server.server_port}/{POOL.pool_id}/.well-known/jwks.json"
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield jwks
        finally:
            server.shutdown()
            thread.join()
