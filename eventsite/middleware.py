"""What happens to every request before and after its view."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from eventsite import retries

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class BasePathMiddleware:
    """Takes the stage prefix and one trailing slash off the path: ``/prod/events/`` is ``/events``."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request under its plain path."""
        path = request.path_info
        if settings.BASE_PATH and f"{path}/".startswith(f"{settings.BASE_PATH}/"):
            path = path[len(settings.BASE_PATH) :] or "/"
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        request.path_info = path
        request.path = settings.BASE_PATH + path if settings.BASE_PATH else request.META.get("SCRIPT_NAME", "") + path
        return self.get_response(request)


class DeadlineMiddleware:
    """Bounds the time a request may spend on DynamoDB, so that it is answered before the gateway gives up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request within the time limit."""
        with retries.time_limit(settings.REQUEST_SECONDS):
            return self.get_response(request)
