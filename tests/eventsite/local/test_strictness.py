"""The engines refuse what DynamoDB refuses.

Each test of the suite runs on such an engine, so each shows that the service never sends such a request.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from eventsite.local.engine import lease
from eventsite.local.strictness import has_parent, paths
from tests.torn import Torn

KEY = {"userId": {"S": "u"}}
LONG = "x" * 410_000
ONE, TEXT, LARGE = {":v": {"N": "1"}}, {":v": {"S": "x"}}, {":v": {"S": LONG}}
MANY = {f"#{number:03}": f"n{number}" for number in range(400)}
AB = {"#a": "a", "#b": "b"}


@pytest.fixture(scope="module", params=["suite", "torn", "runserver"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the engine of the tests, of the one with DynamoDB's isolation, and of the embedded one."""
    held = None
    if request.param == "suite":
        url = request.getfixturevalue("engine")
    elif request.param == "torn":
        torn: Torn = request.getfixturevalue("torn_engine")
        torn.set(torn=0, lost=0, late=0, lag=0)
        url = torn.url
    else:
        held = lease(Path(tmp_path_factory.mktemp("data")))
        url = held.url
    known: Any = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    made = get_session().create_client("dynamodb", endpoint_url=url, **known)
    yield made
    if held:
        held.release()


@pytest.fixture
def item(client: Any) -> Iterator[None]:
    """Create a table with one item: a map, a list and a number."""
    types = [{"AttributeName": "userId", "AttributeType": "S"}]
    schema = [{"AttributeName": "userId", "KeyType": "HASH"}]
    client.create_table(
        TableName="strictness", KeySchema=schema, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
    )
    values = {"map": {"M": {"x": {"N": "1"}}}, "list": {"L": [{"N": "1"}]}, "number": {"N": "1"}}
    client.put_item(TableName="strictness", Item=KEY | values)
    yield
    client.delete_table(TableName="strictness")


def update(expression: str, names: Any = None, values: Any = None, condition: str = "") -> dict[str, Any]:
    more = {
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ConditionExpression": condition,
    }
    given = {name: value for name, value in more.items() if value}
    return {"TableName": "strictness", "Key": KEY, "UpdateExpression": expression, **given}


UPDATES = {
    "an expression over 4 KB": update("SET " + ", ".join(f"{name} = :v" for name in MANY), MANY, TEXT),
    "a condition over 4 KB": update("SET a = :v", None, TEXT, " AND ".join(["attribute_not_exists(aaaaaaaaaa)"] * 130)),
    "SET and REMOVE of one path": update("SET #a = :v REMOVE #a", {"#a": "a"}, TEXT),
    "SET and ADD of one path": update("SET number = :v ADD number :v", None, ONE),
    "a path inside another one": update("SET #a = :v, #a.#b = :v", {"#a": "map", "#b": "b"}, TEXT),
    "an element of a list, twice": update("SET #a[0] = :v REMOVE #a[0]", {"#a": "list"}, TEXT),
    "one attribute by two placeholders": update("SET #a = :v REMOVE #b", {"#a": "a", "#b": "a"}, TEXT),
    "SET without a parent": update("SET #a.#b = :v", AB, TEXT),
    "REMOVE without a parent": update("REMOVE #a.#b", AB),
    "REMOVE below a number": update("REMOVE #a.#b", {"#a": "number", "#b": "b"}),
    "ADD without a parent": update("ADD #a.#b :v", AB, ONE),
    "an element of a map": update("SET #a[0] = :v", {"#a": "map"}, TEXT),
    "a missing operand": update("SET a = #a.#b + :v", AB, ONE),
    "an unused name": update("SET #a = :v", AB, TEXT),
    "an unused name that begins a used one": update("SET #a1 = :v", {"#a1": "a", "#a": "b"}, TEXT),
    "an unused value": update("SET a = :v", None, TEXT | {":w": {"S": "x"}}),
    "an undefined name": update("SET #a = :v, #b = :v", {"#a": "a"}, TEXT),
    "an undefined value": update("SET a = :v, b = :w", None, TEXT),
    "a reserved word": update("SET status = :v", None, TEXT),
    "a reserved word in a condition": update("SET a = :v", None, TEXT, "attribute_exists(name)"),
    "an item over 400 KB": update("SET a = :v", None, LARGE),
}
"""Updates that DynamoDB refuses, for the item of the fixture."""


