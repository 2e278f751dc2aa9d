"""The engine that behaves as DynamoDB is documented to: each thing that the embedded one is too kind to do."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from tests.children import SECONDS
from tests.torn import Torn

NAMES = [f"item-{number}" for number in range(6)]
KEYS = [("name", "S"), ("part", "S"), ("colour", "S")]


@pytest.fixture
def torn(torn_engine: Torn) -> Iterator[Torn]:
    torn_engine.set(torn=1.0, shortest=0.0, longest=0.05, lag=0.0, lost=0.0, late=0.0, seed=7)
    yield torn_engine
    torn_engine.set(stepped=False)


class Database:
    """The few calls that the tests make, in short."""

    def __init__(self, client: Any, table: str) -> None:
        self.client, self.table = client, table

    def read(self, name: str, **options: Any) -> int:
        item = self.client.get_item(TableName=self.table, Key=key(name), ConsistentRead=True, **options)
        return value(item["Item"])

    def query(self, **options: Any) -> list[int]:
        hash_key = ("colour", "red") if "IndexName" in options else ("part", "all")
        found = self.client.query(
            TableName=self.table,
            KeyConditionExpression="#h = :h",
            ExpressionAttributeNames={"#h": hash_key[0]},
            ExpressionAttributeValues={":h": {"S": hash_key[1]}},
            **options,
        )
        return [value(item) for item in found["Items"]]

    def put(self, name: str, number: int, **options: Any) -> None:
        self.client.put_item(TableName=self.table, Item=item(name, number), **options)

    def put_together(self, number: int, names: list[str] = NAMES, **options: Any) -> None:
        parts = [{"Put": {"TableName": self.table, "Item": item(name, number)}} for name in names]
        self.client.transact_write_items(TransactItems=parts, **options)

    def read_together(self) -> list[int]:
        parts = [{"Get": {"TableName": self.table, "Key": key(name)}} for name in NAMES]
        found = self.client.transact_get_items(TransactItems=parts)
        return [value(one["Item"]) for one in found["Responses"]]


def key(name: str) -> Any:
    return {"part": {"S": "all"}, "name": {"S": name}}


def item(name: str, number: int) -> Any:
    return key(name) | {"number": {"N": str(number)}, "colour": {"S": "red"}}


def value(item: Any) -> int:
    return int(item["number"]["N"])


@pytest.fixture
def database(torn: Torn) -> Iterator[Database]:
    """A table with an index, of any name, and six items of the number 0."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=torn.url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20),
    )
    client.create_table(
        TableName="things",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in KEYS],
        KeySchema=[{"AttributeName": "part", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-colour",
                "KeySchema": [{"AttributeName": "colour", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    database = Database(client, "things")
    for name in NAMES:
        database.put(name, 0)
    yield database
    client.delete_table(TableName="things")


@contextmanager
def under_way(torn: Torn, write: Callable[[], Any]) -> Iterator[None]:
    """Run a write whose items appear one at each step."""
    torn.set(torn=1.0, stepped=True)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            deadline = time.monotonic() + SECONDS
            while not torn.counts["torn"] and not writing.done() and time.monotonic() < deadline:
                time.sleep(0.001)
            yield
        finally:
            torn.set(stepped=False)
        writing.result()


def while_writing(torn: Torn, write: Callable[[], Any], look: Callable[[], Any]) -> list[Any]:
    """Return the views before a write of all items, after each item, and after the answer."""
    with under_way(torn, write):
        seen = [look()]
        for _ in NAMES:
            torn.step()
            seen.append(look())
    return [*seen, look()]


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def reasons(error: pytest.ExceptionInfo[ClientError]) -> list[str]:
    return [reason["Code"] for reason in error.value.response["CancellationReasons"]]


def test_a_query_sees_the_items_of_a_transaction_appear_one_after_the_other(torn: Torn, database: Database) -> None:
    seen = while_writing(torn, lambda: database.put_together(1), lambda: tuple(database.query(ConsistentRead=True)))
    assert [sum(numbers) for numbers in seen] == [*range(len(NAMES) + 1), len(NAMES)]
    for before, after in itertools.pairwise(seen):
        assert all(one <= other for one, other in zip(before, after, strict=True))


def test_separate_reads_and_batches_see_it_too(torn: Torn, database: Database) -> None:
    both = {"things": {"Keys": [key(name) for name in NAMES], "ConsistentRead": True}}

    def look() -> tuple[int, int]:
        found = database.client.batch_get_item(RequestItems=both)["Responses"]["things"]
        return sum(map(value, found)), sum(database.read(name) for name in NAMES)

    seen = while_writing(torn, lambda: database.put_together(1), look)
    assert seen == [(number, number) for number in (*range(len(NAMES) + 1), len(NAMES))]


def test_a_scan_sees_it_too(torn: Torn, database: Database) -> None:
    def look() -> int:
        return sum(map(value, database.client.scan(TableName="things", ConsistentRead=True)["Items"]))

    seen = while_writing(torn, lambda: database.put_together(1), look)
    assert seen == [*range(len(NAMES) + 1), len(NAMES)]


def test_items_appear_in_any_order(torn: Torn, database: Database) -> None:
    first = set()
    for number in range(1, 12):
        torn.set(seed=number)
        with under_way(torn, lambda number=number: database.put_together(number)):  # type: ignore[misc]
            torn.step()
            first.add(database.query(ConsistentRead=True).index(number))
    assert len(first) > 2


def test_a_transaction_of_reads_sees_all_or_nothing(torn: Torn, database: Database) -> None:
    def look() -> Any:
        try:
            return set(database.read_together())
        except ClientError as error:
            return {reason["Code"] for reason in error.response["CancellationReasons"]}

    *meanwhile, complete, answered = while_writing(torn, lambda: database.put_together(1), look)
    assert complete == answered == {1}
    assert all("TransactionConflict" in numbers for numbers in meanwhile)


def test_an_answered_transaction_is_visible_as_a_whole(database: Database) -> None:
    for number in range(1, 10):
        database.put_together(number)
        assert database.query(ConsistentRead=True) == [number] * len(NAMES)


def test_the_conditions_are_judged_in_one_moment_and_nothing_is_written_if_one_fails(database: Database) -> None:
    parts = [{"Put": {"TableName": "things", "Item": item(name, 1)}} for name in NAMES]
    parts[2]["Put"] |= {
        "ConditionExpression": "#n = :n",
        "ExpressionAttributeNames": {"#n": "number"},
        "ExpressionAttributeValues": {":n": {"N": "5"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(ClientError) as error:
        database.client.transact_write_items(TransactItems=parts)
    assert reasons(error) == ["None", "None", "ConditionalCheckFailed", "None", "None", "None"]
    assert error.value.response["CancellationReasons"][2]["Item"] == item(NAMES[2], 0)
    assert database.query(ConsistentRead=True) == [0] * len(NAMES)


def test_updates_deletes_and_checks_take_part(database: Database) -> None:
    table = {"TableName": "things"}
    add = {
        "UpdateExpression": "SET #n = #n + :one",
        "ConditionExpression": "#n < :most",
        "ExpressionAttributeNames": {"#n": "number"},
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": "9"}},
    }
    there = {"ConditionExpression": "attribute_exists(part)"}
    database.client.transact_write_items(
        TransactItems=[
            {"Update": table | {"Key": key(NAMES[0])} | add},
            {"Delete": table | {"Key": key(NAMES[1])}},
            {"ConditionCheck": table | {"Key": key(NAMES[2])} | there},
        ]
    )
    assert database.query(ConsistentRead=True) == [1, 0, 0, 0, 0]
    assert database.query(IndexName="by-colour") == [1, 0, 0, 0, 0]


def test_of_two_overlapping_transactions_one_is_cancelled(torn: Torn, database: Database) -> None:
    with under_way(torn, lambda: database.put_together(1, NAMES[:2])), pytest.raises(ClientError) as error:
        database.put_together(2, NAMES[1:3])
    assert reasons(error) == ["TransactionConflict", "None"]
    assert [database.read(name) for name in NAMES[:3]] == [1, 1, 0]


def test_a_single_write_of_a_held_item_is_refused(torn: Torn, database: Database) -> None:
    with under_way(torn, lambda: database.put_together(1, NAMES[:2])):
        with pytest.raises(ClientError) as error:
            database.put(NAMES[0], 2)
        database.put(NAMES[5], 2)
    assert code(error) == "TransactionConflictException"
    assert [database.read(NAMES[0]), database.read(NAMES[5])] == [1, 2]


def test_a_batch_leaves_held_items_unprocessed(torn: Torn, database: Database) -> None:
    requests = [{"PutRequest": {"Item": item(name, 2)}} for name in (NAMES[0], NAMES[5])]
    with under_way(torn, lambda: database.put_together(1, NAMES[:2])):
        left = database.client.batch_write_item(RequestItems={"things": requests})["UnprocessedItems"]
    assert left == {"things": requests[:1]}
    assert database.read(NAMES[5]) == 2


def test_an_item_is_free_as_soon_as_it_has_appeared(torn: Torn, database: Database) -> None:
    """A client may write the first new item of a transaction while others are still old."""
    with under_way(torn, lambda: database.put_together(1)):
        torn.step()
        first = NAMES[database.query(ConsistentRead=True).index(1)]
        database.put(first, 9, ConditionExpression="#n = :n", **of_number(1))
        assert sorted(database.query(ConsistentRead=True)) == [0, 0, 0, 0, 0, 9]
    assert sorted(database.query(ConsistentRead=True)) == [1, 1, 1, 1, 1, 9]


def of_number(number: int) -> Any:
    return {"ExpressionAttributeNames": {"#n": "number"}, "ExpressionAttributeValues": {":n": {"N": str(number)}}}


def test_a_token_holds_while_the_transaction_is_under_way_and_after_it(torn: Torn, database: Database) -> None:
    with under_way(torn, lambda: database.put_together(1, ClientRequestToken="t")):
        with pytest.raises(ClientError) as error:
            database.put_together(1, ClientRequestToken="t")
        assert code(error) == "TransactionInProgressException"
    database.put(NAMES[0], 5)
    database.put_together(1, ClientRequestToken="t")
    assert database.read(NAMES[0]) == 5
    with pytest.raises(ClientError) as error:
        database.put_together(2, ClientRequestToken="t")
    assert code(error) == "IdempotentParameterMismatchException"


def test_an_index_lags_behind_each_item_by_itself_and_the_table_never(torn: Torn, database: Database) -> None:
    torn.set(torn=0.0, lag=0.1, stepped=True)
    database.put_together(1)
    assert database.query(ConsistentRead=True) == [1] * len(NAMES)
    for copied in range(len(NAMES)):
        assert sum(database.query(IndexName="by-colour")) == copied
        torn.step()
    assert database.query(IndexName="by-colour") == [1] * len(NAMES)


def test_without_lag_an_index_is_never_behind(torn: Torn, database: Database) -> None:
    torn.set(torn=0.0, lag=0.0)
    for number in range(1, 4):
        database.put_together(number)
        assert set(database.query(IndexName="by-colour")) == {number}
    database.client.delete_item(TableName="things", Key=key(NAMES[0]))
    assert len(database.query(IndexName="by-colour")) == len(NAMES) - 1


def test_an_index_is_read_page_by_page(database: Database) -> None:
    first = database.client.query(
        TableName="things",
        IndexName="by-colour",
        KeyConditionExpression="colour = :c",
        ExpressionAttributeValues={":c": {"S": "red"}},
        Limit=4,
    )
    assert len(first["Items"]) == 4
    rest = database.query(IndexName="by-colour", ExclusiveStartKey=first["LastEvaluatedKey"])
    assert len(rest) == 2


def test_the_tables_behind_the_indexes_are_not_seen(database: Database) -> None:
    assert [name for name in database.client.list_tables()["TableNames"] if name.startswith("things")] == ["things"]


def test_a_write_whose_answer_is_lost_was_executed(torn: Torn, database: Database) -> None:
    torn.set(lost=1.0)
    with pytest.raises(ClientError) as error:
        database.put(NAMES[0], 3)
    assert code(error) == "InternalServerError"
    assert database.read(NAMES[0]) == 3


def test_a_late_write_is_executed_after_its_client_gave_up(torn: Torn, database: Database) -> None:
    torn.set(late=1.0, stepped=True)
    with pytest.raises(ClientError):
        database.put(NAMES[0], 3)
    assert database.read(NAMES[0]) == 0
    torn.step()
    assert database.read(NAMES[0]) == 3


def test_the_same_seed_gives_the_same_weather(torn: Torn, database: Database) -> None:
    def outcomes() -> list[int]:
        torn.set(torn=0.5, longest=0.0, seed=3)
        counts = []
        for number in range(12):
            database.put_together(number)
            counts.append(torn.counts["torn"])
        return counts

    first = outcomes()
    assert first == outcomes()
    assert 0 < first[-1] < 12
