"""Reading several items, of one table or of several, in one call."""

from typing import Any

from eventsite.dynamodb.connection import RawItem, connection
from eventsite.dynamodb.records import Record

Key = tuple[type[Record], *tuple[str, ...]]
"""A model, and the parts of an item's key."""


AT_ONCE = 100
"""So many items fit into one BatchGetItem."""


def together(*keys: Key, consistent: bool | tuple[type[Record], ...]) -> list[Any]:
    """Several items, a hundred in one call: each is read by itself, so they may be of different moments.

    Takes: the model and the parts of the key of each; whether each must be up to date, or the models whose tables
    must be.
    Returns: the records in the order of the keys, None where there is none.
    """
    if len(keys) > AT_ONCE:
        return together(*keys[:AT_ONCE], consistent=consistent) + together(*keys[AT_ONCE:], consistent=consistent)
    if not keys:
        return []
    requests: dict[str, dict[str, Any]] = {}
    for model, *parts in keys:
        exact = consistent if isinstance(consistent, bool) else model in consistent
        request = requests.setdefault(model.Meta.table_name, {"Keys": [], "ConsistentRead": exact})
        if (key := _key(model, parts)) not in request["Keys"]:
            request["Keys"].append(key)
    model_of_table = {model.Meta.table_name: model for model, *_ in keys}
    for model in model_of_table.values():
        model._get_connection()  # makes the table known to the shared connection
    answer = connection().dispatch("BatchGetItem", {"RequestItems": requests})
    found = {
        (table, str(_key_of(model_of_table[table], item))): item
        for table, items in answer["Responses"].items()
        for item in items
    }
    raw: list[RawItem | None] = [found.get((model.Meta.table_name, str(_key(model, parts)))) for model, *parts in keys]
    return [model.parse(item) if item else None for (model, *_), item in zip(keys, raw, strict=True)]


def _key(model: type[Record], parts: list[str]) -> RawItem:
    return {name: {"S": part} for name, part in zip(model.key_names(), parts, strict=True)}


def _key_of(model: type[Record], item: RawItem) -> RawItem:
    return {name: item[name] for name in model.key_names()}
