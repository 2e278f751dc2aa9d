"""Renew the session of a browser that is in use, by the refresh token of its login.

A session ends with its ID token, usually after an hour. The refresh token is in an encrypted cookie of its own, and
gets the next ID token for the first request without a session. The provider verifies it each time, so a removed group,
a disabled user and a log-out elsewhere take effect at the next renewal.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from eventsite.auth import login
from eventsite.auth.refresh_cookie import COOKIE, keep, kept, write
from eventsite.auth.user_pool import Unverified
from eventsite.errors import Unavailable


class RenewalMiddleware:
    """Renew an expired session, and store or delete the refresh token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if COOKIE in request.COOKIES and "Authorization" not in request.headers:
            _renew(request)
        response = self.get_response(request)
        write(response, getattr(request, "refresh_token", None))
        return response


def _renew(request: HttpRequest) -> None:
    if login.signed_in(request):
        return
    token = kept(request)
    try:
        keep(request, login.renew(request, token) if token else "")
    except Unverified:
        keep(request, "")
    except Unavailable:
        pass  # the next request tries again
