"""Protection of an open service from the pages of other sites.

In open mode no token proves who sends a request, and a laptop's service is within reach of every page that its browser
shows. Unless `CORS_ALLOWED_ORIGINS` was set on purpose, other sites can neither change anything nor read user data.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from eventsite import problems
from eventsite.web.middleware import Middleware
from eventsite.web.wsgi import REFUSED

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""The content types that a page may send to another site without a preflight (Fetch standard, CORS-safelisted)."""
OWN_SITES = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for requests of our own pages and of the user (W3C, Fetch Metadata)."""
OF_USERS = frozenset({"registrations", "register", "waitlist", "history", "messages"})
"""The parts of an event's paths that lead to user data."""
ALLOW_ORIGIN = "Access-Control-Allow-Origin"


class ForeignPagesMiddleware(Middleware):
    """Refuses changes by pages of other sites, and lets them read no user data."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.AUTH_MODE != "open" or settings.CORS_CHOSEN:
            return self.get_response(request)
        if request.method not in SAFE_METHODS and not _is_malformed(request) and is_foreign(request):
            return problems.answer(request, 403, problems.FORGED)
        response = self.get_response(request)
        if request.method != "OPTIONS" and is_user_data(request.path_info):
            response.headers.pop(ALLOW_ORIGIN, None)
        return response


def _is_malformed(request: HttpRequest) -> bool:
    """Return True if `AdmissionMiddleware` refuses the request, which it does for a better reason."""
    return REFUSED in request.META or bool(request.META.get("CONTENT_TYPE") and not request.content_type)


def is_foreign(request: HttpRequest) -> bool:
    """Return True if a page of another site sent the request.

    A form is foreign unless it is from our own origin. Any other request needs a preflight, and is foreign if it comes
    from another site: pages on another port of the same host may call the service.
    """
    site: str = request.META.get("HTTP_SEC_FETCH_SITE", "").strip().lower()
    if request.method != "POST" or request.content_type not in FORM_TYPES:
        return site == "cross-site"
    return _has_foreign_origin(request) or bool(site and site not in OWN_SITES)


def _has_foreign_origin(request: HttpRequest) -> bool:
    origin: str | None = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != request.get_host()
    except ValueError:
        return True


def is_user_data(path: str) -> bool:
    """Return True if a plain path leads to data of users."""
    parts = path.strip("/").split("/")
    return parts[0] in ("users", "calendars") or (len(parts) > 2 and parts[2] in OF_USERS)
