"""The least that FastAPI and boto3 can be for the same calls: what the benchmark compares the service with.

One table, low-level calls, pydantic in and out. It keeps the capacity and a queue, and does nothing else that the
service does: no problem documents, signed cursors, idempotency keys, ETags, retries of conflicts, sign-in, pages for
people, logs or metrics. Handlers are ``async`` though boto3 blocks: in a Lambda, which has one request at a time, that
is the cheaper way.
"""

import os
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from fastapi import FastAPI, HTTPException, Query
from mangum import Mangum

from tests.bench.rival_models import Attendance, Changes, NewEvent, NewName, Registration, StoredEvent, User, Who

TABLE = os.environ.get("RIVAL_TABLE_NAME", "rival")
KEYS = [("pk", "HASH"), ("sk", "RANGE")]
INDEXES = {"status": ("status", "sort"), "kind": ("kind", "sort"), "user": ("userId", "sk")}

client = boto3.client("dynamodb")
app = FastAPI()
handler = Mangum(app, lifespan="off")
_pack, _unpack = TypeSerializer().serialize, TypeDeserializer().deserialize


def create_table() -> None:
    """Make the table."""
    names = {name for keys in INDEXES.values() for name in keys} | {name for name, _ in KEYS}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(names)],
        KeySchema=_schema(*KEYS),
        GlobalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": _schema((keys[0], "HASH"), (keys[1], "RANGE")),
                "Projection": {"ProjectionType": "ALL"},
            }
            for name, keys in INDEXES.items()
        ],
    )


def _schema(*keys: tuple[str, str]) -> Any:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in keys]


def item_of(values: dict[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB takes it."""
    return {name: _pack(value) for name, value in values.items()}


def _values(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _unpack(value) for name, value in item.items()}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def event_item(event: StoredEvent) -> dict[str, Any]:
    """An event's item."""
    keys = {"pk": event.eventId, "sk": "event", "kind": "event", "sort": f"{event.date}#{event.eventId}"}
    return item_of(event.model_dump() | keys)


def _get(pk: str, sk: str) -> dict[str, Any]:
    found = client.get_item(TableName=TABLE, Key=_key(pk, sk), ConsistentRead=True).get("Item")
    if not found:
        raise HTTPException(404)
    return _values(found)


def _now() -> str:
    return datetime.now(UTC).isoformat()


@app.get("/")
async def root() -> dict[str, str]:
    """Where to begin."""
    return {"events": "/events", "users": "/users"}


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the table is there."""
    return {"status": client.describe_table(TableName=TABLE)["Table"]["TableStatus"]}


@app.post("/events", status_code=201)
async def create_event(event: NewEvent) -> StoredEvent:
    """Create an event."""
    chosen = {"eventId": event.eventId or str(uuid.uuid4()), "createdAt": _now()}
    stored = StoredEvent(**event.model_dump() | chosen)
    client.put_item(TableName=TABLE, Item=event_item(stored), ConditionExpression="attribute_not_exists(pk)")
    return stored


@app.get("/events/{event_id}")
async def read_event(event_id: str) -> StoredEvent:
    """Read an event."""
    return StoredEvent(**_get(event_id, "event"))


@app.put("/events/{event_id}")
@app.patch("/events/{event_id}")
async def edit_event(event_id: str, changes: Changes) -> StoredEvent:
    """Change an event's title."""
    event = StoredEvent(**_get(event_id, "event"))
    answer = client.update_item(
        TableName=TABLE,
        Key=_key(event_id, "event"),
        UpdateExpression="SET title = :title, version = :next",
        ConditionExpression="version = :version",
        ExpressionAttributeValues=item_of(
            {":title": changes.title, ":version": event.version, ":next": event.version + 1}
        ),
        ReturnValues="ALL_NEW",
    )
    return StoredEvent(**_values(answer["Attributes"]))


@app.delete("/events/{event_id}", status_code=204)
async def delete_event(event_id: str) -> None:
    """Delete an event without registrations."""
    client.delete_item(
        TableName=TABLE,
        Key=_key(event_id, "event"),
        ConditionExpression="registeredCount = :none",
        ExpressionAttributeValues={":none": {"N": "0"}},
    )


@app.get("/events")
async def list_events(status: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 100) -> list[StoredEvent]:
    """A page of the events of one status, or of all, by date."""
    index, value = ("status", status) if status else ("kind", "event")
    return [StoredEvent(**values) for values in _query(index, index, value, limit)]


def _query(index: str, name: str, value: str, limit: int) -> list[dict[str, Any]]:
    answer = client.query(
        TableName=TABLE,
        IndexName=index,
        KeyConditionExpression="#name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": {"S": value}},
        Limit=limit,
    )
    return [_values(item) for item in answer["Items"]]


@app.post("/users", status_code=201)
async def create_user(user: User) -> User:
    """Create a user."""
    item = item_of({"pk": user.userId, "sk": "user", "kind": "user", "sort": user.userId, **user.model_dump()})
    client.put_item(TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)")
    return user


@app.get("/users/{user_id}")
async def read_user(user_id: str) -> User:
    """Read a user."""
    return User(**_get(user_id, "user"))


@app.get("/users")
async def list_users(limit: Annotated[int, Query(ge=1, le=100)] = 100) -> list[User]:
    """A page of users."""
    return [User(**values) for values in _query("kind", "kind", "user", limit)]


@app.put("/users/{user_id}")
@app.patch("/users/{user_id}")
async def edit_user(user_id: str, name: NewName) -> User:
    """Change a user's name."""
    answer = client.update_item(
        TableName=TABLE,
        Key=_key(user_id, "user"),
        UpdateExpression="SET #name = :name",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": name.name}},
        ReturnValues="ALL_NEW",
    )
    return User(**_values(answer["Attributes"]))


@app.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: str) -> None:
    """Delete a user who is registered for nothing."""
    if not _query("user", "userId", user_id, 2)[1:]:
        client.delete_item(TableName=TABLE, Key=_key(user_id, "user"))


