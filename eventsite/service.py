"""The service's own routes: the root and the health check."""

import logging
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import preserve_builtin_query_params

from eventsite import problems
from eventsite.auth.permissions import SEE_EVENTS
from eventsite.dynamodb.base_model import BaseModel, table_models
from eventsite.dynamodb.retries import FAILURES, time_limit
from eventsite.pages.viewsets import BrowsableViewSet

logger = logging.getLogger(__name__)

FROM_ROOT = ("events", "users", "docs", "redoc", "schema", "health")  # the names of the routes that the root links to
HEALTH_SECONDS = 2.0
NO_KEY = "#health"


class Root(BrowsableViewSet):
    """The root: links to everything else."""

    permission_of_action = {"retrieve": SEE_EVENTS}

    def retrieve(self, request: Request) -> Response:
        here = request.build_absolute_uri("/")[:-1]
        links = {
            name: preserve_builtin_query_params(here + path, request)
            for name, path in _paths(get_script_prefix()).items()
        }
        return Response({"message": "Events, registrations and waitlists.", "version": settings.VERSION} | links)


@cache  # by the prefix, with which each path begins
def _paths(prefix: str) -> dict[str, str]:
    return {name: reverse(name) for name in FROM_ROOT}


class Health(BrowsableViewSet):
    """The health check: one small read of each table, of a key that does not exist."""

    is_kept = False
    permission_of_action = {"retrieve": SEE_EVENTS}

    def retrieve(self, request: Request) -> Response:
        with time_limit(HEALTH_SECONDS):
            tables = {app_of(model): _state(model) for model in table_models()}
        healthy = all(state == "ok" for state in tables.values())
        data = {"status": "healthy" if healthy else "unhealthy", "version": settings.VERSION, "tables": tables}
        return Response(data, 200 if healthy else 503, headers=None if healthy else {"Retry-After": "5"})


def app_of(model: type[BaseModel]) -> str:
    return model.__module__.partition(".")[0]


def _state(model: type[BaseModel]) -> str:
    try:
        model.read(*[NO_KEY for _ in model.key_names()], consistent=False)
    except FAILURES:
        logger.warning("the table %s does not answer", model.Meta.table_name)
        return "unavailable"
    return "ok"


def only_read(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Return a public view that refuses all methods but GET and HEAD."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return problems.refused_method(request, "GET, HEAD", problems.SENTENCE_OF_STATUS[405])
        return view(request)

    vars(answer).update(for_everybody=True, csrf_exempt=True)
    return answer


@only_read
def robots(request: HttpRequest) -> HttpResponse:
    """Let search engines see the events, and nothing that leads to a login."""
    paths = [f"Disallow: {get_script_prefix()}{path}" for path in ("login", "users")]
    return HttpResponse("\n".join(["User-agent: *", *paths, ""]), content_type="text/plain")


@only_read
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon, for programs that ask for it under its old name."""
    return HttpResponseRedirect(static("eventsite/icon.svg"))
