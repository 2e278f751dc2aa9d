"""Let a browser act as one attendee of an open service, so that its user can try a sign-up.

A signed cookie names the attendee. It only takes permissions away: without it, every caller of an open service may do
everything. Where sign-in is on, the cookie has no effect.
"""

from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from eventsite.auth.permissions import Principal

COOKIE = "acting"
MOST_OF_A_NAME = 128  # characters; browsers drop a cookie of more than 4 KB


def is_offered() -> bool:
    """Return True if this service lets browsers act as attendees."""
    return settings.AUTH_MODE == "open"


def attendee(request: HttpRequest) -> Principal | None:
    """Return the attendee that this browser acts as, or None."""
    if not is_offered() or COOKIE not in request.COOKIES:
        return None
    try:
        found: Any = signing.loads(request.COOKIES[COOKIE], salt=COOKIE)
        return Principal(found["sub"], name=found["name"])
    except signing.BadSignature:
        return None


def start(response: HttpResponse, user_id: str, name: str) -> None:
    """Make the browser act as a user until it closes."""
    value = signing.dumps({"sub": user_id, "name": name[:MOST_OF_A_NAME]}, salt=COOKIE)
    path, secure = settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_SECURE
    response.set_cookie(COOKIE, value, path=path, secure=secure, httponly=True, samesite="Lax")


def stop(response: HttpResponse) -> None:
    """Make the browser act as no attendee any more."""
    response.delete_cookie(COOKIE, path=settings.SESSION_COOKIE_PATH, samesite="Lax")
