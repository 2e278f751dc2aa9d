"""Safe retries of creating requests: the Idempotency-Key (IETF draft-ietf-httpapi-idempotency-key-header).

A keyed request leaves a marker: the hash of its body, and the first answer. The same request again gets that answer,
also if it was a refusal (404 or 409). Another body under the same key is refused. Markers live in the events table,
under keys that no event id can take. They count for a day, and the table's time-to-live removes them later.

Two ways of writing the marker:

- An operation that is one transaction writes the marker in it (`write_once`).
- An operation of several steps announces its id before the first step (`begin`), and stores its answer after the last
  one (`finish`). A request that finds an announcement without an answer excludes that operation (`take_over`), finds
  out whether it was committed, and finishes it, or executes the request under an id of its own.
"""

import hashlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.expiring import ExpiringItem
from eventsite.dynamodb.steps import (
    Delete,
    Get,
    Parts,
    Put,
    Steps,
    Transact,
    Update,
    transact_when_free,
    transact_write,
)
from eventsite.dynamodb.writes import Failures
from eventsite.errors import DomainError, Missing, Refused, Unprocessable

NAMESPACE = uuid.UUID("a5d6a9c7-2f0e-4f43-9b39-6d4f6a5f8e11")
KEPT_SECONDS = 24 * 60 * 60
REMEMBERED_OPERATIONS = 8


class KeyReused(Unprocessable):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used before with another body. Use a new key for a new request."


class Marker(ExpiringItem):
    """The marker of a keyed request: its operations and its answer."""

    ITEM = "idempotency-key"

    body = UnicodeAttribute()
    operations = UnicodeAttribute(default="")
    outcome = JSONAttribute(null=True)


class Announced(NamedTuple):
    """An earlier copy of this request began, and has not stored its answer yet."""

    operations: tuple[str, ...]  # the ids of its operations, in order


class IdempotentRequest:
    def __init__(self, *, caller: str, call: str, key: str, body: Any) -> None:
        """Identify a request. Another caller or another call, such as ``POST /users``, may use the same key."""
        self._key = f"key#{uuid.uuid5(NAMESPACE, json.dumps([caller, call, key]))}"
        text = json.dumps(body, sort_keys=True, default=str)  # a form may bring a file: it counts by its name
        self._body = hashlib.sha256(text.encode()).hexdigest()
        self._announced = ""

    def write(self, parts: Parts, outcome: dict[str, Any]) -> tuple[Failures, Any]:
        """Write parts and the marker with its outcome in one transaction, unless there is a marker.

        Returns:
            The failed conditions, and the outcome of an earlier copy or None.

        Raises:
            KeyReused: If the earlier request had another body.
            DomainError: The refusal of the earlier copy.
        """
        failures = transact_write({**parts, Marker.ITEM: Put(self._marker(outcome=outcome), _is_vacant())})
        raw = failures.get(Marker.ITEM)
        return failures, self._first_answer(Marker.parse(raw)) if raw else None

    def begin(self, operation: str) -> Steps[Any]:
        """Announce the operation that will execute this request.

        Returns:
            None if it is the first one, `Announced` if another one is at work or crashed, else the outcome.

        Raises:
            KeyReused: If the earlier request had another body.
            DomainError: The refusal of the earlier copy.
        """
        marker = self._marker(operations=operation)
        raw = yield from self._write(Put(marker, _is_vacant()))
        earlier = Marker.parse(raw) if raw else marker
        if earlier.operations == operation and earlier.outcome is None:
            self._announced = operation
            return None
        return self._outcome_of(earlier)

    def look(self) -> Steps[Any]:
        """Return and raise as `begin`, without announcing an operation."""
        earlier = yield Get((Marker, self._key, Marker.ITEM))
        if earlier is None or earlier.expires_at <= time.time():  # DynamoDB removes expired items with a delay
            return None
        return self._outcome_of(earlier)

    def withdraw(self) -> Steps[bool]:
        """Remove the announcement of this copy. Return False if another copy has taken over."""
        mine = Delete(Marker.named(self._key, Marker.ITEM), _is_executed_by(self._announced))
        return (yield from self._write(mine)) is None

    def _write(self, part: Put | Delete) -> Steps[RawItem | None]:
        """Write the marker. Return the present one if it does not fulfil the condition, else None."""
        failures = yield from transact_when_free(Transact({Marker.ITEM: part}))
        return failures.get(Marker.ITEM)

    def _outcome_of(self, earlier: Marker) -> Any:
        answer = self._first_answer(earlier)
        return Announced(tuple(earlier.operations.split())) if answer is None else answer

    def go_on_as(self, operation: str) -> Steps[bool]:
        """Announce one more operation of this copy. Return False if another copy has taken over."""
        return (yield from self._announce(self._announced, operation))

    def take_over(self, earlier: Announced, operation: str) -> Steps[bool]:
        """Announce an operation in place of another copy's, which is excluded from then on.

        Only after True is it certain whether one of the others was committed.
        """
        return (yield from self._announce(" ".join(earlier.operations), operation))

    def finish(self, outcome: Any) -> Steps[Any]:
        """Store the first answer of an executed request, unless another copy was faster. Return the first answer.

        A copy that took over finds the same operation, so both answer alike.
        """
        unanswered = (Marker.body == self._body) & Marker.outcome.does_not_exist()
        marker = yield from self._change(unanswered, Marker.outcome.set({"done": outcome}))
        return ((marker and marker.outcome) or {}).get("done", outcome)

    def finish_refused(self, error: Missing | Refused) -> Steps[bool]:
        """Store a refusal as the first answer. Return False if another copy took over: that one may be admitted."""
        refusal = _refusal(error)
        marker = yield from self._change(_is_executed_by(self._announced), Marker.outcome.set(refusal))
        return marker is None or marker.outcome == refusal

    def _announce(self, before: str, operation: str) -> Steps[bool]:
        operations = " ".join([*before.split(), operation][-REMEMBERED_OPERATIONS:])
        marker = yield from self._change(_is_executed_by(before), Marker.operations.set(operations))
        if marker is None or marker.operations != operations:
            return False
        self._announced = operations
        return True

    def _change(self, condition: Condition, action: Action) -> Steps[Marker | None]:
        """Change the marker if a condition holds, and return the marker as it is afterwards."""
        image = (yield Update(Marker.named(self._key, Marker.ITEM), [action], condition)).image
        return Marker.parse(image) if image else None

    def _marker(self, **fields: Any) -> Marker:
        expires_at = int(time.time()) + KEPT_SECONDS
        return Marker(self._key, Marker.ITEM, body=self._body, expires_at=expires_at, **fields)

    def _first_answer(self, marker: Marker) -> Any:
        if marker.body != self._body:
            raise KeyReused
        outcome = marker.outcome or {}
        if refused := outcome.get("refused"):
            raise _again(*refused)
        return outcome.get("done")


