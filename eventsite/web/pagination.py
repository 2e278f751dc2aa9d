"""Pages of lists: their size, opaque cursors, and the Link header to the next page (RFC 8288)."""

import json
from collections.abc import Callable
from itertools import accumulate
from typing import Any
from urllib.parse import urlencode

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from eventsite.auth import sealing
from eventsite.auth.permissions import ADMINS, ORGANIZERS, principal_of
from eventsite.errors import Unprocessable
from eventsite.web.fields import TextField, WholeNumberField

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100

MAX_WEIGHT = 6_200_000  # bytes of an answer of Lambda, less its headers
ENOUGH_WEIGHT = 2_000_000
"""Bytes of JSON after which a page ends. As HTML the entries may weigh six times as much."""
MOST_PER_BYTE = 6
"""The most bytes that a byte of UTF-8 takes in the envelope. A short body does not have to be weighed."""

OF_THE_PAGE = ("cursor", "limit", "format", "back", "q", "sort", "print", "seats", "copy")
"""The query parameters that select a part of a list or its format, not the list."""

CURSORS_OF_OTHERS = ("exclusive_start_key", "exclusiveStartKey", "lastEvaluatedKey", "last_evaluated_key")
"""The names of the parameter in services that expose the keys of DynamoDB."""
USE_THE_LINK = "Here the next page is behind the Link header: follow it, or send its cursor as cursor."


class InvalidCursor(Unprocessable):
    code = "invalid_cursor"
    detail = "This cursor is not one that this list gave out. Start again without a cursor."


class PageQuery(serializers.Serializer[Any]):
    limit = WholeNumberField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="How many entries at most."
    )
    cursor = TextField(
        required=False,
        max_length=4000,
        help_text="Where to continue: as given by the Link header of the last page.",
        style={"template": "rest_framework/no_field.html"},  # a page has a button instead
    )

    def to_internal_value(self, data: Any) -> Any:
        """Refuse the cursor of another service: a client that sends one would never end its loop over the pages."""
        if foreign := [name for name in CURSORS_OF_OTHERS if name in data]:
            raise serializers.ValidationError({name: [USE_THE_LINK] for name in foreign})
        return super().to_internal_value(data)


class Page(Response):
    """A page of a list: the entries that fit into one answer, and the link to the next page.

    Lambda answers at most 6,291,556 bytes, counted when the body is a JSON string in its envelope, where a quotation
    mark takes two bytes and an emoji twelve. So the rendered page is weighed, and shortened if it is too heavy.
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """

    def __init__(self, entries: list[Any], cursor_after: Callable[[int], Any], request: Request) -> None:
        """Take the entries as JSON. `cursor_after` maps a count of entries to the cursor after them (None: the end)."""
        super().__init__(entries)
        self._cursor_after, self._asked = cursor_after, request
        self._end_after(_affordable(entries))

    @property
    def rendered_content(self) -> Any:
        content = super().rendered_content
        while len(content) * MOST_PER_BYTE > MAX_WEIGHT and len(self.data) > 1 and weight(content) > MAX_WEIGHT:
            self._end_after(max(1, int(len(self.data) * 0.9 * MAX_WEIGHT / weight(content))))
            content = super().rendered_content
        return content

    def _end_after(self, entries: int) -> None:
        self.data = self.data[:entries]
        for name, value in link_to_next(self._cursor_after(entries), self._asked).items():
            self.headers[name] = value


def weight(content: bytes) -> int:
    """Return the bytes that a text takes in Lambda's answer, where it is a JSON string in ASCII."""
    return len(json.dumps(content.decode()))


def _affordable(entries: list[Any]) -> int:
    """Return the number of entries to render. Rendering many MB that are too heavy would cost seconds."""
    if len(entries) <= DEFAULT_LIMIT:
        return len(entries)
    weights = accumulate(len(json.dumps(json.dumps(entry, ensure_ascii=False))) for entry in entries)
    return max(1, sum(so_far <= ENOUGH_WEIGHT for so_far in weights))


def read_cursor(cursor: str | None, request: Request) -> Any:
    """Return where to continue, from the cursor of the query, or None without one.

    Raises:
        InvalidCursor: The cursor is damaged, forged or of another list.
    """
    if cursor is None:
        return None
    try:
        return sealing.unseal(cursor, "cursors", _owner_of_cursors(request))
    except ValueError:
        raise InvalidCursor from None


def link_to_next(cursor: Any, request: Request) -> dict[str, str]:
    """Return the Link header of the page after a cursor, or none on the last page."""
    if cursor is None:
        return {}
    parameters = [(name, value) for name, value in _parameters(request) if name != "cursor"]
    parameters.append(("cursor", sealing.seal(cursor, "cursors", _owner_of_cursors(request))))
    return {"Link": f'<{request.build_absolute_uri(request.path)}?{urlencode(parameters, safe=",")}>; rel="next"'}


def _owner_of_cursors(request: Request) -> list[Any]:
    """Return the values that a cursor is bound to: caller, groups, path, and the parameters that select the list."""
    principal = principal_of(request)
    caller = [principal.sub, *sorted(principal.groups & {ORGANIZERS, ADMINS})] if principal else []
    return [caller, request.path, sorted(pair for pair in _parameters(request) if pair[0] not in OF_THE_PAGE)]


def _parameters(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.query_params.lists() for value in values]
