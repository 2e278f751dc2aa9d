"""The format of an answer: JSON for programs, pages for browsers, other formats on request."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.http.request import MediaType
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

JSON = "application/json"
PAGE = "text/html"
PAGE_FORMAT = "api"
MAX_AGENT = 300  # characters; the name of a preview agent is near the beginning
PREVIEWS = re.compile(
    r"facebookexternalhit|facebot|twitterbot|slackbot|whatsapp|telegrambot|discordbot|linkedinbot|skypeuripreview"
    r"|mastodon|embedly|googlebot|bingbot|applebot|signal-desktop|iframely|redditbot|pinterest",
    re.IGNORECASE,
)


class Negotiation(DefaultContentNegotiation):
    """DRF's negotiation, except that clients that accept HTML without being browsers, as Java's do, get JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and the media type of the answer.

        A ``?format=`` outweighs the Accept header, so that a link leads to the same thing in every program.
        """
        if asked := request.query_params.get(self.settings.URL_FORMAT_OVERRIDE or ""):
            return _of_format(renderers, asked)
        wanted = PAGE if is_browser(request) else JSON if _takes_json(request) else None
        for renderer in renderers:
            if renderer.media_type == wanted:
                return renderer, wanted
        able = [renderer for renderer in renderers if not _refuses(request, str(renderer.media_type))]
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, able, format_suffix)
        return chosen


def _of_format(renderers: Iterable[BaseRenderer], asked: str) -> tuple[BaseRenderer, str]:
    for renderer in renderers:
        if renderer.format == asked:
            return renderer, str(renderer.media_type)
    raise NotAcceptable(f"There is no such format here; there are {', '.join(str(one.format) for one in renderers)}.")


def wants_page(request: HttpRequest | Request) -> bool:
    """Return True if a page will answer the request, whose body is then a form."""
    takes_only_page = not _takes_json(request) and PAGE in _accept(request) and not _refuses(request, PAGE)
    return is_browser(request) or takes_only_page


def is_browser(request: HttpRequest | Request) -> bool:
    """Return True if a browser asks for a page: HTML first, and XHTML too, as all browsers send it."""
    accept = _accept(request)
    first = accept.partition(",")[0].partition(";")[0].strip()
    return (first == PAGE and "application/xhtml+xml" in accept) or is_preview(request)


def is_preview(request: Any) -> bool:
    """Return True for the programs that fetch the preview of a shared link: they take anything and need the page."""
    if JSON in _accept(request) or request.method not in ("GET", "HEAD"):
        return False
    return bool(PREVIEWS.search(str(request.META.get("HTTP_USER_AGENT", ""))[:MAX_AGENT]))


def _accept(request: Any) -> str:
    return str(request.META.get("HTTP_ACCEPT", "")).lower()


def _takes_json(request: Any) -> bool:
    """Return True if the Accept header takes JSON in any place, is empty, or is absent."""
    return bool(_quality(request.META.get("HTTP_ACCEPT") or "*/*", JSON))


def _refuses(request: Any, media_type: str) -> bool:
    """Return True if the Accept header excludes a media type by ``q=0``. DRF ignores the quality."""
    return _quality(request.META.get("HTTP_ACCEPT") or "*/*", media_type) == 0


@lru_cache(maxsize=256)
def _quality(accept: str, media_type: str) -> float | None:
    """Return the quality of a media type by the most specific match (RFC 9110, 12.5.1), or None without a match."""
    kinds = [MediaType(name) for name in accept.split(",") if name.strip()]
    matching = [kind for kind in kinds if kind.match(media_type)]
    return max(matching, key=lambda kind: kind.specificity).quality if matching else None
