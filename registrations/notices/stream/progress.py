"""The progress of a record with very many notices. One write can promote a hundred thousand users.

Only such a record has this item, and only until it is published. The next attempt continues where the time ran out.
"""

import time

from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem
from registrations.notices.stream.changes import StreamRecord

KEPT_SECONDS = 3 * 24 * 60 * 60  # seconds; longer than the stream keeps the record


class Progress(ExpiringItem):
    """The number of published parts of a record."""

    ITEM = "progress"

    parts = WholeNumberAttribute(default=0)


def parts_published(record: StreamRecord) -> int:
    """Return the number of published parts of a record.

    Raises:
        Unavailable: If DynamoDB does not answer.
    """
    try:
        return int(Progress.get(*_key(record), consistent_read=True).parts)
    except Progress.DoesNotExist:
        return 0


def keep(record: StreamRecord, parts: int) -> None:
    """Store the number of published parts of a record.

    Raises:
        Unavailable: If DynamoDB does not answer.
    """
    Progress(*_key(record), parts=parts, expires_at=int(time.time()) + KEPT_SECONDS).save()


def forget(record: StreamRecord) -> None:
    """Delete the progress of a published record, so that an operator can publish it again."""
    Progress(*_key(record)).delete()


def _key(record: StreamRecord) -> tuple[str, str]:
    return f"progress#{record['dynamodb']['SequenceNumber']}", Progress.ITEM
