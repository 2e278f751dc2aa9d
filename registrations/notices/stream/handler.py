"""The Lambda's handler of the events table's stream: it publishes the notices of the records, in order.

Each notice is published at least once. If an outlet or DynamoDB does not answer, Lambda delivers the batch again from
that record (``ReportBatchItemFailures``). A record that cannot be read would be delivered again and again and block its
shard, so it is dead-lettered and counted, and the rest continues.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import Unavailable, log_exception
from eventsite.web import observability
from registrations.notices import outlets, queue
from registrations.notices.stream import changes, progress
from registrations.notices.stream.changes import Change, StreamRecord
from registrations.notices.stream.holders import Holders, knowing

OUTAGES = queue.OUTAGES

LEAVES_SECONDS = 2.0  # seconds of the Lambda's time, for the answer
ONE_GROUP_SECONDS = 8.0  # seconds; with less time left, no group is begun, and the rest is delivered again at once
WAITING = "notices wait"
MOST_BYTES = 200_000  # a message of SQS has at most 256 KB; larger images are left out
GROUP = 500  # notices that are published together; one record, or a part of it, may have more

Publish = Callable[[Sequence[CloudEvent]], None]
Published = tuple[StreamRecord, list[CloudEvent]]


def follow(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the notices of a batch of the stream's records.

    The metrics are `Notices`, `NoticesPoisoned` and `NoticeAgeSeconds` (the age of the oldest change of the batch).

    Returns:
        The first record that Lambda has to deliver again, if there is one.
    """
    records: list[StreamRecord] = event["Records"]
    with time_limit(context.get_remaining_time_in_millis() / 1000 - LEAVES_SECONDS):
        rest = publish_records(records, outlets.publish)
    observability.count("NoticeAgeSeconds", _age(records), unit="Seconds")
    observability.publish()
    return {"batchItemFailures": [{"itemIdentifier": rest["dynamodb"]["SequenceNumber"]}] if rest else []}


def publish_records(records: Iterable[StreamRecord], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records in their order. Return the first record to deliver again, if any."""
    records = list(records)
    holders = knowing(records)
    group: list[Published] = []
    for record in records:
        try:
            change = changes.read(record)
            is_long = change.parts > 1
            group.append((record, [] if is_long else change.part(0, holders)))
        except Exception as error:
            if not _is_over(record, error):
                return _publish(group, publish) or record
            continue
        if is_long or sum(len(notices) for _, notices in group) >= GROUP:
            if failed := _publish(group, publish):
                return failed
            group = []
        if is_long and (failed := _publish_in_parts(record, change, holders, publish)):
            return failed
    return _publish(group, publish)


def _publish_in_parts(record: StreamRecord, change: Change, holders: Holders, publish: Publish) -> StreamRecord | None:
    """Publish a record with many promotions part by part. Return it if it has to be delivered again."""
    try:
        for number in range(progress.parts_published(record), change.parts):
            if time_left() < ONE_GROUP_SECONDS:
                return record
            _send(change.part(number, holders), publish)
            progress.keep(record, number + 1)
        progress.forget(record)
    except Exception as error:
        return None if _is_over(record, error) else record
    return None


def _publish(group: list[Published], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records. Return the first record to deliver again, if any."""
    notices = [notice for _, those in group for notice in those]
    if not notices:
        return None
    if time_left() < ONE_GROUP_SECONDS:
        return group[0][0]
    try:
        _send(notices, publish)
    except Exception as error:
        if _is_outage(error):
            log_exception(error, WAITING)
            return group[0][0]
        return _publish_one_by_one(group, publish)
    return None


def _publish_one_by_one(group: list[Published], publish: Publish) -> StreamRecord | None:
    for record, notices in group:
        try:
            _send(notices, publish)
        except Exception as error:
            if not _is_over(record, error):
                return record
    return None


def _send(notices: list[CloudEvent], publish: Publish) -> None:
    if notices:
        publish(notices)
        observability.count("Notices", len(notices))


def _is_outage(error: Exception) -> bool:
    return isinstance(error, OUTAGES) and not isinstance(error, UnreadableItem)  # an unreadable item stays unreadable


def _is_over(record: StreamRecord, error: Exception) -> bool:
    """Dead-letter a record that could not be published. Return False if Lambda has to deliver it again."""
    if _is_outage(error):
        log_exception(error, WAITING)
        return False
    log_exception(error, "a notice that cannot be published")
    try:
        queue.dead_letter(message_of(record, error))
    except Unavailable as outage:
        log_exception(outage, "the dead-letter queue takes nothing")
        return False
    observability.count("NoticesPoisoned")
    return True


def message_of(record: StreamRecord, error: Exception) -> str:
    """Return the dead letter of a record, without its images if they are too large."""
    letter = {"error": type(error).__qualname__, "record": record}
    message = json.dumps(letter, default=str)
    if len(message.encode()) <= MOST_BYTES:
        return message
    change = {name: value for name, value in record["dynamodb"].items() if not name.endswith("Image")}
    return json.dumps(letter | {"record": record | {"dynamodb": change}}, default=str)


def _age(records: list[StreamRecord]) -> float:
    """Return the age of the oldest record in seconds."""
    made = min(float(record["dynamodb"].get("ApproximateCreationDateTime", time.time())) for record in records)
    return max(0.0, time.time() - made)
