"""A DynamoDB with physics, in virtual time: calls take a while, and there is only so much of everything.

What the embedded engine answers is right; what it costs and how long it takes is not. This one stands before it in
the same process:

- a call takes a round trip;
- an item is written by one call after the other, each for as long as its units take;
- a transaction holds its items for a while and refuses whatever else wants to write them (TransactionConflict);
- a partition takes a number of units a second, the rest is throttled. A partition has one partition key in
  a table with a local index, or in an index; elsewhere DynamoDB splits a hot partition, down to single items.

Units are counted by AWS's rules, per kind of call and per item, those of refused and failed writes as well.

`PhysicalEngine.connected` lets the service's own code call it, instead of its client.
"""

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import PropertyMock, patch

from botocore.exceptions import ClientError

from eventsite.dynamodb.connection import PatientConnection, disconnect
from tests.bench.virtual_time import VirtualTime
from tests.capacity import Item, index_write_units, label, read_units, write_units
from tests.torn import SINGLE, Document, Engine

Key = tuple[str, ...]
"""A table and the key of an item; or a table, one of its indexes and a partition key of that."""
Write = tuple[Key, Item | None, Item | None]
"""A key, and the item before and after."""
Bill = Counter[Key]
"""Units, by what they are of."""
READS = ("GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan")


@dataclass(frozen=True)
class Physics:
    """How long things take, in seconds, and how many units a second fit into a partition."""

    round_trip: float = 0.004
    write_unit: float = 0.001
    hold: float = 0.010
    write_units: float = 1000.0
    read_units: float = 3000.0
    pinned: bool = False
    """Every partition key is one partition, as in a table that has not been split yet."""


@dataclass
class Table:
    """What the engine knows of a table's shape."""

    name: str
    keys: tuple[str, ...]
    local: list[Document]
    remote: list[Document]
    """Its indexes."""


@dataclass
class Costs:
    """What was asked, and what AWS would charge for it."""

    calls: Counter[str] = field(default_factory=Counter)
    reads: Any = field(default_factory=Counter)  # which counts halves, too
    writes: Counter[str] = field(default_factory=Counter)
    """Units per operation."""
    items: Counter[str] = field(default_factory=Counter)
    """Written units per item, and per partition key of an index."""
    read_items: Any = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)


