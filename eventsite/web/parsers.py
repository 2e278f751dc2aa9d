"""Read request bodies: JSON of a bounded depth.

Their size is bounded before anything reads them (`eventsite.web.middleware.AdmissionMiddleware`).
"""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from eventsite.web.renderers import JSONRenderer

MAX_DIGITS = 30
MAX_DEPTH = 64  # the deepest nesting of arrays and objects


class Malformed(ParseError):
    """The body is not JSON, or programs would read it differently (400)."""

    code = "malformed_json"


class BoundedJSONParser(BaseParser):
    """JSON as in RFC 8259: UTF-8, no NaN, each name once in an object, and of bounded depth."""

    media_type = "application/json"
    renderer_class = JSONRenderer  # the browsable API writes the first draft of a body with it

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            text = stream.read().decode()
            parsed = json.loads(
                text, parse_constant=_refuse_constant, parse_int=_bounded_int, object_pairs_hook=_distinct
            )
        except (ValueError, RecursionError):
            raise Malformed("The body is not valid JSON.") from None
        if text.count("[") + text.count("{") > MAX_DEPTH and _is_deeper(parsed, MAX_DEPTH):
            raise Malformed(f"The body is nested more than {MAX_DEPTH} deep.")
        return parsed


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Programs disagree about a name that occurs twice (RFC 8259, section 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("The body has an object with the same name twice.")
    return found


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _inside(outer)]
    return any(isinstance(value, dict | list) for value in level)


def _inside(outer: Any) -> Any:
    return outer.values() if isinstance(outer, dict) else outer


def _bounded_int(digits: str) -> int | float:
    """Return an integer. One too long for any field becomes a float, which costs no time to convert."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)