def put(user: str, **more: Any) -> dict[str, Any]:
    return {"TableName": "strictness", "Item": {"userId": {"S": user}} | more}


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "one item twice in a transaction": (
        "transact_write_items",
        {"TransactItems": [{"Put": put("u")}, {"Delete": {"TableName": "strictness", "Key": KEY}}]},
    ),
    "one item twice in a batch of writes": (
        "batch_write_item",
        {"RequestItems": {"strictness": [{"PutRequest": {"Item": put("u")["Item"]}}, {"DeleteRequest": {"Key": KEY}}]}},
    ),
    "one item twice in a batch of reads": ("batch_get_item", {"RequestItems": {"strictness": {"Keys": [KEY, KEY]}}}),
    "one item twice in a transaction of reads": (
        "transact_get_items",
        {"TransactItems": [{"Get": {"TableName": "strictness", "Key": KEY}}] * 2},
    ),
    "101 items in a transaction": (
        "transact_write_items",
        {"TransactItems": [{"Put": put(str(number))} for number in range(101)]},
    ),
    "26 items in a batch of writes": (
        "batch_write_item",
        {"RequestItems": {"strictness": [{"PutRequest": {"Item": put(str(one))["Item"]}} for one in range(26)]}},
    ),
    "101 items in a batch of reads": (
        "batch_get_item",
        {"RequestItems": {"strictness": {"Keys": [{"userId": {"S": str(number)}} for number in range(101)]}}},
    ),
    "an item over 400 KB": ("put_item", put("u", a={"S": LONG})),
    "an item over 400 KB in a transaction": (
        "transact_write_items",
        {"TransactItems": [{"Put": put("u", a={"S": LONG})}]},
    ),
    "an item over 400 KB in a batch": (
        "batch_write_item",
        {"RequestItems": {"strictness": [{"PutRequest": {"Item": put("u", a={"S": LONG})["Item"]}}]}},
    ),
    "an empty key": ("put_item", put("")),
}


@pytest.mark.parametrize("kind", UPDATES)
def test_an_update_that_dynamodb_refuses_is_refused(client: Any, item: None, kind: str) -> None:
    before = client.get_item(TableName="strictness", Key=KEY)["Item"]
    with pytest.raises(ClientError, match="ValidationException"):
        client.update_item(**UPDATES[kind])
    with pytest.raises(ClientError, match="ValidationE"):
        client.transact_write_items(TransactItems=[{"Put": put("v")}, {"Update": UPDATES[kind]}])
    assert client.scan(TableName="strictness")["Items"] == [before]


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_request_that_dynamodb_refuses_is_refused(client: Any, item: None, kind: str) -> None:
    operation, arguments = REQUESTS[kind]
    with pytest.raises(ClientError, match="ValidationException"):
        getattr(client, operation)(**arguments)


def test_what_dynamodb_accepts_is_accepted(client: Any, item: None) -> None:
    names = {"#m": "map", "#0": "0", "#l": "list", "#n": "number"}
    accepted = update(
        "SET #m.#0 = if_not_exists(#m.#0, :v) + :v, #l[1] = :v, a = list_append(#l, #l) REMOVE #m.x ADD #n :v",
        names,
        ONE,
    )
    client.update_item(**accepted)
    client.update_item(**update("REMOVE #m.x, #l[7]", {"#m": "map", "#l": "list"}))
    found = client.get_item(TableName="strictness", Key=KEY)["Item"]
    assert (found["map"], found["number"]) == ({"M": {"0": {"N": "2"}}}, {"N": "2"})
    assert (len(found["list"]["L"]), len(found["a"]["L"])) == (2, 2)


SEGMENTS = st.lists(st.sampled_from(["a", "b", "7", 0, 3]), max_size=3)


@given(st.lists(SEGMENTS.map(lambda rest: ("a", *rest)), min_size=1, max_size=4))
def test_the_paths_of_an_expression_are_read_as_they_were_written(written: list[tuple[str | int, ...]]) -> None:
    texts = ["".join(f"[{one}]" if isinstance(one, int) else f".#{one}" for one in path)[1:] for path in written]
    names = {f"#{name}": name for name in "ab7"}
    assigned = [f"{text} = if_not_exists({text}, :v) + :v" for text in texts]
    assert paths("SET " + ", ".join(assigned), names) == written
    assert paths("REMOVE " + ", ".join(texts), names) == written


def test_a_map_with_digits_as_names_is_no_list() -> None:
    stored: Any = {"counts": {"M": {"7": {"L": []}}}}
    assert has_parent(stored, ("counts", "7"))
    assert has_parent(stored, ("counts", "7", 3))
    assert not has_parent(stored, ("counts", 7))
    assert not has_parent(stored, ("counts", "8", 0))
