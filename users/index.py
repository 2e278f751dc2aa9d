"""Find people by a name or an e-mail address: an inverted index, written in one transaction with the user.

    key            item                               one for
    names#g        garcia lopez maria jose<TAB>alice  each name of a person, with what follows it
    email#a@b.c    alice                              the address

Each page is one Query of one partition, strongly consistent, however many people there are. The entries lie in the
table of the markers of keyed requests, under keys that no other item has.
"""

import unicodedata
from collections.abc import Iterator
from itertools import islice

from eventsite.dynamodb.expiring import MarkersItem
from eventsite.dynamodb.reads import Range, query_pages
from eventsite.dynamodb.steps import Delete, Put
from eventsite.text.folding import fold
from users.models import User

MOST_NAMES = 12  # names by which a person is found; each costs two write units when the person is created
LONGEST = 600  # bytes of names in a sort key, which DynamoDB bounds at 1,024
END = "\t"  # between the names and the id; sorts before all that a name has in it


class Entry(MarkersItem):
    """One way to find a user. Lists are sorted by its `item`, which ends with the user's id."""


Key = tuple[str, str]


def fold_address(address: str) -> str:
    """Return an e-mail address as two people would agree that it is the same."""
    return unicodedata.normalize("NFC", address).casefold()


def names_of(name: str) -> list[str]:
    """Return a person's names, each with those that follow it, the first ones behind the last."""
    return _turns(_indexed(name).split())


def _indexed(text: str) -> str:
    """Return as much of a text as entries hold of a name."""
    plain = fold(text).encode()[:LONGEST].decode(errors="ignore")
    return " ".join(plain.split()[:MOST_NAMES])


def _turns(words: list[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(words[place:] + words[:place]) for place in range(len(words))))


def entries_of(user: User | None) -> set[Key]:
    """Return the keys of all entries of a user, or none for no user."""
    if user is None:
        return set()
    keys = {(_partition(turn), f"{turn}{END}{user.user_id}") for turn in names_of(user.name)}
    return keys | ({(f"email#{fold_address(user.email)}", user.user_id)} if user.email else set())


def _partition(folded: str) -> str:
    return f"names#{folded[0]}"


def followed(before: User | None, after: User | None) -> dict[str, Put | Delete]:
    """Return the parts of a transaction that write the index with a user.

    The transaction has the condition that the user is still stored as `before`.
    """
    old, new = entries_of(before), entries_of(after)
    removed: dict[str, Put | Delete] = {f"index {key}": Delete(Entry.named(*key)) for key in sorted(old - new)}
    return removed | {f"index {key}": Put(Entry(*key)) for key in sorted(new - old)}


def by_name(prefix: str, *, limit: int, after: str | None) -> tuple[list[str], str | None]:
    """Return the ids of users one of whose names begins with a text, in the order of that name.

    Case and accents make no difference. The second value is the sort key to continue after (None on the last page).
    """
    items = list(islice(_matches(_indexed(prefix), limit + 1, after), limit + 1))
    following = items[limit - 1] if len(items) > limit else None
    return [item.rpartition(END)[2] for item in items[:limit]], following


def place_of(user: User, prefix: str) -> str:
    """Return the sort key under which a search finds a user."""
    turns, sought = names_of(user.name), _indexed(prefix)
    return f"{min((turn for turn in turns if turn.startswith(sought)), default=turns[0])}{END}{user.user_id}"


def is_called(user: User, prefix: str) -> bool:
    """Return whether one of a user's names begins with a text."""
    return any(turn.startswith(_indexed(prefix)) for turn in names_of(user.name))


def _matches(sought: str, chunk: int, after: str | None) -> Iterator[str]:
    """Yield the sort keys that begin with a text, of each person the first one only."""
    partition = _partition(sought)
    start = dict(zip(Entry.key_names(), ({"S": partition}, {"S": after}), strict=True)) if after else None
    matching = Range(Entry, partition, (sought, sought + "\U0010ffff"), consistent=True)
    for raw in matching.items(chunk, start):
        item = raw[Entry.key_names()[1]]["S"]
        if item.rpartition(END)[0] == _first(item, sought):
            yield item


def _first(item: str, sought: str) -> str:
    """Return the first of a person's names that begins with a text. The person is given by one of their entries."""
    return min(turn for turn in _turns(item.rpartition(END)[0].split()) if turn.startswith(sought))


def by_address(address: str) -> list[str]:
    """Return the ids of the users who have an e-mail address."""
    owners = Range(Entry, f"email#{fold_address(address)}", ("-", "~"), consistent=True)
    [(raw, _)] = query_pages(owners.page())
    return [one[Entry.key_names()[1]]["S"] for one in raw]
