"""The calls of users in the OpenAPI document."""

from dataclasses import replace
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension

from eventsite.errors import Forbidden
from eventsite.openapi.calls import CALLS, QUERY_EXAMPLES, TAGS, Call, changing_something
from eventsite.openapi.components import Json, path_id
from users.serializers import ListedUserSerializer, UserSerializer
from users.services import UserExists, UserNotFound

ALICE: Json = {"userId": "alice", "name": "Alice", "email": "alice@example.com"}
ALICE |= {"emailVerified": True, "notify": True, "createdAt": "2083-01-31T09:30:00.000000Z"}

TAGS["users"] = "The people who register."
path_id("userId", example="alice")
QUERY_EXAMPLES |= {"name": "ali", "email": "alice@example.com"}


class ChangesSchema(OpenApiSerializerExtension):
    """The body of an edit changes something."""

    target_class = "users.serializers.UserChangesSerializer"

    def map_serializer(self, auto_schema: Any, direction: Any) -> Json:
        schema: Json = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return changing_something(schema)


CHANGE = Call(
    name="updateUser",
    summary="Change a user",
    description="Only the fields sent are changed; PUT and PATCH do the same. A null takes the e-mail address away.",
    answer=UserSerializer,
    body={"email": "alice@example.com"},
    example=ALICE,
    refusals=(UserNotFound,),
)
CALLS |= {
    "POST /users": Call(
        name="createUser",
        summary="Create a user",
        answer=UserSerializer,
        status=201,
        body={"name": "Alice", "email": "alice@example.com"},  # without an id, so that it can be sent again
        example=ALICE,
        takes=("Idempotency-Key",),
        gives=("Location",),
        refusals=(Forbidden, UserExists),
    ),
    "GET /users": Call(
        name="listUsers",
        summary="List users",
        description="One page: all users in a steady order, or those found by a name or an address. Organizers find "
        "people by their exact address only, and see who they are.",
        answer=ListedUserSerializer,
        many=True,
        example=[ALICE],
        refusals=(Forbidden,),
    ),
    "GET /users/{userId}": Call(
        name="getUser",
        summary="Read a user",
        description="The signed-in user is also found under the name `me`, and is created by the first read of it.",
        answer=UserSerializer,
        example=ALICE,
        refusals=(UserNotFound,),
    ),
    "PUT /users/{userId}": CHANGE,
    "PATCH /users/{userId}": replace(CHANGE, name="patchUser"),
    "DELETE /users/{userId}": Call(
        name="deleteUser",
        summary="Delete a user",
        description="Gives up every seat and every place in a queue, each seat to the next person in line, and forgets "
        "the history. Safe to repeat when it was cut off.",
        status=204,
        refusals=(UserNotFound,),
    ),
}
