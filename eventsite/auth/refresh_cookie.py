"""The encrypted cookie that keeps a browser's refresh token."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from eventsite.auth import sealing

COOKIE = "renewal"
IDLE_SECONDS = 12 * 60 * 60  # seconds since the last renewal; a browser may idle for 11 hours at least
MAX_CHARACTERS = 3500  # of the cookie; browsers keep 4,096 bytes with its attributes


def keep(request: HttpRequest, token: str | None) -> None:
    """Store a refresh token for later requests of this browser. An empty one deletes the present one."""
    request.refresh_token = token  # type: ignore[attr-defined]


def kept(request: HttpRequest) -> str | None:
    """Return the refresh token in the cookie of the request, or None."""
    try:
        return str(sealing.unseal(request.COOKIES.get(COOKIE, ""), COOKIE))
    except ValueError:
        return None


def write(response: HttpResponse, token: str | None) -> None:
    """Set the cookie to a token, and leave it as it is for None.

    An empty token, or one that is too long, deletes the cookie: the present one may be another user's.
    """
    if token is None:
        return
    path, secure = settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_SECURE
    if token and len(sealed := sealing.seal(token, COOKIE)) <= MAX_CHARACTERS:
        response.set_cookie(COOKIE, sealed, IDLE_SECONDS, path=path, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE, path=path, samesite="Lax")
