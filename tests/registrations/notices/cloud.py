"""The emulated AWS with a queue, a bus and e-mail, as a stage has them."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.request import urlopen

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import aws

_numbers = itertools.count()
_make = aws.client.__wrapped__
ACCOUNT = "200000000000"
QUEUES = ("notices", "dead", "seen")
SENDER = "events@example.org"


@dataclass
class Cloud:
    """What the outlets talk to."""

    engine: str
    queue: str
    dead: str
    on_the_bus: str
    mailed_before: int = 0

    def receive(self) -> list[dict[str, Any]]:
        """Return the due messages of the queue, as Lambda receives them."""
        reported = aws.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )
        return [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
            }
            for one in reported.get("Messages", ())
        ]

    def waiting(self) -> int:
        """How many messages the queue holds."""
        name = "ApproximateNumberOfMessages"
        reported = aws.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=[name])
        return int(reported["Attributes"][name])

    def dead_lettered(self) -> list[tuple[str, str]]:
        """Return the bodies and the reasons of all dead letters."""
        return [
            (one["Body"], one["MessageAttributes"]["reason"]["StringValue"])
            for one in self._messages(self.dead, MessageAttributeNames=["All"])
        ]

    def reported(self) -> list[dict[str, Any]]:
        """What a rule of the bus passed on."""
        return [json.loads(one["Body"]) for one in self._messages(self.on_the_bus)]

    def _messages(self, url: str, **options: Any) -> Iterator[dict[str, Any]]:
        while (
            found := aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, **options).get("Messages")
        ):
            yield from found

    def mails(self) -> list[dict[str, Any]]:
        """What SES took."""
        with urlopen(f"{self.engine}/_ministack/ses/messages?account={ACCOUNT}") as answer:
            sent: list[dict[str, Any]] = json.load(answer)["messages"].get(ACCOUNT, [])
        return sent[self.mailed_before :]


@cache
def _client(engine: str, service: str, **options: Any) -> Any:
    """A client of the emulated AWS, made once for all tests as it costs a tenth of a second."""
    with pytest.MonkeyPatch.context() as patched:
        variables = {"AWS_ENDPOINT_URL": engine, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "secret"}
        for name, value in variables.items():
            patched.setenv(name, value)
        return _make(service, **options)


def stage(engine: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """A stage that has chosen all there is, whose things nobody has used before."""
    monkeypatch.setattr(aws, "client", partial(_client, engine))
    sqs, events, number = aws.client("sqs"), aws.client("events"), next(_numbers)
    queue, dead, seen = (sqs.create_queue(QueueName=f"{name}-{number}")["QueueUrl"] for name in QUEUES)
    settings.LOCAL, settings.MAIL_FROM, settings.NOTICE_BUS = False, SENDER, f"told-{number}"
    settings.NOTICE_QUEUE_URL, settings.NOTICE_DEAD_LETTER_URL = queue, dead
    aws.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    events.create_event_bus(Name=settings.NOTICE_BUS)
    events.put_rule(Name="all", EventBusName=settings.NOTICE_BUS, EventPattern='{"source": ["eventsite"]}')
    arn = sqs.get_queue_attributes(QueueUrl=seen, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule="all", EventBusName=settings.NOTICE_BUS, Targets=[{"Id": "seen", "Arn": arn}])
    made = Cloud(engine, queue, dead, seen)
    made.mailed_before = len(made.mails())
    return made
