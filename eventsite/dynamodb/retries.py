"""When to try again, how long to wait in between, and when to give up.

Two loops use this: the connection (`eventsite.dynamodb.connection`) sends a call again when DynamoDB did not answer or
asked for patience (`retry_call`), and the rules plan a transaction anew when another one held its items or came
first (`retry_on_conflict`). Both wait with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), both
are bounded in attempts, and both stop at the request's deadline.

The deadline: no attempt starts later than `settings.REQUEST_SECONDS` (20 s) after the request did, and an attempt
lasts 4 s at most (1 s to connect, 3 s to answer). So the answer, 503 in the worst case, is there before API Gateway
gives up after 29 s and the Lambda ends after 30 s.

Two signals let others count what happens here: `conflict_retried` and `deadline_missed`.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from django.conf import settings
from django.dispatch import Signal
from pynamodb.exceptions import VerboseClientError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    wait_random,
    wait_random_exponential,
)

from eventsite.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

conflict_retried = Signal()
"""A transaction met another one on its items, and is tried again after a wait."""

deadline_missed = Signal()
"""A request gave up: its time, or its attempts, were used up."""

MAX_SENDS, MAX_PLANS = 30, 500
"""Attempts of one call, and of one transaction. In a request the deadline comes first; a command has none."""
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


# Of these, the ones by which DynamoDB says that it did nothing. After any other the call may have been carried out.
REFUSALS = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
    }
)

_unanswered: ContextVar[list[BaseException] | None] = ContextVar("unanswered", default=None)


class Conflict(Exception):
    """Another transaction came first; plan again from what is true now.

    `immediate`: the other one is done, so there is nothing to wait for.
    """

    def __init__(self, *, immediate: bool = False) -> None:
        self.immediate = immediate
        super().__init__("lost a race against another transaction")


class Unprocessed(Exception):
    """DynamoDB answered a part of a batch and asked for patience with the rest."""


@contextmanager
def unanswered_calls() -> Iterator[list[BaseException]]:
    """The errors of calls made inside that may have been carried out all the same: no answer, or an internal error."""
    errors: list[BaseException] = []
    token = _unanswered.set(errors)
    try:
        yield errors
    finally:
        _unanswered.reset(token)


def note(error: BaseException) -> None:
    """Take down that a call failed, for `unanswered_calls`."""
    errors = _unanswered.get()
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else None
    if errors is not None and is_transient(error) and code not in REFUSALS:
        errors.append(error)


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


def before_deadline() -> None:
    """Make sure that an attempt may still start. Raises `errors.Unavailable` when the request's time is up."""
    if time_left() <= 0:
        give_up()


def wait_about(seconds: float) -> float:
    """Wait for others to be done: between half as long and half as long again, so that not all come back together.

    Returns: how long it was. Raises: `errors.Unavailable` when the request's time is up.
    """
    before_deadline()
    seconds *= random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
    time.sleep(seconds)
    return seconds


def give_up(cause: BaseException | None = None) -> NoReturn:
    """Raise `errors.Unavailable`, and let the counters know."""
    deadline_missed.send_robust(sender=None)
    raise Unavailable from cause


def is_transient(error: BaseException) -> bool:
    """Whether DynamoDB may do what was asked if the same call is sent again."""
    if isinstance(error, VerboseClientError):
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        return bool(reasons & TRANSIENT_REASONS) if reasons else _is_passing(error)
    return isinstance(error, HTTPClientError | BotocoreConnectionError | Unprocessed) or _is_unreadable(error)


def _is_unreadable(error: BaseException) -> bool:
    """Whether botocore's client could not read an answer; its parsers are only loaded where that client is used."""
    parsers = sys.modules.get("botocore.parsers")
    return parsers is not None and isinstance(error, parsers.ResponseParserError)


def _is_passing(error: VerboseClientError) -> bool:
    """By its code; or by its status, when something in front of DynamoDB answered in words of its own."""
    if error.response["Error"].get("Code") in TRANSIENT_CODES:
        return True
    original = error.__cause__
    return isinstance(original, ClientError) and original.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


class Patience(Retrying):
    """tenacity's loop, fit for threads, and entered only after a failure: nearly always there is none.

    Its own `wraps` keeps one dict of statistics per function for all threads; when one of them clears it while
    another one counts, that one fails with a KeyError.
    """

    def wraps(self, f: Callable[P, T]) -> Callable[P, T]:  # type: ignore[override] # no attributes needed
        """Make a function that runs `f` in this loop, independently in each call."""

        @wraps(f)
        def patient(*args: P.args, **options: P.kwargs) -> T:
            try:
                return f(*args, **options)
            except Exception as error:
                failures = [error]

            def attempt() -> T:
                if failures:
                    raise failures.pop()
                return f(*args, **options)

            return self.copy()(attempt)

        return patient


def _stop_after(attempts: int) -> Callable[[RetryCallState], bool]:
    return lambda state: state.attempt_number >= attempts or time_left() <= state.upcoming_sleep


def _end(state: RetryCallState) -> NoReturn:
    give_up(state.outcome.exception() if state.outcome else None)


# A call that DynamoDB did not answer well: a throttled table recovers within seconds, not milliseconds.
SENDING = Patience(
    retry=retry_if_exception(is_transient),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    stop=_stop_after(MAX_SENDS),
    retry_error_callback=_end,
)
retry_call = SENDING.wraps
"""Make a function send its call again while DynamoDB does not answer it well."""

# How long a transaction waits for items that others hold: anything from nothing to `ceiling`. DynamoDB refuses the
# second of two transactions on one item instead of making it wait, so what matters is how often all who want the
# item try together. Too seldom leaves it idle, too often burns attempts. The ceiling rises fast, so that a few
# clients do not wait long and many do not storm; then it falls with age, so that who has waited long tries more
# often than who has just come. (With plain exponential waits it is the other way round, and some wait for ever.)
# The figures come from `python -m tests.bench.contention`; its curve is in docs/guarantees.md.
FIRST_CEILING = 0.03
HIGHEST_CEILING = 0.4
LOWEST_CEILING = 0.06
SECONDS_OF_YOUTH = 1.5


def ceiling(attempt: int, age: float) -> float:
    """The longest wait, in seconds, after so many attempts and seconds."""
    aged = max(LOWEST_CEILING, HIGHEST_CEILING * (1 - age / SECONDS_OF_YOUTH))
    return float(min(FIRST_CEILING * 2 ** min(attempt - 1, 10), aged))


def _wait_for_items(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Conflict) and error.immediate and state.attempt_number < AT_ONCE_ATTEMPTS:
        return 0.0
    return wait_random(0, ceiling(state.attempt_number, state.seconds_since_start or 0.0))(state)


def _count(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Conflict) and not error.immediate:
        conflict_retried.send_robust(sender=None)


# A race for one event's seats.
PLANNING = Patience(
    retry=retry_if_exception_type(Conflict),
    wait=_wait_for_items,
    stop=_stop_after(MAX_PLANS),
    before_sleep=_count,
    retry_error_callback=_end,
)
retry_on_conflict = PLANNING.wraps
"""Make a function plan anew, as often as it takes, when it raises `Conflict`."""
