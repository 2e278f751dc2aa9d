"""How our serializer fields appear in the OpenAPI document. drf-spectacular finds them once this module is imported."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

from eventsite.openapi.components import ID, Json
from eventsite.web import fields


class TextSchema(OpenApiSerializerFieldExtension):
    """Texts and ids. Their lengths come from the field's validators."""

    target_class = "eventsite.web.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        if isinstance(self.target, fields.AddressField):
            return {"type": "string", "format": "email"}
        if isinstance(self.target, fields.MomentField):
            return {"type": "string", "format": "date-time"}
        if isinstance(self.target, fields.TimeZoneField):
            return {"type": "string", "format": "iana-time-zone"}
        patterns = (
            (fields.IdField, ID["pattern"]),
            (fields.TimeField, fields.TIME_PATTERN),
            (fields.TextField, fields.BLANK_PATTERN if self.target.allow_blank else fields.TEXT_PATTERN),
        )
        return {"type": "string", "pattern": next(text for kind, text in patterns if isinstance(self.target, kind))}


class DaySchema(OpenApiSerializerFieldExtension):
    """Calendar days."""

    target_class = "eventsite.web.fields.DayField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        return {"type": "string", "format": "date"}


class ChoiceSchema(OpenApiSerializerFieldExtension):
    """Words out of a few, written in place rather than as components of their own."""

    target_class = "rest_framework.fields.ChoiceField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Json:
        return {"type": "string", "enum": list(self.target.choices)}
