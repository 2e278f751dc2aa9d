"""The stream of the events table. It belongs to the table, not to the stack."""

from contextlib import suppress
from typing import Any

from click import ClickException

IMAGES = "NEW_AND_OLD_IMAGES"
PATIENCE = {"Delay": 1, "MaxAttempts": 120}  # seconds, polls


def find(dynamodb: Any, table: str) -> str:
    """Return the ARN of the stream, or an empty string if it is off. One of another program is a ClickException."""
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return ""
    images = (found.get("StreamSpecification") or {}).get("StreamViewType")
    if images not in (None, IMAGES):
        raise ClickException(f"The stream of table {table} has {images}; notices need {IMAGES}.")
    return str(found["LatestStreamArn"]) if images else ""


def turn_on(dynamodb: Any, table: str) -> str:
    """Turn the stream on if it is off, and return its ARN."""
    if not find(dynamodb, table):
        _update(dynamodb, table, {"StreamEnabled": True, "StreamViewType": IMAGES})
    return find(dynamodb, table)


def turn_off(dynamodb: Any, lambda_: Any, table: str) -> bool:
    """Turn the stream off, unless another function reads it. Return True if it was turned off.

    A stream that stays on keeps a day of changes. A stage that is deployed within that day would send notices of them.
    """
    with suppress(ClickException):  # it is another program's
        arn = find(dynamodb, table)
        readers = lambda_.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"] if arn else []
        if arn and all(mapping.get("State") == "Deleting" for mapping in readers):
            _update(dynamodb, table, {"StreamEnabled": False})
            return True
    return False


def _update(dynamodb: Any, table: str, specification: dict[str, Any]) -> None:
    active = dynamodb.get_waiter("table_exists")
    active.wait(TableName=table, WaiterConfig=PATIENCE)  # DynamoDB refuses an update during another one
    dynamodb.update_table(TableName=table, StreamSpecification=specification)
    active.wait(TableName=table, WaiterConfig=PATIENCE)
