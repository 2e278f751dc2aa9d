"""The Lambda's handler of the events table's stream: the notices of its records go to the outlets, in order.

Nothing is published twice without need, and nothing is lost. If an outlet or DynamoDB does not answer, the batch comes
again from that record on (``ReportBatchItemFailures``). A record that cannot be read would come again for ever and hold
up the events of its shard, so it goes to a dead-letter queue, is counted, and the rest continues.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cloudevents.core.v1.event import CloudEvent

from eventsite.dynamodb.retries import time_left, time_limit
from eventsite.dynamodb.shapes import UnreadableItem
from eventsite.errors import log_exception
from eventsite.web import observability
from registrations.notices.outlets import chosen as outlets
from registrations.notices.queue import tasks as queue
from registrations.notices.stream import changes, poison, progress
from registrations.notices.stream.changes import Change, StreamRecord
from registrations.notices.stream.holders import Holders, knowing

OUTAGES = queue.OUTAGES

LEAVES_SECONDS = 2.0  # of the Lambda's time, for the answer
ONE_GROUP_SECONDS = 8.0  # with less time left, no group is begun: the rest of the batch comes again at once
WAITING = "notices wait"
GROUP = 500  # notices that are published together; those of one record, or of a part of it, may be more

Publish = Callable[[Sequence[CloudEvent]], None]
Published = tuple[StreamRecord, list[CloudEvent]]


def follow(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the notices of a batch of the stream's records.

    The metrics are `Notices`, `NoticesPoisoned` and `NoticeAgeSeconds`, the age of the oldest change of the batch.

    Args:
        event: The batch.
        context: The Lambda's context.

    Returns:
        The record from which on the batch must come again, if it must.
    """
    records: list[StreamRecord] = event["Records"]
    with time_limit(context.get_remaining_time_in_millis() / 1000 - LEAVES_SECONDS):
        rest = tell(records, outlets.publish)
    observability.count("NoticeAgeSeconds", _age(records), unit="Seconds")
    observability.publish()
    return {"batchItemFailures": [{"itemIdentifier": rest["dynamodb"]["SequenceNumber"]}] if rest else []}


def tell(records: Iterable[StreamRecord], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records in their order.

    Returns:
        The first record that must come again, with all after it, or None if all are published.
    """
    records = list(records)
    holders = knowing(records)
    group: list[Published] = []
    for record in records:
        try:
            change = changes.read(record)
            is_long = change.parts > 1
            group.append((record, [] if is_long else change.part(0, holders)))
        except Exception as error:
            if isinstance(error, OUTAGES) and not isinstance(error, UnreadableItem):  # which stays unreadable
                log_exception(error, WAITING)
                return _publish(group, publish) or record
            if not poison.put_aside(record, error):
                return _publish(group, publish) or record
            continue
        if is_long or sum(len(notices) for _, notices in group) >= GROUP:
            if failed := _publish(group, publish):
                return failed
            group = []
        if is_long and (failed := _tell_in_parts(record, change, holders, publish)):
            return failed
    return _publish(group, publish)


def _tell_in_parts(record: StreamRecord, change: Change, holders: Holders, publish: Publish) -> StreamRecord | None:
    """Publish a record of many promotions part by part. Returns: the record, if it must come again."""
    try:
        for number in range(progress.parts_told(record), change.parts):
            if time_left() < ONE_GROUP_SECONDS:
                return record
            notices = change.part(number, holders)
            publish(notices)
            observability.count("Notices", len(notices))
            progress.keep(record, number + 1)
        progress.forget(record)
    except OUTAGES as outage:
        log_exception(outage, WAITING)
        return record
    except Exception as error:
        return None if poison.put_aside(record, error) else record
    return None


def _publish(group: list[Published], publish: Publish) -> StreamRecord | None:
    """Publish the notices of some records. Returns: the first record that must come again."""
    notices = [notice for _, those in group for notice in those]
    if not notices:
        return None
    if time_left() < ONE_GROUP_SECONDS:
        return group[0][0]
    try:
        publish(notices)
    except OUTAGES as outage:
        log_exception(outage, WAITING)
        return group[0][0]
    except Exception:
        return _publish_one_by_one(group, publish)
    observability.count("Notices", len(notices))
    return None


def _publish_one_by_one(group: list[Published], publish: Publish) -> StreamRecord | None:
    """Publish some records one by one, and dead-letter the one that cannot be published."""
    for record, notices in group:
        try:
            if notices:
                publish(notices)
        except OUTAGES as outage:
            log_exception(outage, WAITING)
            return record
        except Exception as error:
            if not poison.put_aside(record, error):
                return record
        else:
            observability.count("Notices", len(notices))
    return None


def _age(records: list[StreamRecord]) -> float:
    """Return the age of the oldest of some changes in seconds."""
    made = min(float(record["dynamodb"].get("ApproximateCreationDateTime", time.time())) for record in records)
    return max(0.0, time.time() - made)
