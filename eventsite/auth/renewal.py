"""Renew the session of a browser that is in use, by the refresh token of its login.

A session ends with its ID token, after an hour as a rule. The refresh token waits in an encrypted cookie of its own,
and gets the next ID token when a request comes without a session. Cognito judges it each time, so a group that was
taken away, a user who was disabled and a log-out elsewhere take effect at the next renewal.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from eventsite.auth import login
from eventsite.auth.refresh_cookie import COOKIE, keep, kept, write
from eventsite.errors import Unavailable


class RenewalMiddleware:
    """Start the session again for a browser whose session is over, and keep or delete its refresh token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the session that it can have."""
        if COOKIE in request.COOKIES and "Authorization" not in request.headers:
            _renew(request)
        response = self.get_response(request)
        write(response, getattr(request, "refresh_token", None))
        return response


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
