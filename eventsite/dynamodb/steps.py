"""Sans-IO rules: generators that yield the DynamoDB calls they need and are sent the outcomes.

    seats = yield Get(Seats, event_id, Seats.ITEM)
    written = yield Update(Seats.key(event_id), actions, condition)

`run` executes the steps on the real connection. Tests execute the same generators on a store in memory, in every order
(tests/registrations/protocol). A rule does not depend on its driver. See https://sans-io.readthedocs.io.
"""

import random
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from eventsite import clock
from eventsite.dynamodb import expressions, retries, writes
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem
from eventsite.dynamodb.reads import Key, Range, batch_get, query_pages, transact_get
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.writes import Failures, Transacted, conditional_update

T = TypeVar("T")
Steps = Generator[Any, Any, T]  # a rule: it yields steps, is sent their outcomes, and returns a `T`
MOST_ATTEMPTS = 500  # of a rule; in a request the deadline comes first, but a command has none
IMMEDIATE_ATTEMPTS = 10  # attempts without a wait; more would keep failing against the same requests
FIRST_WAIT, LONGEST_WAIT = 0.01, 0.2  # seconds in which another request can finish
VISIBLE_SECONDS = 0.2  # seconds; DynamoDB shows a transaction in all its items within milliseconds


class Get(NamedTuple):
    """Read one item. The rule is sent the item, or None."""

    key: Key
    consistent: bool = True


class BatchGet(NamedTuple):
    """Read several items, not as of one moment. The rule is sent the items in order, None for a missing one."""

    keys: Sequence[Key]
    consistent: bool | tuple[type[BaseModel], ...] = True


class TransactGet(NamedTuple):
    """Read several items as of a single point in time.

    The rule is sent the items as by `BatchGet`. `Conflict` is thrown into it while a transaction writes one of them.
    """

    keys: Sequence[Key]


class Query(NamedTuple):
    """Read the items of one partition between two range keys, strongly consistently.

    The rule is sent all of them, in order.
    """

    model: type[BaseModel]
    hash_key: str
    between: tuple[str, str]
    newest: int | None = None  # read only this number of items, from the end and in descending order; None for all
    first: int | None = None  # read only this number of items, from the beginning; None for all


class Update(NamedTuple):
    """Change one item if a condition holds. The rule is sent a `Written`, as `conditional_update` returns it."""

    record: BaseModel
    actions: Sequence[Action]
    condition: Condition | None = None


class Put(NamedTuple):
    """A part of a transaction: write a whole item."""

    record: BaseModel
    condition: Condition | None = None


class Delete(NamedTuple):
    """A part of a transaction: remove an item."""

    record: BaseModel
    condition: Condition | None = None


class Check(NamedTuple):
    """A part of a transaction: a condition on an item that the transaction does not write."""

    record: BaseModel
    condition: Condition


Parts = Mapping[str, Update | Put | Delete | Check]
"""The parts of a transaction by their labels, which are the keys of its `Failures`."""


class Transact(NamedTuple):
    """Write all parts or none. The rule is sent `Transacted`."""

    parts: Parts
    is_patient: bool = True
    """False if throttling counts as a conflict, instead of a reason to send the transaction again."""
    token: str | None = None
    """The client request token of a step that the rule may yield again; None for a new one each time."""


class BatchWrite(NamedTuple):
    """Write and delete items of one table without conditions, each by itself. The rule is sent None."""

    puts: Sequence[BaseModel] = ()
    deletes: Sequence[BaseModel] = ()


class Wait(NamedTuple):
    """Wait about this number of seconds. The rule is sent the seconds it waited."""

    seconds: float


class WaitForTransactions(NamedTuple):
    """Wait until the transactions that were executed before are visible in all their items.

    A Query may see one item of a transaction and not yet another one. DynamoDB has no call that waits for the rest, so
    the driver pauses.
    """


class Draw(NamedTuple):
    """Draw a random number from 0 to `ways` - 1."""

    ways: int


class Now(NamedTuple):
    """Read the clock of this server. The rule is sent the time as RFC 3339 in UTC."""


