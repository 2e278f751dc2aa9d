"""The routes of users."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from eventsite import pagination
from eventsite.pagination import PageQuery
from eventsite.views import ApiViewSet
from users import directory
from users.serializers import UserSerializer


class UserViewSet(ApiViewSet):
    """Users: create, list and read them."""

    serializers = {"list": UserSerializer, "create": UserSerializer, "retrieve": UserSerializer}
    queries = {"list": PageQuery}

    def list(self, request: Request) -> Response:
        """One page of users."""
        query = self.query()
        after = pagination.place_of(query.get("cursor"), request)
        return self.listed(UserSerializer, *directory.page(limit=query["limit"], after=after))

    def create(self, request: Request) -> Response:
        """Create a user; with an Idempotency-Key, once however often it is sent."""
        user = directory.create(**self.body(), once=self.once("POST /users"))
        location = reverse("user", [user.user_id], request=request)
        return Response(UserSerializer(user).data, 201, headers={"Location": location})

    def retrieve(self, request: Request, user_id: str) -> Response:
        """Read a user."""
        return Response(UserSerializer(directory.read(user_id)).data)
