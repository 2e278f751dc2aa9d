"""What caches may keep (RFC 9111), and what does not have to be sent again (RFC 9110, section 13.1.2).

What somebody signed in for is kept nowhere, so the way back does not lead into it after logging out. What everybody may
read is kept, and asked for again each time: who has it already is told so. Static files have the hash of their content
in their names, and are kept for a year.
"""

import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from eventsite.auth.permissions import Principal
from eventsite.web.preconditions import names

GetResponse = Callable[[HttpRequest], HttpResponseBase]

FOR_A_YEAR = "public, max-age=31536000, immutable"
HASHED = re.compile(r"(?P<prefix>/static/)(?P<hash>[0-9a-f]{16})/(?P<name>.+)")
ABOUT_CONTENT = ("Content-Length", "Content-Type")


class CachingMiddleware:
    """Says what may be kept, and answers 304 where nothing has changed."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Cache-Control" in response.headers:
            return response
        if not isinstance(response, HttpResponse) or not _is_for_everybody(request, response):
            response.headers["Cache-Control"] = "no-store"
            return response
        response.headers["Cache-Control"] = "no-cache"
        tells_all = "ETag" not in response.headers or getattr(response, "etag_tells_all", False)
        response.headers.setdefault("ETag", _tag_of(response))
        if tells_all and names(request.headers.get("If-None-Match"), response.headers["ETag"]):
            _empty(response)
        return response


def _is_for_everybody(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether it is something to read, sent to nobody in particular."""
    read = request.method in ("GET", "HEAD") and response.status_code == 200
    return read and not response.cookies and not isinstance(getattr(request, "user", None), Principal)


def _tag_of(response: HttpResponse) -> str:
    """A tag that changes with what is sent, and with where it goes on."""
    link = response.headers.get("Link", "").encode()
    return f'"{sha256(response.content + link).hexdigest()[:32]}"'


def _empty(response: HttpResponse) -> None:
    """Make it a 304, with the headers that it would have had: a cache takes them over."""
    response.status_code = 304
    response.content = b""
    for name in ABOUT_CONTENT:
        del response.headers[name]


class HashedNames(StaticFilesStorage):
    """Static files under names that change with their content: ``/static/0123456789abcdef/eventsite/page.css``."""

    def url(self, name: str | None) -> str:
        """Where a file is."""
        return str(super().url(f"{_hash(name)}/{name}" if name else name))


@cache
def _hash(name: str) -> str:
    found = finders.find(name)
    return sha256(Path(found).read_bytes() if isinstance(found, str) else b"").hexdigest()[:16]


class HashedNamesMiddleware:
    """Finds the file under its hashed name, and lets it be kept if the name is still the right one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = HASHED.fullmatch(request.path_info)
        if found is None:
            return self.get_response(request)
        request.path_info = found["prefix"] + found["name"]
        response = self.get_response(request)
        if response.status_code in (200, 304) and _hash(found["name"]) == found["hash"]:
            response.headers["Cache-Control"] = FOR_A_YEAR
        return response
