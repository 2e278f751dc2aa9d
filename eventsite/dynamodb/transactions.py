"""Several items at once: transactions whose failures can be read, and reads of one and the same moment."""

import uuid
from collections.abc import Sequence
from typing import Any

from pynamodb.exceptions import TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet

from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection

Failures = dict[str, RawItem | None]
"""The conditions that did not hold, by label, each with the item as it was instead (None: there was none)."""

FAILED_CONDITION = "ConditionalCheckFailed"


def transact_get(*keys: tuple[type[BaseModel], *tuple[str, ...]]) -> list[Any]:
    """Several items as they are in one and the same moment.

    Takes: the model and the parts of the key of each.
    Returns: the records in the order of the keys, None where there is none.
    Raises: `retries.Conflict` while a transaction writes one of them; `errors.Unavailable`.
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
    """One TransactWriteItems: all of it happens or nothing does.

    Each part carries a label, so that the caller learns which condition failed. (DynamoDB gives the reasons in
    the order in which PynamoDB sends the parts, not the order they were written in: checks, deletes, puts,
    updates.)
    """

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, dict[str, Any]]] = {"check": {}, "delete": {}, "put": {}, "update": {}}
        self._token = str(uuid.uuid4())

    def check(
        self, label: str, model: type[BaseModel], key: str, condition: Condition, range_key: str | None = None
    ) -> None:
        """Demand that a condition holds for an item that is not written."""
        self._add("check", label, model.get_operation_kwargs_from_class(key, range_key, condition=condition))

    def put(self, label: str, record: BaseModel, condition: Condition | None = None) -> None:
        """Write a whole item."""
        item = {"TableName": record.Meta.table_name, "Item": record.serialize()}
        self._add("put", label, item | _only_if(condition))

    def update(
        self, label: str, record: BaseModel, actions: Sequence[Action], condition: Condition | None = None
    ) -> None:
        """Change some attributes of an item."""
        self._add("update", label, record.get_update_kwargs_from_instance(actions=list(actions), condition=condition))

    def delete(self, label: str, record: BaseModel, condition: Condition | None = None) -> None:
        """Remove an item."""
        self._add("delete", label, record.get_delete_kwargs_from_instance(condition=condition))

    def commit(self, *, lasting: bool = True) -> Failures:
        """Carry it out.

        Takes: whether the plan outlasts a conflict. A lasting one states the rule in its conditions and is sent
        again, unchanged, when other transactions hold its items. One that is not (it names the head of the queue,
        say, which the other transaction may just be moving) is given up instead, to be planned anew.
        Returns: the conditions that failed; an empty dict means that everything was written.
        Raises: `retries.Conflict` in a conflict, unless lasting; `errors.Unavailable`.
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

    def _add(self, kind: str, label: str, arguments: dict[str, Any]) -> None:
        self._parts[kind][label] = arguments | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    def _failures(self, error: TransactWriteError) -> Failures:
        """The conditions that failed. Raises: `retries.Conflict` while others hold some of the items.

        A failed condition beside a held item may be the work of the very transaction that holds it (this request
        sent twice, perhaps, with half of the first one's items already visible): that is judged once it is done.
        """
        labels = [label for parts in self._parts.values() for label in parts]
        reasons = [(label, reason) for label, reason in zip(labels, error.cancellation_reasons, strict=False) if reason]
        codes = {reason.code for _, reason in reasons}
        if retries.CONFLICT_REASON in codes:
            raise retries.Conflict from error
        failures = {label: reason.raw_item for label, reason in reasons if reason.code == FAILED_CONDITION}
        if not failures:
            raise error
        return failures


def _only_if(condition: Condition | None) -> dict[str, Any]:
    """A condition as DynamoDB takes it."""
    if condition is None:
        return {}
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    written: dict[str, Any] = {"ConditionExpression": condition.serialize(names, values)}
    if values:
        written |= {"ExpressionAttributeValues": values}
    return written | {"ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()}}
