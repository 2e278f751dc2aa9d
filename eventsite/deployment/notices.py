"""What a stage needs on AWS to tell people and systems what was committed (`registrations.notices`).

    events table ── stream ── mapping ──▶ the function ──▶ the bus
                                             │  ▲
                                             ▼  │ mapping
                                        queue of notices ──▶ mail, webhooks, again the bus
    what cannot be told ──▶ queue of dead letters ──▶ alarm

A stage that chose no outlet has none of it. The bus, the identity that mails are sent from and the topic that alarms
are told to are the operator's own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from eventsite.deployment import stage_file
from eventsite.deployment.iam_policy import Account, Telling
from eventsite.deployment.parts import IMAGES, Alarm, Mapping, Queue, Stream
from eventsite.deployment.steps import Part, Settings, Step, step, take

HOUR, DAY = 3600, 24 * 3600

TOLD_BY = (
    {"dynamodb": {"Keys": {"item": {"S": ["event", "seats"]}}}},
    {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"people": {"S": [{"exists": True}]}}}},
)
"""The records that tell something: of descriptions, seats and farewells. All others wake nobody, such as markers, which
every keyed request and every mail leave.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html"""
STREAM: Settings = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,  # people wait
    "ParallelizationFactor": 1,  # with more, order is kept per item only, and an event has two
    "BisectBatchOnFunctionError": True,
    "MaximumRetryAttempts": -1,  # an outage is waited out: the handler itself sets aside what is poisoned
    "MaximumRecordAgeInSeconds": 22 * HOUR,  # the stream keeps a day; two hours are left to fetch what is set aside
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in TOLD_BY]},
}
"""How the stream is read.
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html"""
FROM_THE_START = {"StartingPosition": "TRIM_HORIZON"}
"""LATEST would miss what happens until the mapping is ready, some minutes. A stream begins when it is turned on, which
is when the stage gets its first outlet, so nothing older is told."""
QUEUE: Settings = {
    "BatchSize": 10,
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {"MaximumConcurrency": 5},  # mails and webhooks never take the requests' share of the account
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
}
ATTEMPTS = 20
"""How often a message is handed out before it is set aside."""
VISIBILITY_FACTOR = 6
"""For how many of the function's timeouts a message that was handed out is nobody else's, as Lambda's manual asks.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
LATE_SECONDS = 300
NO_OUTLETS = stage_file.Choices("", {})


@dataclass(frozen=True)
class Place:
    """Where a stage's things are, and in whose name."""

    account: Account
    function: str
    qualifier: str | None = None
    """The alias that the API calls, if it calls one: the mappings call the same."""
    timeout: int = 30

    @property
    def target(self) -> str:
        """The ARN of what is called."""
        return self.account.arn("lambda", ":".join(filter(None, ["function", self.function, self.qualifier])))

    @property
    def notices(self) -> str:
        """The name of the queue of notices."""
        return f"{self.function}-notices"

    @property
    def dead_letters(self) -> str:
        """The name of the queue of dead letters."""
        return f"{self.function}-dead-letters"

    def queue(self, name: str) -> str:
        """The ARN of a queue."""
        return self.account.arn("sqs", name)


def variables(place: Place, chosen: stage_file.Choices, endpoint: str) -> dict[str, str]:
    """The variables that tell the Lambda its queues. Takes: also SQS's endpoint, which a queue's URL begins with."""
    queues = {"NOTICE_QUEUE_URL": place.notices, "NOTICE_DEAD_LETTER_URL": place.dead_letters} if chosen.told else {}
    return {name: f"{endpoint}/{place.account.number}/{queue}" for name, queue in queues.items()}


def telling(place: Place, chosen: stage_file.Choices) -> Telling | None:
    """What the function has to be allowed for it; None where nothing is told."""
    if not chosen.told:
        return None
    return Telling(
        table=chosen.tables["events"],
        dead_letters=place.dead_letters,
        notices=place.notices,
        bus=chosen.values.get("NOTICE_BUS"),
        sender=parseaddr(chosen.values.get("MAIL_FROM", ""))[1] or None,
    )


