"""DynamoDB's documented isolation, which the embedded engine does not show.

The engine executes a transaction at one instant. DynamoDB does not ("Isolation levels for transactions" in its
developer guide). A transaction is atomic towards other transactions and towards each single item. A client that reads
its items one by one, by a Query, a Scan or a BatchGetItem, may see some of them changed and others not yet. Meanwhile
the items are held: a second transaction on one of them is cancelled with TransactionConflict, and a single write is
refused with TransactionConflictException. An index follows its table a moment later, each item by itself.

    python -m tests.torn

serves ministack with DynamoDB behaving like that, on the port GATEWAY_PORT. `Torn` is how a test sets the faults, and
how it learns what happened. The front shows nothing that DynamoDB rules out: an answered transaction is visible
completely, its conditions are checked at one instant, and consistent reads of a table are never stale.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

import asyncio
import heapq
import itertools
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from urllib.request import Request, urlopen

from eventsite.local.strictness import tighten
from tests.children import SECONDS
from tests.engine import RECREATE, Asgi, answer, read, recreations, serve, target

CONTROL, STEP = "/_torn", "/_torn/step"
TYPE = "com.amazonaws.dynamodb.v20120810#"
ERROR = 400

Document = dict[str, Any]
Answer = tuple[int, Document]
Key = tuple[str, ...]
Engine = Callable[[str, Document], Answer]
"""Executes an operation at once. Returns: the HTTP status and the document."""

SINGLE = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
"""The parts of a transaction that write, and the operation that does the same to a single item."""
WRITES = frozenset({*SINGLE.values(), "TransactWriteItems"})


@dataclass
class Weather:
    """How badly things go. Times are in seconds."""

    torn: float = 0.0
    """The share of transactions whose items appear one after the other."""
    shortest: float = 0.002
    longest: float = 0.02
    """How long after the conditions were judged an item appears: anything in between, each by itself."""
    lag: float = 0.0
    """How long an index may lag behind its table at most."""
    lost: float = 0.0
    """The share of writes that are executed and answered as failed."""
    late: float = 0.0
    """The share of writes that are answered as failed and executed later."""
    latest: float = 0.2
    """How much later at most."""
    seed: int = 1
    stepped: bool = False
    """True if all delays are virtual: whatever would wait appears when `Torn.step` lets it, in order of its time."""


@dataclass(frozen=True)
class Table:
    """What has to be known of a table."""

    keys: tuple[str, ...]
    indexes: tuple[str, ...]
    """Its global ones."""


class Delays:
    """Delays in virtual time: they end one by one, in order, each when it is asked for."""

    def __init__(self) -> None:
        self._now = 0.0
        self._pending: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._begun = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait until it is this delay's turn to end."""
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._pending, (self._now + seconds, next(self._numbers), end))
        self._begun.set()
        await end

    async def end_next(self) -> None:
        """End the delay that ends first, once there is one; what waited has run to its next delay then."""
        while not self._pending:
            self._begun.clear()
            await self._begun.wait()
        self._now, _, end = heapq.heappop(self._pending)
        end.set_result(None)
        await asyncio.sleep(0)  # the task that waits was scheduled before this one

    def end_all(self) -> None:
        """End all delays."""
        while self._pending:
            heapq.heappop(self._pending)[-1].set_result(None)


