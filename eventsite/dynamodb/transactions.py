"""Transactions: writes of several items that report which condition failed, and reads of a single point in time."""

import uuid
from collections.abc import Sequence
from typing import Any

from pynamodb.exceptions import TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet

from eventsite.dynamodb import expressions, retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection

Failures = dict[str, RawItem | None]
"""The failed conditions by label, each with the item that failed it; None if there was none."""

FAILED_CONDITION = "ConditionalCheckFailed"


def transact_get(*keys: tuple[type[BaseModel], *tuple[str, ...]]) -> list[Any]:
    """Read several items as of a single point in time.

    Args:
        keys: The model and the parts of the key of each.

    Returns:
        The records in the order of the keys, None for an item that does not exist.

    Raises:
        Conflict: A transaction is writing one of them.
        Unavailable: DynamoDB did not answer in time.
    """
    try:
        with TransactGet(connection=connection()) as moment:
            futures = [moment.get(model, *key) for model, *key in keys]
    except TransactGetError as error:
        if any(reason and reason.code == retries.CONFLICT_REASON for reason in error.cancellation_reasons):
            raise retries.Conflict from error
        raise
    return [_found(future) for future in futures]


def _found(future: Any) -> Any:
    try:
        return future.get()
    except Model.DoesNotExist:
        return None


class Transaction:
    """One TransactWriteItems: all of it is applied, or nothing.

    Each part has a label that names it when its condition fails. DynamoDB returns the reasons in the order in which
    PynamoDB sends the parts: checks, deletes, puts, updates.
    """

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, dict[str, Any]]] = {"check": {}, "delete": {}, "put": {}, "update": {}}
        self._token = str(uuid.uuid4())

    def check(self, label: str, record: BaseModel, condition: Condition) -> None:
        """Add a condition on an item that is not written."""
        self._add("check", label, record.target(), condition)

    def put(self, label: str, record: BaseModel, condition: Condition | None = None) -> None:
        """Add the write of a whole item."""
        self._add("put", label, {"TableName": record.Meta.table_name, "Item": record.serialize()}, condition)

    def update(
        self, label: str, record: BaseModel, actions: Sequence[Action], condition: Condition | None = None
    ) -> None:
        """Add a change of some attributes of an item."""
        self._add("update", label, record.target(), condition, actions)

    def delete(self, label: str, record: BaseModel, condition: Condition | None = None) -> None:
        """Add the removal of an item."""
        self._add("delete", label, record.target(), condition)

    def commit(self, *, lasting: bool = True) -> Failures:
        """Execute the transaction.

        Args:
            lasting: True if the plan outlasts a conflict: its conditions state the whole rule, so it is sent again
                unchanged while other transactions hold its items. False if the other transaction may change what the
                plan names, such as the head of the queue, so that the caller has to plan again.

        Returns:
            The failed conditions. An empty dict means that everything was written.

        Raises:
            Conflict: Other transactions hold some of the items, and the plan is not lasting. Or DynamoDB throttles the
                transaction, under `retries.impatience`.
            Unavailable: DynamoDB did not answer in time.
        """
        return self._send_until_free() if lasting else self._send()

    @retries.retry_on_conflict
    def _send_until_free(self) -> Failures:
        return self._send()

    def _send(self) -> Failures:
        checks, deletes, puts, updates = (list(parts.values()) for parts in self._parts.values())
        try:
            connection().transact_write_items(checks, deletes, puts, updates, client_request_token=self._token)
        except TransactWriteError as error:
            return self._failures(error)
        return {}

    def _add(
        self, kind: str, label: str, place: dict[str, Any], condition: Condition | None, actions: Sequence[Action] = ()
    ) -> None:
        shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        self._parts[kind][label] = place | expressions.arguments(condition, actions) | shown

    def _failures(self, error: TransactWriteError) -> Failures:
        """Return the failed conditions, or raise `Conflict` while other transactions hold some of the items.

        A condition may fail because of the transaction that holds another item, perhaps this very request sent twice
        with half of the first one visible. The conditions are evaluated again after that transaction has ended.
        """
        labels = [label for parts in self._parts.values() for label in parts]
        reasons = [(label, reason) for label, reason in zip(labels, error.cancellation_reasons, strict=False) if reason]
        codes = {reason.code for _, reason in reasons}
        if codes & {retries.CONFLICT_REASON, *retries.TRANSIENT_REASONS}:
            raise retries.Conflict from error
        failures = {label: reason.raw_item for label, reason in reasons if reason.code == FAILED_CONDITION}
        if not failures:
            raise error
        return failures
