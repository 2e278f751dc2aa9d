"""The queue of deliveries: one message for each delivery that can fail independently.

On AWS the messages are in an SQS queue, whose Lambda is `registrations.notices.attempts.deliver`. In a local run they
are in this process, and a thread executes them.
"""

import json
import sched
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from pynamodb.exceptions import PynamoDBException

from eventsite.errors import Unavailable
from registrations.notices import aws

MAIL, WEBHOOK, BUS, HISTORY = "mail", "webhook", "bus", "history"

AT_ONCE, AT_ONCE_BYTES = 10, 250_000  # messages and bytes; SQS accepts no more in one call
SENDERS = 8
REASON_LENGTH = 200

OUTAGES = (Unavailable, *aws.ERRORS, PynamoDBException, OSError)
"""Errors that may be over at the next attempt. Any other error is a fault of the message."""


class RetryLater(Exception):
    """A task failed, and may succeed later. The error has the seconds that the receiver asked to wait."""

    def __init__(self, reason: str, seconds: float = 0) -> None:
        self.seconds = seconds
        super().__init__(reason)


class PermanentFailure(Exception):
    """A task fails at every attempt."""


@dataclass(frozen=True)
class Task:
    outlet: str
    """`MAIL`, `WEBHOOK`, `BUS` or `HISTORY`."""
    notice: dict[str, Any]
    """A CloudEvent as JSON."""
    to: str = ""
    """The name of the webhook; for a mail, the status of the recipients, empty for all."""
    people: tuple[str, ...] = ()
    """The ids of the users to mail. If it is empty, a notice of an event goes to its users, in pages."""
    after: int = 0
    """The last ticket of the previous pages."""

    @property
    def body(self) -> str:
        set_fields = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(set_fields, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def read(cls, fields: dict[str, Any]) -> "Task":
        """Return the task of a parsed `body`."""
        return cls(**(fields | {"people": tuple(fields.get("people", ()))}))


def send(tasks: Iterable[Task], *, seconds: int = 0) -> None:
    """Put tasks into the queue, to be tried after some seconds, at most 15 minutes.

    Raises:
        Unavailable: The queue does not answer. Some of the tasks may be in it.
    """
    bodies = [task.body for task in tasks]
    if not bodies:
        return
    if settings.LOCAL:
        local.put(bodies, seconds=seconds)
        return
    if not settings.NOTICE_QUEUE_URL:
        raise Unavailable("There is no queue for notices: NOTICE_QUEUE_URL is not set.")
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(partial(send_bodies, seconds=seconds), in_batches(bodies)))


def dead_letter(body: str, reason: str = "") -> None:
    """Dead-letter a task, or a record of the stream."""
    if settings.LOCAL or not settings.NOTICE_DEAD_LETTER_URL:
        return
    why = {"reason": {"DataType": "String", "StringValue": reason[:REASON_LENGTH]}} if reason else {}
    try:
        aws.client("sqs").send_message(
            QueueUrl=settings.NOTICE_DEAD_LETTER_URL, MessageBody=body, MessageAttributes=why
        )
    except (*aws.ERRORS, OSError) as error:
        raise Unavailable from error


def postpone(receipt: str, seconds: float) -> None:
    """Delay the next delivery of a message of the SQS queue. If that fails, it is delivered sooner."""
    with suppress(*aws.ERRORS):
        aws.client("sqs").change_message_visibility(
            QueueUrl=settings.NOTICE_QUEUE_URL, ReceiptHandle=receipt, VisibilityTimeout=int(seconds)
        )


def in_batches(bodies: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == AT_ONCE or size + length > AT_ONCE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch


def send_bodies(bodies: list[str], *, seconds: int = 0) -> None:
    """Send one batch."""
    delay = {"DelaySeconds": seconds} if seconds else {}

    def send(left: list[str]) -> list[str]:
        entries = [{"Id": str(number), "MessageBody": body, **delay} for number, body in enumerate(left)]
        answer = aws.client("sqs").send_message_batch(QueueUrl=settings.NOTICE_QUEUE_URL, Entries=entries)
        failed = {int(entry["Id"]) for entry in answer.get("Failed", ())}
        return [body for number, body in enumerate(left) if number in failed]

    if aws.send_batch(bodies, send):
        raise Unavailable


class LocalQueue:
    """The queue of a local run, which ends with the process."""

    _attempt: Callable[[str, int], float | None]

    def __init__(self) -> None:
        self._waiting = sched.scheduler(time.monotonic)
        self._changed = threading.Event()

    def put(self, bodies: Iterable[str], *, seconds: float = 0, number: int = 1) -> None:
        """Queue tasks, given as text, for an attempt of this 1-based number after some seconds."""
        for body in bodies:
            self._waiting.enter(seconds, 0, self._try, (body, number))
        self._changed.set()

    def execute(self, attempt: Callable[[str, int], float | None]) -> NoReturn:
        """Try each task when it is due, for ever. `attempt` returns the seconds until the next attempt, or None."""
        self._attempt = attempt
        while True:
            self._changed.clear()
            self._changed.wait(self._waiting.run(blocking=False))

    def _try(self, body: str, number: int) -> None:
        seconds = self._attempt(body, number)
        if seconds is not None:
            self.put([body], seconds=seconds, number=number + 1)


local = LocalQueue()
