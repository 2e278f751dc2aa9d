"""Dead-letter records of the stream that cannot be read, so that the others continue."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from eventsite.errors import log_exception
from eventsite.web import observability
from registrations.notices import aws
from registrations.notices.stream.changes import StreamRecord

MOST_BYTES = 200_000  # a message of SQS has at most 256 KB; larger images are left out


def put_aside(record: StreamRecord, error: Exception) -> bool:
    """Dead-letter a record that cannot be published, and log it.

    Args:
        record: The record.
        error: The reason.

    Returns:
        False if the dead-letter queue does not accept it, so that it has to be delivered again.
    """
    log_exception(error, "a notice that cannot be published")
    if not settings.NOTICE_DEAD_LETTER_URL:
        observability.count("NoticesPoisoned")
        return True
    try:
        _sqs().send_message(QueueUrl=settings.NOTICE_DEAD_LETTER_URL, MessageBody=message_of(record, error))
    except (BotoCoreError, ClientError, OSError) as outage:
        log_exception(outage, "the dead-letter queue takes nothing")
        return False
    observability.count("NoticesPoisoned")
    return True


def message_of(record: StreamRecord, error: Exception) -> str:
    message = json.dumps({"error": type(error).__qualname__, "record": record}, default=str)
    if len(message.encode()) <= MOST_BYTES:
        return message
    change = {name: value for name, value in record["dynamodb"].items() if not name.endswith("Image")}
    return json.dumps({"error": type(error).__qualname__, "record": record | {"dynamodb": change}}, default=str)


def _sqs() -> Any:
    return aws.client("sqs")
