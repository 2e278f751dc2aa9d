"""The tables at the configured endpoint: create the missing ones, and report differences from the models.

Nothing here alters an existing table, and only `remove` drops one. A model is compared as the CreateTable request that
would make its table. All raise one of `retries.FAILURES` if DynamoDB refuses or does not answer, or a table is not
active in time.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

from botocore.exceptions import ClientError
from django.conf import settings
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_exponential

from eventsite.dynamodb.base_model import BaseModel, table_models
from eventsite.dynamodb.connection import connection
from eventsite.dynamodb.explain import endpoint
from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable

ANSWER_SECONDS = 3.0
SETTLE_SECONDS = 180.0
FIRST_ITEMS = 100  # items; in the release before this one, every third item of the table was a user's registration
LOCAL_INDEXES, GLOBAL_INDEXES = "LocalSecondaryIndexes", "GlobalSecondaryIndexes"

Description = dict[str, Any]  # a table in the form of DescribeTable or CreateTable


def create_missing(*, tags: dict[str, str] | None = None, protect: bool = False) -> list[str]:
    """Create the missing tables, wait until they are active, and return their names.

    A table that another process creates at the same time is awaited too. To `protect` is to turn on deletion protection
    and point-in-time recovery.
    """
    missing = [model for model in table_models() if _describe(model.Meta.table_name) is None]
    made = [model for model in missing if _create(request_for(model, tags=tags or {}, protect=protect))]
    for model in missing:
        _SETTLING(_is_active, model.Meta.table_name)
    for model in made:
        finish(model, protect=protect)
    return [model.Meta.table_name for model in made]


def differences(*, protect: bool = False) -> list[str]:
    """Return a sentence for each difference between the tables and the models. `protect` is as in `create_missing`."""
    return [difference for model in table_models() for difference in _differences(model, protect)]


def existing() -> dict[str, Description]:
    names = [model.Meta.table_name for model in table_models()]
    return {name: description for name in names if (description := _describe(name))}


def remove(table: Description) -> None:
    """Delete a table with all its items, also if it is protected."""
    name = table["TableName"]
    if table.get("DeletionProtectionEnabled"):
        _call("UpdateTable", TableName=name, DeletionProtectionEnabled=False)
        _SETTLING(_is_active, name)
    _call("DeleteTable", TableName=name)


def with_other_keys() -> list[str]:
    """Return the tables that have other keys than the models, because another service or release uses them."""
    return [model.Meta.table_name for model in table_models() if _has_other_keys(model)]


def with_old_items() -> list[str]:
    """Return the tables in which the release before this one stored items, by a look at their first items."""
    return [model.Meta.table_name for model in table_models() if model.FORMER_ITEMS and _has_old_items(model)]


def _has_old_items(model: type[BaseModel]) -> bool:
    table, item = model.Meta.table_name, model.key_names()[-1]
    if _describe(table) is None or _has_other_keys(model):
        return False
    first = _call("Scan", TableName=table, Limit=FIRST_ITEMS)["Items"]
    return any(one[item]["S"].startswith(model.FORMER_ITEMS) for one in first)


# Asking


def _call(operation: str, **arguments: Any) -> dict[str, Any]:
    return connection().dispatch(operation, arguments)


def _describe(table: str) -> Description | None:
    connection()  # outside of the time limit: in a local run it starts the engine, which takes long on a busy machine
    try:
        with time_limit(ANSWER_SECONDS):
            description: Description = _call("DescribeTable", TableName=table)["Table"]
    except ClientError as error:
        if _code(error) == "ResourceNotFoundException":
            return None
        raise
    return description


def _is_active(table: str) -> bool:
    description = _describe(table) or {}
    states = [index["IndexStatus"] for index in description.get(GLOBAL_INDEXES, ()) if "IndexStatus" in index]
    return {description.get("TableStatus"), *states} == {"ACTIVE"}


def _ttl(table: str) -> str | None:
    found = _call("DescribeTimeToLive", TableName=table)["TimeToLiveDescription"]
    return found.get("AttributeName") if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") else None


def _can_recover(table: str) -> bool:
    described = _call("DescribeContinuousBackups", TableName=table)["ContinuousBackupsDescription"]
    recovery = described.get("PointInTimeRecoveryDescription", {})
    return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")


def _is_settling(error: BaseException) -> bool:
    return isinstance(error, ClientError) and _code(error) in (
        "ContinuousBackupsUnavailableException",
        "ResourceInUseException",
    )


def _not_settled(state: RetryCallState) -> NoReturn:
    raise Unavailable(f"A table at {endpoint()} did not settle within {SETTLE_SECONDS:g} seconds.")


_SETTLING = Retrying(
    retry=retry_if_result(lambda done: done is False) | retry_if_exception(_is_settling),
    wait=wait_exponential(multiplier=0.05, max=2),
    stop=stop_after_delay(SETTLE_SECONDS),
    retry_error_callback=_not_settled,
)


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


# Making


def request_for(model: type[BaseModel], *, tags: dict[str, str], protect: bool) -> Description:
    """Return the CreateTable request of a model's table.

    In a local run it has the stream that the model declares. A deployment turns streams on by itself.
    """
    schema: Any = model._get_schema()
    images = getattr(model.Meta, "stream_view_type", None) if settings.LOCAL else None
    types = {each["AttributeName"]: each["AttributeType"] for each in schema["attribute_definitions"]}
    request: Description = {
        "TableName": model.Meta.table_name,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "KeySchema": _hash_first(schema["key_schema"]),
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": protect,
        GLOBAL_INDEXES: [_index(index) for index in schema["global_secondary_indexes"]],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": images} if images else None,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return {name: value for name, value in request.items() if value not in ([], None)}


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {
        "IndexName": index["index_name"],
        "KeySchema": _hash_first(index["key_schema"]),
        "Projection": index["projection"],
    }


def _hash_first(schema: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(schema, key=lambda part: part["KeyType"])


def _create(request: Description) -> bool:
    """Create a table. Return False if there is one."""
    try:
        _call("CreateTable", **request)
    except ClientError as error:
        if _code(error) != "ResourceInUseException":
            raise
        return False
    return True


def finish(model: type[BaseModel], *, protect: bool) -> None:
    """Turn on the settings that CreateTable does not have: expiry and point-in-time recovery."""
    table = model.Meta.table_name
    if model.Meta.expires_by:
        specification = {"Enabled": True, "AttributeName": model.Meta.expires_by}
        _SETTLING(_call, "UpdateTimeToLive", TableName=table, TimeToLiveSpecification=specification)
    if protect:
        recovery = {"PointInTimeRecoveryEnabled": True}
        _SETTLING(_call, "UpdateContinuousBackups", TableName=table, PointInTimeRecoverySpecification=recovery)


# Comparing


def _differences(model: type[BaseModel], protect: bool) -> Iterator[str]:
    table = model.Meta.table_name
    found = _describe(table)
    if found is None:
        yield f"{table} does not exist."
        return
    wanted = request_for(model, tags={}, protect=protect)
    if _key(found, found) != _key(wanted, wanted):
        yield f"{table} has the key {_key(found, found)}; the model wants {_key(wanted, wanted)}."
    yield from _index_differences(table, _indexes(found), _indexes(wanted))
    billing = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if billing != wanted["BillingMode"]:
        yield f"{table} is billed as {billing}; the model wants {wanted['BillingMode']}."
    if (ttl := _ttl(table)) != model.Meta.expires_by:
        yield f"{table} expires its items by {ttl or 'nothing'}; the model wants {model.Meta.expires_by or 'nothing'}."
    if protect and not found.get("DeletionProtectionEnabled"):
        yield f"{table} is not protected from deletion."
    if protect and not _can_recover(table):
        yield f"{table} has no point-in-time recovery."


def _has_other_keys(model: type[BaseModel]) -> bool:
    found, wanted = _describe(model.Meta.table_name), request_for(model, tags={}, protect=False)
    return found is not None and _key(found, found) != _key(wanted, wanted)


def _index_differences(table: str, found: dict[str, str], wanted: dict[str, str]) -> Iterator[str]:
    for name in sorted(found.keys() | wanted.keys()):
        if name not in found:
            yield f"{table} lacks the index {name}, {wanted[name]}."
        elif name not in wanted:
            yield f"{table} has the index {name}, {found[name]}, which the model does not know."
        elif found[name] != wanted[name]:
            yield f"{table} has the index {name}, {found[name]}; the model wants {wanted[name]}."


def _indexes(table: Description) -> dict[str, str]:
    kinds = {"local": table.get(LOCAL_INDEXES) or (), "global": table.get(GLOBAL_INDEXES) or ()}
    return {
        index["IndexName"]: f"{kind} on {_key(index, table)} with {_projection(index['Projection'])}"
        for kind, indexes in kinds.items()
        for index in indexes
    }


def _key(holder: Description, table: Description) -> str:
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    parts = [part["AttributeName"] for part in _hash_first(holder["KeySchema"])]
    return ", ".join(f"{name} ({types.get(name, '?')})" for name in parts)


def _projection(projection: dict[str, Any]) -> str:
    if projection["ProjectionType"] == "ALL":
        return "all attributes"
    return ", ".join(["the keys", *sorted(projection.get("NonKeyAttributes", ()))])
