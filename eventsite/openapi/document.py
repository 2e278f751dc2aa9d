"""Make the OpenAPI document.

Each app describes its calls in a `schema.py`, in the words of the contract: ``CALLS |= {"POST /users": Call(...)}``.
Facts of the code are not repeated: bodies and query parameters come from the view's serializers, and the errors that
follow from them are added here, such as malformed bodies and damaged cursors.

No request but those for the document imports any of this, so a cold start does not pay for it.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.urls import get_script_prefix
from django.utils.module_loading import autodiscover_modules
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.serializers import Serializer

from eventsite import errors, problems
from eventsite.auth.permissions import Reach, reach
from eventsite.dynamodb import idempotency
from eventsite.openapi import components
from eventsite.openapi.calls import CALLS, PAGES, QUERY_EXAMPLES, TAGS, Call
from eventsite.openapi.components import Json, problem, ref
from eventsite.web import pagination
from eventsite.web.bodies import Body

INTRODUCTION = Path(__file__).with_name("introduction.md")


class Generator(SchemaGenerator):
    """Makes the whole document."""

    def coerce_path(self, path: str, method: str, view: Any) -> str:
        """Return the path with parameters in camelCase, like all names in the API."""
        return re.sub(r"_(\w)", lambda found: found[1].upper(), super().coerce_path(path, method, view))

    def get_schema(self, request: Any = None, public: bool = False) -> Json:
        autodiscover_modules("schema")
        result: Json = super().get_schema(request, public)
        for kind, parts in components.COMPONENTS.items():
            result["components"][kind] = dict(sorted((result["components"].get(kind, {}) | parts).items()))
        result["info"]["description"] = INTRODUCTION.read_text()
        result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        result["servers"] = [{"url": get_script_prefix().rstrip("/") or "/"}]
        return result

    def parse(self, input_request: Any, public: bool) -> Json:
        """Return all paths: those of DRF's views, and those of the documentation's own pages."""
        paths: Json = super().parse(input_request, public)
        return dict(sorted((paths | PAGES).items()))


def document() -> Json:
    return Generator().get_schema(public=True)


def undescribed() -> list[str]:
    """Return the calls that have no description, such as ``GET /events``."""
    autodiscover_modules("schema")
    generator = Generator()
    generator._initialise_endpoints()
    offered = [f"{method} {path}" for path, _, method, _ in generator._get_paths_and_endpoints()]
    return [call for call in offered if call not in CALLS]


class Schema(AutoSchema):
    """Makes the part of one call."""

    view: Any

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Json:
        """Return the operation object of a call. A call without a description has only the facts of its view."""
        self.registry, self.path, self.path_regex, self.path_prefix = registry, path, path_regex, path_prefix
        self.method = method.upper()
        call = CALLS.get(f"{self.method} {path}") or Call(name=self.get_operation_id(), summary=f"{self.method} {path}")
        operation: Json = {
            "operationId": call.name,
            "summary": call.summary,
            "description": call.description or f"{call.summary}.",
            "tags": [self._app],
            "parameters": self._parameters_of(call),
            "requestBody": self._body_of(call),
            "security": self.get_auth(),
            "responses": {str(call.status): self._success_of(call)} | self._failures_of(call),
        }
        if self.method == "GET" and self.view.is_kept and self._is_for_anyone:
            operation = components.revalidated(operation)
        return {name: value for name, value in operation.items() if value or name == "security"}

    @property
    def _app(self) -> str:
        return type(self.view).__module__.partition(".")[0]

    @property
    def _is_for_anyone(self) -> bool:
        return reach(self.view.permission_of_action[self.view.action], None) is not Reach.NONE

    def get_auth(self) -> list[Json]:
        """Return the security requirement: none for the service's own calls, an optional one where anyone may call."""
        if self._app == "eventsite":
            return []
        return [*super().get_auth(), *([{}] if self._is_for_anyone else [])]

    def _get_serializer_name(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> str:
        """Return the name of a component, which ends in Request once at most."""
        name: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return re.sub("(Request)+$", "Request", name)

    def _parameters_of(self, call: Call) -> list[Json]:
        in_path = [ref("parameters", name) for name in re.findall(r"{(\w+)}", self.path)]
        headers = [ref("parameters", components.identifier(name)) for name in call.takes]
        return in_path + self._query_parameters() + self._format_parameter() + headers

    def _query_parameters(self) -> list[Json]:
        """Return the query parameters. Empty ones count as not sent, because browsers send empty fields of forms."""
        query = self.view.queries.get(self.view.action)
        if query is None:
            return []
        found = []
        for name, schema in self._map_serializer(query, "request")["properties"].items():
            described = {"description": schema.pop("description", "")} | _example(name, schema)
            found.append({"name": name, "in": "query", "schema": schema, "allowEmptyValue": True} | described)
        return found

    def _formats(self) -> dict[str, str]:
        """Return the media type of each format that the answer may have besides JSON."""
        return {one.format: one.media_type for one in self.view.formats.get(self.view.action, ())}

    def _format_parameter(self) -> list[Json]:
        if not (formats := self._formats()) or self.view.is_of_one_format:
            return []
        return [components.format_parameter("json", *formats, example="json")]

    def _body_of(self, call: Call) -> Json | None:
        if self.view.action not in self.view.serializers:
            return None
        component = self.resolve_serializer(self.view.serializers[self.view.action], "request")
        content = {"application/json": {"schema": component.ref, "example": call.body}}
        return {"required": True, "content": content}

    def _success_of(self, call: Call) -> Json:
        answer: Json = {"description": problems.title_of(call.status)}
        if call.answer is not None:
            schema = self._schema_of(call.answer)
            schema = {"type": "array", "items": schema} if call.many else schema
            answer["content"] = {"application/json": {"schema": schema, "example": call.example}}
        formats = self._formats()
        for kind in formats.values():
            content = answer.setdefault("content", {})
            content[kind] = {"schema": {"type": "string"}, "example": call.examples[kind]}
        of_files = ["Content-Disposition"] if formats else []
        return components.with_headers(answer, *call.gives, *["Link"] * call.many, *of_files)

    def _schema_of(self, answer: type[Serializer[Any]] | str) -> Json:
        if isinstance(answer, str):
            return ref("schemas", answer)
        found: Json = self.resolve_serializer(answer, "response").ref
        return found

    def _failures_of(self, call: Call) -> Json:
        found = components.ANY_CALL | _by_status([*call.refusals, *self._implied(call)])
        if self.view.action in {*self.view.queries, *self.view.serializers}:
            self._add_validation(found)
        return dict(sorted((found | call.also).items()))

    def _implied(self, call: Call) -> list[type[errors.DomainError]]:
        """Return the domain errors that follow from the parameters of a call."""
        implied: list[type[errors.DomainError]] = []
        if issubclass(self.view.queries.get(self.view.action, object), pagination.PageQuery):
            implied.append(pagination.InvalidCursor)
        if "Idempotency-Key" in call.takes:
            implied.append(idempotency.KeyReused)
        if "If-Match" in call.takes:
            implied.append(errors.Stale)
        if self.method != "GET" and not any(issubclass(one, errors.Forbidden) for one in call.refusals):
            implied.append(errors.Forbidden)  # it comes from a page of another site, or a browser without our token
        return implied

    @staticmethod
    def _add_validation(found: Json) -> None:
        """Add that values may be wrong, beside the other meanings of a 422."""
        wrong = [{"field": "title", "code": "required", "detail": "This field is required."}]
        plain = problem(422, (errors.WrongValues.code, errors.WrongValues.detail), errors=wrong)
        answers = (found.setdefault("422", plain), plain)
        ours, theirs = (answer["content"][problems.MEDIA_TYPE]["examples"] for answer in answers)
        ours |= theirs

    def _postprocess_serializer_schema(self, schema: Json, serializer: Any, direction: Any) -> Json:
        """Return the schema of an object. Answers have every field that is not optional, and requests may send null."""
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        for part in schema["properties"].values():
            _or_blank(part)
        if direction == "request" and isinstance(serializer, Body):
            for name in schema["properties"].keys() - schema.get("required", ()):
                schema["properties"][name] = _or_null(schema["properties"][name])
        if direction == "response":
            optional = getattr(serializer, "optional", ())
            schema["required"] = [name for name in schema["properties"] if name not in optional]
            for part in schema["properties"].values():
                part.pop("readOnly", None)
        return schema


def _or_blank(schema: Json) -> None:
    """Make one type of a text that may be empty: its pattern allows that already."""
    if schema.get("oneOf", [None])[1:] == [{"type": "string", "maxLength": 0}]:
        schema |= schema.pop("oneOf")[0]


def _or_null(schema: Json) -> Json:
    """Return the schema of a value or null: two alternatives where it has more than a type.

    Many tools see a format or an enum in a schema of one type only.
    """
    if "format" in schema or "enum" in schema:
        value = {name: part for name, part in schema.items() if name != "description"}
        if isinstance(value["type"], list):
            value["type"] = value["type"][0]
        return {"anyOf": [value, {"type": "null"}], "description": schema.get("description", "")}
    if schema.get("type") in ("string", "integer", "boolean"):
        schema["type"] = [schema["type"], "null"]
    return schema


def _example(name: str, schema: Json) -> Json:
    """Return the example of a query parameter, if it has one."""
    examples = {name: schema["enum"][0]} if "enum" in schema else QUERY_EXAMPLES
    return {"example": examples[name]} if name in examples else {}


def _by_status(refusals: Iterable[type[errors.DomainError]]) -> dict[str, Json]:
    """Return the answers to domain errors: one for each status, with an example of each code."""
    grouped: dict[int, list[tuple[str, str]]] = {}
    for refusal in refusals:
        grouped.setdefault(problems.status_of(refusal), []).append((refusal.code, refusal.detail))
    answers = {str(status): problem(status, *examples) for status, examples in grouped.items()}
    if 429 in grouped:  # besides the one for any call
        either = problem(429, components.TOO_MANY_REQUESTS, *grouped[429])
        answers["429"] = components.with_headers(either, "Retry-After")
    return answers
