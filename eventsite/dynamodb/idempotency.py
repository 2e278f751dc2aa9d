"""Safe retries of creating requests: the Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header).

A keyed request writes a small marker in the very transaction that does its work: the hash of the body and the
outcome. The marker's condition is that there was none, so of two equal requests one does the work and the other
finds the first one's outcome. Markers live in the events table, under keys that no event id can take, and expire
by the table's time-to-live. That deletes days late, so a marker that is past its time counts as none.
"""

import hashlib
import json
import time
import uuid
from typing import Any

from django.conf import settings
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from eventsite.dynamodb.records import Record
from eventsite.dynamodb.transactions import Failures, Transaction
from eventsite.errors import Unprocessable

NAMESPACE = uuid.UUID("a5d6a9c7-2f0e-4f43-9b39-6d4f6a5f8e11")
KEPT_SECONDS = 24 * 60 * 60


class KeyReused(Unprocessable):
    """The key came before, with another body."""

    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used before with another body. Use a new key for a new request."


class Marker(Record):
    """What a keyed request did."""

    class Meta(Record.Meta):
        table_name = settings.MARKERS_TABLE

    ITEM = "idempotency-key"

    key = UnicodeAttribute(hash_key=True, attr_name=settings.MARKERS_KEY[0])
    item = UnicodeAttribute(range_key=True, attr_name=settings.MARKERS_KEY[1])
    body = UnicodeAttribute()
    outcome = JSONAttribute()
    expires_at = NumberAttribute(attr_name="expiresAt")


class IdempotentRequest:
    """One keyed request: who asks what with which key, and whether it was done before."""

    label = "idempotency-key"

    def __init__(self, *, caller: str, call: str, key: str, body: Any) -> None:
        """`caller` and `call` (for example ``POST /users``) bound the key: others may use the same one."""
        self._key = f"key#{uuid.uuid5(NAMESPACE, json.dumps([caller, call, key]))}"
        text = json.dumps(body, sort_keys=True, default=str)  # a form may bring a file: it counts by its name
        self._body = hashlib.sha256(text.encode()).hexdigest()

    def earlier(self) -> Any:
        """What this request led to when it was carried out before; None if it was not. Raises: `KeyReused`."""
        try:
            marker = Marker.get(self._key, Marker.ITEM, consistent_read=True)
        except Marker.DoesNotExist:
            return None
        return self._outcome(marker) if marker.expires_at > time.time() else None

    def remember(self, transaction: Transaction, outcome: Any) -> None:
        """Make the transaction leave a marker, and fail under `label` where there is one already.

        `outcome` is whatever JSON the caller needs to give the first answer again.
        """
        now = int(time.time())
        marker = Marker(self._key, Marker.ITEM, body=self._body, outcome=outcome, expires_at=now + KEPT_SECONDS)
        transaction.put(self.label, marker, Marker.key.does_not_exist() | (Marker.expires_at <= now))

    def found(self, failures: Failures) -> Any:
        """The same as `earlier`, out of a transaction that failed on the marker. Raises: `KeyReused`."""
        raw = failures.get(self.label)
        return self._outcome(Marker.parse(raw)) if raw else None

    def _outcome(self, marker: Marker) -> Any:
        if marker.body != self._body:
            raise KeyReused
        return marker.outcome
