"""Attempts to deliver the tasks of the queue: mails, webhooks, and notices that the bus refused.

Each task is tried until it succeeds, with growing waits over a day (`WAITS`), then dead-lettered. The failure of one
task never repeats another.
"""

import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from eventsite.dynamodb.retries import time_limit
from eventsite.errors import Unavailable, log_exception
from eventsite.web import observability
from registrations.notices import history
from registrations.notices.outlets import bus, webhooks
from registrations.notices.outlets.mail import delivery as mail
from registrations.notices.queue import tasks as queue
from registrations.notices.queue.tasks import OUTAGES, PermanentFailure, RetryLater, Task

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
WAITS = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 10 * HOUR)
"""Seconds between two attempts, a little over a day in all."""
JITTER = 0.1
LONGEST = 12 * HOUR  # seconds; SQS hides a message for at most this
ATTEMPTS = len(WAITS) + 1
AT_ONCE = 10
LEAVES_SECONDS = 3.0  # seconds of the Lambda's time, for the answer about the batch


Taker = Callable[[str], bool]
"""A handler of messages that are no tasks. It does nothing and returns False for a task."""


def deliver(event: dict[str, Any], context: Any, taker: Taker = lambda _: False) -> dict[str, Any]:
    """Try a batch of the queue, as Lambda gets it. Return the failed messages, which SQS delivers again later."""
    records = event["Records"]
    seconds = context.get_remaining_time_in_millis() / 1000 - LEAVES_SECONDS
    threads = ThreadPoolExecutor(AT_ONCE)
    with time_limit(seconds):
        running = {threads.submit(copy_context().run, _deliver, record, taker): record for record in records}
    finished, _ = wait(running, seconds)
    threads.shutdown(wait=False, cancel_futures=True)
    back = [record["messageId"] for future, record in running.items() if future not in finished or future.result()]
    observability.publish()
    return {"batchItemFailures": [{"itemIdentifier": message} for message in back]}


def _deliver(record: dict[str, Any], taker: Taker) -> bool:
    """Try one message. Return True if it has to be delivered again."""
    seconds = attempt(record["body"], int(record["attributes"]["ApproximateReceiveCount"]), taker)
    if seconds is not None:
        queue.postpone(record["receiptHandle"], seconds)
    return seconds is not None


def attempt(body: str, number: int, taker: Taker = lambda _: False) -> float | None:
    """Try a task, given as text, for the 1-based `number` of times. This function raises no errors.

    Returns:
        The seconds until the next attempt, or None if there is none.
    """
    try:
        if not taker(body):
            task = Task.read(body)
            queue.send(CARRIERS[task.outlet](task))
    except PermanentFailure as error:
        return _over(body, error, "NoticesGivenUp", number)
    except (RetryLater, *OUTAGES) as error:
        if number < ATTEMPTS:
            return wait_after(number, getattr(error, "seconds", 0))
        return _over(body, error, "NoticesGivenUp", number)
    except Exception as error:
        log_exception(error, "a notice that cannot be delivered")
        return _over(body, error, "NoticesPoisoned", number)
    return None


def wait_after(number: int, asked: float = 0) -> float:
    """Return the seconds until the next attempt: at least those that the receiver asked for."""
    due = WAITS[min(number, len(WAITS)) - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 (no secret)
    return min(max(due, asked), LONGEST)


def _over(body: str, error: Exception, metric: str, number: int) -> float | None:
    """Dead-letter a task. If that fails too, return the wait until the next try."""
    is_ours = isinstance(error, RetryLater | PermanentFailure)  # others may quote the message
    reason = str(error) if is_ours else type(error).__qualname__
    try:
        queue.dead_letter(body, reason)
    except Unavailable:
        return wait_after(number)
    logger.error("a notice is given up: %s", reason)
    observability.count(metric)
    return None


def _to_bus(task: Task) -> list[Task]:
    if bus.put([task.notice]):
        raise RetryLater("the bus does not take it")
    return []


CARRIERS: dict[str, Callable[[Task], list[Task]]] = {
    queue.BUS: _to_bus,
    queue.WEBHOOK: webhooks.deliver,
    queue.MAIL: mail.deliver,
    queue.HISTORY: history.deliver,
}
"""The delivery of each outlet. Each returns further tasks, and raises `RetryLater` or `PermanentFailure`."""
