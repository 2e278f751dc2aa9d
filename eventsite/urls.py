"""Every path of the service. Each app lists its own.

No path ends with a slash, but one is accepted on all of them.
"""

from importlib import import_module

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.module_loading import import_string

from eventsite.auth.login import callback, log_in, log_out
from eventsite.service import Health, Root, favicon, robots


class Lazily:
    """A view of the documentation. It is imported on its first request, so a cold start pays nothing for it."""

    for_everybody = True
    csrf_exempt = True
    """These views only read. The CSRF check would answer 403 to a method that they do not have."""

    def __init__(self, view: str) -> None:
        self._view = f"eventsite.openapi.views.{view}"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = import_string(self._view).as_view()(request)
        return answer


OF_THE_APPS = [
    route for app in ("events", "users", "registrations") for route in import_module(f"{app}.urls").urlpatterns
]

# Those of the apps first, and in one list, because Django tries one after the other.
urlpatterns = [
    *OF_THE_APPS,
    path("", Root.as_view({"get": "retrieve"}, name="eventsite"), name="root"),
    path("health", Health.as_view({"get": "retrieve"}, name="Health"), name="health"),
    path("docs", Lazily("SwaggerView"), name="docs"),
    path("redoc", Lazily("RedocView"), name="redoc"),
    path("schema", Lazily("SchemaView"), name="schema"),
    path("openapi.json", Lazily("DocumentView"), name="openapi"),
    path("robots.txt", robots, name="robots"),
    path("favicon.ico", favicon, name="favicon"),
    path("login", log_in, name="login"),
    path("login/callback", callback, name="login-callback"),
    path("logout", log_out, name="logout"),
]

handler400 = "eventsite.problems.bad_request"
handler403 = "eventsite.problems.permission_denied"
handler404 = "eventsite.problems.not_found"
handler500 = "eventsite.problems.server_error"
