"""The OpenAPI description of the service's own routes."""

from eventsite import __version__
from eventsite.dynamodb.base_model import table_models
from eventsite.openapi import extensions  # noqa: F401 (importing registers them with drf-spectacular)
from eventsite.openapi.calls import CALLS, PAGES, TAGS, Call
from eventsite.openapi.components import ANY_CALL, COMPONENTS, Json, format_parameter, ref, revalidated, with_headers
from eventsite.service import FROM_ROOT, app_of

HOST = "https://api.example.com"
TAGS["eventsite"] = "Where to start, whether the service works, and this documentation."


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


def _health(word: str) -> Json:
    tables = dict.fromkeys(map(app_of, table_models()), "ok")
    if word == "unhealthy":
        tables[next(iter(tables))] = "unavailable"
    return {"status": word, "version": __version__, "tables": tables}


UNHEALTHY: Json = {
    "description": "At least one table does not answer.",
    "content": {"application/json": {"schema": ref("schemas", "Health"), "example": _health("unhealthy")}},
}
CALLS |= {
    "GET /": Call(
        name="getRoot",
        summary="Where to start",
        description="The service's name and version, and the addresses of everything else.",
        answer="Root",
        example={"message": "Events, registrations and waitlists.", "version": __version__}
        | {name: f"{HOST}/{name}" for name in FROM_ROOT},
    ),
    "GET /health": Call(
        name="getHealth",
        summary="Whether the service can do its work",
        description="Asks DynamoDB for each table. 503 when one does not answer.",
        answer="Health",
        example=_health("healthy"),
        also={"503": with_headers(UNHEALTHY, "Retry-After")},
    ),
}
TEXT: Json = {"schema": {"type": "string"}}
DOCUMENT: Json = {
    "schema": {
        "type": "object",
        "required": ["openapi", "info", "paths"],
        "properties": {"openapi": {"type": "string"}, "info": {"type": "object"}, "paths": {"type": "object"}},
    }
}


def _page(name: str, summary: str, content: Json) -> Json:
    answer = {"description": "OK", "content": content}
    operation = {
        "operationId": name,
        "summary": summary,
        "description": f"{summary}.",
        "tags": ["eventsite"],
        "security": [],
    }
    return {"get": revalidated(operation | {"responses": {"200": answer} | ANY_CALL})}


PAGES["/docs"] = _page("getDocs", "These pages: Swagger UI", {"text/html": TEXT})
PAGES["/redoc"] = _page("getRedoc", "The same for reading: ReDoc", {"text/html": TEXT})
PAGES["/schema"] = _page("getSchema", "This document", {"application/json": DOCUMENT, "application/yaml": DOCUMENT})
PAGES["/schema"]["get"]["parameters"].append(format_parameter("json", "yaml", example="yaml"))
PAGES["/openapi.json"] = _page("getOpenapi", "This document, under its usual name", {"application/json": DOCUMENT})