@dataclass
class Front:
    """What stands between the clients and the engine. Everything happens in one thread's event loop."""

    engine: Engine
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._random = random.Random(self.weather.seed)
        self._tables: dict[str, Table] = {}
        self._held: set[Key] = set()
        self._tokens: dict[str, tuple[Any, Answer | None]] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._delays = Delays()

    def change(self, weather: Document) -> None:
        """Change the weather from now on, and restart the dice and the counts."""
        self.weather = Weather(**(asdict(self.weather) | weather))
        self._random.seed(self.weather.seed)
        self.counts.clear()
        if not self.weather.stepped:
            self._delays.end_all()

    async def step(self) -> None:
        """Let the next delay end, once there is one, and what follows it happen."""
        await self._delays.end_next()

    async def _wait(self, seconds: float) -> None:
        await (self._delays.wait(seconds) if self.weather.stepped else asyncio.sleep(seconds))

    async def answer(self, operation: str, arguments: Document) -> Answer:
        """Execute an operation, or refuse it."""
        if operation not in WRITES:
            return await self._carry_out(operation, arguments)
        if self._happens(self.weather.late):
            self.counts["late"] += 1
            delay = self._random.uniform(0, self.weather.latest)
            self._later(delay, lambda: self._carry_out(operation, arguments))
            return _error("InternalServerError", status=500)
        answer = await self._carry_out(operation, arguments)
        if self._happens(self.weather.lost):
            self.counts["lost"] += 1
            return _error("InternalServerError", status=500)
        return answer

    async def _carry_out(self, operation: str, arguments: Document) -> Answer:
        if operation == "TransactWriteItems":
            return await self._write_together(arguments)
        own = {
            "TransactGetItems": self._read_together,
            "BatchWriteItem": self._write_batch,
            "CreateTable": self._create_table,
            "DeleteTable": self._delete_table,
            RECREATE: self._recreate_tables,
            "ListTables": self._list_tables,
            "Query": self._read_index,
            "Scan": self._read_index,
        } | dict.fromkeys(SINGLE.values(), None)
        if operation not in own:
            return self.engine(operation, arguments)
        method = own[operation]
        return method(operation, arguments) if method else self._write_one(operation, arguments)

    def _later(self, delay: float, act: Callable[[], Awaitable[Any]]) -> None:
        async def arrive() -> None:
            await self._wait(delay)
            await act()

        task = asyncio.get_running_loop().create_task(arrive())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    # Single items

    def _write_one(self, operation: str, arguments: Document) -> Answer:
        key = self._key(arguments)
        if key in self._held:
            self.counts["conflicts"] += 1
            return _error("TransactionConflictException")
        answer = self.engine(operation, arguments)
        self._written(key)
        return answer

    def _write_batch(self, operation: str, arguments: Document) -> Answer:
        """Write a batch. Held items stay unprocessed, as throttled ones do."""
        wanted: Document = {}
        left: Document = {}
        for table, requests in arguments["RequestItems"].items():
            for request in requests:
                held = self._key({"TableName": table} | _only(request)) in self._held
                (left if held else wanted).setdefault(table, []).append(request)
        status, document = self.engine(operation, arguments | {"RequestItems": wanted}) if wanted else (200, {})
        for table, requests in wanted.items():
            for request in requests:
                self._written(self._key({"TableName": table} | _only(request)))
        if left:
            self.counts["conflicts"] += 1
            document["UnprocessedItems"] = document.get("UnprocessedItems", {}) | left
        return status, document

    def _key(self, part: Document) -> Key:
        """Return the table and the key of a part of a transaction, or of an operation."""
        item, table = part.get("Key") or part["Item"], part["TableName"]
        names = self._tables[table].keys if table in self._tables else sorted(part.get("Key", {}))
        return (table, *(json.dumps(item.get(name)) for name in names))

    # Transactions

    def _read_together(self, operation: str, arguments: Document) -> Answer:
        """All or nothing: while one of the items is being written there is no moment in which to read them."""
        held = [self._key(part["Get"]) in self._held for part in arguments["TransactItems"]]
        return self._conflict(held) if any(held) else self.engine(operation, arguments)

    async def _write_together(self, arguments: Document) -> Answer:
        token = arguments.get("ClientRequestToken")
        known = self._tokens.get(token) if token else None
        if known:
            return self._again(*known, arguments)
        if token:
            self._tokens[token] = arguments, None
        answer = await self._transact(arguments)
        if token:
            self._tokens.pop(token)
            if answer[0] < ERROR:
                self._tokens[token] = arguments, answer
        return answer

    @staticmethod
    def _again(before: Any, answer: Answer | None, arguments: Document) -> Answer:
        if before != arguments:
            return _error("IdempotentParameterMismatchException")
        return answer or _error("TransactionInProgressException")

    async def _transact(self, arguments: Document) -> Answer:
        parts = arguments["TransactItems"]
        keys = [self._key(_only(part)) for part in parts]
        held = [key in self._held for key in keys]
        if any(held):
            return self._conflict(held)
        if all(key[0] in self._tables for key in keys) and self._happens(self.weather.torn):
            return await self._tear(parts, keys)
        answer = self.engine("TransactWriteItems", _without_token(arguments))
        for key in keys:
            self._written(key)
        return answer

    async def _tear(self, parts: list[Document], keys: list[Key]) -> Answer:
        """Judge all conditions in one moment, then write the items one after the other; nobody else may meanwhile."""
        status, document = self.engine("TransactWriteItems", {"TransactItems": [self._judged(part) for part in parts]})
        if status >= ERROR:
            return status, document
        self.counts["torn"] += 1
        self._held.update(keys)
        delays = [
            (self._random.uniform(self.weather.shortest, self.weather.longest), index) for index in range(len(parts))
        ]
        passed = 0.0
        for delay, index in sorted(delays):
            await self._wait(delay - passed)
            passed = delay
            self._appear(parts[index])
            self._held.discard(keys[index])
            self._written(keys[index])
        return 200, {}

    def _judged(self, part: Document) -> Document:
        """A part's condition, without what it does."""
        body = _only(part)
        names = self._tables[body["TableName"]].keys
        source = body.get("Key") or body["Item"]
        check = {"TableName": body["TableName"], "Key": {name: source[name] for name in names}}
        if "ConditionExpression" not in body:
            anything = {"ConditionExpression": "attribute_exists(#k) OR attribute_not_exists(#k)"}
            return {"ConditionCheck": check | anything | {"ExpressionAttributeNames": {"#k": names[0]}}}
        check["ConditionExpression"] = body["ConditionExpression"]
        used = set(re.findall(r"[#:]\w+", body["ConditionExpression"]))
        for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            if kept := {name: value for name, value in body.get(kind, {}).items() if name in used}:
                check[kind] = kept
        if "ReturnValuesOnConditionCheckFailure" in body:
            check["ReturnValuesOnConditionCheckFailure"] = body["ReturnValuesOnConditionCheckFailure"]
        return {"ConditionCheck": check}

    def _appear(self, part: Document) -> None:
        """Write one item of a transaction. Its condition goes along, and still holds: the item was held meanwhile."""
        (kind, body) = next(iter(part.items()))
        if kind in SINGLE:
            status, document = self.engine(SINGLE[kind], body)
            assert status < ERROR, document

    def _conflict(self, held: list[bool]) -> Answer:
        self.counts["conflicts"] += 1
        codes = ["TransactionConflict" if one else "None" for one in held]
        reasons = [{"Code": code} | ({"Message": "held"} if code != "None" else {}) for code in codes]
        words = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
        return _error("TransactionCanceledException", words, CancellationReasons=reasons)

    # Indexes: each global one is the index of a table of its own, to which items are copied a moment later.

    def _create_table(self, operation: str, arguments: Document) -> Answer:
        answer = self.engine(operation, arguments)
        if answer[0] < ERROR:
            indexes = arguments.get("GlobalSecondaryIndexes") or []
            self._tables[arguments["TableName"]] = Table(
                tuple(one["AttributeName"] for one in arguments["KeySchema"]),
                tuple(index["IndexName"] for index in indexes),
            )
            for index in indexes:
                status, document = self.engine(operation, _following(arguments, index))
                assert status < ERROR, document
        return answer

    def _delete_table(self, operation: str, arguments: Document) -> Answer:
        answer = self.engine(operation, arguments)
        if answer[0] < ERROR and (table := self._tables.pop(arguments["TableName"], None)):
            for index in table.indexes:
                self.engine(operation, {"TableName": _follower(arguments["TableName"], index)})
        return answer

    def _recreate_tables(self, _operation: str, arguments: Document) -> Answer:
        for operation, each in recreations(arguments):
            create = operation == "CreateTable"
            answer = self._create_table(operation, each) if create else self._delete_table(operation, each)
        return answer

    def _list_tables(self, operation: str, arguments: Document) -> Answer:
        status, document = self.engine(operation, arguments)
        followers = {_follower(name, index) for name, table in self._tables.items() for index in table.indexes}
        return status, document | {"TableNames": [name for name in document["TableNames"] if name not in followers]}

    def _read_index(self, operation: str, arguments: Document) -> Answer:
        table, index = arguments["TableName"], arguments.get("IndexName")
        if table not in self._tables or index not in self._tables[table].indexes or arguments.get("ConsistentRead"):
            return self.engine(operation, arguments)  # the table itself or a local index; a consistent read is refused
        return self.engine(operation, arguments | {"TableName": _follower(table, index)})

    def _written(self, key: Key) -> None:
        """Let the indexes follow a write of this item, each in its own time."""
        if key[0] not in self._tables:
            return
        for index in self._tables[key[0]].indexes:
            if self.weather.lag:
                delay = self._random.uniform(0, self.weather.lag)
                self._later(delay, partial(self._follow, key, index))
            else:
                self._copy(key, index)

    async def _follow(self, key: Key, index: str) -> None:
        self._copy(key, index)

    def _copy(self, key: Key, index: str) -> None:
        """Bring an index's view of an item up to date."""
        table, *values = key
        if table not in self._tables:
            return
        stored = {name: json.loads(value) for name, value in zip(self._tables[table].keys, values, strict=True)}
        _, found = self.engine("GetItem", {"TableName": table, "Key": stored, "ConsistentRead": True})
        follower = {"TableName": _follower(table, index)}
        if "Item" in found:
            self.engine("PutItem", follower | {"Item": found["Item"]})
        else:
            self.engine("DeleteItem", follower | {"Key": stored})


