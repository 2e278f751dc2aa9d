"""The base of the views of all apps: the API's, with pages and their forms for browsers."""

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.request import Request

from eventsite.pages import submissions
from eventsite.web.negotiation import PAGE_FORMAT, wants_page
from eventsite.web.viewsets import ApiViewSet


class PageFormParser(FormParser):
    """A form of a page, read as the body that a program would have sent."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the values."""
        submission = submissions.of(parser_context and parser_context["request"])
        return submission.values() if submission else super().parse(stream, media_type, parser_context)


class BrowsableViewSet(ApiViewSet):
    """A view that shows its answers to a browser as pages. Modules that only pages need are imported when needed."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return DRF's request. A form of a page becomes the request that a program would have sent."""
        if wants_page(request):
            submissions.unwrap(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Prepare an action as DRF does. A form may have to be confirmed first."""
        super().initial(request, *args, **kwargs)
        if submissions.of(request):
            from eventsite.pages import handling

            handling.prepare(self, request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the answer. A form that succeeded redirects to another page."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if submissions.of(request) is None:
            return answer
        from eventsite.pages import handling

        return handling.follow(self, request, answer)

    def get_parsers(self) -> list[BaseParser]:
        """Return the parsers: JSON, and forms where the answer is a page."""
        forms = (MultiPartParser, PageFormParser) if self.request is not None and wants_page(self.request) else ()
        return super().get_parsers() + [parser() for parser in forms]

    def query_parameters(self) -> Any:
        """Return the query parameters, on a page with the page's defaults."""
        if self.request.accepted_renderer.format != PAGE_FORMAT:
            return super().query_parameters()
        from eventsite.pages import page as pages

        return pages.with_defaults(self.request)

    def reaches_target(self) -> bool:
        """Return True if the caller may do to the target what this request asks.

        Only then does a page ask its questions or read the target. An action that does not override this has no
        questions.
        """
        return False
