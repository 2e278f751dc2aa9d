"""What AWS charges for items: their size in bytes, and units by their size.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
import math
from collections.abc import Iterable
from typing import Any

Item = dict[str, Any]

READ_BLOCK, WRITE_BLOCK = 4096, 1024


def size_of(item: Item | None) -> int:
    """Bytes: the names and the values of all attributes."""
    return sum(len(name.encode()) + _value(value) for name, value in (item or {}).items())


def _value(value: dict[str, Any]) -> int:
    (kind, inner), *_ = value.items()
    if kind == "S":
        return len(inner.encode())
    if kind == "N":
        return _number(inner)
    if kind in ("SS", "NS"):
        return sum(_value({kind[0]: one}) for one in inner)
    if kind == "L":
        return 3 + sum(1 + _value(one) for one in inner)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value(one) for name, one in inner.items())
    return len(inner) * 3 // 4 if kind == "B" else 1


def _number(text: str) -> int:
    """About one byte per two significant digits, one more, and one for a minus."""
    digits = text.lstrip("+-").partition("E")[0].replace(".", "").strip("0")
    return math.ceil(len(digits) / 2) + 1 + text.startswith("-")


def read_units(items: Iterable[Item | None], *, consistent: bool, each: bool = False) -> float:
    """Return what reading items costs: at least one block for all, or for `each` of them."""
    sizes = [size_of(item) for item in items]
    blocks = sum(_blocks(size, READ_BLOCK) for size in sizes) if each else _blocks(sum(sizes), READ_BLOCK)
    return blocks * (1.0 if consistent else 0.5)


def write_units(before: Item | None, after: Item | None) -> int:
    """Writing an item of a table: by the larger of what it was and what it is."""
    return _blocks(max(size_of(before), size_of(after)), WRITE_BLOCK)


def index_write_units(index: dict[str, Any], keys: tuple[str, ...], before: Item | None, after: Item | None) -> int:
    """Return what writing an item costs in an index: nothing if it stays the same there, twice if it moves.

    Takes: the index as `CreateTable` describes it; the keys of its table.
    """
    names = tuple(one["AttributeName"] for one in index["KeySchema"])
    old, new = (_projected(index, names, keys, item) for item in (before, after))
    if old == new:
        return 0
    if old and new and all(old[name] == new[name] for name in names):
        return write_units(old, new)
    return sum(write_units(None, one) for one in (old, new) if one)


def _projected(index: dict[str, Any], names: tuple[str, ...], keys: tuple[str, ...], item: Item | None) -> Item | None:
    if item is None or not all(name in item for name in names):
        return None
    projection = index.get("Projection", {})
    if projection.get("ProjectionType", "ALL") == "ALL":
        return item
    kept = {*names, *keys, *projection.get("NonKeyAttributes", ())}
    return {name: value for name, value in item.items() if name in kept}


def _blocks(size: int, block: int) -> int:
    return max(1, math.ceil(size / block))


def label(values: Iterable[Any]) -> str:
    """A key as text."""
    return "/".join(
        str(next(iter(value.values()))) if isinstance(value, dict) else json.dumps(value) for value in values
    )
