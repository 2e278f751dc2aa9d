"""The engine with physics, in virtual time: durations, refusals and charges."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.bench.physical_engine import PhysicalEngine, Physics
from tests.bench.virtual_time import VirtualTime
from tests.capacity import index_write_units, read_units, size_of, write_units
from tests.torn import ministack

SORTED = {"AttributeName": "name", "KeyType": "RANGE"}


@pytest.fixture
def world() -> Any:
    return World()


class World:
    """An engine with one table, `things`, and what happened when."""

    def __init__(self, **physics: Any) -> None:
        self.clock = VirtualTime()
        self.engine = PhysicalEngine(ministack(), self.clock, Physics(**physics))
        self.ended: list[tuple[str, float]] = []
        if "things" in self.engine("ListTables", {})["TableNames"]:
            self.engine("DeleteTable", {"TableName": "things"})
        self.engine(
            "CreateTable",
            {
                "TableName": "things",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": name, "AttributeType": "S"} for name in ("part", "name", "colour")
                ],
                "KeySchema": [{"AttributeName": "part", "KeyType": "HASH"}, SORTED],
                "GlobalSecondaryIndexes": [INDEX | {"Projection": {"ProjectionType": "ALL"}}],
            },
        )
        self.engine.is_running = True

    def at_once(self, *actions: Callable[[], Any]) -> None:
        with self.clock:
            self.clock.run(actions)

    def put(self, name: str, **more: Any) -> None:
        try:
            self.engine("PutItem", {"TableName": "things", "Item": thing(name, **more)})
            self.ended.append((name, round(self.clock.now, 6)))
        except ClientError as error:
            self.ended.append((error.response["Error"]["Code"], round(self.clock.now, 6)))

    def put_together(self, *names: str) -> None:
        parts = [{"Put": {"TableName": "things", "Item": thing(name)}} for name in names]
        try:
            self.engine("TransactWriteItems", {"TransactItems": parts})
            self.ended.append(("together", round(self.clock.now, 6)))
        except ClientError as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            self.ended.append((" ".join(codes), round(self.clock.now, 6)))


INDEX = {"IndexName": "by-colour", "KeySchema": [{"AttributeName": "colour", "KeyType": "HASH"}]}


def thing(name: str, **more: Any) -> Any:
    return {"part": {"S": "p"}, "name": {"S": name}} | {key: {"S": value} for key, value in more.items()}


# Time


def test_the_clock_jumps_to_the_thread_that_wakes_next() -> None:
    seen = []
    with VirtualTime() as clock:

        def wait(seconds: float) -> None:
            time.sleep(seconds)
            seen.append((seconds, time.monotonic()))

        clock.run([lambda: wait(3600), lambda: wait(1), lambda: wait(60)])
    assert seen == [(1, 1.0), (60, 60.0), (3600, 3600.0)]
    assert time.monotonic() != 3600.0


def test_threads_that_are_started_inside_live_by_it_too() -> None:
    seen = []
    with VirtualTime() as clock:

        def child() -> None:
            time.sleep(5)
            seen.append("child")

        def parent() -> None:
            thread = threading.Thread(target=child)
            thread.start()
            seen.append("parent")
            thread.join()
            seen.append(f"joined at {time.monotonic():.0f}")

        clock.run([parent])
    assert seen == ["parent", "child", "joined at 5"]


def test_an_error_inside_comes_out() -> None:
    with VirtualTime() as clock, pytest.raises(ZeroDivisionError):
        clock.run([lambda: 1 / 0, lambda: time.sleep(1)])


# Physics


def test_a_write_takes_a_round_trip_and_a_millisecond_per_unit(world: World) -> None:
    world.at_once(lambda: world.put("a"), lambda: world.put("b", text="x" * 3000))
    assert world.ended == [("a", 0.005), ("b", 0.007)]


def test_writes_of_one_item_come_one_after_the_other(world: World) -> None:
    world.at_once(*[lambda: world.put("a")] * 3, lambda: world.put("b"))
    assert [when for _, when in world.ended] == [0.005, 0.005, 0.006, 0.007]


def test_a_transaction_holds_its_items_and_refuses_others(world: World) -> None:
    world.at_once(
        lambda: world.put_together("a", "b"),
        lambda: world.put_together("b", "c"),
        lambda: world.put("a"),
        lambda: world.put("c"),
    )
    assert world.ended == [
        ("TransactionConflict None", 0.004),
        ("TransactionConflictException", 0.004),
        ("c", 0.005),
        ("together", 0.014),
    ]
    assert world.engine.costs.refusals == {"conflict": 2}


def test_an_item_takes_a_second_s_worth_of_units_and_the_rest_is_throttled() -> None:
    world = World(write_unit=0.0)
    world.at_once(*[lambda: world.put("a")] * 1010, lambda: world.put("b"))
    assert [what for what, _ in world.ended].count("ProvisionedThroughputExceededException") == 10
    assert ("b", 0.004) in world.ended


def test_an_index_that_is_throttled_throttles_its_table() -> None:
    world = World(write_unit=0.0)
    world.at_once(*[lambda name=f"item-{number}": world.put(name, colour="red") for number in range(1010)])
    assert [what for what, _ in world.ended].count("ProvisionedThroughputExceededException") == 10


@pytest.mark.parametrize(("pinned", "throttled"), [(True, 10), (False, 0)])
def test_items_of_one_partition_key_share_its_limit_until_it_is_split(pinned: bool, throttled: int) -> None:
    world = World(write_unit=0.0, pinned=pinned)
    world.at_once(*[lambda name=f"item-{number}": world.put(name) for number in range(1010)])
    assert [what for what, _ in world.ended].count("ProvisionedThroughputExceededException") == throttled


def test_a_partition_recovers(world: World) -> None:
    def insist() -> None:
        for _ in range(3000):
            world.put("a")

    world.at_once(insist)
    assert {what for what, _ in world.ended} == {"a"}


# Costs


def test_what_was_asked_is_charged_by_aws_s_rules(world: World) -> None:
    def ask() -> None:
        key = {"TableName": "things", "Key": thing("a")}
        world.put("a", colour="red", text="x" * 1500)  # 2 in the table, 2 in the index
        world.put("a", colour="blue", text="x" * 1500)  # 2, and 2 + 2 where it moves
        world.engine("GetItem", key)  # 0.5
        world.engine("GetItem", key | {"ConsistentRead": True})  # 1
        world.engine("GetItem", {"TableName": "things", "Key": thing("nobody")})  # 0.5
        world.engine("BatchGetItem", {"RequestItems": {"things": {"Keys": [thing("a"), thing("b")]}}})  # 0.5 + 0.5
        world.engine("TransactGetItems", {"TransactItems": [{"Get": key}]})  # 2
        world.put_together("c", "d")  # 2 + 2

    world.at_once(ask)
    costs = world.engine.costs
    assert costs.writes == {"PutItem": 10, "TransactWriteItems": 4}
    assert costs.reads == {"GetItem": 2.0, "BatchGetItem": 1.0, "TransactGetItems": 2.0}
    assert costs.calls.total() == 8
    assert costs.items["things/p/a"] == 4
    assert (costs.items["things/by-colour/red"], costs.items["things/by-colour/blue"]) == (4, 2)


def test_a_failed_condition_is_charged(world: World) -> None:
    def ask() -> None:
        absent = {"ConditionExpression": "attribute_exists(part)"}
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            world.engine("PutItem", {"TableName": "things", "Item": thing("a")} | absent)

    world.at_once(ask)
    assert world.engine.costs.writes == {"PutItem": 1}


def test_sizes_are_counted_as_aws_counts_them() -> None:
    assert size_of({"name": {"S": "zoë"}}) == 4 + 4
    assert size_of({"n": {"N": "12345"}}) == 1 + 4
    assert size_of({"n": {"N": "-100"}}) == 1 + 3
    assert size_of({"b": {"BOOL": True}, "x": {"NULL": True}}) == 4
    assert size_of({"l": {"L": [{"S": "ab"}, {"S": "c"}]}}) == 1 + 3 + 2 + 3
    assert size_of({"m": {"M": {"key": {"S": "ab"}}}}) == 1 + 3 + 1 + 3 + 2
    assert size_of({"s": {"NS": ["1", "22"]}}) == 1 + 2 + 2


def test_units_are_rounded_up() -> None:
    small, large = {"a": {"S": "x"}}, {"a": {"S": "x" * 4096}}
    assert (read_units([small], consistent=True), read_units([large], consistent=True)) == (1, 2)
    assert read_units([small, small], consistent=False) == 0.5
    assert read_units([small, small], consistent=False, each=True) == 1.0
    assert (write_units(None, small), write_units(large, small), write_units(large, None)) == (1, 5, 5)


def test_an_index_is_charged_for_what_changes_in_it() -> None:
    red, blue, none = thing("a", colour="red"), thing("a", colour="blue"), thing("a")
    keys_only = INDEX | {"Projection": {"ProjectionType": "KEYS_ONLY"}}
    longer = red | {"text": {"S": "x"}}

    def units(index: Any, before: Any, after: Any) -> int:
        return index_write_units(index, ("part", "name"), before, after)

    assert units(INDEX, none, none) == units(INDEX, red, red) == 0
    assert units(INDEX, none, red) == units(INDEX, red, none) == 1
    assert units(INDEX, red, blue) == 2
    assert units(INDEX, red, longer) == 1
    assert units(keys_only, red, longer) == 0
