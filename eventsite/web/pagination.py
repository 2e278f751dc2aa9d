"""Pages of lists: opaque cursors, and the Link header that carries the next one (RFC 8288)."""

from typing import Any
from urllib.parse import urlencode

from django.core import signing
from rest_framework import serializers
from rest_framework.request import Request

from eventsite.errors import Unprocessable
from eventsite.web.fields import TextField, WholeNumberField

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100


OF_THE_PAGE = ("cursor", "limit", "format", "back", "q")
"""The query parameters that say which part of a list is shown and how, not which list it is."""


class InvalidCursor(Unprocessable):
    """The cursor is damaged, forged, or belongs to another list."""

    code = "invalid_cursor"
    detail = "This cursor is not one that this list gave out. Start again without a cursor."


class PageQuery(serializers.Serializer[Any]):
    """The query parameters of every list."""

    limit = WholeNumberField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT, help_text="How many entries at most."
    )
    cursor = TextField(
        required=False,
        max_length=4000,
        help_text="Where to continue: as given by the Link header of the last page.",
        style={"template": "rest_framework/no_field.html"},  # a page has a button for it
    )


def read_cursor(cursor: str | None, request: Request) -> Any:
    """What a cursor of the query says: where to continue; None without one. Raises `InvalidCursor`."""
    if cursor is None:
        return None
    try:
        return signing.loads(cursor, salt=_salt(request))
    except signing.BadSignature:
        raise InvalidCursor from None


def link_to_next(cursor: Any, request: Request) -> dict[str, str]:
    """The Link header for the page that continues after a cursor; no header on the last page."""
    if cursor is None:
        return {}
    parameters = [(name, value) for name, value in _parameters(request) if name != "cursor"]
    parameters.append(("cursor", signing.dumps(cursor, salt=_salt(request), compress=True)))
    return {"Link": f'<{request.build_absolute_uri(request.path)}?{urlencode(parameters)}>; rel="next"'}


def _salt(request: Request) -> str:
    """What binds a cursor to its list: the path and every parameter but the page's size and place."""
    query = sorted(pair for pair in _parameters(request) if pair[0] not in OF_THE_PAGE)
    return f"cursor:{request.path}?{urlencode(query)}"


def _parameters(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.query_params.lists() for value in values]
