"""Dead letters of a stage: notices that could not be delivered, listed, sent again or dropped."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from eventsite.deployment.stack import outputs_of
from eventsite.deployment.stage_file import Choices

BATCH = 10  # messages; the most that SQS returns in one call
HIDDEN_SECONDS = 60  # SQS hides a received letter this long; listing must reach the end of the queue before


class NoDeadLetters(Exception):
    """The stage has no dead-letter queue. The text is the reason."""


class Letter(NamedTuple):
    """A notice, or a record of the stream, that could not be delivered."""

    body: str
    reason: str
    since: datetime
    receipt: str

    @property
    def about(self) -> str:
        """Return a description without the name of a person."""
        try:
            return _about(json.loads(self.body))
        except (ValueError, TypeError, KeyError):
            return "something that is none of ours"


def _about(letter: dict[str, Any]) -> str:
    if "notice" in letter:
        return f"{letter['outlet']}: {letter['notice']['id']}"
    if "record" in letter:
        record = letter["record"]
        keys = record["dynamodb"]["Keys"]
        item = f"{keys['eventId']['S']} {keys['item']['S']}"
        return f"record: {record['eventName']} of {item}, {letter['error']}"
    note = letter["DDBStreamBatchInfo"]
    return f"records: {note['batchSize']} since {note['approximateArrivalOfFirstRecord']}"


class DeadLetters:
    """The dead-letter queue of a stage, and the queue of notices that it belongs to."""

    def __init__(self, sqs: Any, *, dead: str, notices: str) -> None:
        """Connect to the queues.

        Args:
            sqs: The client of SQS.
            dead: The URL of the dead-letter queue.
            notices: The URL of the queue of notices.
        """
        self._sqs, self.dead, self._notices = sqs, dead, notices

    def look(self) -> Iterator[Letter]:
        """Yield each letter once, roughly the oldest first. SQS has no strict order."""
        asked = {"MessageAttributeNames": ["reason"], "MessageSystemAttributeNames": ["SentTimestamp"]}
        while found := self._sqs.receive_message(
            QueueUrl=self.dead, MaxNumberOfMessages=BATCH, VisibilityTimeout=HIDDEN_SECONDS, **asked
        ).get("Messages"):
            yield from map(_letter, found)

    def put_back(self, letters: Iterable[Letter]) -> None:
        """Make listed letters visible again."""
        for letter in letters:
            self._sqs.change_message_visibility(QueueUrl=self.dead, ReceiptHandle=letter.receipt, VisibilityTimeout=0)

    def send_again(self, letter: Letter) -> None:
        """Move a letter to the queue of notices. An interruption may send it twice, with the same id."""
        self._sqs.send_message(QueueUrl=self._notices, MessageBody=letter.body)
        self.drop(letter)

    def drop(self, letter: Letter) -> None:
        self._sqs.delete_message(QueueUrl=self.dead, ReceiptHandle=letter.receipt)


def _letter(message: dict[str, Any]) -> Letter:
    reason = message.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")
    since = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return Letter(message["Body"], reason, since, message["ReceiptHandle"])


def of(chosen: Choices) -> DeadLetters:
    """Return the letters of a stage.

    Raises:
        NoDeadLetters: The stage has no dead-letter queue.
        BotoCoreError, ClientError: AWS refused or did not answer.
    """
    import boto3

    outputs = outputs_of(chosen)
    if "DeadLetterQueueUrl" not in outputs:
        raise NoDeadLetters(f"Stage {chosen.stage} has no dead letters: it sends no notices, or is not deployed.")
    session: Any = boto3.Session(region_name=chosen.region)
    return DeadLetters(session.client("sqs"), dead=outputs["DeadLetterQueueUrl"], notices=outputs["NoticeQueueUrl"])