def write_once(
    parts: Parts,
    keyed: IdempotentRequest | None,
    *,
    refusal: Callable[[Failures], Refused | None],
    outcome: Callable[[], Any],
) -> Any:
    """Write the parts of a creating request in one transaction, and if it is keyed, its marker with them.

    Args:
        parts: What the request creates.
        keyed: The request's idempotency key, if any.
        refusal: Returns the error of failed conditions, or None if an earlier attempt of this request wrote the parts.
        outcome: Returns the JSON from which the caller can repeat the first answer.

    Returns:
        The outcome of an earlier copy of the request; None if this one wrote the parts.

    Raises:
        KeyReused: The key came before with another body.
        Refused: What `refusal` returned, or the refusal of an earlier copy.
    """
    failures, earlier = keyed.write(parts, {"done": outcome()}) if keyed else (transact_write(parts), None)
    if earlier is None and (error := refusal(failures)):
        if keyed:
            _, earlier = keyed.write({}, _refusal(error))
        if earlier is None:
            raise error
    return earlier


def _is_executed_by(operations: str) -> Condition:
    """Return the condition that no other copy took over, and that there is no answer yet."""
    condition: Condition = (Marker.operations == operations) & Marker.outcome.does_not_exist()
    return condition


def _is_vacant() -> Condition:
    """Return the condition that the key was not used within its day."""
    vacant: Condition = Marker.key.does_not_exist() | (Marker.expires_at <= int(time.time()))
    return vacant


def _refusal(error: DomainError) -> dict[str, list[Any]]:
    kind = Missing if isinstance(error, Missing) else Refused
    return {"refused": [kind.__name__, error.code, error.sentence, error.members]}


def _again(kind: str, code: str, sentence: str, members: dict[str, Any]) -> DomainError:
    error = {"Missing": Missing, "Refused": Refused}[kind](sentence, **members)
    error.code = code
    return error