def retrying(attempt: Callable[[], Steps[T]]) -> Steps[T]:
    """Repeat an attempt until it raises no `Conflict`, with a wait unless the conflict is immediate.

    Raises:
        Unavailable: The next wait would pass the deadline of the request, or the attempts are used up.
    """
    for number in range(MOST_ATTEMPTS):
        try:
            return (yield from attempt())
        except Conflict as conflict:
            if not conflict.immediate or number + 1 >= IMMEDIATE_ATTEMPTS:
                yield Wait(min(FIRST_WAIT * 2**number, LONGEST_WAIT))
    retries.give_up()


def transact_when_free(step: Transact) -> Steps[Failures]:
    """Write all parts or none, as often as other transactions hold the items. Return the failed conditions."""

    def attempt() -> Steps[Failures]:
        outcome: Transacted = yield step
        if outcome.in_conflict:
            raise Conflict
        return outcome.failures

    return (yield from retrying(attempt))


# The driver


def run(steps: Steps[T]) -> T:
    """Execute a rule on the real connection and return its result. Its exceptions pass through."""
    send: Callable[[Any], Any] = steps.send
    outcome: Any = None
    while True:
        try:
            step = send(outcome)
        except StopIteration as end:
            returned: T = end.value
            return returned
        try:
            send, outcome = steps.send, EXECUTORS[type(step)](step)
        except Exception as error:
            send, outcome = steps.throw, error


def _query(step: Query) -> list[Any]:
    wanted = Range(step.model, step.hash_key, step.between, consistent=True, descending=bool(step.newest))
    limit = step.newest or step.first
    found: list[RawItem] = []
    after: RawItem | None = None
    while True:
        [(items, after)] = query_pages(wanted.page(limit=limit, after=after))
        found += items
        if after is None or limit:
            return [step.model.parse(item) for item in found]


def transact_write(parts: Parts) -> Failures:
    """Write all parts or none. Return the failed conditions: none if everything was written.

    The conditions must state the whole rule: the same transaction is sent again while others hold its items.
    """
    return run(transact_when_free(Transact(parts, token=str(uuid.uuid4()))))


def _transact(step: Transact) -> Transacted:
    parts = {label: _argument(part) for label, part in step.parts.items()}
    return writes.transact_write(parts, step.token or str(uuid.uuid4()), is_patient=step.is_patient)


def _argument(part: Update | Put | Delete | Check) -> dict[str, dict[str, Any]]:
    """Return a part of a transaction as DynamoDB takes it."""
    actions: Sequence[Action] = ()
    match part:
        case Update(record, actions, condition):
            kind, place = "Update", record.target()
        case Put(record, condition):
            kind, place = "Put", {"TableName": record.Meta.table_name, "Item": record.serialize()}
        case Delete(record, condition):
            kind, place = "Delete", record.target()
        case Check(record, condition):
            kind, place = "ConditionCheck", record.target()
    shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return {kind: place | expressions.arguments(condition, actions) | shown}


def _batch_write(step: BatchWrite) -> None:
    records = (*step.puts, *step.deletes)
    if not records:
        return
    with type(records[0]).batch_write() as batch:
        for record in step.puts:
            batch.save(record)
        for record in step.deletes:
            batch.delete(record)


EXECUTORS: dict[type, Callable[[Any], Any]] = {
    Get: lambda step: step.key[0].read(*step.key[1:], consistent=step.consistent),
    BatchGet: lambda step: batch_get(*step.keys, consistent=step.consistent),
    TransactGet: lambda step: transact_get(*step.keys),
    Query: _query,
    Update: lambda step: conditional_update(step.record, step.actions, step.condition),
    Transact: _transact,
    BatchWrite: _batch_write,
    Wait: lambda step: retries.wait_about(step.seconds),
    WaitForTransactions: lambda step: retries.wait_about(VISIBLE_SECONDS),
    Draw: lambda step: random.randrange(step.ways),  # noqa: S311 (no secret)
    Now: lambda step: clock.now(),
}
