"""What the OpenAPI document says about the fields that all apps use, and about the service's own routes."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from eventsite import __version__
from eventsite.openapi import security  # noqa: F401 (importing it declares the security scheme)
from eventsite.openapi.document import COMPONENTS, ID, PAGES, Call, Json, describe, ref
from eventsite.urls import FROM_ROOT
from eventsite.web.fields import TEXT_PATTERN, TIME_PATTERN, IdField, TimeField, TimeZoneField

HOST = "https://api.example.com"


class TextSchema(OpenApiSerializerFieldExtension):
    """Texts and ids; their lengths come from the field's validators."""

    target_class = "eventsite.web.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        """The schema object."""
        if isinstance(self.target, TimeZoneField):
            return {"type": "string", "format": "iana-time-zone"}
        patterns = {IdField: ID["pattern"], TimeField: TIME_PATTERN}
        return {"type": "string", "pattern": patterns.get(type(self.target), TEXT_PATTERN)}


class DaySchema(OpenApiSerializerFieldExtension):
    """Calendar days."""

    target_class = "eventsite.web.fields.DayField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        """The schema object."""
        return {"type": "string", "format": "date"}


class ChoiceSchema(OpenApiSerializerFieldExtension):
    """Words out of a few, written in place rather than as components of their own."""

    target_class = "rest_framework.fields.ChoiceField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        """The schema object."""
        return {"type": "string", "enum": list(self.target.choices)}


COMPONENTS["schemas"] |= {
    "Root": {
        "type": "object",
        "required": ["message", "version", *FROM_ROOT],
        "properties": {"message": {"type": "string"}, "version": {"type": "string"}}
        | {name: {"type": "string", "format": "uri"} for name in FROM_ROOT},
    },
    "Health": {
        "type": "object",
        "required": ["status", "version", "tables"],
        "properties": {
            "status": {"enum": ["healthy", "unhealthy"]},
            "version": {"type": "string"},
            "tables": {"type": "object", "additionalProperties": {"enum": ["ok", "unavailable"]}},
        },
    },
}

describe(
    "GET /",
    call=Call(
        name="getRoot",
        summary="Where to start",
        description="The service's name and version, and the addresses of everything else.",
        answer="Root",
        example={"message": "Events, registrations and waitlists.", "version": __version__}
        | {name: f"{HOST}/{name}" for name in FROM_ROOT},
    ),
)


def _health(word: str) -> Json:
    tables = {"events": "ok", "users": "ok", "registrations": "ok" if word == "healthy" else "unavailable"}
    return {"status": word, "version": __version__, "tables": tables}


describe(
    "GET /health",
    call=Call(
        name="getHealth",
        summary="Whether the service can do its work",
        description="Asks DynamoDB for each table. 503 when one does not answer.",
        answer="Health",
        example=_health("healthy"),
        also=(
            (
                503,
                {
                    "description": "At least one table does not answer.",
                    "headers": {"Retry-After": ref("headers", "Retry-After")},
                    "content": {
                        "application/json": {"schema": ref("schemas", "Health"), "example": _health("unhealthy")}
                    },
                },
            ),
        ),
    ),
)


def _page(name: str, summary: str, **content: Json) -> Json:
    answer = {"description": "OK", "content": {kind.replace("_", "/"): part for kind, part in content.items()}}
    refused = {status: ref("responses", status) for status in ("401", "406")}
    operation = {"operationId": name, "summary": summary, "tags": ["eventsite"], "responses": {"200": answer} | refused}
    return {"get": operation}


PAGES["/docs"] = _page("getDocs", "These pages: Swagger UI", text_html={"schema": {"type": "string"}})
PAGES["/redoc"] = _page("getRedoc", "The same for reading: ReDoc", text_html={"schema": {"type": "string"}})
PAGES["/schema"] = _page(
    "getSchema",
    "This document",
    application_json={"schema": {"type": "object", "required": ["openapi", "info", "paths"]}},
    application_yaml={"schema": {"type": "string"}},
)
PAGES["/schema"]["get"]["parameters"] = [
    {
        "name": "format",
        "in": "query",
        "description": "The same as asking by the Accept header.",
        "schema": {"type": "string", "enum": ["json", "yaml"], "default": "json"},
        "example": "yaml",
    }
]
