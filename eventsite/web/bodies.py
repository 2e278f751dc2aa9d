"""The base of all request bodies: null counts as not sent."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.utils import html


class Body(serializers.Serializer[Any]):
    """The body of a request. A null in it counts as not sent; on an edit it removes what may be removed."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields by their Python names.

        Raises:
            ValidationError: With every wrong field at once.
        """
        if isinstance(data, dict) and not html.is_html_input(data):
            data = {name: value for name, value in data.items() if value is not None or self._removes(name)}
        values: dict[str, Any] = super().to_internal_value(data)
        return values if self.partial else {name: value for name, value in values.items() if value is not None}

    def _removes(self, name: str) -> bool:
        """Return True if null removes the value of this field: on an edit, if the field may be empty."""
        fields: Mapping[str, Any] = self.fields
        return self.partial and name in fields and fields[name].allow_null
