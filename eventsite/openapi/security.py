"""How our authentication appears in the OpenAPI document. drf-spectacular finds it once this module is imported."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class BearerScheme(OpenApiAuthenticationExtension):
    """A pasted token in Swagger UI's Authorize, and in generated clients."""

    target_class = "eventsite.auth.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
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

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        """Return an empty list, because the scheme is not declared."""
        return []

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return []
