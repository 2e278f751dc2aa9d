"""Authentication of the caller: a bearer token in the header, or a browser's session.

An open service reads neither, and imports nothing that verifies them. Its browsers may act as an attendee (`acting`).
"""

import re

from django.conf import settings
from django.http import HttpRequest
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from eventsite.auth import acting, login, user_pool
from eventsite.auth.permissions import Principal
from eventsite.problems import FORGED

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)  # RFC 6750, section 2.1


class InvalidToken(AuthenticationFailed):
    """The token is not valid (RFC 6750, section 3.1)."""

    code = "invalid_token"


class BearerAuthentication:
    """A JWT in the Authorization header. The verified claims are the user; no table is read."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """Return the caller, or None without the header. Raise `InvalidToken` if the token is not valid."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None or settings.AUTH_MODE == "open":
            return None
        match = BEARER.fullmatch(header.strip())
        if match is None:
            raise InvalidToken("The Authorization header must be the word Bearer and a token.")
        from eventsite.auth import tokens

        try:
            pool = user_pool.pool()
            return tokens.principal(tokens.verify(match[1], pool), pool), None
        except user_pool.Unverified as error:
            raise InvalidToken(str(error)) from error

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401, with the error if there was a token (RFC 6750, section 3)."""
        return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"


def of_browser(request: HttpRequest) -> Principal | None:
    """Return the user that the cookies of a browser name, or None."""
    if settings.AUTH_MODE == "open":
        return acting.attendee(request)
    return login.signed_in(request) if hasattr(request, "session") else None


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser that signed in through `eventsite.auth.login`. Its unsafe requests must prove their origin."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """Return the caller, or None without a session. Raise `PermissionDenied` if the request may be forged."""
        principal = of_browser(request._request)
        if principal is None:
            return None
        if settings.AUTH_MODE != "open":  # `eventsite.web.foreign` protects an open service
            self.enforce_csrf(request)
        return principal, None

    def enforce_csrf(self, request: Request) -> None:
        """Raise `PermissionDenied` for a request that may be forged, without Django's reason, which repeats headers."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise PermissionDenied(FORGED) from None
