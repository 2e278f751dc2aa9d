"""The ground under the models: one connection for all tables, and transactions whose failures can be read.

Models subclass `Record` and name their table. They share a single client, because each costs some 40 ms of CPU
to build, and that client is made on first use, because the embedded engine may not be up when models load.
"""

import os
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from django.conf import settings
from pynamodb.connection import Connection, TableConnection
from pynamodb.exceptions import TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet

from eventsite import retries

RawItem = dict[str, dict[str, Any]]
"""An item as DynamoDB sends it: ``{"userId": {"S": "alice"}}``."""

Failures = dict[str, RawItem | None]
"""The conditions that did not hold, by label, each with the item as it was instead (None: there was none)."""

FAILED_CONDITION = "ConditionalCheckFailed"

R = TypeVar("R", bound="Record")


class PatientConnection(Connection):
    """A connection that sends a call again while DynamoDB does not answer it, until the request's deadline.

    A transaction sent again carries the same client request token, so one that was committed before its answer
    was lost is not carried out twice.
    """

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        if operation_name == "BatchGetItem":
            return self._gather(operation_kwargs)
        return retries.SENDING.wraps(self._attempt)(operation_name, operation_kwargs)

    def _attempt(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        retries.before_deadline()
        answer: dict[str, Any] = super()._make_api_call(operation, arguments)
        return answer

    def _gather(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The whole of a batch that DynamoDB answers in parts, with a wait before each further part.

        PynamoDB itself would ask for the rest again at once and for ever.
        """
        found: dict[str, list[RawItem]] = {}
        unread = dict(arguments["RequestItems"])

        def next_part() -> dict[str, Any]:
            answer = self._attempt("BatchGetItem", arguments | {"RequestItems": unread})
            for table, items in answer["Responses"].items():
                found.setdefault(table, []).extend(items)
            unread.clear()
            unread.update(answer.get("UnprocessedKeys") or {})
            if unread:
                raise retries.Unprocessed
            return answer | {"Responses": found}

        return retries.SENDING.wraps(next_part)()

    def adopt(self, table: TableConnection) -> None:
        """Carry a table's calls from now on. Two models may share a table; its keys are the same to both."""
        if table.table_name not in self._tables:
            self.add_meta_table(table.get_meta_table())
        table.connection = self


CONNECT_SECONDS, READ_SECONDS = 1, 3
"""How long one attempt of a call may take; see `eventsite.retries` for how this fits into a request."""

_connection: PatientConnection | None = None


def connection() -> PatientConnection:
    """The one connection of this process, made when it is first needed."""
    global _connection
    if _connection is None:
        _connection = PatientConnection(
            region=settings.AWS_REGION,
            host=_endpoint(),
            connect_timeout_seconds=CONNECT_SECONDS,
            read_timeout_seconds=READ_SECONDS,
            max_retry_attempts=0,
            max_pool_connections=50,
            aws_access_key_id=settings.DYNAMODB_CREDENTIALS,
            aws_secret_access_key=settings.DYNAMODB_CREDENTIALS,
        )
    return _connection


def disconnect() -> None:
    """Forget the connection, so that the next call makes a new one."""
    global _connection
    _connection = None


os.register_at_fork(after_in_child=disconnect)  # two processes must not talk over one socket


def _endpoint() -> str | None:
    """The URL of DynamoDB; None means the region's own."""
    if settings.DYNAMODB_ENDPOINT or settings.ON_LAMBDA:
        return settings.DYNAMODB_ENDPOINT or None
    from eventsite import engine  # only local runs have, or need, the embedded engine

    return engine.endpoint()


class Record(Model):
    """The base of every model: PynamoDB, on the shared connection."""

    class Meta:
        table_name = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        if table.connection is not connection():
            connection().adopt(table)
        return table

    @classmethod
    def has_range_key(cls) -> bool:
        """Whether the table's key has two parts."""
        return cls._range_keyname is not None

    @classmethod
    def parse(cls: type[R], raw: RawItem) -> R:
        """The record that an item of the table holds."""
        return cls.from_raw_data(raw)


def owners() -> list[type[Record]]:
    """The models that define a table, one per table (others only share one)."""
    return [model for model in Record.__subclasses__() if hasattr(model.Meta, "billing_mode")]


def snapshot(*keys: tuple[type[Record], *tuple[str, ...]]) -> list[Any]:
    """Several items as they are in one and the same moment.

    Takes: the model and the parts of the key of each.
    Returns: the records in the order of the keys, None where there is none.
    Raises: `retries.LostRace` while a transaction writes one of them; `errors.Unavailable`.
    """
    try:
        with TransactGet(connection=connection()) as moment:
            futures = [moment.get(model, *key) for model, *key in keys]
    except TransactGetError as error:
        if any(reason and reason.code == retries.CONFLICT_REASON for reason in error.cancellation_reasons):
            raise retries.LostRace from error
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
        self, label: str, model: type[Record], key: str, condition: Condition, range_key: str | None = None
    ) -> None:
        """Demand that a condition holds for an item that is not written."""
        self._add("check", label, model.get_operation_kwargs_from_class(key, range_key, condition=condition))

    def put(self, label: str, record: Record, condition: Condition | None = None) -> None:
        """Write a whole item."""
        self._add("put", label, record.get_save_kwargs_from_instance(condition=condition))

    def update(self, label: str, record: Record, actions: Sequence[Action], condition: Condition | None = None) -> None:
        """Change some attributes of an item."""
        self._add("update", label, record.get_update_kwargs_from_instance(actions=list(actions), condition=condition))

    def delete(self, label: str, record: Record, condition: Condition) -> None:
        """Remove an item."""
        self._add("delete", label, record.get_delete_kwargs_from_instance(condition=condition))

    def commit(self, *, lasting: bool = True) -> Failures:
        """Carry it out.

        Takes: whether the plan outlasts a conflict. A lasting one states the rule in its conditions and is sent
        again, unchanged, when other transactions hold its items. One that is not (it names the head of the queue,
        say, which the other transaction may just be moving) is given up instead, to be planned anew.
        Returns: the conditions that failed; an empty dict means that everything was written.
        Raises: `retries.LostRace` in a conflict, unless lasting; `errors.Unavailable`.
        """
        return retries.PLANNING.wraps(self._send)() if lasting else self._send()

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
        """The conditions that failed. Raises: `retries.LostRace` while others hold some of the items.

        A failed condition beside a held item may be the work of the very transaction that holds it (this request
        sent twice, perhaps, with half of the first one's items already visible): that is judged once it is done.
        """
        labels = [label for parts in self._parts.values() for label in parts]
        reasons = [(label, reason) for label, reason in zip(labels, error.cancellation_reasons, strict=False) if reason]
        codes = {reason.code for _, reason in reasons}
        if retries.CONFLICT_REASON in codes:
            raise retries.LostRace from error
        failures = {label: reason.raw_item for label, reason in reasons if reason.code == FAILED_CONDITION}
        if not failures:
            raise error
        return failures
