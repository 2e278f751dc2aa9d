"""Markers of sent mails, so that a mail is sent once, also if its task is delivered again.

A marker is written before the mail is sent and completed afterwards. An old marker that is not complete belongs to a
crashed attempt: the mail may have been sent, so it is not sent again. Markers are in the events table, like those of
keyed requests (`eventsite.dynamodb.idempotency`), and expire by TTL.
"""

import enum
import time
import uuid
from dataclasses import dataclass, field

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from eventsite.dynamodb import writes
from eventsite.dynamodb.base_model import WholeNumberAttribute
from eventsite.dynamodb.expiring import ExpiringItem

NAMESPACE = uuid.UUID("5e0d0f0e-6f0c-4a55-8a5b-0f4f2a9b1c77")
KEPT_SECONDS = 15 * 24 * 60 * 60  # seconds; longer than a queue keeps a message (14 days)
ATTEMPT_SECONDS = 120  # seconds; longer than an attempt: the Lambda ends after 30 s


class MailMarker(ExpiringItem):
    """The stored marker of a mail."""

    ITEM = "mail"

    attempt = UnicodeAttribute()
    sent = BooleanAttribute(default=False)
    began = WholeNumberAttribute()


class Standing(enum.Enum):
    """The state of a mail, for one attempt to send it."""

    OURS = "to be sent by us"
    DONE = "sent"
    UNDER_WAY = "perhaps just being sent"
    DOUBTFUL = "perhaps sent"


@dataclass
class Marker:
    """The marker of one mail."""

    change: str
    """The id of the notice."""
    user_id: str
    _attempt: str = field(default_factory=lambda: str(uuid.uuid4()))

    def claim(self) -> Standing:
        """Claim the mail for this attempt, unless there is a marker already.

        Raises:
            Unavailable: DynamoDB does not answer.
        """
        now = int(time.time())
        actions = [
            MailMarker.attempt.set(self._attempt),
            MailMarker.sent.set(False),
            MailMarker.began.set(now),
            MailMarker.expires_at.set(now + KEPT_SECONDS),
        ]
        vacant = MailMarker.key.does_not_exist() | (MailMarker.expires_at <= now)
        image = writes.conditional_update(self._item, actions, vacant).image
        marker = MailMarker.parse(image or {})
        if marker.attempt == self._attempt:
            return Standing.OURS
        if marker.sent:
            return Standing.DONE
        return Standing.UNDER_WAY if marker.began > now - ATTEMPT_SECONDS else Standing.DOUBTFUL

    def keep(self) -> None:
        """Record that the mail is sent.

        Raises:
            Unavailable: DynamoDB does not answer. The mail is not sent again even then.
        """
        writes.conditional_update(self._item, [MailMarker.sent.set(True)], self._is_ours())

    def release(self) -> None:
        """Record that the mail is not sent, so that another attempt may send it.

        Raises:
            Unavailable: DynamoDB does not answer. Then the mail may have been sent, and is not sent again.
        """
        now = int(time.time())  # TTL leaves an item that expired more than five years ago
        writes.conditional_update(self._item, [MailMarker.expires_at.set(now)], self._is_ours())

    @property
    def _item(self) -> MailMarker:
        return MailMarker(f"mail#{uuid.uuid5(NAMESPACE, f'{self.change} {self.user_id}')}", MailMarker.ITEM)

    def _is_ours(self) -> Condition:
        ours: Condition = (MailMarker.attempt == self._attempt) & (MailMarker.sent == False)  # noqa: E712 (a condition)
        return ours
