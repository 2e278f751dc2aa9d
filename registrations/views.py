"""The routes of registrations, under events and under users."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from events import services as events
from events.views import calendar_of, entry_of
from eventsite.auth.permissions import CHANGE_EVENT, CHANGE_USER, LIST_REGISTRATIONS, READ_USER, REGISTER, SEE_EVENTS
from eventsite.auth.scope import Scope
from eventsite.pages.viewsets import BrowsableViewSet
from eventsite.web import pagination
from eventsite.web.collect_pages import answer, collect_pages
from eventsite.web.pagination import MAX_LIMIT, PageQuery
from eventsite.web.renderers import CalendarRenderer, SheetRenderer
from eventsite.web.sheets import BOM, CONTENT_TYPE
from registrations import checkin, seating, sheet, signup
from registrations.models import WAITLISTED, Registration
from registrations.reading import attendances, lists
from registrations.reading import one as reading
from registrations.serializers import (
    AnswersSerializer,
    AttendancesQuery,
    HistorySerializer,
    MessageSerializer,
    RegistrationRequestSerializer,
    RegistrationsQuery,
    WaitlistQuery,
    shape,
    shape_attendance,
    shape_attendee,
    shape_new,
)
from users import calendars, services
from users.models import User
from users.services import UserNotFound
from users.views import OfUserViewSet, introduce

Page = tuple[list[Registration], int | None]


class RegistrationViewSet(BrowsableViewSet):
    """An event's registrations: sign up, look, leave."""

    serializers = {"create": RegistrationRequestSerializer, "partial_update": AnswersSerializer}
    queries = {"list": RegistrationsQuery, "waitlist": WaitlistQuery}
    formats = {"list": (SheetRenderer,), "waitlist": (SheetRenderer,)}
    permission_of_action = {
        "list": LIST_REGISTRATIONS,
        "waitlist": LIST_REGISTRATIONS,
        "create": REGISTER,
        "retrieve": READ_USER,
        "partial_update": READ_USER,
        "destroy": REGISTER,
        "check_in": CHANGE_EVENT,
        "check_out": CHANGE_EVENT,
    }

    def list(self, request: Request, event_id: str) -> Response:
        """One page of an event's registrations, or of its queue, in order."""
        query = self.query()
        chosen: dict[str, Any] = {
            "scope": self.scope(LIST_REGISTRATIONS),
            "status": query.get("status", WAITLISTED),  # the queue has no choice
            "checked_in": query.get("checked_in"),
        }

        def read(limit: int, after: Any) -> Page:
            return checkin.page(event_id, limit=limit, after=after, **chosen)

        if self.format == SheetRenderer.format:
            return self._sheet(read, event_id, query)
        rows, following = read(query["limit"], pagination.read_cursor(query.get("cursor"), request))
        if "expand" in query:
            return self.listed(shape_attendee, lists.named(rows), following, lambda row: row.registration.ticket)
        return self.listed(shape, rows, following, lambda row: row.ticket)

    waitlist = list

    def create(self, request: Request, event_id: str) -> Response:
        """Register a user: a seat if one is free, else a place in the queue if there is one."""
        body, keyed = self.body(), self.keyed(f"POST /events/{event_id}/registrations")
        user_id = body.get("user_id") or self.caller or ""  # required where nobody is signed in
        known: dict[str, Any] = {"scope": self.scope(REGISTER, user_id), "organizes": self.scope(LIST_REGISTRATIONS)}
        known |= {"by": self.caller, "keyed": keyed, "answers": body.get("answers")}
        sign_up = partial(signup.sign_up, event_id, user_id, **known)
        registration = None
        if keyed and user_id == self.caller and User.find(user_id) is None:
            # A keyed refusal would be final, so the user is created first; but not again after a deletion.
            registration = seating.repeat(event_id, user_id, keyed=keyed)
            if registration is None:
                introduce(self.principal)
        try:
            registration = registration or sign_up()
        except UserNotFound:
            if user_id != self.caller:
                raise
            introduce(self.principal)
            registration = sign_up()
        location = self.address("registration", event_id, user_id)
        return Response(shape_new(registration), 201, headers={"Location": location})

    def retrieve(self, request: Request, event_id: str, user_id: str) -> Response:
        return Response(shape(reading.read(event_id, user_id, scope=self._scope_of(user_id))))

    def partial_update(self, request: Request, event_id: str, user_id: str) -> Response:
        answers = self.body()["answers"]
        return Response(shape(signup.change_answers(event_id, user_id, answers, scope=self._scope_of(user_id))))

    def destroy(self, request: Request, event_id: str, user_id: str) -> Response:
        """Give up a seat or a place in the queue. A freed seat goes to the head of the queue."""
        promoted = seating.leave(event_id, user_id, scope=self.scope(REGISTER, user_id), by=self.caller)
        moved = " The next person on the waitlist got the seat." if promoted else ""
        return Response({"message": f"The registration is cancelled.{moved}", "promotedUser": promoted})

    def check_in(self, request: Request, event_id: str, user_id: str) -> Response:
        scope = self.scope(CHANGE_EVENT)
        return Response(shape(checkin.check_in(event_id, user_id, by=self.caller, scope=scope)))

    def check_out(self, request: Request, event_id: str, user_id: str) -> Response:
        return Response(shape(checkin.undo(event_id, user_id, scope=self.scope(CHANGE_EVENT))))

    def reaches_target(self) -> bool:
        if "user_id" not in self.kwargs:
            return False  # nothing is asked before a sign-up
        if self.reaches_user(REGISTER, self.kwargs["user_id"]):
            return True
        return events.may_be_changed(self.kwargs["event_id"], scope=self.scope(LIST_REGISTRATIONS))

    def _scope_of(self, user_id: str) -> Scope:
        """Return what the caller reaches of a user's registrations: as that user, or as an organizer."""
        is_user = self.reaches_user(READ_USER, user_id)
        return self.scope(READ_USER, user_id) if is_user else self.scope(LIST_REGISTRATIONS)

    def _sheet(self, read: Callable[[int, Any], Page], event_id: str, query: dict[str, Any]) -> Response:
        event = events.read(event_id, scope=self.scope(LIST_REGISTRATIONS)).event
        table = sheet.Sheet(event.questions, query["separator"])
        collected = collect_pages(read, table.lines, page=MAX_LIMIT, query=query, request=self.request)
        content = b"".join([BOM if query["bom"] else b"", table.header, *collected.parts])
        name = f"{event_id}-{'registrations' if self.action == 'list' else self.action}.csv"
        return answer(content, collected.cursor, self.request, content_type=CONTENT_TYPE, name=name)


