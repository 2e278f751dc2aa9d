"""What the table of permissions does not name is refused to everybody, and found at start."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django.fixtures import Settings
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from events.views import EventViewSet
from eventsite import urls
from tests.api import EVENT, Api, problem
from tests.signing_in import As, adam, alice, olivia

SECRET = "a stranger's draft"


class ForgottenAction(EventViewSet):
    """An action that nobody listed."""

    def stats(self, request: Request, event_id: str) -> Response:
        return Response({"title": SECRET})


class MisspeltRow(ForgottenAction):
    """An action under a row that is not in the table."""

    permission_of_action = {"stats": "read whatever there is"}


class PlainViewSet(viewsets.ViewSet):
    """A viewset that is none of ours."""

    def stats(self, request: Request, event_id: str) -> Response:
        return Response({"title": SECRET})


class PlainView(APIView):
    """Not even a viewset."""

    def get(self, request: Request, event_id: str) -> Response:
        return Response({"title": SECRET})


class LeftOpen(ForgottenAction):
    """A view that grants every caller everything."""

    permission_classes = []


def function(request: HttpRequest, event_id: str) -> HttpResponse:
    return HttpResponse(SECRET)


VIEWS: dict[str, Any] = {
    "an action that is not listed": ForgottenAction.as_view({"get": "stats"}),
    "an action in a row that is not there": MisspeltRow.as_view({"get": "stats"}),
    "a viewset of DRF's": PlainViewSet.as_view({"get": "stats"}),
    "a view of DRF's": PlainView.as_view(),
}
BEYOND: dict[str, Any] = {
    "a view without permissions": LeftOpen.as_view({"get": "stats"}),
    "a view whose route takes them away": ForgottenAction.as_view({"get": "stats"}, permission_classes=[]),
    "a function": function,
}
"""These the check alone can find: nothing asks the table."""


@pytest.fixture
def added(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """The service, and one more route."""
    more = ModuleType("more_urls")
    view = (VIEWS | BEYOND)[request.param]
    vars(more).update(vars(urls) | {"urlpatterns": [path("events/<str:event_id>/stats", view), *urls.urlpatterns]})
    settings.ROOT_URLCONF = more
    yield


def found() -> list[str]:
    return [message.msg for message in run_checks() if message.id == "eventsite.E006"]


def test_every_call_of_ours_has_a_row() -> None:
    assert found() == []


@pytest.mark.parametrize("added", VIEWS | BEYOND, indirect=True)
@pytest.mark.usefixtures("added")
def test_it_is_found_at_start() -> None:
    assert len(found()) == 1 and "/events/<str:event_id>/stats" in found()[0]


@pytest.mark.parametrize("added", VIEWS, indirect=True)
@pytest.mark.usefixtures("added", "cognito")
def test_it_is_refused_to_everybody() -> None:
    draft = As(olivia().access).event(**EVENT | {"status": "draft"})
    for token in (None, alice().access, olivia().access, adam().access):
        answer = As(token).get(f"/events/{draft}/stats")
        assert problem(answer) == (403, "permission_denied")
        assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("added", VIEWS, indirect=True)
@pytest.mark.usefixtures("added")
def test_it_is_refused_in_an_open_service_too(api: Api) -> None:
    assert problem(api.get(f"/events/{api.event()}/stats")) == (403, "permission_denied")


@pytest.mark.parametrize("added", VIEWS, indirect=True)
@pytest.mark.usefixtures("added")
def test_other_methods_of_an_unlisted_view_are_refused_too(api: Api) -> None:
    assert api.call("OPTIONS", "/events/any/stats").status_code in (200, 403)
    assert problem(api.post("/events/any/stats"))[0] in (403, 405)
