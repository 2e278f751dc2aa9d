"""Show a browser a page for a problem that no view produced."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from eventsite import problems
from eventsite.web.middleware import Middleware
from eventsite.web.negotiation import wants_page


class ProblemPageMiddleware(Middleware):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_problem = response.headers.get("Content-Type") == problems.MEDIA_TYPE
        if not is_problem or not wants_page(request) or "format" in request.GET:
            return response
        from eventsite.pages import render

        page = HttpResponse(render.show_problem(request, response), status=response.status_code)
        for name, value in response.headers.items():
            if not name.startswith("Content-"):
                page.headers[name] = value
        page.cookies = response.cookies
        return page

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Return the problem of a page that failed while it was rendered, or None for a defect.

        DRF handles only the errors of views, and a page reads some of what it shows after its view.
        """
        return problems.answer_to(request, error)
