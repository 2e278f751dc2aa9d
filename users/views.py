"""The routes of users."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from eventsite.auth import permissions
from eventsite.auth.permissions import CREATE_USER, LIST_USERS, READ_USER, Reach
from eventsite.errors import Forbidden
from eventsite.web import pagination
from eventsite.web.pagination import PageQuery
from eventsite.web.viewsets import ApiViewSet, caller
from users import directory
from users.serializers import UserSerializer


class UserViewSet(ApiViewSet):
    """Users: create, list and read them."""

    serializers = {"create": UserSerializer}
    queries = {"list": PageQuery}
    permission_of_action = {"list": LIST_USERS, "create": CREATE_USER, "retrieve": READ_USER}

    def list(self, request: Request) -> Response:
        """One page of users."""
        query = self.query()
        after = pagination.read_cursor(query.get("cursor"), request)
        found, following = directory.page(limit=query["limit"], after=after)
        return self.listed(UserSerializer, found, following, lambda user: user.user_id)

    def create(self, request: Request) -> Response:
        """Create a user; with an Idempotency-Key, once however often it is sent."""
        user = directory.create(**self._allowed(self.body()), keyed=self.keyed("POST /users"))
        location = reverse("user", [user.user_id], request=request)
        return Response(UserSerializer(user).data, 201, headers={"Location": location})

    def retrieve(self, request: Request, user_id: str) -> Response:
        """Read a user."""
        if not self.reaches_user(READ_USER, user_id):
            raise directory.UserNotFound
        return Response(UserSerializer(directory.read(user_id)).data)

    def _allowed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of the new user: oneself, unless the caller may create anyone. Raises `Forbidden`."""
        if permissions.reach(CREATE_USER, permissions.principal_of(self.request)) is Reach.ALL:
            return fields
        me = caller(self.request)
        if fields.setdefault("user_id", me) != me:
            raise Forbidden("You may only create yourself: leave userId out, or send the sub of your token.")
        return fields