def _only(part: Document) -> Document:
    """Return the body of a part of a transaction or a batch."""
    (body,) = part.values()
    return dict(body)


def _without_token(arguments: Document) -> Document:
    return {name: value for name, value in arguments.items() if name != "ClientRequestToken"}


def _follower(table: str, index: str) -> str:
    return f"{table}.{index}"


def _following(table: Document, index: Document) -> Document:
    """The table behind an index: the same items under the same keys, and this index alone."""
    used = {one["AttributeName"] for one in [*table["KeySchema"], *index["KeySchema"]]}
    return {
        "TableName": _follower(table["TableName"], index["IndexName"]),
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": [one for one in table["AttributeDefinitions"] if one["AttributeName"] in used],
        "GlobalSecondaryIndexes": [{name: value for name, value in index.items() if name != "ProvisionedThroughput"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _error(code: str, message: str = "held by another transaction", status: int = ERROR, **more: Any) -> Answer:
    return status, {"__type": TYPE + code, "message": message} | more


def ministack() -> Engine:
    """The engine, empty, called in this process: its handlers are coroutines that never wait."""
    from ministack.services import dynamodb

    tighten(dynamodb)
    dynamodb.reset()
    logging.getLogger("dynamodb").setLevel(logging.ERROR)

    def carry_out(operation: str, arguments: Document) -> Answer:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        handling = dynamodb.handle_request("POST", "/", headers, json.dumps(arguments).encode(), {})
        try:
            handling.send(None)
        except StopIteration as done:
            status, _, body = done.value
            return status, json.loads(body)
        raise AssertionError("the engine waits for something")

    return carry_out


# Serving it


def application(front: Front, rest: Asgi) -> Asgi:
    """Return the front as an ASGI application that passes on everything but DynamoDB."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        service, _, operation = target(scope).decode().partition(".")
        if scope["type"] == "http" and scope["path"] == STEP:
            await front.step()
            await _send(send, 200, {})
        elif scope["type"] == "http" and scope["path"] == CONTROL:
            front.change(json.loads(await read(receive) or b"{}")) if scope["method"] == "POST" else None
            await _send(send, 200, asdict(front.weather) | {"counts": front.counts})
        elif scope["type"] == "http" and service.startswith("DynamoDB_"):
            work = asyncio.ensure_future(front.answer(operation, json.loads(await read(receive))))
            await _send(send, *await asyncio.shield(work))  # a client that goes away does not undo what it began
        else:
            await rest(scope, receive, send)

    return serve


async def _send(send: Any, status: int, document: Document) -> None:
    await answer(send, status, json.dumps(document).encode())


def main() -> None:
    """Serve until ended."""
    from ministack.app import app

    serve(application(Front(ministack()), app))


class Torn:
    """The front of a running engine, as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set(self, **weather: float) -> None:
        """Change some values of the `Weather` from now on, and restart the counts."""
        self._ask(Request(self.url + CONTROL, json.dumps(weather).encode(), method="POST"))

    def step(self) -> None:
        """Let the next delay end, once there is one. The weather has to be `stepped`."""
        self._ask(Request(self.url + STEP, method="POST"))

    @property
    def counts(self) -> Counter[str]:
        """What happened since the last change: torn, conflicts, lost, late."""
        return Counter(self._ask(Request(self.url + CONTROL))["counts"])

    @staticmethod
    def _ask(request: Request) -> Any:
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)


if __name__ == "__main__":
    main()
