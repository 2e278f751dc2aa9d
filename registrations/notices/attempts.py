"""The Lambda's handler of the queue: attempts to deliver its messages.

{"outlet": …, "notice": …}     a task of an outlet
{"error": …, "record": …}      a record of the stream that could not be published, put back by an operator
{"DDBStreamBatchInfo": …}      Lambda's report of records that failed for too long, put back by an operator
{"source": "aws.ses", …}       a bounce or a complaint (`mail.feedback`)

Each message is tried until it succeeds, with growing waits over a day (`WAITS`), then dead-lettered. The failure of one
message never repeats another.
"""

import json
import logging
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from botocore.exceptions import ClientError

from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable, log_exception
from eventsite.web import observability
from registrations.notices import aws, bus, history, outlets, queue, webhooks
from registrations.notices.mail import delivery as mail
from registrations.notices.mail import feedback
from registrations.notices.queue import PermanentFailure, RetryLater, Task
from registrations.notices.stream import handler as stream
from registrations.notices.stream.changes import StreamRecord, as_for_lambda

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
WAITS = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 10 * HOUR)  # seconds; over a day in all
JITTER = 0.1
LONGEST = 12 * HOUR  # seconds; SQS hides a message for at most this
ATTEMPTS = len(WAITS) + 1
AT_ONCE = 10
LEAVES_SECONDS = 3.0  # seconds of the Lambda's time, for the answer about the batch
REPORT = "DDBStreamBatchInfo"
GONE = ("ExpiredIteratorException", "ResourceNotFoundException", "TrimmedDataAccessException")
PAGES = 20  # of a shard, read for a batch at most; a batch is on one or two, but some pages are empty

CARRIERS: dict[str, Callable[[Task], list[Task]]] = {
    queue.BUS: bus.deliver,
    queue.WEBHOOK: webhooks.deliver,
    queue.MAIL: mail.deliver,
    queue.HISTORY: history.deliver,
}
"""The delivery of each outlet. Each returns further tasks, and raises `RetryLater` or `PermanentFailure`."""


def deliver(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Try a batch of the queue, as Lambda gets it. Return the failed messages, which SQS delivers again later."""
    records = event["Records"]
    seconds = context.get_remaining_time_in_millis() / 1000 - LEAVES_SECONDS
    threads = ThreadPoolExecutor(AT_ONCE)
    with time_limit(seconds):
        running = {threads.submit(copy_context().run, _deliver, record): record for record in records}
    finished, _ = wait(running, seconds)
    threads.shutdown(wait=False, cancel_futures=True)
    back = [record["messageId"] for future, record in running.items() if future not in finished or future.result()]
    observability.publish()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in back]}


def _deliver(record: dict[str, Any]) -> bool:
    """Try one message. Return True if it has to be delivered again."""
    seconds = attempt(record["body"], int(record["attributes"]["ApproximateReceiveCount"]))
    if seconds is not None:
        queue.postpone(record["receiptHandle"], seconds)
    return seconds is not None


def attempt(body: str, number: int) -> float | None:
    """Try a message for the 1-based `number` of times. This function raises no errors.

    Returns:
        The seconds until the next attempt, or None if there is none.
    """
    try:
        queue.send(_execute(json.loads(body)))
    except (PermanentFailure, RetryLater, *queue.OUTAGES) as error:
        if number < ATTEMPTS and not isinstance(error, PermanentFailure):
            return wait_after(number, getattr(error, "seconds", 0))
        return _over(body, error, "NoticesGivenUp", number)
    except Exception as error:
        log_exception(error, "a notice that cannot be delivered")
        return _over(body, error, "NoticesPoisoned", number)
    return None


def _execute(message: dict[str, Any]) -> list[Task]:
    """Execute a message and return further tasks. A record that fails again is dead-lettered again."""
    if REPORT in message:
        _publish(list(_reported(message[REPORT])))
    elif "record" in message:
        if not message["record"]["dynamodb"].keys() & {"NewImage", "OldImage"}:
            raise PermanentFailure("its images were too large to be kept")
        _publish([message["record"]])
    elif message.get("source") == feedback.SOURCE:
        feedback.record(message)
    else:
        task = Task.read(message)
        return CARRIERS[task.outlet](task)
    return []


def _publish(records: list[StreamRecord]) -> None:
    if stream.publish_records(records, outlets.publish):
        raise RetryLater("the outlets do not take it")


def _reported(report: dict[str, Any]) -> Iterator[StreamRecord]:
    last = int(report["endSequenceNumber"])
    try:
        for record in _from(report["streamArn"], report["shardId"], report["startSequenceNumber"]):
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= last:
                yield record
            if number >= last:
                return
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise PermanentFailure("the stream does not have it any more") from error
        raise
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


def wait_after(number: int, asked: float = 0) -> float:
    """Return the seconds until the next attempt: at least those that the receiver asked for."""
    due = WAITS[min(number, len(WAITS)) - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)
    return min(max(due, asked), LONGEST)


def _over(body: str, error: Exception, metric: str, number: int) -> float | None:
    """Dead-letter a message. If that fails too, return the wait until the next try."""
    is_ours = isinstance(error, RetryLater | PermanentFailure)  # others may quote the message
    reason = str(error) if is_ours else type(error).__qualname__
    try:
        queue.dead_letter(body, reason)
    except Unavailable:
        return wait_after(number)
    logger.error("a notice is given up: %s", reason)
    observability.count(metric)
    return None
