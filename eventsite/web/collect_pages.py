"""Whole lists in one answer: pages one after another, as many as an answer holds, for sheets and calendars."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from rest_framework.request import Request
from rest_framework.response import Response

from eventsite.dynamodb import retries
from eventsite.web import pagination

T = TypeVar("T")

MAX_BYTES = 5_000_000
"""Lambda answers at most 6,291,556 bytes, headers and envelope included."""

LEAVES_SECONDS = 5.0
"""No further page is read when so little of the request's time is left."""


class Gathered(NamedTuple):
    """The pages of a list, encoded one by one, and the cursor to continue after (None at the end of the list)."""

    parts: list[bytes]
    cursor: Any


def collect_pages(
    read: Callable[[int, Any], tuple[list[T], Any]],
    encode: Callable[[list[T]], bytes],
    *,
    page: int,
    query: dict[str, Any],
    request: Request,
) -> Gathered:
    """Read a list page by page, until an answer is full or the request's time is nearly up.

    Takes: what reads a page, by how many entries at most and the cursor to begin after; what encodes one; how many
    entries to read at a time, no more than an answer holds however long they are; the query. Where the request has a
    `limit`, no more than that.
    """
    parts: list[bytes] = []
    after, room = pagination.read_cursor(query.get("cursor"), request), MAX_BYTES
    left = query["limit"] if request.query_params.get("limit") else None
    while True:
        size = min(page, left or page)
        rows, following = read(size, after)
        part = encode(rows)
        room -= pagination.weight(part)
        if parts and room < 0:
            return Gathered(parts, after)
        parts.append(part)
        after, left = following, left and left - size
        if left == 0 or after is None or retries.time_left() < LEAVES_SECONDS:
            return Gathered(parts, after)


def answer(content: bytes, cursor: Any, request: Request, *, content_type: str, name: str) -> Response:
    """The answer with the whole of it, under a name that browsers save it as; and where it goes on, if it does."""
    headers = pagination.link_to_next(cursor, request)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, headers=headers, content_type=content_type)
