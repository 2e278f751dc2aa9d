"""The Lambda's handler of the queue: tasks go to `attempts`, and other messages are handled here.

{"error": …, "record": …}      a record that could not be published, put back by an operator
{"DDBStreamBatchInfo": …}      Lambda's report of records that failed for too long, put back by an operator
{"source": "aws.ses", …}       a bounce or a complaint (`feedback`)
"""

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from registrations.notices import aws
from registrations.notices.outlets import attempts
from registrations.notices.outlets import chosen as outlets
from registrations.notices.outlets.mail import feedback
from registrations.notices.queue.tasks import PermanentFailure, RetryLater
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord, as_for_lambda

NOTE = "DDBStreamBatchInfo"
GONE = ("ExpiredIteratorException", "ResourceNotFoundException", "TrimmedDataAccessException")
PAGES = 20
"""The most pages of a shard that are read for a batch. A batch is on one or two, but some pages are empty."""


def deliver(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Try a batch of the queue. Return the failed messages, each of which SQS delivers after a wait of its own."""
    return attempts.deliver(event, context, redeliver)


def redeliver(body: str) -> bool:
    """Handle the body of a message that is no task. A record that fails again is dead-lettered again.

    Returns:
        False if the message is a task.

    Raises:
        ValueError, TypeError: The body is not JSON.
        RetryLater: There is an outage.
        PermanentFailure: The stream has no such records any more.
    """
    letter = json.loads(body)
    if NOTE in letter:
        records = list(_of_the_stream(letter[NOTE]))
    elif "record" in letter:
        records = [_whole(letter["record"])]
    elif feedback.is_feedback(letter):
        feedback.record(letter)
        return True
    else:
        return False
    if stream.publish_records(records, outlets.publish):
        raise RetryLater("the outlets do not take it")
    return True


def _whole(record: StreamRecord) -> StreamRecord:
    if not record["dynamodb"].keys() & {"NewImage", "OldImage"}:
        raise PermanentFailure("its images were too large to be kept")
    return record


def _of_the_stream(note: dict[str, Any]) -> Iterator[StreamRecord]:
    """Yield the records of a report, in the format of Lambda."""
    last = int(note["endSequenceNumber"])
    try:
        for record in _from(note["streamArn"], note["shardId"], note["startSequenceNumber"]):
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= last:
                yield record
            if number >= last:
                return
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise PermanentFailure("the stream does not have it any more") from error
        raise RetryLater("the stream does not answer") from error
    except BotoCoreError as error:
        raise RetryLater("the stream does not answer") from error
    raise RetryLater("the stream does not show all of it")


def _from(arn: str, shard: str, first: str) -> Iterator[StreamRecord]:
    streams = aws.client("dynamodbstreams")
    where = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": first}
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **where)["ShardIterator"]
    for _ in range(PAGES):
        answer = streams.get_records(ShardIterator=iterator)
        yield from map(as_for_lambda, answer["Records"])
        if not (iterator := answer.get("NextShardIterator")):
            return
