"""The routes of registrations, under events and under users."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from eventsite.auth.permissions import LIST_REGISTRATIONS, READ_DRAFT, READ_USER, REGISTER
from eventsite.web import pagination
from eventsite.web.pagination import PageQuery
from eventsite.web.viewsets import ApiViewSet, caller
from registrations import pages, seating
from registrations.models import WAITLISTED, cursor_of
from registrations.serializers import (
    AttendanceSerializer,
    LeftSerializer,
    RegisteredSerializer,
    RegistrationRequestSerializer,
    RegistrationSerializer,
    RegistrationsQuery,
)
from users.directory import UserNotFound


class RegistrationViewSet(ApiViewSet):
    """An event's registrations: sign up, look, leave."""

    serializers = {"create": RegistrationRequestSerializer}
    queries = {"list": RegistrationsQuery, "waitlist": PageQuery}
    permission_of_action = {
        "list": LIST_REGISTRATIONS,
        "waitlist": LIST_REGISTRATIONS,
        "create": REGISTER,
        "retrieve": READ_USER,
        "destroy": REGISTER,
    }

    def list(self, request: Request, event_id: str) -> Response:
        """One page of an event's registrations: who has a seat, then who waits."""
        query = self.query()
        return self._page(event_id, query["status"], query)

    def waitlist(self, request: Request, event_id: str) -> Response:
        """One page of an event's queue, in order."""
        return self._page(event_id, WAITLISTED, self.query())

    def create(self, request: Request, event_id: str) -> Response:
        """Register a user: a seat if one is free, else a place in the queue if there is one."""
        user_id = self.body().get("user_id") or caller(request) or ""  # required where nobody is signed in
        registration = seating.register(
            event_id,
            user_id,
            owner=self._owner(REGISTER, user_id),
            drafts_of=self.owner(READ_DRAFT),
            keyed=self.keyed(f"POST /events/{event_id}/registrations"),
        )
        location = reverse("registration", [event_id, user_id], request=request)
        return Response(RegisteredSerializer(registration).data, 201, headers={"Location": location})

    def retrieve(self, request: Request, event_id: str, user_id: str) -> Response:
        """Read a user's registration for an event."""
        owner = None if self.reaches_user(READ_USER, user_id) else self.owner(LIST_REGISTRATIONS)
        return Response(RegistrationSerializer(seating.read(event_id, user_id, owner=owner)).data)

    def destroy(self, request: Request, event_id: str, user_id: str) -> Response:
        """Give up a seat or a place in the queue; a freed seat goes to whoever is next."""
        promoted = seating.leave(event_id, user_id, owner=self._owner(REGISTER, user_id))
        message = "The registration is cancelled." + (" The next in line has the seat." if promoted else "")
        return Response(LeftSerializer({"message": message, "promotedUser": promoted}).data)

    def _page(self, event_id: str, status: str, query: dict[str, Any]) -> Response:
        after = pagination.read_cursor(query.get("cursor"), self.request)
        rows, following = pages.of_event(
            event_id, status=status, limit=query["limit"], after=after, owner=self.owner(LIST_REGISTRATIONS)
        )
        return self.listed(RegistrationSerializer, rows, following, cursor_of)

    def _owner(self, call: str, user_id: str) -> str | None:
        """Who must own the event, so that the caller may do this to the user: anybody where it needs no owner."""
        return None if self.reaches_user(call, user_id) else self.owner(call)


class AttendanceViewSet(ApiViewSet):
    """A user's registrations, with the events they are for."""

    queries = {"registrations": RegistrationsQuery, "waitlists": PageQuery}
    permission_of_action = {"registrations": READ_USER, "waitlists": READ_USER}

    def registrations(self, request: Request, user_id: str) -> Response:
        """One page of a user's registrations."""
        query = self.query()
        return self._page(user_id, query["status"], query)

    def waitlists(self, request: Request, user_id: str) -> Response:
        """One page of the events a user waits for."""
        return self._page(user_id, WAITLISTED, self.query())

    def _page(self, user_id: str, status: str, query: dict[str, Any]) -> Response:
        after = pagination.read_cursor(query.get("cursor"), self.request)
        if not self.reaches_user(READ_USER, user_id):
            raise UserNotFound
        rows, following = pages.of_user(
            user_id, status=status, limit=query["limit"], after=after, drafts_of=self.owner(READ_DRAFT)
        )
        return self.listed(AttendanceSerializer, rows, following, lambda row: cursor_of(row.registration))
