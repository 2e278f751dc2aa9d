"""Collect whole lists in one answer, page by page until the answer is full, for sheets and calendars."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from rest_framework.request import Request
from rest_framework.response import Response

from eventsite.dynamodb import retries
from eventsite.web import pagination

T = TypeVar("T")

MAX_BYTES = 5_000_000  # Lambda answers at most 6,291,556 bytes, headers and envelope included

RESERVED_SECONDS = 5.0  # no further page is read when less of the request's time is left


class Collected(NamedTuple):
    """The encoded pages of a list, and the cursor to continue after (None at its end)."""

    parts: list[bytes]
    cursor: Any


def collect_pages(
    read: Callable[[int, Any], tuple[list[T], Any]],
    encode: Callable[[list[T]], bytes],
    *,
    page: int,
    query: dict[str, Any],
    request: Request,
) -> Collected:
    """Read a list page by page, until an answer is full or the request's time is nearly up.

    Args:
        read: Reads a page, given the number of entries and the cursor to begin after.
        encode: Encodes the entries of a page.
        page: Entries to read at a time; fewer if that number does not fit into an answer.
        query: The validated query parameters.
        request: The request. Its `limit`, if any, is the most entries in all.
    """
    parts: list[bytes] = []
    after, room = pagination.read_cursor(query.get("cursor"), request), MAX_BYTES
    left = query["limit"] if request.query_params.get("limit") else None
    while True:
        size = min(page, left or page)
        rows, following = read(size, after)
        part = encode(rows)
        room -= pagination.weight(part)
        if room < 0 and parts:
            return Collected(parts, after)
        if room < 0 and size > 1:
            page, room = size // 2, MAX_BYTES
            continue
        parts.append(part)
        after, left = following, left and left - size
        if left == 0 or after is None or retries.time_left() < RESERVED_SECONDS:
            return Collected(parts, after)


def answer(content: bytes, cursor: Any, request: Request, *, content_type: str, name: str) -> Response:
    """Return the collected list as a file with a name, and the link to its continuation, if any."""
    headers = pagination.link_to_next(cursor, request)
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(content, headers=headers, content_type=content_type)
