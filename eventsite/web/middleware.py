"""The middleware of every request."""

from collections.abc import Callable
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import cast

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_header_parameters

from eventsite import problems
from eventsite.dynamodb import retries
from eventsite.web.wsgi import REFUSED

# Content Security Policy, level 3. Data load nothing. Pages load their script and styles from the
# service itself, and nothing is inline. Swagger UI and ReDoc set styles on elements as they go, and ReDoc searches
# in a worker that it makes from a blob. A form may end at the hosted UI, because logging out goes on there, and
# browsers hold redirects of forms to the policy too.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
DOCUMENTATION_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
DOCUMENTATION = frozenset({"docs", "redoc"})  # the routes of Swagger UI and ReDoc

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Middleware:
    """The base of middleware, which Django makes with the function that answers a request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response


class ContentSecurityPolicyMiddleware(Middleware):
    """Sets the Content Security Policy of every answer. Most answers may load nothing."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", _page_policy(request) if page else DATA_POLICY)
        return response


def _page_policy(request: HttpRequest) -> str:
    route = request.resolver_match and request.resolver_match.url_name
    policy = DOCUMENTATION_POLICY if route in DOCUMENTATION else PAGE_POLICY
    return policy if settings.AUTH_MODE == "open" else f"{policy} {settings.LOGIN_ORIGIN}".rstrip()


def plain_path(path: str) -> str:
    """Return a path without the stage prefix and one trailing slash: ``/prod/events/`` is ``/events``."""
    if settings.BASE_PATH and f"{path}/".startswith(f"{settings.BASE_PATH}/"):
        path = path[len(settings.BASE_PATH) :] or "/"
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


class BasePathMiddleware(Middleware):
    """Lets every view see the plain path."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.path_info = path = plain_path(request.path_info)
        request.path = settings.BASE_PATH + path if settings.BASE_PATH else request.META.get("SCRIPT_NAME", "") + path
        return self.get_response(request)


class OriginMiddleware(CorsMiddleware):
    """The CORS headers, for requests that have an origin: most have none, and need only the Vary header."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_ORIGIN" in request.META:
            return cast(HttpResponseBase, super().__call__(request))
        response = cast(HttpResponseBase, self.get_response(request))
        patch_vary_headers(response, ("origin",))
        return response


class AdmissionMiddleware(Middleware):
    """Refuses requests that no view can read: a broken Content-Type, or a body that is too large."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal: tuple[int, str] | None = request.META.get(REFUSED) or _refusal(request)
        return problems.answer(request, *refusal) if refusal else self.get_response(request)


def _refusal(request: HttpRequest) -> tuple[int, str] | None:
    try:
        _, parameters = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))
        charset = parameters.get("charset", "")
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length)
    except (LookupError, ValueError):
        return 400, MALFORMED
    if not (charset.isascii() and charset.isprintable() and length.isdigit()):  # Python reads +1 and 1_0 too
        return 400, MALFORMED
    if size > settings.REQUEST_BYTES:
        return 413, f"The body may have at most {settings.REQUEST_BYTES:,} bytes."
    return None if _is_for_text(charset) else (415, "Bodies are UTF-8: leave the charset out.")


MALFORMED = "The Content-Type or Content-Length header is malformed."
PLAIN = bytes(range(32, 127))
CODECS = {*aliases, *aliases.values(), "charmap", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"}


def _is_for_text(charset: str) -> bool:
    """Return True if Python's codec of this name writes ASCII as ASCII: hex, zlib and UTF-16 do not.

    An unknown name is ignored, because JSON is UTF-8 in any case (RFC 8259, section 8.1). It is not looked up, because
    Python would remember it for ever.
    """
    name = normalize_encoding(charset).lower()
    if name not in CODECS:
        return True
    try:
        return PLAIN.decode(name) == PLAIN.decode()
    except Exception:  # codecs may raise any error
        return False


class DeadlineMiddleware(Middleware):
    """Bounds the time a request may spend on DynamoDB, so that it is answered before the gateway gives up."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with retries.time_limit(settings.REQUEST_SECONDS):
            return self.get_response(request)
