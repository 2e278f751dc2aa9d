"""Rules that do no input or output: generators that yield what they want of DynamoDB, and are sent what came of it.

    seats = yield Get(Seats, event_id, Seats.ITEM)
    written = yield Update(Seats.key(event_id), actions, condition)

`run` is the driver that carries the steps out on the real connection. Tests carry out the same generators on a store
in memory, in every order (tests/registrations/protocol): nothing in a rule depends on which it is.
"""

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite import clock
from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import Key, batch_get, query_page
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.transactions import Transaction, transact_get
from eventsite.dynamodb.writes import conditional_update

T = TypeVar("T")
Steps = Generator[Any, Any, T]
"""A rule: it yields steps, is sent their outcomes, and returns a `T`."""
IMMEDIATE_ATTEMPTS = 10
FIRST_WAIT, LONGEST_WAIT = 0.005, 0.2
"""Seconds to let another request finish."""


@dataclass(frozen=True)
class Get:
    """Read one item. Sent: the item, or None."""

    key: Key
    consistent: bool = True


@dataclass(frozen=True)
class BatchGet:
    """Read several items, each by itself. Sent: the items in order, None where there is none."""

    keys: Sequence[Key]
    consistent: bool | tuple[type[BaseModel], ...] = True


@dataclass(frozen=True)
class TransactGet:
    """Read several items as of one moment. Sent: as `BatchGet`. Thrown: `Conflict` while one of them is written."""

    keys: Sequence[Key]


@dataclass(frozen=True)
class Query:
    """Read the items of one partition between two range keys, consistently. Sent: all of them, in order."""

    model: type[BaseModel]
    hash_key: str
    between: tuple[str, str]
    newest: int | None = None
    """So many of the last ones, the last one first; None for all."""


@dataclass(frozen=True)
class Update:
    """Change one item if a condition holds. Sent: a `conditional_update` outcome."""

    record: BaseModel
    actions: Sequence[Action]
    condition: Condition | None = None


@dataclass(frozen=True)
class Put:
    """A part of a transaction: write a whole item."""

    record: BaseModel
    condition: Condition | None = None


@dataclass(frozen=True)
class Delete:
    """A part of a transaction: remove an item."""

    record: BaseModel
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    """A part of a transaction: an item that is not written, and what must be so of it."""

    record: BaseModel
    condition: Condition


@dataclass(frozen=True)
class Transact:
    """Write all parts or none. Sent: `Transacted`."""

    parts: Mapping[str, Update | Put | Delete | Check]
    """By a label that says which condition failed."""


@dataclass(frozen=True)
class Transacted:
    """What became of a transaction."""

    done: bool
    failures: dict[str, RawItem | None]
    """The conditions that failed, each with the item as it was instead."""
    in_conflict: bool = False
    """Another transaction held one of the items: nothing was done."""
    in_doubt: bool = False
    """An attempt was not answered: it may have been carried out, or may still be."""


@dataclass(frozen=True)
class Wait:
    """Let others go first for about so many seconds. Sent: how long it was."""

    seconds: float
    is_conflict: bool = False
    """Whether it is a transaction of another request that one waits for: these are counted."""


@dataclass(frozen=True)
class Draw:
    """Draw a number below `ways`."""

    ways: int


@dataclass(frozen=True)
class Now:
    """Look at this server's clock. Sent: RFC 3339, UTC."""


def retrying(attempt: Callable[[], Steps[T]]) -> Steps[T]:
    """Make attempts until one meets no `Conflict`: another request came first, or is about to."""
    number = 0
    while True:
        try:
            return (yield from attempt())
        except Conflict as conflict:
            number += 1
            if not conflict.immediate or number >= IMMEDIATE_ATTEMPTS:
                yield Wait(min(FIRST_WAIT * 2**number, LONGEST_WAIT), is_conflict=not conflict.immediate)


# The driver


def run(steps: Steps[T]) -> T:
    """Carry out a rule on the real connection. Raises: what the rule raises; `errors.Unavailable`."""
    send: Callable[[Any], Any] = steps.send
    outcome: Any = None
    while True:
        try:
            step = send(outcome)
        except StopIteration as end:
            returned: T = end.value
            return returned
        try:
            send, outcome = steps.send, CARRY_OUT[type(step)](step)
        except Exception as error:
            send, outcome = steps.throw, error


def _get(step: Get) -> Any:
    model: Any
    model, *key = step.key
    try:
        return model.get(*key, consistent_read=step.consistent)
    except model.DoesNotExist:
        return None


def _query(step: Query) -> list[Any]:
    found: list[RawItem] = []
    after: RawItem | None = None
    while True:
        backwards: dict[str, Any] = {"descending": True, "limit": step.newest} if step.newest else {}
        items, after = query_page(step.model, step.hash_key, step.between, consistent=True, after=after, **backwards)
        found += items
        if after is None or step.newest:
            return [step.model.parse(item) for item in found]


def _transact(step: Transact) -> Transacted:
    transaction = Transaction()
    for label, part in step.parts.items():
        match part:
            case Update(record, actions, condition):
                transaction.update(label, record, actions, condition)
            case Put(record, condition):
                transaction.put(label, record, condition)
            case Delete(record, condition):
                transaction.delete(label, record, condition)
            case Check(record, condition):
                key, *range_key = (getattr(record, name) for name in record.key_attributes())
                transaction.check(label, type(record), key, condition, *range_key)
    with retries.unanswered_calls() as unanswered:
        try:
            failures = transaction.commit(lasting=False)
        except Conflict:
            return Transacted(done=False, failures={}, in_conflict=True, in_doubt=bool(unanswered))
    return Transacted(done=not failures, failures=failures, in_doubt=bool(unanswered))


def _wait(step: Wait) -> float:
    if step.is_conflict:
        retries.conflict_retried.send_robust(sender=None)
    return retries.wait_about(step.seconds)


CARRY_OUT: dict[type, Callable[[Any], Any]] = {
    Get: _get,
    BatchGet: lambda step: batch_get(*step.keys, consistent=step.consistent),
    TransactGet: lambda step: transact_get(*step.keys),
    Query: _query,
    Update: lambda step: conditional_update(step.record, step.actions, step.condition),
    Transact: _transact,
    Wait: _wait,
    Draw: lambda step: random.randrange(step.ways),  # noqa: S311 (no secret)
    Now: lambda step: clock.now(),
}
