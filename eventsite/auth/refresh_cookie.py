"""The encrypted cookie that keeps a browser's refresh token."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

COOKIE = "renewal"
IDLE_SECONDS = 12 * 60 * 60  # seconds since the last renewal; a browser may idle for 11 hours at least
MAX_CHARACTERS = 3500  # of the cookie; browsers keep 4,096 bytes with its attributes


def keep(request: HttpRequest, token: str | None) -> None:
    """Store a refresh token for later requests of this browser. An empty one deletes the present one."""
    request.refresh_token = token  # type: ignore[attr-defined]


def kept(request: HttpRequest) -> str | None:
    """Return the refresh token in the cookie of the request, or None."""
    from cryptography.exceptions import InvalidTag

    try:
        sealed = urlsafe_b64decode(request.COOKIES.get(COOKIE, ""))
        token: str = json.loads(_cipher().decrypt(sealed, None))
    except (InvalidTag, ValueError):
        return None
    return token


def write(response: HttpResponse, token: str | None) -> None:
    """Set the cookie to a token, delete it for an empty one, and leave it as it is for None."""
    options: dict[str, Any] = {"path": settings.SESSION_COOKIE_PATH, "samesite": settings.SESSION_COOKIE_SAMESITE}
    if token == "":
        response.delete_cookie(COOKIE, **options)
    elif token and len(sealed := _sealed(token)) <= MAX_CHARACTERS:
        options |= {"secure": settings.SESSION_COOKIE_SECURE, "httponly": True, "max_age": IDLE_SECONDS}
        response.set_cookie(COOKIE, sealed, **options)


def _sealed(token: str) -> str:
    return urlsafe_b64encode(_cipher().encrypt(json.dumps(token).encode(), None)).decode()


def _cipher() -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # imported only once a browser signs in

    return AESSIV(salted_hmac(__name__, "refresh tokens", algorithm="sha512").digest())
