"""The contents of the store and the writes of the search as numbers. Each write is executed once on each content."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from eventsite.dynamodb.steps import Query, Transact, Update
from tests.registrations.protocol.automata import Numbers
from tests.registrations.protocol.memory import remembered
from tests.registrations.protocol.store import Key, frozen, key_of, thawed, transacted, written

Items = Mapping[Key, str]


class Write(NamedTuple):
    """A write, or a part of a transaction."""

    call: Any
    keys: tuple[Key, ...]
    parts: tuple[int, ...]
    """The numbers of the parts of a transaction."""


class Executed(NamedTuple):
    """The outcome of a write."""

    done: bool
    after: int
    """The contents afterwards."""
    texts: tuple[Any, ...]
    """The item after an update; the label and the item of each part of a transaction that failed."""


class Snapshots:
    """All contents of the store, and all writes, by their numbers."""

    def __init__(self) -> None:
        self._contents, self._writes = Numbers(), Numbers()
        self._executed: dict[tuple[int, int], Executed] = {}

    def of(self, items: Items) -> int:
        """Return the number of some contents."""
        return self._contents.of(frozenset(items.items()), items)

    def items(self, contents: int) -> Items:
        """Return the items of the contents of this number."""
        items: Items = self._contents.things[contents]
        return items

    def queried(self, contents: int, call: Query) -> tuple[str, ...]:
        """Return the items that a query finds."""
        table, (low, high) = call.model.Meta.table_name, call.between
        items = self.items(contents)
        keys = sorted(key for key in items if key[:2] == (table, call.hash_key) and low <= key[2] <= high)
        return tuple(items[key] for key in (keys[::-1][: call.newest] if call.newest else keys[: call.first]))

    def number_of(self, call: Any) -> int:
        """Return the number of a write. Equal writes have equal numbers."""
        if isinstance(call, Transact):
            parts = tuple(map(self.number_of, call.parts.values()))
            keys = tuple(key_of(part.record) for part in call.parts.values())
            return self._writes.of(("all", *parts), Write(call, keys, parts))
        key = key_of(call.record)
        return self._writes.of((type(call).__name__, key, remembered(call)), Write(call, (key,), ()))

    def write(self, number: int) -> Write:
        """Return the write of this number."""
        found: Write = self._writes.things[number]
        return found

    def keys_of(self, numbers: Iterable[int]) -> set[Key]:
        """Return the keys of the items of some writes."""
        return {key for number in numbers for key in self.write(number).keys}

    def execute(self, contents: int, number: int) -> Executed:
        """Execute a write, or one part of a transaction without the others."""
        known = self._executed.get((contents, number))
        if known is None:
            known = self._executed[contents, number] = self._outcome(contents, self.write(number))
        return known

    def _outcome(self, contents: int, write: Write) -> Executed:
        items = self.items(contents)
        if isinstance(write.call, Transact):
            failures, changed = transacted(items, write.call.parts)
            if failures:
                return Executed(False, contents, tuple(failures.items()))
            return Executed(True, self._changed(items, changed), ())
        (key,) = write.keys
        done, item = written(write.call, thawed(items.get(key)))
        after = self._changed(items, {key: item}) if done else contents
        return Executed(done, after, (frozen(item),) if isinstance(write.call, Update) else ())

    def _changed(self, items: Items, changed: Mapping[Key, Any]) -> int:
        texts = {key: frozen(item) for key, item in changed.items()}
        return self.of({key: text for key, text in {**items, **texts}.items() if text is not None})
