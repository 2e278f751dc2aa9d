"""The routes of events."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from events import editing, pages
from events.models import STATUSES, WholeEvent
from events.serializers import EventChangesSerializer, EventSerializer, EventsQuery
from eventsite.auth.permissions import CHANGE_EVENT, CREATE_EVENT, READ_DRAFT, SEE_EVENTS
from eventsite.web import pagination, preconditions
from eventsite.web.viewsets import ApiViewSet, caller


class EventViewSet(ApiViewSet):
    """Events: create, find, read, change and delete them."""

    serializers = {
        "create": EventSerializer,
        "update": EventChangesSerializer,
        "partial_update": EventChangesSerializer,
    }
    queries = {"list": EventsQuery}
    permission_of_action = {
        "list": SEE_EVENTS,
        "create": CREATE_EVENT,
        "retrieve": SEE_EVENTS,
        "update": CHANGE_EVENT,
        "partial_update": CHANGE_EVENT,
        "destroy": CHANGE_EVENT,
    }

    def list(self, request: Request) -> Response:
        """One page of events, by date and then id."""
        query = self.query()
        after = pagination.read_cursor(query.get("cursor"), request)
        span = pages.Span(
            first=query.get("from", pages.FIRST),
            last=query.get("to", pages.LAST),
            descending=query["order"] == "desc",
            after=after,
        )
        sources = pages.streams(
            statuses=query.get("status", STATUSES),
            organizer_id=self._organizer(query.get("organizer_id")),
            drafts_of=self.owner(READ_DRAFT),
        )
        found, following = pages.page(sources, span, limit=query["limit"])
        return self.listed(EventSerializer, found, following, _cursor_of)

    def create(self, request: Request) -> Response:
        """Create an event; with an Idempotency-Key, once however often it is sent."""
        created = editing.create(self.body(), organizer_id=caller(request), keyed=self.keyed("POST /events"))
        location = reverse("event", [created.event.event_id], request=request)
        return self._answer(created, 201, Location=location)

    def retrieve(self, request: Request, event_id: str) -> Response:
        """Read an event."""
        return self._answer(editing.read(event_id, drafts_of=self.owner(READ_DRAFT)))

    def update(self, request: Request, event_id: str) -> Response:
        """Change the fields sent and leave the others; PUT and PATCH do the same."""
        changes = self.body(partial=True)
        if not changes:
            raise ValidationError("Send at least one field to change.", code="empty")
        versions = preconditions.versions(request.headers.get("If-Match"))
        return self._answer(editing.edit(event_id, changes, versions=versions, owner=self.owner(CHANGE_EVENT)))

    partial_update = update

    def destroy(self, request: Request, event_id: str) -> Response:
        """Delete an event that nobody is registered for or waiting for."""
        versions = preconditions.versions(request.headers.get("If-Match"))
        editing.delete(event_id, versions=versions, owner=self.owner(CHANGE_EVENT))
        return Response(status=204)

    def _organizer(self, asked: str | None) -> str | None:
        """The organizer asked for. Raises `NotAuthenticated` when that is `me` and nobody is signed in."""
        if asked != "me":
            return asked
        me = caller(self.request)
        if me is None and self.owner(READ_DRAFT) is not None:
            raise NotAuthenticated("Only who is signed in can ask for organizerId=me.")
        return me or ""

    def _answer(self, found: WholeEvent, status: int = 200, **headers: Any) -> Response:
        headers["ETag"] = preconditions.etag(int(found.event.version))
        return Response(EventSerializer(found).data, status, headers=headers)


def _cursor_of(found: WholeEvent) -> str:
    """Where a page that ends with this event continues, as `events.pages` has it."""
    return f"{found.event.date}#{found.event.event_id}"
