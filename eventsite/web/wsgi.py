"""The WSGI application, which answers every request, also a malformed one.

Django parses the Content-Type before any middleware runs, so the error of a malformed one would have no headers, log
lines or metrics. This application prevents that. If an exception escapes the middleware nevertheless, a second,
harmless request passes through the middleware and gets the answer of the first.
"""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries
from django.utils.http import parse_header_parameters

from eventsite import problems
from eventsite.errors import log_exception
from eventsite.web import observability

# Django closes its databases and caches around each request. There are none here.
request_started.disconnect(reset_queries)
request_started.disconnect(close_old_connections)
request_finished.disconnect(close_old_connections)
request_finished.disconnect(close_caches)

Environment = dict[str, Any]
StartResponse = Callable[..., Any]

REFUSED = "eventsite.refused"
"""The key of the status and the sentence that answer a replacement request (`AdmissionMiddleware`)."""

MAX_HEADER_BYTES, MAX_HEADERS_BYTES = 1000, 8192  # bytes; parsers of Django and CPython take quadratic time
BOUNDED_HEADERS = ("CONTENT_TYPE", "HTTP_ACCEPT")
OWN_COOKIES = frozenset({settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages", "renewal", "acting"})

HARMLESS = (
    "HTTP_ORIGIN",
    "HTTP_X_CORRELATION_ID",
    "PATH_INFO",
    "REMOTE_ADDR",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "lambda.context",
    "lambda.event",
    "wsgi.errors",
    "wsgi.url_scheme",
)
"""The parts that such a request keeps: the headers, the log and the metrics of its answer use them."""


class Request(WSGIRequest):
    """A request with any Content-Type. Queries and forms are UTF-8, regardless of its charset."""

    def _set_content_type_params(self, meta: Environment) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):  # `AdmissionMiddleware` refuses it
            self.content_type, self.content_params = "", {}


class Application(WSGIHandler):
    request_class = Request

    def __call__(  # type: ignore[override] # the stubs name the one class that Django's own returns
        self, environ: Environment, start_response: StartResponse
    ) -> Iterable[bytes]:
        try:
            return self._answer(environ, start_response)
        except Exception as error:
            log_exception(error)
        try:
            return self._answer(_harmless(environ, "GET", 500, problems.DEFECT), start_response)
        except Exception as error:
            log_exception(error)
            return _bare(start_response)

    def _answer(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        sent = [name for name in environ if name.startswith("HTTP_")]
        _make_native(environ, sent)
        _keep_own_cookies(environ)
        _drop_unreadable_ranges(environ)
        if sentence := _excess(environ, sent):
            environ = _harmless(environ, environ["REQUEST_METHOD"], 400, sentence)
        answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


def _make_native(environ: Environment, sent: list[str]) -> None:
    """Write headers as WSGI demands, a character for each byte (PEP 3333): a Lambda's event holds any Unicode."""
    for name in sent:
        value = environ[name]
        if not value.isascii() and max(value) > "\xff":
            environ[name] = value.encode(errors="replace").decode("latin-1")


def _keep_own_cookies(environ: Environment) -> None:
    """Drop the cookies of other services, and those with backslashes: none of ours has any.

    CPython before 3.11.10 and 3.12.6 takes quadratic time to unquote a cookie (CVE-2024-7592).
    """
    if "HTTP_COOKIE" not in environ:
        return
    pairs = environ["HTTP_COOKIE"].split(";")
    own = [pair for pair in pairs if pair.partition("=")[0].strip() in OWN_COOKIES and "\\" not in pair]
    environ["HTTP_COOKIE"] = ";".join(own)


def _excess(environ: Environment, sent: list[str]) -> str:
    """Return a sentence about a header that is too long to be parsed, or an empty text."""
    for name in BOUNDED_HEADERS:
        if len(environ.get(name, "")) > MAX_HEADER_BYTES:
            header = name.removeprefix("HTTP_").replace("_", "-").title()
            return f"The {header} header may have at most {MAX_HEADER_BYTES:,} bytes."
    size = sum([len(name) + len(environ[name]) for name in sent])
    return f"The headers may have at most {MAX_HEADERS_BYTES:,} bytes in all." if size > MAX_HEADERS_BYTES else ""


def _drop_unreadable_ranges(environ: Environment) -> None:
    """Drop from Accept what Django cannot read: a parameter in an encoding that does not exist (RFC 8187)."""
    accept = environ.get("HTTP_ACCEPT", "")
    if "'" not in accept or len(accept) > MAX_HEADER_BYTES:
        return
    readable = [media_range for media_range in accept.split(",") if _is_readable(media_range)]
    environ["HTTP_ACCEPT"] = ",".join(readable) or "*/*"


def _is_readable(media_range: str) -> bool:
    try:
        parse_header_parameters(media_range)
    except (LookupError, ValueError):
        return False
    return True


def _harmless(environ: Environment, method: str, status: int, sentence: str) -> Environment:
    """Return the environment of a replacement request, which is answered with a status and a sentence."""
    kept = {name: environ[name] for name in HARMLESS if name in environ}
    return {**kept, "REQUEST_METHOD": method, "wsgi.input": BytesIO(), REFUSED: (status, sentence)}


def _bare(start_response: StartResponse) -> Iterable[bytes]:
    """Return the answer for a failure of the middleware itself."""
    document = problems.document(500, problems.CODE_OF_STATUS[500], problems.DEFECT, "/")
    headers = [("Content-Type", problems.MEDIA_TYPE), ("X-Content-Type-Options", "nosniff")]
    observability.count("ServerErrors")
    observability.publish()
    start_response("500 Internal Server Error", headers)
    return [json.dumps(document).encode()]
