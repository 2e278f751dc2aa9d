"""The Lambda's entry for the queue: tasks go to `delivery`, and what an operator has put back is told once more.

That is records of the stream that were set aside:

{"error": …, "record": …}      a record of which nothing could be made (`poison`)
{"DDBStreamBatchInfo": …}      Lambda's own note: which records of the stream failed for too long
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
"""A note is about a batch, which is on one page or two; some pages of a stream are empty."""


def deliver(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Carry out a batch of the queue. Returns: which messages are to come back, each after a wait of its own."""
    return attempts.deliver(event, context, tell_again)


def tell_again(body: str) -> bool:
    """Tell what was set aside. What cannot be told even now is set aside anew, by itself.

    Takes: the body of a message. Returns: False where it is about something else.
    Raises: `ValueError`, `TypeError` where it is not JSON; `RetryLater` in an outage; `PermanentFailure` where the
    records are nowhere any more.
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
    if stream.tell(records, outlets.publish):
        raise RetryLater("the outlets do not take it")
    return True


def _whole(record: StreamRecord) -> StreamRecord:
    if not record["dynamodb"].keys() & {"NewImage", "OldImage"}:
        raise PermanentFailure("its images were too large to be kept")
    return record


def _of_the_stream(note: dict[str, Any]) -> Iterator[StreamRecord]:
    """The records that a note is about, while the stream still has them, in the form in which Lambda is handed them."""
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
        told = streams.get_records(ShardIterator=iterator)
        yield from map(as_for_lambda, told["Records"])
        if not (iterator := told.get("NextShardIterator")):
            return
