"""The things on AWS by which notices travel, each as it is found, made, changed and removed.

What AWS is slow to notice is asked for again for a while: a role that was just given a right, a queue of the same name
that was just deleted, a mapping that is still being changed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception, retry_if_result, stop_after_delay, wait_exponential

from eventsite.deployment.steps import Settings

SETTLE_SECONDS = 120.0
"""A queue's name is free again 60 seconds after it was deleted; a role's new right counts within seconds."""
SETTLING = frozenset(
    {
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "InvalidParameterValueException",  # a mapping whose role is not effective yet
        "QueueDeletedRecently",
        "ResourceConflictException",
        "ResourceInUseException",
    }
)
IMAGES = "NEW_AND_OLD_IMAGES"


def code(error: BaseException) -> str:
    """What AWS calls an error; empty for what is none of AWS's."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


_AGAIN = Retrying(
    retry=retry_if_exception(lambda error: code(error) in SETTLING) | retry_if_result(lambda done: done is False),
    wait=wait_exponential(multiplier=0.2, max=5),
    stop=stop_after_delay(SETTLE_SECONDS),
    reraise=True,
)


@dataclass
class Queue:
    """A queue of SQS, encrypted by SQS's own key."""

    sqs: Any
    name: str
    wanted: Settings | None
    tags: dict[str, str] = field(default_factory=dict)
    fixed: bool = False

    @property
    def what(self) -> str:
        return f"queue {self.name}"

    @property
    def url(self) -> str | None:
        """Where the queue is; None if it is not there."""
        try:
            return str(self.sqs.get_queue_url(QueueName=self.name)["QueueUrl"])
        except ClientError as error:
            if not code(error).endswith(("QueueDoesNotExist", "NonExistentQueue")):
                raise
            return None

    def found(self) -> Settings | None:
        if (url := self.url) is None:
            return None
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {name: _parsed(value) for name, value in attributes.items()}

    def make(self) -> None:
        _AGAIN(self.sqs.create_queue, QueueName=self.name, Attributes=self._attributes, tags=self.tags)

    def change(self) -> None:
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=self._attributes)

    def remove(self) -> None:
        self.sqs.delete_queue(QueueUrl=self.url)

    @property
    def _attributes(self) -> dict[str, str]:
        wanted = self.wanted or {}
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in wanted.items()}


def _parsed(value: str) -> Any:
    """An attribute of a queue: those that are JSON objects or truth values are compared as such."""
    try:
        return json.loads(value)
    except ValueError:
        return value


@dataclass
class Stream:
    """The stream of a table's changes, with both images. One of other images is somebody else's, and stays as it is."""

    dynamodb: Any
    table: str
    wanted: Settings | None
    removable: Callable[[str], bool] = lambda arn: True
    """Whether the stream of this ARN may be turned off."""
    fixed: bool = True

    @property
    def what(self) -> str:
        return f"stream of table {self.table}"

    @property
    def arn(self) -> str | None:
        """The ARN of the stream; None if it is off."""
        table = self._table() or {}
        return table.get("LatestStreamArn") if table.get("StreamSpecification", {}).get("StreamEnabled") else None

    def found(self) -> Settings | None:
        if (arn := self.arn) is None or (self.wanted is None and not self.removable(arn)):
            return None
        specification: Settings = self._table()["StreamSpecification"]
        return {"StreamViewType": specification["StreamViewType"]}

    def make(self) -> None:
        self._update({"StreamEnabled": True, "StreamViewType": IMAGES})

    def change(self) -> None:
        raise NotImplementedError  # it is fixed

    def remove(self) -> None:
        self._update({"StreamEnabled": False})

    def _update(self, specification: Settings) -> None:
        _AGAIN(self.dynamodb.update_table, TableName=self.table, StreamSpecification=specification)
        _AGAIN(lambda: self._table()["TableStatus"] == "ACTIVE")

    def _table(self) -> Any:
        try:
            return self.dynamodb.describe_table(TableName=self.table)["Table"]
        except self.dynamodb.exceptions.ResourceNotFoundException:
            return None


@dataclass
class Mapping:
    """What hands the records of a source to the function."""

    lambda_: Any
    function: str
    source: Callable[[], str | None]
    """Finds the ARN of the source, None while it is not there."""
    sources: str
    """What the ARNs of this source begin with, also of one that is no longer."""
    settings: Settings | None
    """How it shall be set, but for its source; None if it shall not be there."""
    called: str
    starting: dict[str, str] = field(default_factory=dict)
    """What counts only when it is made."""
    fixed: bool = False

    @property
    def what(self) -> str:
        return f"mapping {self.called}"

    @property
    def wanted(self) -> Settings | None:
        return None if self.settings is None else self.settings | {"EventSourceArn": self.source() or "a new one"}

    def found(self) -> Settings | None:
        found = self._all()
        current = [each for each in found if each["EventSourceArn"] == self.source()]
        return next(iter(current or found), None)

    def make(self) -> None:
        source = {"EventSourceArn": self.source(), **self.starting}
        _AGAIN(self.lambda_.create_event_source_mapping, **self._arguments, **source)

    def change(self) -> None:
        source = self.source()
        current = [each for each in self._all() if each["EventSourceArn"] == source]
        for stale in self._all():
            if stale["EventSourceArn"] != source:  # a mapping keeps its source
                _AGAIN(self.lambda_.delete_event_source_mapping, UUID=stale["UUID"])
        if not current:
            self.make()
        for each in current:
            _AGAIN(self.lambda_.update_event_source_mapping, UUID=each["UUID"], **self._arguments)

    def remove(self) -> None:
        for each in self._all():
            _AGAIN(self.lambda_.delete_event_source_mapping, UUID=each["UUID"])

    def reads(self, arn: str) -> bool:
        """Whether this mapping reads a source, and nobody else's does."""
        readers = [each for each in self._pages(EventSourceArn=arn) if each.get("State") != "Deleting"]
        return bool(readers) and all(self._is_ours(each) for each in readers)

    @property
    def _arguments(self) -> Settings:
        """The settings under the names by which they are given."""
        settings = dict(self.settings or {})
        return {"FunctionName": settings.pop("FunctionArn"), **settings}

    def _all(self) -> list[Settings]:
        """The mappings of the function that read this source, whichever version they call, and earlier ones of it."""
        pages = self._pages()
        return [
            each
            for each in pages
            if self._is_ours(each)
            and each["EventSourceArn"].startswith(self.sources)
            and each.get("State") != "Deleting"
        ]

    def _is_ours(self, mapping: Settings) -> bool:
        return self.function in mapping["FunctionArn"].split(":")

    def _pages(self, **arguments: str) -> list[Settings]:
        pages = self.lambda_.get_paginator("list_event_source_mappings").paginate(**arguments)
        return [each for page in pages for each in page["EventSourceMappings"]]


@dataclass
class Alarm:
    """An alarm of CloudWatch."""

    cloudwatch: Any
    name: str
    wanted: Settings | None
    tags: dict[str, str] = field(default_factory=dict)
    fixed: bool = False

    @property
    def what(self) -> str:
        return f"alarm {self.name}"

    def found(self) -> Settings | None:
        alarms = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return alarms[0] if alarms else None

    def make(self) -> None:
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        self.cloudwatch.put_metric_alarm(AlarmName=self.name, Tags=tags, **(self.wanted or {}))

    def change(self) -> None:
        self.cloudwatch.put_metric_alarm(AlarmName=self.name, **(self.wanted or {}))

    def remove(self) -> None:
        self.cloudwatch.delete_alarms(AlarmNames=[self.name])
