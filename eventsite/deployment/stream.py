"""The stream of the events table. It belongs to the table, not to the stack."""

from typing import Any

from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_exponential

IMAGES = "NEW_AND_OLD_IMAGES"
SETTLE_SECONDS = 120.0


class OtherImages(Exception):
    """The table has a stream with other images, for another program. The text has both view types."""


_SETTLING = Retrying(
    retry=retry_if_exception(lambda error: "ResourceInUse" in str(error)) | retry_if_result(lambda done: done is False),
    wait=wait_exponential(multiplier=0.2, max=5),
    stop=stop_after_delay(SETTLE_SECONDS),
    reraise=True,
)


def find(dynamodb: Any, table: str) -> str | None:
    """Return the ARN of the stream, or None if it is off.

    Raises:
        OtherImages: The stream has other images than notices need.
    """
    try:
        found = dynamodb.describe_table(TableName=table)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    specification = found.get("StreamSpecification") or {}
    if not specification.get("StreamEnabled"):
        return None
    if specification["StreamViewType"] != IMAGES:
        raise OtherImages(f"The stream of table {table} has {specification['StreamViewType']}; notices need {IMAGES}.")
    return str(found["LatestStreamArn"])


def turn_on(dynamodb: Any, table: str) -> str:
    """Turn the stream on if it is off, and return its ARN.

    Raises:
        OtherImages: The stream has other images than notices need.
    """
    if find(dynamodb, table) is None:
        _update(dynamodb, table, {"StreamEnabled": True, "StreamViewType": IMAGES})
    return find(dynamodb, table) or ""


def turn_off(dynamodb: Any, lambda_: Any, table: str) -> bool:
    """Turn the stream off, unless a function reads it.

    A stream that stays on keeps a day of changes. A stage that is deployed within that day would send notices of them.

    Returns:
        True if the stream was turned off.
    """
    try:
        arn = find(dynamodb, table)
    except OtherImages:
        return False
    if arn is None or _has_readers(lambda_, arn):
        return False
    _update(dynamodb, table, {"StreamEnabled": False})
    return True


def _has_readers(lambda_: Any, arn: str) -> bool:
    found = lambda_.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    return any(mapping.get("State") != "Deleting" for mapping in found)


def _update(dynamodb: Any, table: str, specification: dict[str, Any]) -> None:
    _SETTLING(dynamodb.update_table, TableName=table, StreamSpecification=specification)
    _SETTLING(lambda: dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE")
