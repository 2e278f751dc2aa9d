"""How far a record that takes long to tell is told: one write can let a hundred thousand people move up.

Only such a record has this item, while it is being told; so whoever tells it next goes on where the time ran out.
"""

import time

from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem
from registrations.notices.stream.changes import StreamRecord

KEPT_SECONDS = 3 * 24 * 60 * 60
"""Longer than the stream keeps the record."""


class Progress(ExpiringItem):
    """How many parts of a record are told."""

    ITEM = "told"

    parts = WholeNumberAttribute(default=0)


def parts_told(record: StreamRecord) -> int:
    """How many parts of a record are told. Raises: `Unavailable`."""
    try:
        return int(Progress.get(*_key(record), consistent_read=True).parts)
    except Progress.DoesNotExist:
        return 0


def keep(record: StreamRecord, parts: int) -> None:
    """Note that so many parts of a record are told. Raises: `Unavailable`."""
    Progress(*_key(record), parts=parts, expires_at=int(time.time()) + KEPT_SECONDS).save()


def forget(record: StreamRecord) -> None:
    """Note nothing of a record any more: all of it is told, and told again if somebody asks for that."""
    Progress(*_key(record)).delete()


def _key(record: StreamRecord) -> tuple[str, str]:
    return f"told#{record['dynamodb']['SequenceNumber']}", Progress.ITEM
