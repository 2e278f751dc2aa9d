"""Answers that stay the same while the process runs: made once, then sent again as bytes.

The links of the service, the OpenAPI document and the documentation pages depend on the address and on the Accept
header, and on nothing else. A request with anything personal in it takes the usual way.
"""

from collections import OrderedDict
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import ResolverMatch

from eventsite.web import negotiation, throttling
from eventsite.web.caching import empty
from eventsite.web.middleware import GetResponse, Middleware, plain_path
from eventsite.web.preconditions import names
from eventsite.web.wsgi import REFUSED

PATHS = frozenset({"/", "/docs", "/redoc", "/schema", "/openapi.json"})
ADDRESS = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme", "HTTP_ACCEPT")
"""The parts of a request that decide about such an answer, besides its path."""
PERSONAL = ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ORIGIN", "CONTENT_TYPE", "QUERY_STRING", REFUSED)
MAX_KEPT = 64  # answers; a caller may send any Accept header

Key = tuple[str | None, ...]


class Kept(NamedTuple):
    """An answer as it was sent, and the route that made it."""

    content: bytes
    headers: dict[str, str]
    route: ResolverMatch | None


class ConstantAnswersMiddleware(Middleware):
    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.kept: OrderedDict[Key, Kept] = OrderedDict()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key = _key(request)
        kept = self.kept.get(key) if key else None
        if kept and not throttling.take(f"address {request.META.get('REMOTE_ADDR')}"):
            return _again(kept, request)
        response = self.get_response(request)
        if key and isinstance(response, HttpResponse) and response.status_code == 200 and not response.cookies:
            self.kept[key] = Kept(response.content, dict(response.headers), request.resolver_match)
            if len(self.kept) > MAX_KEPT:
                self.kept.popitem(last=False)
        return response


def _key(request: HttpRequest) -> Key | None:
    sent = request.META
    if request.method != "GET" or settings.DEBUG or any(sent.get(name) for name in PERSONAL):
        return None
    path = plain_path(request.path_info)
    if path not in PATHS or negotiation.is_preview(request):
        return None
    return path, *(sent.get(name) for name in ADDRESS)


def _again(kept: Kept, request: HttpRequest) -> HttpResponse:
    request.resolver_match = kept.route  # the log line names it
    response = HttpResponse(kept.content, headers=kept.headers)
    if names(request.META.get("HTTP_IF_NONE_MATCH"), kept.headers["ETag"]):
        empty(response)
    return response
