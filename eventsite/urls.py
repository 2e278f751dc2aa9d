"""Every path of the service. Each app lists its own.

No path ends with a slash, but one is accepted on all of them.
"""

from importlib import import_module

from django.urls import path

from eventsite.auth.login import callback, log_in, log_out
from eventsite.openapi.pages import Lazily
from eventsite.service import Health, Root, favicon, robots

OF_THE_APPS = [
    route for app in ("events", "users", "registrations") for route in import_module(f"{app}.urls").urlpatterns
]

# Those of the apps first, and in one list, because Django tries one after the other.
urlpatterns = [
    *OF_THE_APPS,
    path("", Root.as_view({"get": "retrieve"}, name="eventsite"), name="root"),
    path("health", Health.as_view({"get": "retrieve"}, name="Health"), name="health"),
    path("docs", Lazily("eventsite.openapi.views.SwaggerView"), name="docs"),
    path("redoc", Lazily("eventsite.openapi.views.RedocView"), name="redoc"),
    path("schema", Lazily("eventsite.openapi.views.SchemaView"), name="schema"),
    path("openapi.json", Lazily("eventsite.openapi.views.DocumentView"), name="openapi"),
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
