"""Cache headers (RFC 9111) and conditional requests (RFC 9110, section 13.1.2).

An answer to a signed-in caller is never stored, so the browser's back button does not show it after a log-out. A public
answer is stored and revalidated each time, and gets 304 if it is unchanged. Static files have the hash of their content
in their names, and are stored for a year.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, cast

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

from eventsite import problems
from eventsite.auth.permissions import Principal
from eventsite.web.middleware import GetResponse, Middleware
from eventsite.web.preconditions import names

FOR_A_YEAR = "public, max-age=31536000, immutable"
HASHED = re.compile(r"(?P<prefix>/static/)(?P<hash>[0-9a-f]{16})/(?P<name>.+)")


class CachingMiddleware(Middleware):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Cache-Control" in response.headers:
            return response
        if not isinstance(response, HttpResponse) or not _is_for_everybody(request, response):
            response.headers["Cache-Control"] = "no-store"
            return response
        response.headers["Cache-Control"] = "no-cache"
        covers_all = "ETag" not in response.headers or getattr(response, "etag_covers_all", False)
        response.headers.setdefault("ETag", _tag_of(response))
        if covers_all and names(request.META.get("HTTP_IF_NONE_MATCH"), response.headers["ETag"]):
            empty(response)
        return response


def _is_for_everybody(request: HttpRequest, response: HttpResponse) -> bool:
    read = request.method in ("GET", "HEAD") and response.status_code == 200
    return read and not response.cookies and not isinstance(getattr(request, "user", None), Principal)


def _tag_of(response: HttpResponse) -> str:
    """Return a tag that changes with the content and with the link to the next page."""
    link = response.headers.get("Link", "").encode()
    return f'"{sha256(response.content + link).hexdigest()[:32]}"'


def empty(response: HttpResponse) -> None:
    """Turn the answer into a 304 with the same headers, which a cache adopts."""
    response.status_code = 304
    response.content = b""
    for name in ("Content-Length", "Content-Type"):
        del response.headers[name]


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc] # whitenoise has no annotations
    """WhiteNoise that lists the files at the first request for one, because no other request needs them.

    Listing them takes 4 % of a cold start.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._listing, self._is_listed = Lock(), False
        super().__init__(get_response)

    def add_files_from_finders(self) -> None:
        """Put the listing off."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(self.static_prefix):
            return cast(HttpResponseBase, self.get_response(request))
        if not self._is_listed:
            with self._listing:
                if not self._is_listed:
                    super().add_files_from_finders()
                self._is_listed = True
        response: HttpResponseBase = super().__call__(request)
        return response

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        """Answer with the file, or with the problem document of a method that files do not have."""
        response: HttpResponseBase = WhiteNoiseMiddleware.serve(static_file, request)
        if response.status_code != 405:
            return response
        return problems.refused_method(request, response.headers["Allow"], problems.SENTENCE_OF_STATUS[405])


class HashedNames(StaticFilesStorage):
    """Static files under names that change with their content: ``/static/0123456789abcdef/eventsite/pages.css``."""

    def url(self, name: str | None) -> str:
        return str(super().url(f"{_hash(name)}/{name}" if name else name))


@cache
def _hash(name: str) -> str:
    found = finders.find(name)
    return sha256(Path(found).read_bytes() if isinstance(found, str) else b"").hexdigest()[:16]


class HashedNamesMiddleware(Middleware):
    """Finds a file by its hashed name, and lets caches keep it if the hash is current."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = HASHED.fullmatch(request.path_info)
        if found is None:
            return self.get_response(request)
        request.path_info = found["prefix"] + found["name"]
        response = self.get_response(request)
        if response.status_code in (200, 304) and _hash(found["name"]) == found["hash"]:
            response.headers["Cache-Control"] = FOR_A_YEAR
        return response
