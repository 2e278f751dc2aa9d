"""The links of the browsable pages: each app registers its own, in a module `links`, under the names of its routes.

Nothing of it is imported before the first page is asked for: a cold start pays nothing.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.module_loading import autodiscover_modules

Link = tuple[str, str]
"""A label and a URL."""

Way = tuple[str, ...]
"""A label, the name of a route, and the parts of the path that it shares with the page it starts from."""

_ways: dict[str, list[Way]] = {}
_entries: dict[str, Callable[[Any], Link]] = {}


def register_ways(*pages: str, ways: list[Way]) -> None:
    """Let these pages link to other routes, after the links that they have already."""
    for page in pages:
        _ways.setdefault(page, []).extend(ways)


def register_entries(*pages: str, link: Callable[[Any], Link]) -> None:
    """Name the link that stands for one entry of these lists."""
    for page in pages:
        _entries[page] = link


@cache
def _discover() -> None:
    autodiscover_modules("links")


def from_page(page: str, parts: dict[str, Any]) -> list[Link]:
    """The links that a page begins with. Takes: its route's name and the parts of its path."""
    _discover()
    return [
        (label, reverse(route, args=[parts[name] for name in shared])) for label, route, *shared in _ways.get(page, [])
    ]


def of_entries(page: str, rows: list[Any]) -> list[Link]:
    """The links to the entries of a list, as it was answered."""
    _discover()
    return [_entries[page](row) for row in rows]