class PhysicalEngine:
    """Executes calls in the time they take."""

    def __init__(self, engine: Engine, clock: VirtualTime, physics: Physics | None = None) -> None:
        self._engine, self._clock, self.physics = engine, clock, physics or Physics()
        self.costs = Costs()
        self._tables: dict[str, Table] = {}
        self._free_at: defaultdict[Key, float] = defaultdict(float)
        self._held: set[Key] = set()
        self._spent: dict[tuple[str, Key], tuple[float, float]] = {}
        self.is_running = False
        """Whether time passes and units count; off while the stage is set."""
        self._own = threading.local()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Let this process's connection to DynamoDB lead here."""
        client = SimpleNamespace(_make_api_call=self, meta=SimpleNamespace(endpoint_url="http://physics", events=None))
        disconnect()
        with patch.object(PatientConnection, "client", PropertyMock(return_value=client)):
            yield
        disconnect()

    @contextmanager
    def interrupted(self, calls: int, error: type[BaseException]) -> Iterator[None]:
        """Raise an error in this thread after this number of calls, of which the last one is executed."""
        self._own.interruption = [calls, error]
        try:
            yield
        finally:
            del self._own.interruption

    def __call__(self, operation: str, arguments: Document) -> Document:
        """Execute a call. Raises: `ClientError`, as botocore does."""
        if not self.is_running:
            return self._ask(operation, arguments)
        try:
            return self._timed(operation, arguments)
        finally:
            self._interrupt()

    def _interrupt(self) -> None:
        interruption = getattr(self._own, "interruption", None)
        if interruption:
            interruption[0] -= 1
            if not interruption[0]:
                raise interruption[1]

    def _timed(self, operation: str, arguments: Document) -> Document:
        self.costs.calls[operation] += 1
        self._clock.sleep(self.physics.round_trip / 2)
        try:
            return self._carry_out(operation, arguments)
        finally:
            self._clock.sleep(self.physics.round_trip / 2)

    def _carry_out(self, operation: str, arguments: Document) -> Document:
        if operation in READS:
            return self._read(operation, arguments)
        if operation == "TransactWriteItems":
            return self._write_together(arguments)
        if operation in SINGLE.values():
            return self._write(operation, arguments)
        if operation == "BatchWriteItem":
            return self._write_batch(arguments)
        return self._ask(operation, arguments)

    def _ask(self, operation: str, arguments: Document) -> Document:
        status, document = self._engine(operation, arguments)
        if operation == "CreateTable" and status < 300:
            self._tables[arguments["TableName"]] = Table(
                arguments["TableName"],
                tuple(one["AttributeName"] for one in arguments["KeySchema"]),
                arguments.get("LocalSecondaryIndexes") or [],
                arguments.get("GlobalSecondaryIndexes") or [],
            )
        if status >= 300:
            raise _error(operation, document, status)
        return document

    # Reads

    def _read(self, operation: str, arguments: Document) -> Document:
        wanted = list(self._wanted(operation, arguments))
        if any(self._is_spent("read", partition) for partition in wanted):
            raise self._throttled(operation, arguments)
        if operation == "TransactGetItems":
            held = [self._key(part["Get"]) in self._held for part in arguments["TransactItems"]]
            if any(held):
                raise self._conflict(operation, held)
        document = self._ask(operation, arguments)
        units = self._read_units(operation, arguments, document)
        self.costs.reads[operation] += units
        for partition in wanted:
            self._spend("read", partition, units / len(wanted))
            self.costs.read_items["/".join(partition)] += units / len(wanted)
        return document

    def _wanted(self, operation: str, arguments: Document) -> Iterator[Key]:
        if operation == "GetItem":
            yield self._partition(self._key(arguments))
        elif operation == "BatchGetItem":
            for name, request in arguments["RequestItems"].items():
                yield from (self._partition(self._key({"TableName": name, "Key": key})) for key in request["Keys"])
        elif operation == "TransactGetItems":
            yield from (self._partition(self._key(part["Get"])) for part in arguments["TransactItems"])
        else:
            yield (arguments["TableName"], str(arguments.get("IndexName", "")), "a range")

    @staticmethod
    def _read_units(operation: str, arguments: Document, document: Document) -> float:
        consistent = bool(arguments.get("ConsistentRead"))
        if operation == "GetItem":
            return read_units([document.get("Item")], consistent=consistent)
        if operation == "TransactGetItems":
            return 2 * read_units([one.get("Item") for one in document["Responses"]], consistent=True, each=True)
        if operation == "BatchGetItem":
            return sum(
                read_units(
                    _padded(found, document, name, request), consistent=bool(request.get("ConsistentRead")), each=True
                )
                for name, request in arguments["RequestItems"].items()
                for found in [document["Responses"].get(name, [])]
            )
        return read_units(document.get("Items", []), consistent=consistent)

    # Writes

    def _write(self, operation: str, arguments: Document) -> Document:
        key = self._key(arguments)
        if key in self._held:
            raise self._refused(operation, "TransactionConflictException")
        before = self._look(key)
        expected = self._admit(operation, arguments, [(key, before, arguments.get("Item", before))], factor=1)
        units = write_units(before, arguments.get("Item"))
        self._free_at[key] = max(self._clock.now, self._free_at[key]) + units * self.physics.write_unit
        self._clock.sleep(self._free_at[key] - self._clock.now)
        if key in self._held:
            raise self._refused(operation, "TransactionConflictException")
        before = self._look(key)
        try:
            return self._ask(operation, arguments)
        finally:
            self._charge(operation, self._bill([(key, before, self._look(key))], factor=1), expected)

    def _write_batch(self, arguments: Document) -> Document:
        writes = [
            (key, self._look(key), body.get("Item"))
            for name, requests in arguments["RequestItems"].items()
            for body in [dict(*request.values()) for request in requests]
            for key in [self._key({"TableName": name} | body)]
        ]
        self._charge("BatchWriteItem", self._bill(writes, factor=1), Counter())
        return self._ask("BatchWriteItem", arguments)

    def _write_together(self, arguments: Document) -> Document:
        operation, bodies = "TransactWriteItems", [next(iter(part.values())) for part in arguments["TransactItems"]]
        keys = [self._key(body) for body in bodies]
        befores = [self._look(key) for key in keys]
        afters = [body.get("Item", before) for body, before in zip(bodies, befores, strict=True)]
        expected = self._admit(operation, arguments, zip(keys, befores, afters, strict=True), factor=2)
        held = [key in self._held for key in keys]
        if any(held):  # the losers' attempts are charged as well
            self._charge(operation, self._bill(zip(keys, befores, befores, strict=True), factor=2), expected)
            raise self._conflict(operation, held)
        self._held.update(keys)
        try:
            document = self._ask(operation, arguments)
            self._clock.sleep(self.physics.hold)
            return document
        finally:
            afters = [self._look(key) for key in keys]
            self._charge(operation, self._bill(zip(keys, befores, afters, strict=True), factor=2), expected)
            self._held.difference_update(keys)

    def _admit(self, operation: str, arguments: Document, writes: Iterable[Write], *, factor: int) -> Bill:
        """Take the units that these writes are expected to need. Raises: if a partition has none."""
        bill = self._bill(writes, factor=factor)
        if any(self._is_spent("write", self._partition(key)) for key in bill):
            raise self._throttled(operation, arguments)
        for key, units in bill.items():
            self._spend("write", self._partition(key), units)
        return bill

    def _charge(self, operation: str, bill: Bill, expected: Bill) -> None:
        """Count the written units, of which the expected part is taken already."""
        self.costs.writes[operation] += bill.total()
        for key in {*bill, *expected}:
            self._spend("write", self._partition(key), bill[key] - expected[key])
            self.costs.items["/".join(key)] += bill[key]

    def _bill(self, writes: Iterable[Write], *, factor: int) -> Bill:
        """The units of some writes: of each item with its local indexes, and of each partition of the other indexes."""
        bill: Bill = Counter()
        for key, before, after in writes:
            table = self._tables[key[0]]
            local = sum(index_write_units(index, table.keys, before, after) for index in table.local)
            bill[key] += factor * write_units(before, after) + local
            for index in table.remote:
                units, name = (
                    index_write_units(index, table.keys, before, after),
                    index["KeySchema"][0]["AttributeName"],
                )
                values = {label([image[name]]) for image in (before, after) if image and name in image}
                for value in values if units else ():
                    bill[key[0], index["IndexName"], value] += math.ceil(units / len(values))
        return bill

    # Keys and partitions

    def _key(self, part: Document) -> Key:
        table, item = self._tables[part["TableName"]], part.get("Key") or part["Item"]
        return (table.name, *(label([item[name]]) for name in table.keys))

    def _look(self, key: Key) -> Item | None:
        names = self._tables[key[0]].keys
        wanted = {name: {"S": value} for name, value in zip(names, key[1:], strict=True)}
        _, found = self._engine("GetItem", {"TableName": key[0], "Key": wanted, "ConsistentRead": True})
        item: Item | None = found.get("Item")
        return item

    def _partition(self, key: Key) -> Key:
        """What has its limits: an item, unless it shares a partition with the others of its partition key."""
        table = self._tables[key[0]]
        is_index = any(index["IndexName"] == key[1] for index in table.remote)
        return key[:2] if not is_index and (self.physics.pinned or table.local) else key

    def _is_spent(self, kind: str, partition: Key) -> bool:
        return self._left(kind, partition) <= 0

    def _left(self, kind: str, partition: Key) -> float:
        """Units that a partition still takes at this moment: one second's worth when it has rested."""
        most = self.physics.write_units if kind == "write" else self.physics.read_units
        left, when = self._spent.get((kind, partition), (most, 0.0))
        return min(most, left + (self._clock.now - when) * most)

    def _spend(self, kind: str, partition: Key, units: float) -> None:
        self._spent[kind, partition] = (self._left(kind, partition) - units, self._clock.now)

    # Refusals

    def _throttled(self, operation: str, arguments: Document) -> ClientError:
        if operation == "TransactWriteItems":
            reasons = [{"Code": "ThrottlingError"} for _ in arguments["TransactItems"]]
            return self._refused(operation, "TransactionCanceledException", "throttled", CancellationReasons=reasons)
        return self._refused(operation, "ProvisionedThroughputExceededException", "throttled")

    def _conflict(self, operation: str, held: list[bool]) -> ClientError:
        reasons = [{"Code": "TransactionConflict" if one else "None"} for one in held]
        return self._refused(operation, "TransactionCanceledException", CancellationReasons=reasons)

    def _refused(self, operation: str, code: str, word: str = "conflict", **more: Any) -> ClientError:
        self.costs.refusals[word] += 1
        return _error(operation, {"__type": f"com.amazonaws#{code}", "message": "physics"} | more, 400)


def _padded(found: list[Item], document: Document, name: str, request: Document) -> list[Item | None]:
    """What a batch found, and nothing for each key that it did not find: that is charged, too."""
    unread = len(document.get("UnprocessedKeys", {}).get(name, {}).get("Keys", []))
    return [*found, *[None] * (len(request["Keys"]) - len(found) - unread)]


def _error(operation: str, document: Document, status: int) -> ClientError:
    code = str(document["__type"]).rpartition("#")[2]
    error = {"Code": code, "Message": document.get("message") or document.get("Message") or ""}
    response: Any = document | {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)
