"""When to try again, how long to wait in between, and when to give up.

Two loops use this: the connection (`eventsite.dynamodb`) sends a call again when DynamoDB did not answer or
asked for patience, and the seat rules (`registrations.seating`) plan a transaction anew when it lost a race.
Both wait with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter") and both stop at the
request's deadline, which lies well before the Lambda's 30 s and API Gateway's 29 s.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError
from django.conf import settings
from pynamodb.exceptions import VerboseClientError
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_exception_type, wait_random_exponential

from eventsite.errors import Unavailable

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

MAX_ATTEMPTS = 200
AT_ONCE_ATTEMPTS = 10

# The words by which DynamoDB says that nothing is wrong with the request and it may be sent again.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
# The same inside a cancelled transaction, one per item.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
TRANSIENT_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
CONFLICT_REASON = "TransactionConflict"


class LostRace(Exception):
    """Another transaction came first; plan again from what is true now.

    `at_once`: the other one is done, so there is nothing to wait for.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        super().__init__("lost a race against another transaction")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Bound everything inside to `seconds` from now, or to the limit already in force if that is sooner."""
    until = time.monotonic() + seconds
    outer = _deadline.get()
    token = _deadline.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


def time_left() -> float:
    """Seconds until the request's deadline; a whole request's worth where none is set (a shell, a command)."""
    until = _deadline.get()
    return settings.REQUEST_SECONDS if until is None else until - time.monotonic()


def is_transient(error: BaseException) -> bool:
    """Whether DynamoDB may do what was asked if the same call is sent again."""
    if isinstance(error, VerboseClientError):
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        return reasons <= TRANSIENT_REASONS if reasons else error.response["Error"].get("Code") in TRANSIENT_CODES
    return isinstance(error, HTTPClientError | BotocoreConnectionError)


def _is_over(state: RetryCallState) -> bool:
    return state.attempt_number >= MAX_ATTEMPTS or time_left() < state.upcoming_sleep


def _give_up(state: RetryCallState) -> NoReturn:
    cause = state.outcome.exception() if state.outcome else None
    raise Unavailable from cause


# A call that DynamoDB did not answer well: a throttled table recovers within seconds, not milliseconds.
SENDING = Retrying(
    retry=retry_if_exception(is_transient),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    stop=_is_over,
    retry_error_callback=_give_up,
)
_JITTER = wait_random_exponential(multiplier=0.02, max=0.15)


def _wait_for_keys(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    at_once = isinstance(error, LostRace) and error.at_once and state.attempt_number < AT_ONCE_ATTEMPTS
    return 0.0 if at_once else _JITTER(state)


# A race for one event's seats: each transaction holds its keys for some 10 ms, so short waits fill the gaps.
PLANNING = Retrying(
    retry=retry_if_exception_type(LostRace),
    wait=_wait_for_keys,
    stop=_is_over,
    retry_error_callback=_give_up,
)