@app.post("/events/{event_id}/register", status_code=201)
@app.post("/events/{event_id}/registrations", status_code=201)
async def register(event_id: str, who: Who) -> Registration:
    """Take a seat, or a place in the queue."""
    for state, count, condition in (
        ("registered", "registeredCount", "registeredCount < #capacity"),
        ("waitlisted", "waitlistCount", "waitlistEnabled = :true"),
    ):
        row = Registration(eventId=event_id, userId=who.userId, state=state, registeredAt=_now())
        if _seat(row, count, condition):
            return row
    raise HTTPException(409)


def _seat(row: Registration, count: str, condition: str) -> bool:
    keys = {
        "pk": row.eventId,
        "sk": f"r#{row.userId}",
        "status": f"{row.eventId}#{row.state}",
        "sort": row.registeredAt,
    }
    names = {"#capacity": "capacity"} if "#" in condition else {}
    values = {":one": {"N": "1"}} | ({":true": {"BOOL": True}} if ":true" in condition else {})
    counted = {
        "TableName": TABLE,
        "Key": _key(row.eventId, "event"),
        "UpdateExpression": f"ADD {count} :one",
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    } | ({"ExpressionAttributeNames": names} if names else {})
    put = {
        "TableName": TABLE,
        "Item": item_of(row.model_dump() | keys),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    user = {"TableName": TABLE, "Key": _key(row.userId, "user"), "ConditionExpression": "attribute_exists(pk)"}
    items: Any = [{"Update": counted}, {"Put": put}, {"ConditionCheck": user}]
    try:
        client.transact_write_items(TransactItems=items, ClientRequestToken=str(uuid.uuid4()))
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons") or [{}]
        if reasons[0].get("Code") == "ConditionalCheckFailed":
            return False
        raise
    return True


@app.delete("/events/{event_id}/register/{user_id}")
@app.delete("/events/{event_id}/registrations/{user_id}")
async def leave(event_id: str, user_id: str) -> dict[str, str | None]:
    """Give a seat, or a place in the queue, up; the head of the queue gets the seat."""
    row = _get(event_id, f"r#{user_id}")
    heads = _query("status", "status", f"{event_id}#waitlisted", 1) if row["state"] == "registered" else []
    gone = {"TableName": TABLE, "Key": _key(event_id, f"r#{user_id}"), "ConditionExpression": "attribute_exists(pk)"}
    waits = bool(heads) or row["state"] == "waitlisted"
    counted = {
        "TableName": TABLE,
        "Key": _key(event_id, "event"),
        "UpdateExpression": f"ADD {'waitlistCount' if waits else 'registeredCount'} :less",
        "ExpressionAttributeValues": {":less": {"N": "-1"}},
    }
    items: Any = [{"Delete": gone}, {"Update": counted}]
    if heads:
        items.append({"Update": _promotion(event_id, heads[0]["userId"])})
    client.transact_write_items(TransactItems=items, ClientRequestToken=str(uuid.uuid4()))
    return {"promotedUser": heads[0]["userId"] if heads else None}


def _promotion(event_id: str, user_id: str) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": _key(event_id, f"r#{user_id}"),
        "UpdateExpression": "SET #state = :state, #status = :status",
        "ConditionExpression": "#state = :waits",
        "ExpressionAttributeNames": {"#state": "state", "#status": "status"},
        "ExpressionAttributeValues": item_of(
            {":state": "registered", ":status": f"{event_id}#registered", ":waits": "waitlisted"}
        ),
    }


