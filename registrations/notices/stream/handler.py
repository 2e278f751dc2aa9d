"""The Lambda's handler of the events table's stream: it publishes the notices of the records, in order.

Each notice is published at least once. If an outlet or DynamoDB does not answer, Lambda delivers the batch again from
that record (``ReportBatchItemFailures``). A record that cannot be read would be delivered again and again and block its
shard, so it is dead-lettered and counted, and the rest continues.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from eventsite import clock
from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import Unavailable, log_exception
from eventsite.web import observability
from registrations.notices import outlets, queue
from registrations.notices.occasions import Notice
from registrations.notices.stream import changes
from registrations.notices.stream.changes import Change, StreamRecord
from registrations.notices.stream.holders import Holders

LEAVES_SECONDS = 2.0  # seconds of the Lambda's time, for the answer
ONE_GROUP_SECONDS = 8.0  # seconds; with less time left, no group is begun, and the rest is delivered again at once
MOST_BYTES = 200_000  # a message of SQS has at most 256 KB; larger images are left out
GROUP = 500  # notices that are published together; one record, or a part of it, may have more
KEPT_SECONDS = 3 * 24 * 60 * 60  # seconds; longer than the stream keeps a record

Publish = Callable[[Sequence[Notice]], None]
Published = tuple[StreamRecord, list[Notice]]


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


def publish_records(records: Sequence[StreamRecord], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records in their order. Return the first record to deliver again, if any."""
    holders = changes.knowing(records)
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
        if is_long and not _is_published_in_parts(record, change, holders, publish):
            return record
    return _publish(group, publish)


def _is_published_in_parts(record: StreamRecord, change: Change, holders: Holders, publish: Publish) -> bool:
    """Publish a record with many promotions part by part. Return False if it has to be delivered again."""
    key = f"progress#{record['dynamodb']['SequenceNumber']}", Progress.ITEM
    try:
        progress = Progress.read(*key)
        for number in range(int(progress.parts) if progress else 0, change.parts):
            if time_left() < ONE_GROUP_SECONDS:
                return False
            _send(change.part(number, holders), publish)
            Progress(*key, parts=number + 1, expires_at=clock.seconds() + KEPT_SECONDS).save()
        Progress(*key).delete()  # so that an operator can publish the record again
    except Exception as error:
        return _is_over(record, error)
    return True


def _publish(group: list[Published], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records. Return the first record to deliver again, if any."""
    notices = [notice for _, those in group for notice in those]
    if not notices:
        return None
    first = group[0][0]
    if time_left() < ONE_GROUP_SECONDS:
        return first
    try:
        _send(notices, publish)
    except Exception as error:
        if len(group) == 1 or _is_outage(error):
            return None if _is_over(first, error) else first
        for one in group:
            if failed := _publish([one], publish):
                return failed
    return None


def _send(notices: list[Notice], publish: Publish) -> None:
    publish(notices)
    observability.count("Notices", len(notices))


def _is_outage(error: Exception) -> bool:
    return isinstance(error, queue.OUTAGES) and not isinstance(error, UnreadableItem)  # which stays unreadable


def _is_over(record: StreamRecord, error: Exception) -> bool:
    """Dead-letter a record that could not be published. Return False if Lambda has to deliver it again."""
    if _is_outage(error):
        log_exception(error, "notices wait")
        return False
    log_exception(error, "a notice that cannot be published")
    try:
        queue.dead_letter(message_of(record, error))
    except Unavailable as outage:
        log_exception(outage, "the dead-letter queue takes nothing")
        return False
    observability.count("NoticesPoisoned")
    return True


class Progress(ExpiringItem):
    """The number of published parts of a record that has several.

    It exists only until the last one is published. The next attempt continues where the time ran out.
    """

    ITEM = "progress"

    parts = WholeNumberAttribute(default=0)


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
