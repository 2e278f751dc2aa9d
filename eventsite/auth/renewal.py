"""Renew the session of a browser that is in use, by the refresh token of its login.

A session ends with its ID token, after an hour as a rule. The refresh token waits in an encrypted cookie of its own,
and gets the next ID token when a request comes without a session. Cognito judges it each time, so a group that was
taken away, a user who was disabled and a log-out elsewhere take effect at the next renewal.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from eventsite.auth import login
from eventsite.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

COOKIE = "renewal"
IDLE_SECONDS = 12 * 60 * 60  # since the last renewal: a browser may idle for 11 hours at least
MAX_CHARACTERS = 3500  # of the cookie; browsers keep 4,096 bytes with its attributes


class RenewalMiddleware:
    """Start the session again for a browser whose session is over, and keep or delete its refresh token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the session that it can have."""
        if COOKIE in request.COOKIES and "Authorization" not in request.headers:
            _renew(request)
        response = self.get_response(request)
        _write(response, getattr(request, "refresh_token", None))
        return response


def keep(request: HttpRequest, token: str | None) -> None:
    """Keep a refresh token for later requests of this browser. An empty one deletes the present one."""
    request.refresh_token = token  # type: ignore[attr-defined]


def kept(request: HttpRequest) -> str | None:
    """Return the refresh token that the browser brought, or None."""
    from cryptography.exceptions import InvalidTag

    try:
        sealed = urlsafe_b64decode(request.COOKIES.get(COOKIE, ""))
        token: str = json.loads(_cipher().decrypt(sealed, None))
    except (InvalidTag, ValueError):
        return None
    return token


def _renew(request: HttpRequest) -> None:
    if login.signed_in(request):
        return None
    token = kept(request)
    if token is None:
        return keep(request, "")
    try:
        keep(request, login.renew(request, token))
    except login.LoginFailed:
        keep(request, "")
    except Unavailable:  # the next request tries again
        return None
    return None


def _write(response: HttpResponse, token: str | None) -> None:
    options: dict[str, Any] = {"path": settings.SESSION_COOKIE_PATH, "samesite": settings.SESSION_COOKIE_SAMESITE}
    if token == "":
        response.delete_cookie(COOKIE, **options)
    elif token and len(sealed := _sealed(token)) <= MAX_CHARACTERS:
        options |= {"secure": settings.SESSION_COOKIE_SECURE, "httponly": True, "max_age": IDLE_SECONDS}
        response.set_cookie(COOKIE, sealed, **options)


def _sealed(token: str) -> str:
    return urlsafe_b64encode(_cipher().encrypt(json.dumps(token).encode(), None)).decode()


def _cipher() -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # not before a browser signs in

    return AESSIV(salted_hmac(__name__, "refresh tokens", algorithm="sha512").digest())
