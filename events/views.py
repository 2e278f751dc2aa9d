"""The routes of events."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from events import editing, listing, services
from events.models import STATUSES, Event
from events.serializers import CANCEL, DeletionQuery, EventChangesSerializer, EventSerializer, EventsQuery, shape
from events.whole import WholeEvent
from eventsite.auth.permissions import CHANGE_EVENT, CREATE_EVENT, ME, OWN_EVENT, SEE_EVENTS
from eventsite.auth.scope import EVERYBODYS
from eventsite.pages.viewsets import BrowsableViewSet
from eventsite.web import pagination, preconditions
from eventsite.web.collect_pages import answer, collect_pages
from eventsite.web.pagination import DEFAULT_LIMIT
from eventsite.web.renderers import CalendarRenderer

Events = list[WholeEvent]
SHOWN_AFTER = timedelta(days=30)
"""The time for which a feed shows events after they began."""


class EventViewSet(BrowsableViewSet):
    """Events: create, find, read, change and delete them."""

    serializers = {"create": EventSerializer, "update": EventChangesSerializer}
    queries = {"list": EventsQuery, "destroy": DeletionQuery}
    formats = {"list": (CalendarRenderer,), "retrieve": (CalendarRenderer,)}
    permission_of_action = {
        "list": SEE_EVENTS,
        "create": CREATE_EVENT,
        "retrieve": SEE_EVENTS,
        "update": CHANGE_EVENT,
        "destroy": OWN_EVENT,
    }

    def list(self, request: Request) -> Response:
        """Return one page of events, by date and then id."""
        query = self.query()
        span = listing.Span(
            first=query.get("from", self._beginning()),
            last=query.get("to", listing.LAST),
            descending=query["order"] == "desc",
        )
        sources = listing.streams(
            running=span.first != listing.FIRST,
            statuses=query.get("status", STATUSES),
            organizer_id=self._organizer(query.get("organizer_id")),
            scope=self.scope(SEE_EVENTS),
        )

        def read(limit: int, after: Any) -> tuple[list[WholeEvent], Any]:
            return listing.page(sources, span._replace(after=after), limit=limit)

        if self.format == CalendarRenderer.format:
            return self._feed(read, query)
        found, following = read(query["limit"], pagination.read_cursor(query.get("cursor"), request))
        as_json = partial(shape, own=self.scope(CHANGE_EVENT))
        return self.listed(as_json, found, following, lambda whole: whole.event.place)

    def _beginning(self) -> str:
        """Return the first day of a list. A feed begins 30 days ago, so that most of it are events to come."""
        if self.format != CalendarRenderer.format:
            return listing.FIRST
        return (datetime.now(UTC) - SHOWN_AFTER).date().isoformat()

    def _feed(self, read: Callable[[int, Any], tuple[Events, Any]], query: dict[str, Any]) -> Response:
        """Answer with the events as one calendar, up to the size of an answer."""

        def encode(found: Events) -> bytes:
            return b"".join(entry_of(whole.event, self) for whole in found)

        gathered = collect_pages(read, encode, page=DEFAULT_LIMIT, query=query, request=self.request)
        return calendar_of(gathered.parts, self, file="events.ics", name="Events", cursor=gathered.cursor)

    def create(self, request: Request) -> Response:
        """Create an event. With an Idempotency-Key, a repeated request creates no second one."""
        created = services.create(self.body(), organizer_id=self.caller, keyed=self.keyed("POST /events"))
        return self._answer(created, 201, Location=self.address("event", created.event.event_id))

    def retrieve(self, request: Request, event_id: str) -> Response:
        found = services.read(event_id, scope=self.scope(SEE_EVENTS))
        if self.format == CalendarRenderer.format:
            shown = calendar_of([entry_of(found.event, self)], self, file=f"{event_id}.ics")
            shown.headers["ETag"] = preconditions.etag(int(found.event.version))
            return shown
        return self._answer(found)

    def update(self, request: Request, event_id: str) -> Response:
        """Change the fields that were sent, by PUT and PATCH alike."""
        changes = self.changes()
        versions = preconditions.versions(request.META.get("HTTP_IF_MATCH"))
        return self._answer(editing.edit(event_id, changes, scope=self.scope(CHANGE_EVENT), versions=versions))

    def destroy(self, request: Request, event_id: str) -> Response:
        """Delete an event without registrations, or on request with all of them."""
        versions = preconditions.versions(request.META.get("HTTP_IF_MATCH"))
        with_people = self.query().get("registrations") == CANCEL
        services.delete(event_id, scope=self.scope(OWN_EVENT), versions=versions, with_people=with_people)
        return Response(status=204)

    def reaches_target(self) -> bool:
        return "event_id" in self.kwargs and services.may_be_changed(
            self.kwargs["event_id"], scope=self.scope(CHANGE_EVENT)
        )

    def _organizer(self, asked: str | None) -> str | None:
        """Return the requested organizer.

        Raises:
            NotAuthenticated: It is `me`, and the caller is not signed in.
        """
        if asked != ME:
            return asked
        if self.caller is None and self.scope(SEE_EVENTS).drafts_of != EVERYBODYS:
            raise NotAuthenticated("Only who is signed in can ask for organizerId=me.")
        return self.caller or ""

    def _answer(self, found: WholeEvent, status: int = 200, **headers: Any) -> Response:
        headers["ETag"] = preconditions.etag(int(found.event.version))
        response = Response(shape(found, own=self.scope(CHANGE_EVENT)), status, headers=headers)
        # Registrations change the counts but not the version, which is exact while no ticket was given.
        vars(response)["etag_covers_all"] = not found.seats.tickets
        vars(response)["whole"] = found  # the parts of its page use it
        return response


def entry_of(event: Event, view: BrowsableViewSet) -> bytes:
    """Return an event as an entry of a calendar, with the address of its page."""
    from events import calendar

    return calendar.entry(event, view.address("event", event.event_id))


def calendar_of(
    entries: Iterable[bytes], view: BrowsableViewSet, *, file: str, name: str = "", cursor: Any = None
) -> Response:
    """Return a calendar as a file. With a `name`, programs can subscribe to it."""
    from events import calendar

    content = calendar.document(entries, name=name)
    return answer(content, cursor, view.request, content_type=calendar.CONTENT_TYPE, name=file)
