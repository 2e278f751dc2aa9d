"""Reads of several items in one call, alone or as of one moment, and of ranges of an index."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from pynamodb.exceptions import VerboseClientError
from pynamodb.indexes import Index

from eventsite.dynamodb import retries
from eventsite.dynamodb.base_model import BaseModel
from eventsite.dynamodb.connection import Call, RawItem, connection
from eventsite.dynamodb.shapes import text

Key = tuple[type[BaseModel], *tuple[str, ...]]  # a model, and the parts of an item's key

MAX_BATCH = 100  # items of one BatchGetItem


def batch_get(
    *keys: Key, consistent: bool | tuple[type[BaseModel], ...], only: tuple[str, ...] | None = None
) -> list[Any]:
    """Return several items, read a hundred in a call. Each is read by itself, so they may be of different moments.

    Args:
        keys: The model and the parts of the key of each item.
        consistent: Whether all reads are strongly consistent, or the models that are read so.
        only: The stored names of the attributes to read; None for all. It saves time, but no units.

    Returns:
        The records in the order of the keys, None for a missing item.
    """
    if len(keys) > MAX_BATCH:
        parts = (keys[start : start + MAX_BATCH] for start in range(0, len(keys), MAX_BATCH))
        return [item for part in parts for item in batch_get(*part, consistent=consistent, only=only)]
    if not keys:
        return []
    model_of_table = {model.Meta.table_name: model for model, *_ in keys}
    requests: dict[str, dict[str, Any]] = {}
    for table in model_of_table:
        exact = consistent if isinstance(consistent, bool) else table in {one.Meta.table_name for one in consistent}
        requests[table] = {"Keys": [], "ConsistentRead": exact} | _projection(only)
    places = [(model.Meta.table_name, *parts) for model, *parts in keys]
    for place in dict.fromkeys(places):
        requests[place[0]]["Keys"].append(model_of_table[place[0]].raw_key(*place[1:]))
    answer = connection().dispatch("BatchGetItem", {"RequestItems": requests})
    found = {
        (table, *(text(item, name) for name in model.key_names())): item
        for table, model in model_of_table.items()
        for item in answer["Responses"].get(table, ())
    }
    return _parsed(keys, [found.get(place) for place in places])


@cache
def _projection(only: tuple[str, ...] | None) -> dict[str, Any]:
    if only is None:
        return {}
    names = {f"#{number}": name for number, name in enumerate(only)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def transact_get(*keys: Key) -> list[Any]:
    """Return several items as of a single point in time, None for a missing one.

    Raises:
        Conflict: A transaction is writing one of them.
    """
    parts = [{"Get": model.target_of(*key)} for model, *key in keys]
    try:
        answer = connection().dispatch("TransactGetItems", {"TransactItems": parts})
    except VerboseClientError as error:
        if retries.CONFLICT_REASON in retries.cancellation_reasons(error):
            retries.conflict_retried.send_robust(sender=None)
            raise retries.Conflict from error
        raise
    return _parsed(keys, [one.get("Item") for one in answer["Responses"]])


def _parsed(keys: tuple[Key, ...], items: list[RawItem | None]) -> list[Any]:
    return [model.parse(item) if item else None for (model, *_), item in zip(keys, items, strict=True)]


Page = tuple[list[RawItem], RawItem | None]
"""The next raw items of a range, and the key of the last one; None at the end of the range.

The items are raw, because a list may read more than it shows.
"""


class Range(NamedTuple):
    """A part of one partition of a table or an index, between two range keys."""

    place: type[BaseModel] | Index[Any]
    hash_key: str
    between: tuple[str, str]
    consistent: bool = False
    descending: bool = False

    def page(self, *, limit: int | None = None, after: RawItem | None = None) -> Call:
        """Return the call that reads the next page."""
        low, high = self.between
        arguments = {
            **_place(self.place),
            "KeyConditionExpression": "#hash = :hash AND #range BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":hash": {"S": self.hash_key}, ":low": {"S": low}, ":high": {"S": high}},
            "ConsistentRead": self.consistent,
            "ScanIndexForward": not self.descending,
        }
        arguments |= {"Limit": limit} if limit else {}
        arguments |= {"ExclusiveStartKey": after} if after else {}
        return "Query", arguments

    def items(self, first: int, after: RawItem | None = None) -> Iterator[RawItem]:
        """Yield the items, read in pages of `first` items, then of twice as many each time.

        So it costs about what the caller takes, in few calls also if the caller passes over many.

        Args:
            first: Items of the first page.
            after: The key of the item to start after.
        """
        while True:
            [(items, after)] = query_pages(self.page(limit=first, after=after))
            yield from items
            if after is None:
                return
            first *= 2


def query_pages(*pages: Call) -> list[Page]:
    """Return several pages (`Range.page`), which are read at the same time."""
    return [(answer["Items"], answer.get("LastEvaluatedKey")) for answer in connection().read_together(pages)]


@cache
def _place(place: type[BaseModel] | Index[Any]) -> dict[str, Any]:
    if isinstance(place, Index):
        keys = sorted(place.Meta.attributes.values(), key=lambda key: key.is_range_key)
        target = {"TableName": place._model.Meta.table_name, "IndexName": place.Meta.index_name}
        names = [key.attr_name for key in keys]
    else:
        target, names = {"TableName": place.Meta.table_name}, list(place.key_names())
    return target | {"ExpressionAttributeNames": dict(zip(("#hash", "#range"), names, strict=True))}
