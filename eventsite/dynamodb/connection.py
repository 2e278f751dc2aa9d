"""The connection of the process, shared by all tables because a client costs some 40 ms of CPU to build.

It is made on first use: when the models load, the embedded engine may not run yet.
"""

import importlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from pynamodb.connection import Connection, TableConnection

from eventsite.dynamodb import retries
from eventsite.dynamodb.client import Client
from eventsite.dynamodb.signing import Keys

RawItem = dict[str, dict[str, Any]]  # an item as DynamoDB sends it: ``{"userId": {"S": "alice"}}``

Call = tuple[str, dict[str, Any]]  # an operation, and its arguments

REST_OF_BATCH = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
"""The part of an answer that a batch has to be sent again with."""
INDEXES = "GlobalSecondaryIndexes"
CONNECT_SECONDS, READ_SECONDS = 1, 3
"""The time limits of one attempt of a call. `eventsite.dynamodb.retries` fits them into a request."""


class PatientConnection(Connection):
    """A connection that sends an unanswered call again until the request's deadline.

    A transaction is sent again with the same client request token, so it is executed once even if its answer was lost.
    """

    _own_client: Client | None = None

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        if operation_name in REST_OF_BATCH:
            return self._whole_batch(operation_name, operation_kwargs)
        return retries.retry_call(partial(super()._make_api_call, operation_name, operation_kwargs))

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send a call, without the signals and the request for consumed capacity that PynamoDB adds for no reader."""
        return self._make_api_call(operation_name, operation_kwargs)

    def _whole_batch(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Read or write a whole batch that DynamoDB answers in parts, with a wait before each further part.

        PynamoDB itself would send the rest at once, of a read without end and of a write only twice.
        """
        send = super()._make_api_call
        found: dict[str, list[RawItem]] = {}
        rest = dict(arguments["RequestItems"])

        def next_part() -> dict[str, Any]:
            answer = send(operation, arguments | {"RequestItems": rest})
            for table, items in answer.get("Responses", {}).items():
                found.setdefault(table, []).extend(items)
            rest.clear()
            rest.update(answer.get(REST_OF_BATCH[operation]) or {})
            if rest:
                raise retries.Unprocessed
            return answer | {"Responses": found}

        return retries.retry_call(next_part)

    @contextmanager
    def ahead(self, calls: Sequence[Call]) -> Iterator[None]:
        """Send several reads before they are made, so that DynamoDB works on them meanwhile.

        The reads that are made inside then only receive their answers. botocore's client sends each when it is made.
        """
        client = self.client
        if not isinstance(client, Client):
            yield
            return
        retries.before_deadline()
        with client.sending_ahead(calls):
            yield

    def read_together(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """Make several reads at the same time, and return their answers in order.

        All are sent before the first answer is awaited. That takes one round trip without the CPU time of threads.
        """
        if len(calls) == 1:
            return [self.dispatch(*calls[0])]
        with self.ahead(calls):  # the last one is the last to be answered: when it is there, so are the others
            return [self.dispatch(*call) for call in reversed(calls)][::-1]

    @property
    def client(self) -> Any:
        """Our own client of DynamoDB, or botocore's if the settings choose it."""
        if settings.DYNAMODB_CLIENT == "botocore":
            importlib.import_module("botocore.client")  # on Lambda, PynamoDB is loaded without it
            return super().client
        if settings.DYNAMODB_ENGINE and (now := endpoint()) != self.host:  # it crashed, and was started again
            self.host, self._own_client = now, None
        if self._own_client is None:
            word = settings.DYNAMODB_CREDENTIALS
            self._own_client = Client(
                region=self.region,
                endpoint=self.host,
                keys=Keys(word, word) if word else None,
                connect_seconds=CONNECT_SECONDS,
                read_seconds=READ_SECONDS,
            )
        return self._own_client

    def warm_up(self) -> None:
        if isinstance(self.client, Client):
            self.client.warm_up()

    def adopt(self, table: TableConnection) -> None:
        """Send the calls of a table from now on.

        Models may share a table with the same keys. Only some of them name its indexes, and those are known from
        whichever comes.
        """
        described = table.get_meta_table()
        known = self._tables.setdefault(table.table_name, described)
        if len(described.data.get(INDEXES, ())) > len(known.data.get(INDEXES, ())):
            self._tables[table.table_name] = described
        table.connection = self


@cache
def connection() -> PatientConnection:
    return PatientConnection(
        region=settings.AWS_REGION,
        host=endpoint(),
        connect_timeout_seconds=CONNECT_SECONDS,
        read_timeout_seconds=READ_SECONDS,
        max_retry_attempts=0,
        max_pool_connections=50,
        aws_access_key_id=settings.DYNAMODB_CREDENTIALS,
        aws_secret_access_key=settings.DYNAMODB_CREDENTIALS,
    )


disconnect = connection.cache_clear
"""Drop the connection. The next call makes a new one."""
os.register_at_fork(after_in_child=disconnect)  # two processes must not share a socket


def endpoint() -> str | None:
    """Return the URL of DynamoDB, or None for the region's own."""
    if settings.DYNAMODB_ENDPOINT or not settings.DYNAMODB_ENGINE:
        return settings.DYNAMODB_ENDPOINT or None
    found: str = import_string(settings.DYNAMODB_ENGINE)()
    return found
