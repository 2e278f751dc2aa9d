"""The base of all request bodies: null counts as not sent."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import SkipField, empty
from rest_framework.utils import html

OPTIONAL: dict[str, Any] = {"required": False, "allow_null": True}
"""The options of a field that may be left out, and that null removes on an edit."""


class Body(serializers.Serializer[Any]):
    """The body of a request. A null in it counts as not sent; on an edit it removes what may be removed."""

    default_error_messages = {"null": "No data provided"}

    has_python_names: ClassVar[bool] = True
    """True if the value of ``endDate`` is called ``end_date`` in Python, unless the field has a `source`."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields, each with its Python name."""
        fields = super().get_fields()
        for name, field in fields.items():
            if self.has_python_names and field.source is None and snake_case(name) != name:
                field.source = snake_case(name)
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields by their Python names, or raise every wrong one at once."""
        if html.is_html_input(data) or not isinstance(data, dict):
            values: dict[str, Any] = super().to_internal_value(data)
        else:
            values = self._values({name: one for name, one in data.items() if one is not None or self._removes(name)})
        return values if self.partial else {name: value for name, value in values.items() if value is not None}

    def _values(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Validate the fields that were sent or must be. DRF visits every field, and most bodies have few."""
        values: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for name, field in self._writable.items():
            if name not in sent and (self.partial or not (field.required or field.default is not empty)):
                continue
            try:
                self.set_value(values, field.source_attrs, field.run_validation(field.get_value(sent)))
            except ValidationError as error:
                wrong[name] = error.detail
            except SkipField:
                pass
        if wrong:
            raise ValidationError(wrong)
        return values

    @cached_property
    def _writable(self) -> dict[str, Any]:
        return {name: field for name, field in self.fields.items() if not field.read_only}

    def _read_only_defaults(self) -> dict[str, Any]:
        return {}  # no field has one

    def _removes(self, name: str) -> bool:
        """Return True if null removes the value of this field: on an edit, if the field may be empty."""
        fields: Mapping[str, Any] = self.fields
        return self.partial and name in fields and fields[name].allow_null


def snake_case(name: str) -> str:
    """Return the Python name for the name of a field, such as ``created_at`` for ``createdAt``."""
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)
