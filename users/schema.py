"""What the OpenAPI document says about users."""

from eventsite.errors import Forbidden
from eventsite.openapi.document import Call, describe, path_id
from users.directory import UserExists, UserNotFound
from users.serializers import UserSerializer

ALICE = {"userId": "alice", "name": "Alice", "createdAt": "2027-01-31T09:30:00.000000Z"}

path_id("userId", example="alice")

describe(
    "POST /users",
    call=Call(
        name="createUser",
        summary="Create a user",
        answer=UserSerializer,
        status=201,
        body={"userId": "alice", "name": "Alice"},
        example=ALICE,
        takes=("Idempotency-Key",),
        gives=("Location",),
        refusals=(Forbidden, UserExists),
    ),
)
describe(
    "GET /users",
    call=Call(
        name="listUsers",
        summary="List users",
        description="One page, in no particular but a steady order.",
        answer=UserSerializer,
        many=True,
        example=[ALICE],
        gives=("Link",),
        refusals=(Forbidden,),
    ),
)
describe(
    "GET /users/{userId}",
    call=Call(
        name="getUser",
        summary="Read a user",
        answer=UserSerializer,
        example=ALICE,
        refusals=(UserNotFound,),
    ),
)
