"""The documentation routes. What they need is imported when they are first asked for: a cold start pays nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string


class Lazily:
    """A class-based view that is imported on its first request."""

    for_everybody = True
    csrf_exempt = True
    """These views only read. The CSRF check would answer 403 to a method that they do not have."""

    def __init__(self, view: str, **options: Any) -> None:
        self._view, self._options = view, options

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the real view."""
        answer: HttpResponseBase = import_string(self._view).as_view(**self._options)(request)
        return answer
