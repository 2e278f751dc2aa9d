"""Who is calling: a bearer token in the header, or a browser's session.

Only with ``AUTH_MODE=cognito``. An open service looks at neither, and imports nothing of what verifies them.
"""

import re

from django.conf import settings
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from eventsite.auth import login, user_pool
from eventsite.auth.permissions import Principal
from eventsite.problems import FORGED

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)  # RFC 6750, section 2.1


class InvalidToken(AuthenticationFailed):
    """There is a token, and it proves nothing (RFC 6750, section 3.1)."""

    code = "invalid_token"


class BearerAuthentication:
    """A Cognito JWT in the Authorization header. Nothing is looked up: the verified claims are the user."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """The caller, or None without the header. Raises `InvalidToken`; `errors.Unavailable`."""
        header = request.headers.get("Authorization")
        if header is None or settings.AUTH_MODE == "open":
            return None
        match = BEARER.fullmatch(header.strip())
        if match is None:
            raise InvalidToken("The Authorization header must be the word Bearer and a token.")
        from eventsite.auth import tokens

        try:
            return tokens.principal(tokens.verify(match[1], user_pool.pool())), None
        except tokens.BadToken as error:
            raise InvalidToken(str(error)) from error

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401: what was wrong with the token if there was one (RFC 6750, section 3)."""
        return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """A browser that signed in through `eventsite.auth.login`. Its unsafe requests must prove where they come from."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        """The caller, or None without a session. Raises `PermissionDenied` for what may be a forged request."""
        if settings.AUTH_MODE == "open":
            return None
        principal = login.signed_in(request._request)
        if principal is None:
            return None
        self.enforce_csrf(request)
        return principal, None

    def enforce_csrf(self, request: Request) -> None:
        """Raise `PermissionDenied` for what may be forged, without Django's reason, which repeats the headers."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise PermissionDenied(FORGED) from None
