"""What a stage could not tell: looking at its dead letters, having them told again, dropping them."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
from zappa.cli import ZappaCLI

from eventsite.deployment import callbacks
from eventsite.deployment.parts import Queue

AT_ONCE = 10
HIDDEN_SECONDS = 60
"""For so long nobody else is handed what somebody looks at, which is how one comes to the end of a queue."""


class NoDeadLetters(Exception):
    """There is nowhere to look; the text says why."""


class Letter(NamedTuple):
    """Something that could not be told."""

    body: str
    reason: str
    since: datetime
    receipt: str

    @property
    def about(self) -> str:
        """What it is, in words that name nobody."""
        try:
            return _about(json.loads(self.body))
        except (ValueError, TypeError, KeyError):
            return "something that is none of ours"


def _about(told: dict[str, Any]) -> str:
    if "notice" in told:
        return f"{told['outlet']}: {told['notice']['id']}"
    if "record" in told:
        record = told["record"]
        keys = record["dynamodb"]["Keys"]
        item = f"{keys['eventId']['S']} {keys['item']['S']}"
        return f"record: {record['eventName']} of {item}, {told['error']}"
    note = told["DDBStreamBatchInfo"]
    return f"records: {note['batchSize']} since {note['approximateArrivalOfFirstRecord']}"


class DeadLetters:
    """The queue of a stage's dead letters, and the one in which they are told."""

    def __init__(self, sqs: Any, *, dead: str, notices: str) -> None:
        """Takes: a client of SQS; the names of both queues. Raises: `NoDeadLetters` where the stage tells nobody."""
        found = [Queue(sqs, name, None).url for name in (dead, notices)]
        self._sqs = sqs
        self.dead, self._notices = (url or "" for url in found)
        if not all(found):
            raise NoDeadLetters(f"There is no queue {dead}: the stage tells nobody, or is not deployed.")

    def look(self) -> Iterator[Letter]:
        """The letters, each once, the oldest ones first as far as SQS has an order."""
        asked = {"MessageAttributeNames": ["reason"], "MessageSystemAttributeNames": ["SentTimestamp"]}
        while found := self._sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=AT_ONCE, VisibilityTimeout=HIDDEN_SECONDS, **asked
        ).get("Messages"):
            yield from map(_letter, found)

    def put_back(self, letters: Iterable[Letter]) -> None:
        """Show letters to others again that were only looked at."""
        for letter in letters:
            self._sqs.change_message_visibility(QueueUrl=self.dead, ReceiptHandle=letter.receipt, VisibilityTimeout=0)

    def tell_again(self, letter: Letter) -> None:
        """Put a letter into the queue of notices. Cut off in between, it is told twice, under the same id."""
        self._sqs.send_message(QueueUrl=self._notices, MessageBody=letter.body)
        self.drop(letter)

    def drop(self, letter: Letter) -> None:
        """Take a letter away for good."""
        self._sqs.delete_message(QueueUrl=self.dead, ReceiptHandle=letter.receipt)


def _letter(message: dict[str, Any]) -> Letter:
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    since = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return Letter(message["Body"], reason, since, message["ReceiptHandle"])


def of(stage: str) -> DeadLetters:
    """The dead letters of a stage, by its file and the operator's credentials.

    Raises: `NoDeadLetters`; botocore's errors when AWS refuses or is out of reach.
    """
    cli: Any = ZappaCLI()
    cli.api_stage, cli.command, cli.vargs = stage, "status", {}
    try:
        cli.load_settings()
        callbacks.choose(cli)
    except click.ClickException as refusal:
        raise NoDeadLetters(refusal.message) from refusal
    where = callbacks.place(cli)
    return DeadLetters(cli.zappa.boto_client("sqs"), dead=where.dead_letters, notices=where.notices)
