"""The stream of the events table: turned on for notices, and off when nothing reads it any more."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from click import ClickException

from eventsite.deployment import stream

TABLE = "streamed-events"


def packed() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("main.py", "def handler(event, context):\n    return {'batchItemFailures': []}\n")
    return archive.getvalue()


@pytest.fixture
def dynamodb(aws: Any) -> Iterator[Any]:
    keys = [("eventId", "HASH"), ("item", "RANGE")]
    aws("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    yield aws("dynamodb")
    aws("dynamodb").delete_table(TableName=TABLE)


def test_it_is_turned_on_once_with_both_images(dynamodb: Any) -> None:
    assert stream.find(dynamodb, TABLE) == ""
    arn = stream.turn_on(dynamodb, TABLE)
    assert stream.turn_on(dynamodb, TABLE) == arn == stream.find(dynamodb, TABLE)
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["LatestStreamArn"] == arn


def test_it_is_turned_off_once(dynamodb: Any, aws: Any) -> None:
    stream.turn_on(dynamodb, TABLE)
    assert stream.turn_off(dynamodb, aws("lambda"), TABLE)
    assert stream.find(dynamodb, TABLE) == ""
    assert not stream.turn_off(dynamodb, aws("lambda"), TABLE)


def test_without_a_table_there_is_none(aws: Any) -> None:
    assert stream.find(aws("dynamodb"), "nowhere") == ""


def test_a_stream_that_a_function_reads_stays_on(dynamodb: Any, aws: Any) -> None:
    arn = stream.turn_on(dynamodb, TABLE)
    aws("lambda").create_function(
        FunctionName="others",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/others",
        Handler="main.handler",
        Code={"ZipFile": packed()},
    )
    theirs = aws("lambda").create_event_source_mapping(
        FunctionName="others", EventSourceArn=arn, StartingPosition="LATEST"
    )
    assert not stream.turn_off(dynamodb, aws("lambda"), TABLE)
    aws("lambda").delete_event_source_mapping(UUID=theirs["UUID"])
    assert stream.turn_off(dynamodb, aws("lambda"), TABLE)


def test_a_stream_of_other_images_is_left_alone(dynamodb: Any, aws: Any) -> None:
    specification = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    dynamodb.update_table(TableName=TABLE, StreamSpecification=specification)
    with pytest.raises(ClickException, match="KEYS_ONLY; notices need NEW_AND_OLD_IMAGES"):
        stream.turn_on(dynamodb, TABLE)
    assert not stream.turn_off(dynamodb, aws("lambda"), TABLE)
