"""Who gets a page and who gets data: `Accept` decides, and what JSON satisfies too is answered with JSON."""

from collections.abc import Iterable

from django.http import HttpRequest
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PAGE, BROWSERS_MARK = "text/html", "application/xhtml+xml"
SATISFIED_BY_JSON = frozenset({"*/*", "application/*", "application/json"})
PAGE_FORMAT = "api"


def wants_page(request: HttpRequest | Request) -> bool:
    """Whether the caller is a person with a browser: text/html comes first, and application/xhtml+xml is there.

    Who does not take JSON at all may leave that mark out.
    """
    kinds = [part.partition(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    if PAGE not in kinds or SATISFIED_BY_JSON.isdisjoint(kinds):
        return PAGE in kinds
    return kinds[0] == PAGE and BROWSERS_MARK in kinds


class Negotiation(DefaultContentNegotiation):
    """DRF's choice of a renderer, where the pages are for browsers alone."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type. Raises `NotAcceptable`."""
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE or "")
        if not asked and not wants_page(request):
            renderers = [renderer for renderer in renderers if renderer.format != PAGE_FORMAT]
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
