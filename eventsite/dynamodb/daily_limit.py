"""A limit on the attempts of an action in a day, over all server processes."""

import time
import uuid

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.expressions.condition import size

from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.writes import conditional_update

DAY = 24 * 60 * 60
NAMESPACE = uuid.UUID("0b0f6a52-6a0e-4a3a-9f0e-3a3f0f1d7c21")


class DailyLimit(ExpiringItem):
    ITEM = "limit"

    done = UnicodeSetAttribute(null=True)  # the ids of the attempts, so that a repeated attempt counts once


def take(kind: str, subject: str, limit: int, attempt: str) -> bool:
    """Count an attempt at an action, or return False if the subject has reached the limit of the day (UTC).

    Attempts with the same id count once. Only a hash of the subject is stored.
    """
    now = int(time.time())
    key = f"limit#{uuid.uuid5(NAMESPACE, f'{kind} {subject} {now // DAY}')}"
    actions = [DailyLimit.done.add({attempt}), DailyLimit.expires_at.set(now + 2 * DAY)]
    free = DailyLimit.done.does_not_exist() | (size(DailyLimit.done) < limit) | DailyLimit.done.contains(attempt)
    return conditional_update(DailyLimit(key, DailyLimit.ITEM), actions, free).done
