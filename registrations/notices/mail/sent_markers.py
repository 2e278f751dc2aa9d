"""Markers of sent mails, so that a mail is sent once, also if its task is delivered again.

A marker is written before the mail is sent and completed afterwards. An old marker that is not complete belongs to a
crashed attempt: the mail may have been sent, so it is not sent again. Markers are in the events table, like those of
keyed requests (`eventsite.dynamodb.idempotency`), and expire by TTL.
"""

import enum
import time
import uuid
from typing import Self

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from eventsite.dynamodb import writes
from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem

NAMESPACE = uuid.UUID("5e0d0f0e-6f0c-4a55-8a5b-0f4f2a9b1c77")
KEPT_SECONDS = 15 * 24 * 60 * 60  # seconds; longer than a queue keeps a message (14 days)
ATTEMPT_SECONDS = 120  # seconds; longer than an attempt: the Lambda ends after 30 s


class Standing(enum.Enum):
    """The state of a mail, for one attempt to send it."""

    OURS = "to be sent by us"
    DONE = "sent"
    UNDER_WAY = "perhaps just being sent"
    DOUBTFUL = "perhaps sent"


class MailMarker(ExpiringItem):
    """The marker of one mail, as one attempt to send it writes it."""

    ITEM = "mail"

    attempt = UnicodeAttribute()
    sent = BooleanAttribute(default=False)
    began = WholeNumberAttribute()

    @classmethod
    def of(cls, change: str, user_id: str) -> Self:
        """Return the marker of the mail to a user about the notice with the id `change`, for a new attempt."""
        key = f"mail#{uuid.uuid5(NAMESPACE, f'{change} {user_id}')}"
        return cls(key, cls.ITEM, attempt=str(uuid.uuid4()))

    def claim(self) -> Standing:
        """Claim the mail for this attempt, unless there is a marker already."""
        now = int(time.time())
        values = {"attempt": self.attempt, "sent": False, "began": now, "expires_at": now + KEPT_SECONDS}
        vacant = MailMarker.key.does_not_exist() | (MailMarker.expires_at <= now)
        stored = MailMarker.parse(writes.conditional_update(self, self.updates(values), vacant).image or {})
        if stored.attempt == self.attempt:
            return Standing.OURS
        if stored.sent:
            return Standing.DONE
        return Standing.UNDER_WAY if stored.began > now - ATTEMPT_SECONDS else Standing.DOUBTFUL

    def keep(self) -> None:
        """Record that the mail is sent.

        Raises:
            Unavailable: DynamoDB does not answer. The mail is not sent again even then.
        """
        writes.conditional_update(self, [MailMarker.sent.set(True)], self._is_ours())

    def release(self) -> None:
        """Record that the mail is not sent, so that another attempt may send it.

        Raises:
            Unavailable: DynamoDB does not answer. Then the mail may have been sent, and is not sent again.
        """
        now = int(time.time())  # TTL leaves an item that expired more than five years ago
        writes.conditional_update(self, [MailMarker.expires_at.set(now)], self._is_ours())

    def _is_ours(self) -> Condition:
        ours: Condition = (MailMarker.attempt == self.attempt) & (MailMarker.sent == False)  # noqa: E712 (a condition)
        return ours
