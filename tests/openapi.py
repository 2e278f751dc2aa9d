"""Reading the OpenAPI document."""

from typing import Any


def resolved(document: Any, part: Any) -> Any:
    """A part of the document, or what it refers to."""
    for step in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        document = document[step]
    return document if "$ref" in part else part