class Notices:
    """What one stage has of it, and shall have."""

    def __init__(
        self,
        client: Any,
        place: Place,
        table: str,
        chosen: stage_file.Choices = NO_OUTLETS,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Takes: a maker of AWS's clients by service; where; the events table; the choices, for none of it nothing."""
        self._client, self._place, self._chosen, self._tags = client, place, chosen, tags or {}
        self._dead = self._queue(place.dead_letters, {"MessageRetentionPeriod": 14 * DAY}, chosen.told)
        self._notices = self._queue(place.notices, self._redriven(), chosen.told)
        self._stream = Stream(client("dynamodb"), table, {"StreamViewType": IMAGES} if chosen.told else None)
        self._reading = self._mapping(
            self._stream_settings() if chosen.told else None,
            source=lambda: self._stream.arn,
            sources=place.account.arn("dynamodb", "table/"),  # also of a table that the stage had before
            called=f"of the stream of {table}",
            starting=FROM_THE_START,
        )
        self._stream.removable = self._reading.reads
        self._delivering = self._mapping(
            {"FunctionArn": place.target, **QUEUE} if chosen.told else None,
            source=lambda: place.queue(place.notices),
            sources=place.queue(place.notices),
            called=f"of queue {place.notices}",
        )

    def plan(self) -> list[Step]:
        """What a deployment would do about it."""
        return [planned for part in self.parts if (planned := step(part))]

    def prepare(self) -> Iterator[Step]:
        """Make what the function is to find when it starts, and what is to be mapped to it."""
        wanted = [part for part in (self._dead, self._notices, self._stream) if part.wanted]
        yield from take(wanted)

    def finish(self) -> Iterator[Step]:
        """Make the rest, now that the function is there, and take away what is no longer chosen."""
        yield from take(self.parts)

    @property
    def parts(self) -> list[Part]:
        """All of it, each after what it stands on."""
        return [self._dead, self._notices, self._stream, self._reading, self._delivering, *self._alarms()]

    def _queue(self, name: str, wanted: Settings, is_wanted: bool) -> Queue:
        settings = wanted | {"SqsManagedSseEnabled": True}
        return Queue(self._client("sqs"), name, settings if is_wanted else None, self._tags)

    def _redriven(self) -> Settings:
        policy = {"deadLetterTargetArn": self._place.queue(self._place.dead_letters), "maxReceiveCount": ATTEMPTS}
        visible_again = VISIBILITY_FACTOR * self._place.timeout
        return {"VisibilityTimeout": visible_again, "MessageRetentionPeriod": 4 * DAY, "RedrivePolicy": policy}

    def _stream_settings(self) -> Settings:
        set_aside = {"OnFailure": {"Destination": self._place.queue(self._place.dead_letters)}}
        return {"FunctionArn": self._place.target, **STREAM, "DestinationConfig": set_aside}

    def _mapping(self, settings: Settings | None, **which: Any) -> Mapping:
        return Mapping(self._client("lambda"), self._place.function, settings=settings, **which)

    def _alarms(self) -> Iterator[Alarm]:
        waiting = _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", 0, QueueName=self._place.dead_letters)
        yield self._alarm("dead-letters", waiting, "Something could not be told: docs/operations.md says what to do.")
        late = _metric("AWS/Lambda", "IteratorAge", LATE_SECONDS * 1000, FunctionName=self._place.function)
        yield self._alarm("notices-late", late, "What was committed is told late: docs/operations.md says why.")

    def _alarm(self, name: str, metric: Settings, description: str) -> Alarm:
        told = [self._chosen.alarm_topic] if self._chosen.alarm_topic else []
        wanted = metric | {"AlarmDescription": description, "AlarmActions": told, "OKActions": told}
        full_name = f"{self._place.function}-{name}"
        return Alarm(self._client("cloudwatch"), full_name, wanted if self._chosen.told else None, self._tags)


def _metric(namespace: str, name: str, threshold: float, **dimensions: str) -> Settings:
    """An alarm's rule: the metric's maximum over five minutes is above a threshold; no figures are good news."""
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": float(threshold),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
