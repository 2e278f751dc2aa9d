"""Read the stream of the events table continuously, as Lambda does, for `runserver` and `manage.py follow`.

A stream has shards, and a closed shard has children. A child is read after its parent has ended, so that the records of
one event stay in order.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from events.models import Event
from eventsite.dynamodb import connection, tables
from eventsite.errors import Missing
from registrations.notices import aws
from registrations.notices.stream.changes import StreamRecord, as_for_lambda

LATEST, OLDEST = "LATEST", "TRIM_HORIZON"
ATTEMPTS = 6


class NoStream(Missing):
    code = "no_stream"
    detail = "The events table has no stream, so there is nothing to follow (an earlier release made none)."


class Following:
    """A reader of the stream since `LATEST`, or since `OLDEST` for all records that the stream still has (a day).

    Raises:
        NoStream: The table has no stream.
        Unavailable: DynamoDB did not answer.
    """

    def __init__(self, *, since: str = LATEST) -> None:
        self.arn = _stream()
        self.client = streams_client()
        shards = self._shards()
        ended = {shard.get("ParentShardId") for shard in shards} if since == LATEST else set()
        names = (shard["ShardId"] for shard in shards)
        self._iterators: dict[str, str | None] = {name: None for name in names if name in ended}
        """The position in each shard; None if the shard is read to its end."""
        self._found: list[StreamRecord] = []
        """The records that are read and not returned yet, because another call did not succeed."""
        self._from: dict[str, dict[str, str]] = {}
        """Where to go on in each shard when its iterator has expired."""
        for shard in shards:
            self._open(shard, since)

    def _open(self, shard: Any, since: str) -> None:
        """Start to read a shard, unless its parent has to be read first."""
        name, parent = shard["ShardId"], shard.get("ParentShardId")
        if name in self._iterators or self._iterators.get(parent):
            return
        self._from[name] = {"ShardIteratorType": since}
        self._iterators[name] = self._iterator(name)

    def _iterator(self, shard: str) -> str:
        where: dict[str, str] = {"StreamArn": self.arn, "ShardId": shard}
        try:
            answer = self.client.get_shard_iterator(**where, **self._from[shard])
        except self.client.exceptions.TrimmedDataAccessException:  # the stream has lost what comes next
            answer = self.client.get_shard_iterator(**where, ShardIteratorType=OLDEST)
        return str(answer["ShardIterator"])

    def _shards(self) -> list[Any]:
        shards: list[Any] = []
        start: dict[str, str] = {}
        while True:
            answer = self.client.describe_stream(StreamArn=self.arn, **start)["StreamDescription"]
            shards += answer["Shards"]
            if not (last := answer.get("LastEvaluatedShardId")):
                return shards
            start = {"ExclusiveStartShardId": last}

    def new_records(self) -> list[StreamRecord]:
        """Return the records since the last call, in order per event, in the format of Lambda."""
        for shard in list(self._iterators):
            self._read(shard)
        if None in self._iterators.values():
            for shard in self._shards():
                self._open(shard, OLDEST)
        found, self._found = self._found, []
        return found

    def _read(self, shard: str) -> None:
        gone = self.client.exceptions
        while iterator := self._iterators[shard]:
            try:
                answer = self.client.get_records(ShardIterator=iterator)
            except (gone.ExpiredIteratorException, gone.TrimmedDataAccessException):  # after a long pause
                self._iterators[shard] = self._iterator(shard)
                return
            self._found += map(as_for_lambda, answer["Records"])
            self._iterators[shard] = answer.get("NextShardIterator")
            if not answer["Records"]:
                return
            number = answer["Records"][-1]["dynamodb"]["SequenceNumber"]
            self._from[shard] = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}


def _stream() -> str:
    table = tables.existing().get(Event.Meta.table_name)
    if not table:
        raise NoStream(f"There is no table {Event.Meta.table_name} yet: `python manage.py create_tables` makes it.")
    if not table.get("StreamSpecification", {}).get("StreamEnabled"):
        raise NoStream
    return str(table["LatestStreamArn"])


def streams_client() -> Any:
    """Return a client for the endpoint of the tables, or on AWS for the host that the SDK knows."""
    url = connection.endpoint() or ""
    is_aws = (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))
    keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), settings.DYNAMODB_CREDENTIALS)
    return aws.client("dynamodbstreams", attempts=ATTEMPTS, endpoint_url=None if is_aws else url or None, **keys)