@app.put("/events/{event_id}/registrations/{user_id}/check-in")
async def check_in(event_id: str, user_id: str) -> Attendance:
    """Check in a user who has a seat."""
    return _noted(event_id, user_id, "SET checkedInAt = if_not_exists(checkedInAt, :now)", {":now": _now()})


@app.delete("/events/{event_id}/registrations/{user_id}/check-in")
async def check_out(event_id: str, user_id: str) -> Attendance:
    """Take that back."""
    return _noted(event_id, user_id, "REMOVE checkedInAt", {})


def _noted(event_id: str, user_id: str, change: str, values: dict[str, str]) -> Attendance:
    answer = client.update_item(
        TableName=TABLE,
        Key=_key(event_id, f"r#{user_id}"),
        UpdateExpression=change,
        ConditionExpression="#state = :registered",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues=item_of(values | {":registered": "registered"}),
        ReturnValues="ALL_NEW",
    )
    return Attendance(**_values(answer["Attributes"]))


@app.get("/events/{event_id}/registrations")
async def list_registrations(event_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 100) -> list[Registration]:
    """A page of those who have a seat."""
    return [Registration(**values) for values in _query("status", "status", f"{event_id}#registered", limit)]


@app.get("/events/{event_id}/waitlist")
async def list_waitlist(event_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 100) -> list[Registration]:
    """A page of those who wait."""
    return [Registration(**values) for values in _query("status", "status", f"{event_id}#waitlisted", limit)]


@app.get("/events/{event_id}/registrations/{user_id}")
async def read_registration(event_id: str, user_id: str) -> Registration:
    """Read a registration, without the place in the queue."""
    return Registration(**_get(event_id, f"r#{user_id}"))


@app.get("/users/{user_id}/registrations")
async def list_users_registrations(user_id: str) -> list[dict[str, Any]]:
    """A user's registrations with their events."""
    return _attendances(user_id, "registered")


@app.get("/users/{user_id}/waitlists")
async def list_users_waitlists(user_id: str) -> list[dict[str, Any]]:
    """What a user waits for."""
    return _attendances(user_id, "waitlisted")


def _attendances(user_id: str, state: str) -> list[dict[str, Any]]:
    found = [values for values in _query("user", "userId", user_id, 100) if values.get("state") == state]
    rows = [Registration(**values) for values in found]
    keys = [_key(row.eventId, "event") for row in rows]
    answer = client.batch_get_item(RequestItems={TABLE: {"Keys": keys}}) if keys else {"Responses": {TABLE: []}}
    events = {event["eventId"]["S"]: StoredEvent(**_values(event)) for event in answer["Responses"][TABLE]}
    return [row.model_dump() | {"event": events[row.eventId].model_dump()} for row in rows]
