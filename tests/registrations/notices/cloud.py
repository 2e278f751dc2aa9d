"""The emulated AWS with a queue, a bus and e-mail, as a stage has them."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import aws

_accounts = itertools.count(200000000000)
SENDER = "events@example.org"


@dataclass
class Cloud:
    """What the outlets talk to."""

    engine: str
    account: str
    queue: str
    dead: str
    on_the_bus: str

    def receive(self) -> list[dict[str, Any]]:
        """What is due in the queue, as Lambda is handed it."""
        told = aws.client("sqs").receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )
        return [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
            }
            for one in told.get("Messages", ())
        ]

    def waiting(self) -> int:
        """How many messages the queue holds."""
        name = "ApproximateNumberOfMessages"
        told = aws.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=[name])
        return int(told["Attributes"][name])

    def buried(self) -> list[tuple[str, str]]:
        """The bodies of the dead letters, and why they are there."""
        return [
            (one["Body"], one["MessageAttributes"]["reason"]["StringValue"])
            for one in self._messages(self.dead, MessageAttributeNames=["All"])
        ]

    def told(self) -> list[dict[str, Any]]:
        """What a rule of the bus passed on."""
        return [json.loads(one["Body"]) for one in self._messages(self.on_the_bus)]

    def _messages(self, url: str, **options: Any) -> Iterator[dict[str, Any]]:
        while (
            found := aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, **options).get("Messages")
        ):
            yield from found

    def mails(self) -> list[dict[str, Any]]:
        """What SES took."""
        with urlopen(f"{self.engine}/_ministack/ses/messages?account={self.account}") as answer:
            sent: list[dict[str, Any]] = json.load(answer)["messages"].get(self.account, [])
        return sent


@contextmanager
def stage(engine: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A stage that has chosen all there is, in an account of its own."""
    account = str(next(_accounts))
    for name, value in {
        "AWS_ENDPOINT_URL": engine,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    sqs, events = aws.client("sqs"), aws.client("events")
    queue, dead, seen = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("notices", "dead", "seen"))
    settings.LOCAL, settings.MAIL_FROM, settings.NOTICE_BUS = False, SENDER, "told"
    settings.NOTICE_QUEUE_URL, settings.NOTICE_DEAD_LETTER_URL = queue, dead
    aws.client("sesv2").create_email_identity(EmailIdentity=SENDER)
    events.create_event_bus(Name="told")
    events.put_rule(Name="all", EventBusName="told", EventPattern='{"source": ["eventsite"]}')
    arn = sqs.get_queue_attributes(QueueUrl=seen, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule="all", EventBusName="told", Targets=[{"Id": "seen", "Arn": arn}])
    try:
        yield Cloud(engine, account, queue, dead, seen)
    finally:
        aws.client.cache_clear()
