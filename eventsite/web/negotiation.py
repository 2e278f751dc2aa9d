"""Who gets a page and who gets data: `Accept` decides, and what JSON satisfies too is answered with JSON."""

from collections.abc import Iterable

from django.http import HttpRequest
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PAGE, BROWSERS_MARK = "text/html", "application/xhtml+xml"
JSON, PAGE_FORMAT = "application/json", "api"
SATISFIED_BY_JSON = frozenset({"*/*", "application/*", JSON})


def wants_page(request: HttpRequest | Request) -> bool:
    """Whether the caller is a person with a browser: text/html comes first, and application/xhtml+xml is there.

    Who does not take JSON at all may leave that mark out.
    """
    kinds = _accepted(request)
    if PAGE not in kinds or SATISFIED_BY_JSON.isdisjoint(kinds):
        return PAGE in kinds
    return kinds[0] == PAGE and BROWSERS_MARK in kinds


def _accepted(request: HttpRequest | Request) -> list[str]:
    """The media types that the caller takes, in the order in which they are named."""
    return [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]


class Negotiation(DefaultContentNegotiation):
    """DRF's choice of a renderer, where the pages are for browsers alone, and JSON is for all who can read it."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type. Raises `NotAcceptable`.

        A ``?format=`` outweighs the Accept header, so that a link leads to the same thing wherever it is opened.
        """
        if asked := request.query_params.get(self.settings.URL_FORMAT_OVERRIDE or ""):
            return _named(asked, renderers)
        wanted = PAGE if wants_page(request) else JSON
        for renderer in renderers:
            if renderer.media_type == wanted and (wanted == PAGE or SATISFIED_BY_JSON.intersection(_accepted(request))):
                return renderer, wanted
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen


def _named(asked: str, renderers: Iterable[BaseRenderer]) -> tuple[BaseRenderer, str]:
    for renderer in renderers:
        if renderer.format == asked:
            return renderer, str(renderer.media_type)
    raise NotAcceptable(f"There is no such format here; there are {', '.join(str(one.format) for one in renderers)}.")