class AttendanceViewSet(OfUserViewSet):
    """A user's registrations, with the events they are for."""

    queries = {"registrations": AttendancesQuery, "waitlists": PageQuery}
    permission_of_action = {"registrations": READ_USER, "waitlists": READ_USER}

    def registrations(self, request: Request, user_id: str) -> Response:
        """One page of a user's registrations, or of those that wait."""
        query, scope = self.query(), self.scope(READ_USER, user_id)
        limit, after = query["limit"], pagination.read_cursor(query.get("cursor"), request)
        self.check_reach(READ_USER)
        status = query.get("status", WAITLISTED)  # the list of those that wait has no choice
        try:
            rows, following = attendances.of_user(user_id, status=status, limit=limit, after=after, scope=scope)
        except UserNotFound:
            if not self.is_me:  # a user who is signed in exists, at the latest from the first registration
                raise
            rows, following = [], None
        as_json = partial(shape_attendance, own=self.scope(CHANGE_EVENT))
        return self.listed(as_json, rows, following, lambda row: row.registration.event_id)

    waitlists = registrations


class CalendarViewSet(OfUserViewSet):
    """A user's seats as a calendar, and its secret address."""

    is_kept = False
    formats = {"retrieve": (CalendarRenderer,)}
    permission_of_action = {"retrieve": READ_USER, "renew": CHANGE_USER, "revoke": CHANGE_USER}

    def retrieve(self, request: Request, user_id: str) -> Response:
        """Answer with the calendar, or, as JSON, with its secret address."""
        user = self.enter(READ_USER) or services.read(user_id)
        return seats_of(user, self) if self.format == CalendarRenderer.format else self._address(user)

    def renew(self, request: Request, user_id: str) -> Response:
        """Make a new secret address, after which the old one leads nowhere."""
        self.enter(CHANGE_USER)
        return self._address(calendars.renew(user_id))

    def revoke(self, request: Request, user_id: str) -> Response:
        self.check_reach(CHANGE_USER)
        calendars.revoke(user_id)
        return Response(status=204)

    def _address(self, user: User) -> Response:
        """Answer with the secret address, which an admin does not see."""
        token = calendars.token_of(user) if self.caller in (user.user_id, None) else None
        return Response({"url": self.address("calendar", token) if token else None})


class FeedViewSet(BrowsableViewSet):
    """A user's calendar under its secret address, which needs no sign-in."""

    is_kept = False
    formats = {"retrieve": (CalendarRenderer,)}
    is_of_one_format = True
    permission_of_action = {"retrieve": SEE_EVENTS}

    def perform_content_negotiation(self, request: Request, force: Any = False) -> tuple[BaseRenderer, str]:
        """Return the one format that there is, whatever a calendar program accepts."""
        return CalendarRenderer(), CalendarRenderer.media_type

    def retrieve(self, request: Request, token: str) -> Response:
        return seats_of(calendars.owner_of(token), self)


def seats_of(user: User, view: BrowsableViewSet) -> Response:
    """Return a user's seats as a calendar to subscribe to."""
    entries = [entry_of(event, view) for event in attendances.seats_to_show(user.user_id)]
    return calendar_of(entries, view, file="my-events.ics", name=f"Events of {user.name}")


class ContactViewSet(BrowsableViewSet):
    """What organizers send to the people of an event, and what happened to its seats."""

    serializers = {"create": MessageSerializer}
    queries = {"list": PageQuery}
    permission_of_action = {"create": CHANGE_EVENT, "list": LIST_REGISTRATIONS}

    def create(self, request: Request, event_id: str) -> Response:
        from registrations.notices import organizer_messages

        keyed = self.keyed(f"POST /events/{event_id}/messages")
        scope = self.scope(CHANGE_EVENT)
        is_sent = organizer_messages.send(event_id, **self.body(), by=self.caller, scope=scope, keyed=keyed)
        return Response({"message": "The message is on its way." if is_sent else organizer_messages.NO_ONE}, 202)

    def list(self, request: Request, event_id: str) -> Response:
        """Answer with one page of the history of an event, the newest entry first."""
        from registrations.notices import history

        query, scope = self.query(), self.scope(LIST_REGISTRATIONS)
        after = pagination.read_cursor(query.get("cursor"), request)
        lines, following = history.page(event_id, scope=scope, limit=query["limit"], after=after)
        return self.listed(HistorySerializer().to_representation, lines, following, lambda line: line.cursor)
