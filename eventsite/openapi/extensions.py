"""How our authentication and our serializer fields appear in the OpenAPI document.

drf-spectacular finds these classes once this module is imported.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension

from eventsite.openapi.components import ID, Json
from eventsite.web import fields


class BearerScheme(OpenApiAuthenticationExtension):
    """A pasted token in Swagger UI's Authorize, and in generated clients."""

    target_class = "eventsite.auth.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Json:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access or ID token of the identity provider. Not needed where AUTH_MODE is open.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """The browser's session, which only our own pages use: programs send the token."""

    target_class = "eventsite.auth.authentication.SessionAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> list[Json]:
        """Return an empty list, because the scheme is not declared."""
        return []

    def get_security_definition(self, auto_schema: Any) -> list[Json]:
        return []


class TextSchema(OpenApiSerializerFieldExtension):
    """Texts and ids. Their lengths come from the field's validators."""

    target_class = "eventsite.web.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        rules = {
            fields.AddressField: {"format": "email"},
            fields.MomentField: {"format": "date-time"},
            fields.TimeZoneField: {"format": "iana-time-zone"},
            fields.IdField: {"pattern": ID["pattern"]},
            fields.TimeField: {"pattern": fields.TIME_PATTERN},
            fields.TextField: {"pattern": fields.BLANK_PATTERN if self.target.allow_blank else fields.TEXT_PATTERN},
        }
        return {"type": "string"} | next(rule for kind, rule in rules.items() if isinstance(self.target, kind))


class ChoiceSchema(OpenApiSerializerFieldExtension):
    """Words out of a few, written in place rather than as components of their own."""

    target_class = "rest_framework.fields.ChoiceField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        return {"type": "string", "enum": list(self.target.choices)}
