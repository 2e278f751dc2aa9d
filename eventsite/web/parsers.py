"""Reading request bodies: JSON of a bounded size, and the browsable API's forms."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.renderers import JSONRenderer

from eventsite.web import submissions

MAX_DIGITS = 30


class PayloadTooLarge(APIException):
    """The body is larger than any request needs (413)."""

    status_code = 413
    default_detail = f"The body may have at most {settings.REQUEST_BYTES:,} bytes."
    default_code = "payload_too_large"


class Malformed(ParseError):
    """The body is not JSON (400)."""

    code = "malformed_json"


class BoundedJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN; read only if it is not too large."""

    media_type = "application/json"
    renderer_class = JSONRenderer  # the browsable API writes the first draft of a body with it

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The parsed body. Raises `Malformed` and `PayloadTooLarge`."""
        body = stream.read(settings.REQUEST_BYTES + 1)
        if len(body) > settings.REQUEST_BYTES:
            raise PayloadTooLarge
        try:
            return json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_bounded_int)
        except (ValueError, RecursionError):
            raise Malformed("The body is not valid JSON.") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(digits: str) -> int | float:
    """An integer; one so long that no field takes it becomes a float, which costs no time to convert."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


class PageFormParser(FormParser):
    """A form of one of our pages: what a program would have sent in its place."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The values."""
        submission = submissions.of(parser_context and parser_context["request"])
        return submission.values() if submission else super().parse(stream, media_type, parser_context)


FORM_PARSERS: tuple[type[BaseParser], ...] = (MultiPartParser, PageFormParser)
"""For the browsable API only: a form is read where the answer is a page. Programs send JSON."""
