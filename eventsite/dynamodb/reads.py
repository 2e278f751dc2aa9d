"""Reading many items in one call: several, of one table or of more; or those that lie side by side in an index."""

from functools import cache
from typing import Any

from pynamodb.indexes import Index

from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.shapes import text

Key = tuple[type[BaseModel], *tuple[str, ...]]
"""A model, and the parts of an item's key."""


AT_ONCE = 100
"""So many items fit into one BatchGetItem."""


def batch_get(*keys: Key, consistent: bool | tuple[type[BaseModel], ...]) -> list[Any]:
    """Several items, a hundred in one call: each is read by itself, so they may be of different moments.

    Takes: the model and the parts of the key of each; whether each must be up to date, or the models whose tables
    must be.
    Returns: the records in the order of the keys, None where there is none.
    """
    if len(keys) > AT_ONCE:
        return batch_get(*keys[:AT_ONCE], consistent=consistent) + batch_get(*keys[AT_ONCE:], consistent=consistent)
    if not keys:
        return []
    model_of_table = {model.Meta.table_name: model for model, *_ in keys}
    requests: dict[str, dict[str, Any]] = {}
    for table, model in model_of_table.items():
        model._get_connection()  # makes the table known to the shared connection
        exact = consistent if isinstance(consistent, bool) else table in {one.Meta.table_name for one in consistent}
        requests[table] = {"Keys": [], "ConsistentRead": exact}
    places = [(model.Meta.table_name, *parts) for model, *parts in keys]
    for place in dict.fromkeys(places):
        requests[place[0]]["Keys"].append(_key(model_of_table[place[0]], place[1:]))
    answer = connection().dispatch("BatchGetItem", {"RequestItems": requests})
    found = {
        (table, *(text(item, name) for name in model.key_names())): item
        for table, model in model_of_table.items()
        for item in answer["Responses"].get(table, ())
    }
    raw: list[RawItem | None] = [found.get(place) for place in places]
    return [model.parse(item) if item else None for (model, *_), item in zip(keys, raw, strict=True)]


def _key(model: type[BaseModel], parts: tuple[str, ...]) -> RawItem:
    return {name: {"S": part} for name, part in zip(model.key_names(), parts, strict=True)}


def query_page(
    place: type[BaseModel] | Index[Any],
    hash_key: str,
    between: tuple[str, str],
    *,
    consistent: bool = False,
    descending: bool = False,
    limit: int | None = None,
    after: RawItem | None = None,
) -> tuple[list[RawItem], RawItem | None]:
    """The next items of one partition of a table or an index, as they are: a list may read more than it shows.

    Takes: the partition; between which range keys, both included; whether it must be up to date; the direction; how
    many at most; after which key.
    Returns: the items; the key of the last one, None at the end.
    """
    arguments = {
        **_place(place),
        "KeyConditionExpression": "#hash = :hash AND #range BETWEEN :low AND :high",
        "ExpressionAttributeValues": {":hash": {"S": hash_key}, ":low": {"S": between[0]}, ":high": {"S": between[1]}},
        "ConsistentRead": consistent,
        "ScanIndexForward": not descending,
    }
    arguments |= {"Limit": limit} if limit else {}
    arguments |= {"ExclusiveStartKey": after} if after else {}
    answer = connection().dispatch("Query", arguments)
    return answer["Items"], answer.get("LastEvaluatedKey")


@cache
def _place(place: type[BaseModel] | Index[Any]) -> dict[str, Any]:
    if not isinstance(place, Index):
        return {"TableName": place.Meta.table_name, "ExpressionAttributeNames": _placeholders(*place.key_names())}
    keys = sorted(place.Meta.attributes.values(), key=lambda key: key.is_range_key)
    named = {"TableName": place._model.Meta.table_name, "IndexName": place.Meta.index_name}
    return named | {"ExpressionAttributeNames": _placeholders(*(key.attr_name for key in keys))}


def _placeholders(hash_name: str, range_name: str) -> dict[str, str]:
    return {"#hash": hash_name, "#range": range_name}
