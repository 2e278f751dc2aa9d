"""The descriptions of the calls. Each app adds its own in a module `schema`, in the words of the contract."""

from dataclasses import dataclass, field
from typing import Any

from rest_framework.serializers import Serializer

from eventsite import errors
from eventsite.openapi.components import Json


@dataclass(frozen=True, kw_only=True)
class Call:
    """The description of one call, beyond the facts that follow from the code."""

    name: str
    """The operation id."""
    summary: str
    description: str = ""
    answer: type[Serializer[Any]] | str | None = None
    """The serializer of the answer, or the name of a component in `COMPONENTS`; None when there is no body."""
    many: bool = False
    status: int = 200
    example: Any = None
    examples: Json = field(default_factory=dict)
    """An example of each form that the answer takes besides JSON, by its media type."""
    body: Any = None
    """An example of the request's body."""
    takes: tuple[str, ...] = ()
    """The request headers it honours, by their names in `COMPONENTS`."""
    gives: tuple[str, ...] = ()
    """The response headers of a success, likewise, besides the `Link` of a list."""
    refusals: tuple[type[errors.DomainError], ...] = ()
    """The domain errors it may answer with, besides those that follow from its parameters."""
    also: Json = field(default_factory=dict)
    """Further answers by their status, as they stand in the document."""


CALLS: dict[str, Call] = {}
"""The description of each call, such as ``GET /events``."""
TAGS: dict[str, str] = {}
"""A sentence for each group of calls, by the name of its app."""
PAGES: dict[str, Json] = {}
"""The paths that have no DRF view of ours."""


def changing_something(schema: Json) -> Json:
    """Return the schema of an edit: at least one field, which an object schema can only count."""
    return {name: part for name, part in schema.items() if name != "required"} | {"minProperties": 1}


QUERY_EXAMPLES: dict[str, Any] = {"limit": 20}
"""An example of each query parameter that is not one of a few words, by its name.

The documentation fills its forms with them, and each unchanged form must work. So a cursor, for example, has none.
"""
