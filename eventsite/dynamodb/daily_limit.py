"""A limit on how often something may be done in a day, for all processes together."""

import time
import uuid

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.expressions.condition import size

from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.writes import conditional_update

DAY = 24 * 60 * 60
NAMESPACE = uuid.UUID("0b0f6a52-6a0e-4a3a-9f0e-3a3f0f1d7c21")


class DailyLimit(ExpiringItem):
    """What was done in one day."""

    ITEM = "limit"

    done = UnicodeSetAttribute(null=True)
    """The ids of what was done, so that a repeated attempt counts once."""


def take(kind: str, subject: str, limit: int, attempt: str) -> bool:
    """Count an attempt. Returns: False if as many others were counted today as there may be.

    Args:
        kind: The limited action.
        subject: Whose limit it is. Only a hash of it is stored.
        limit: The most attempts in a day (UTC).
        attempt: The id of the attempt: the same one counts once.

    Raises:
        Unavailable: If DynamoDB does not answer.
    """
    now = int(time.time())
    key = f"limit#{uuid.uuid5(NAMESPACE, f'{kind} {subject} {now // DAY}')}"
    actions = [DailyLimit.done.add({attempt}), DailyLimit.expires_at.set(now + 2 * DAY)]
    free = DailyLimit.done.does_not_exist() | (size(DailyLimit.done) < limit) | DailyLimit.done.contains(attempt)
    return conditional_update(DailyLimit(key, DailyLimit.ITEM), actions, free).done
