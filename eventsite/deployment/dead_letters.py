"""Dead letters of a stage: notices and records of the stream that could not be delivered."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from click import ClickException

from eventsite.deployment.stack import outputs_of
from eventsite.deployment.stage_file import Choices

BATCH = 10  # messages; the most that SQS returns in one call
HIDDEN_SECONDS = 60  # SQS hides a received letter this long; listing must reach the end of the queue before


def queues(chosen: Choices) -> tuple[Any, Any]:
    """Return the dead-letter queue of a stage, and the queue of notices that it belongs to."""
    outputs = outputs_of(chosen)
    if "DeadLetterQueueUrl" not in outputs:
        raise ClickException(f"Stage {chosen.stage} has no dead letters: it is not deployed.")
    sqs = chosen.session().resource("sqs")
    return sqs.Queue(outputs["DeadLetterQueueUrl"]), sqs.Queue(outputs["NoticeQueueUrl"])


def letters(queue: Any) -> Iterator[Any]:
    """Yield each message once, roughly the oldest first. SQS has no strict order."""
    asked = {"MessageAttributeNames": ["reason"], "MessageSystemAttributeNames": ["SentTimestamp"]}
    while found := queue.receive_messages(MaxNumberOfMessages=BATCH, VisibilityTimeout=HIDDEN_SECONDS, **asked):
        yield from found


def line(letter: Any) -> str:
    """Return the time, a description without the name of a person, and the reason."""
    since = datetime.fromtimestamp(int(letter.attributes["SentTimestamp"]) / 1000, UTC)
    reason = (letter.message_attributes or {}).get("reason", {}).get("StringValue", "")
    try:
        about = _about(json.loads(letter.body))
    except (ValueError, TypeError, KeyError):
        about = "something that is none of ours"
    return f"{since:%Y-%m-%d %H:%M} {about}{reason and f' ({reason})'}"


def _about(letter: dict[str, Any]) -> str:
    if "notice" in letter:
        return f"{letter['outlet']}: {letter['notice']['id']}"
    if "record" in letter:
        record = letter["record"]
        keys = record["dynamodb"]["Keys"]
        return f"record: {record['eventName']} of {keys['eventId']['S']} {keys['item']['S']}, {letter['error']}"
    note = letter["DDBStreamBatchInfo"]
    return f"records: {note['batchSize']} since {note['approximateArrivalOfFirstRecord']}"
