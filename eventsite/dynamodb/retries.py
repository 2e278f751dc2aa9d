"""Retries: when to try again, how long to wait, and when to give up.

There are two loops. The connection (`eventsite.dynamodb.connection`) sends a call again if DynamoDB did not answer or
throttled it (`retry_call`). A rule is planned again if another transaction held its items or committed first
(`steps.retrying`). The waits of both grow exponentially and have jitter (AWS Architecture Blog, "Exponential Backoff
And Jitter"). Both loops are bounded in attempts, and stop at the request's deadline.

No attempt starts later than `settings.REQUEST_SECONDS` (20 s) after the request did, and an attempt
lasts 4 s at most (1 s to connect, 3 s to answer). So the answer, 503 in the worst case, is there before API Gateway
gives up after 29 s and the Lambda ends after 30 s.

Metrics count by the signals `conflict_retried`, `deadline_missed` and `throttled`.
"""

import math
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import NoReturn, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from django.conf import settings
from django.dispatch import Signal
from pynamodb.exceptions import PynamoDBException, VerboseClientError

from eventsite.errors import DomainError, Unavailable

T = TypeVar("T")

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)

conflict_retried = Signal()
"""Another transaction held an item. The rule is tried again after a wait, or goes on by another plan."""

deadline_missed = Signal()  # a request gave up because its time or its attempts were used up

throttled = Signal()  # DynamoDB refused a call because a table, an index or the account is over its throughput

FAILURES = (DomainError, PynamoDBException, BotoCoreError, ClientError)
"""The errors with which a rule or a call can fail."""
MOST_ATTEMPTS = 30  # of one call; in a request the deadline comes first, but a command has none
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0  # seconds

# The error codes after which the same request may succeed.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
THROTTLES = frozenset({"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"})
REFUSALS = THROTTLES | {"LimitExceededException", "TransactionConflictException"}  # DynamoDB has done nothing
TRANSIENT_CODES = REFUSALS | {"InternalServerError", "ServiceUnavailable", "TransactionInProgressException"}
# The same inside a cancelled transaction, one per item.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
TRANSIENT_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
CONFLICT_REASON = "TransactionConflict"

_unanswered: ContextVar[list[BaseException]] = ContextVar("unanswered")
_is_impatient: ContextVar[bool] = ContextVar("is_impatient", default=False)


class Conflict(Exception):
    """Another transaction committed first. Plan again from the current state.

    `immediate` is True if the other one has ended, so there is nothing to wait for.
    """

    def __init__(self, *, immediate: bool = False) -> None:
        self.immediate = immediate
        super().__init__("lost a race against another transaction")


class Unprocessed(Exception):
    """DynamoDB answered a part of a batch and throttled the rest."""


@contextmanager
def _within(variable: ContextVar[T], value: T) -> Iterator[T]:
    """Give a variable a value for everything inside."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)


def unanswered_calls() -> AbstractContextManager[list[BaseException]]:
    """Collect the errors after which a call may have been executed: no answer, or an internal error."""
    return _within(_unanswered, [])


def _note(error: BaseException) -> None:
    """Record a failed call for `unanswered_calls` and for the metrics."""
    errors = _unanswered.get(None)
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    if code in THROTTLES or cancellation_reasons(error) & TRANSIENT_REASONS:
        throttled.send_robust(sender=None)
    if errors is not None and is_transient(error) and code not in REFUSALS:
        errors.append(error)


def impatience() -> AbstractContextManager[bool]:
    """Let a throttled transaction fail with `Conflict`, because its caller has a plan that needs fewer units."""
    return _within(_is_impatient, True)


def time_limit(seconds: float) -> AbstractContextManager[float]:
    """Limit everything inside to `seconds` from now, or to the limit in force if that is sooner."""
    return _within(_deadline, min(time.monotonic() + seconds, _deadline.get()))


def time_left() -> float:
    """Return the seconds until the request's deadline. A shell or command has no deadline: always a whole request's."""
    until = _deadline.get()
    return settings.REQUEST_SECONDS if until == math.inf else until - time.monotonic()


def before_deadline() -> None:
    """Raise `errors.Unavailable` if the request's time is up."""
    if time_left() <= 0:
        give_up()


def wait_about(seconds: float) -> float:
    """Wait between half and one and a half times as long, so that waiting clients spread out. Return the seconds.

    Raises:
        Unavailable: The request's time is up, or would be after the wait.
    """
    seconds *= random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
    if time_left() <= seconds:
        give_up()
    time.sleep(seconds)
    return seconds


def give_up(cause: BaseException | None = None) -> NoReturn:
    deadline_missed.send_robust(sender=None)
    raise Unavailable from cause


def is_transient(error: BaseException) -> bool:
    """Return True if the same call may succeed when it is sent again."""
    if isinstance(error, VerboseClientError):
        reasons = cancellation_reasons(error)
        return bool(reasons & TRANSIENT_REASONS) and not _is_impatient.get() if reasons else _is_passing(error)
    return isinstance(error, HTTPClientError | BotocoreConnectionError | Unprocessed) or _is_unreadable(error)


def cancellation_reasons(error: BaseException) -> set[str]:
    """Return the error codes of the items that made a transaction fail."""
    reasons = error.cancellation_reasons if isinstance(error, VerboseClientError) else []
    return {str(reason.code) for reason in reasons if reason}


def _is_unreadable(error: BaseException) -> bool:
    """Return True if botocore's client could not read an answer. Its parsers are loaded with that client only."""
    parsers = sys.modules.get("botocore.parsers")
    return parsers is not None and isinstance(error, parsers.ResponseParserError)


def _is_passing(error: VerboseClientError) -> bool:
    """Judge by the error code, or by the HTTP status if something in front of DynamoDB answered."""
    if error.response["Error"].get("Code") in TRANSIENT_CODES:
        return True
    original = error.__cause__
    return isinstance(original, ClientError) and original.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def retry_call(send: Callable[[], T]) -> T:
    """Send a call, and send it again after transient errors of DynamoDB.

    The limit of the wait doubles, because a throttled table recovers within seconds.

    Raises:
        Unavailable: The next wait would pass the deadline of the request, or the attempts are used up.
    """
    attempt = 0
    while True:
        attempt += 1
        before_deadline()
        try:
            return send()
        except Exception as error:
            _note(error)
            if not is_transient(error):
                raise
            seconds = random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1)))  # noqa: S311 (no secret)
            if attempt >= MOST_ATTEMPTS or time_left() <= seconds:
                give_up(error)
        time.sleep(seconds)
