"""Step through the pages of a list, forward and back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rest_framework.request import Request

from eventsite.text import humanize
from eventsite.web import pagination
from eventsite.web.fields import whole_number

PAGES_BACK = 30
"""The number of pages of a list that the user can step back through."""


@dataclass
class Steps:
    """The addresses of the previous and the next page of a list."""

    previous: str = ""
    next: str = ""
    before: int | None = 0
    """The number of entries on the previous pages; None if it is unknown."""

    def range(self, shown: int, whole: int | None = None) -> str:
        """Return ``101 to 200 of 1,240``, with a dash, for the entries here and, if known, their whole number."""
        if not shown or self.before is None:
            return ""
        last = self.before + shown
        found = f"{humanize.number(self.before + 1)}–{humanize.number(last)}"  # noqa: RUF001 (a range)
        return found if whole is None else f"{found} of {humanize.number(max(whole, last))}"


def steps(request: Request, response: Any) -> Steps:
    """Return the previous and the next page of a list.

    Cursors lead forward only, so the address of each page contains the cursors of the pages before it.
    """
    query = request.query_params.copy()
    passed, here = query.pop("back", []), query.get("cursor", "")
    limit = whole_number(query.get("limit", "")) or pagination.DEFAULT_LIMIT
    known = limit * (len(passed) + 1) if len(passed) < PAGES_BACK else None
    found = Steps(before=known if here else 0)
    if here:
        query["cursor"] = passed[-1] if passed else ""
        found.previous = _address(request, query, passed[:-1])
    if match := re.match(r"<[^>]+[?&]cursor=([^&>]+)", response.get("Link", "")):
        query["cursor"] = ""
        address = _address(request, query, [*passed, here][-PAGES_BACK:] if here else [])
        found.next = f"{address}{'&' if '?' in address else '?'}cursor={match[1]}"
    return found


def _address(request: Request, query: Any, passed: Sequence[str]) -> str:
    kept = [(name, value) for name, values in query.lists() for value in values if value]
    return address(request.path, kept + [("back", cursor) for cursor in passed])


def address(path: str, query: Any) -> str:
    return f"{path}?{urlencode(query)}" if query else path
