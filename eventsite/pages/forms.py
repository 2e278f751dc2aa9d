"""Build HTML forms from the serializers that validate them."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from rest_framework import serializers

from eventsite.text import MAX_CHARACTERS
from eventsite.web.fields import DayField, SwitchField

TRUE, FALSE = "true", "false"


@dataclass
class Option:
    value: str
    label: str
    chosen: bool


@dataclass
class Button:
    """A button of a form that has several. Each sends a value of its own."""

    label: str
    name: str
    value: str
    look: str = ""


@dataclass
class Field:
    name: str
    label: str
    kind: str
    """The type of the input, or `textarea`, `select`, `checkbox`."""
    value: str = ""
    help: str = ""
    error: str = ""
    required: bool = False
    optional: bool = False
    """True if the form marks it as optional."""
    more: bool = False
    """True if the field is in the section "More", which is closed at first."""
    multiple: bool = False
    focus: bool = False
    options: list[Option] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    prefix: str = "field"

    @property
    def id(self) -> str:
        return f"{self.prefix}-{self.name}"

    @property
    def described_by(self) -> str:
        """The ids of its error and help text, for `aria-describedby`."""
        parts = [f"{self.id}-error"] * bool(self.error) + [f"{self.id}-help"] * bool(self.help)
        return " ".join(parts)

    @property
    def is_on(self) -> bool:
        return self.value.lower() == TRUE

    def fill(self, value: str) -> None:
        """Replace the value, and the chosen option."""
        self.value = value
        for option in self.options:
            option.chosen = option.value == value


@dataclass
class Form:
    """A form with its target, its fields and its hidden values."""

    action: str
    submit: str
    method: str = "POST"
    fields: list[Field] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    look: str = "primary"
    """The style of its button: `primary`, `danger`, or empty."""
    buttons: list[Button] = field(default_factory=list)
    """The buttons, in place of `submit`, if there are several."""

    def __post_init__(self) -> None:
        if self.method not in ("GET", "POST"):
            self.hidden = {"_method": self.method} | self.hidden
        if self.method == "POST":
            self.hidden = {"_key": str(uuid.uuid4())} | self.hidden

    @property
    def names(self) -> set[str]:
        """The names of the fields that the user sees."""
        return {one.name for one in self.fields}

    @property
    def main_fields(self) -> list[Field]:
        return [one for one in self.fields if not one.more]

    @property
    def more_fields(self) -> list[Field]:
        return [one for one in self.fields if one.more]

    @property
    def is_unfolded(self) -> bool:
        """True if the section "More" has to be open, because a field in it is wrong."""
        return any(one.error for one in self.more_fields)

    @property
    def sends(self) -> str:
        """The method that a browser can send: GET or POST."""
        return "get" if self.method == "GET" else "post"

    def show_before(self, version: Any = None) -> "Form":
        """Record the shown values and the version, so that the form sends only changes, and only to this version."""
        self.hidden["_before"] = json.dumps({one.name: one.value for one in self.fields})
        if version is not None:
            self.hidden["_version"] = str(version)
        return self


def fields(
    serializer: serializers.Serializer[Any],
    labels: Mapping[str, str],
    *,
    helps: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    prefix: str = "field",
) -> list[Field]:
    """Return the fields of a form in the order of `labels`. A field without a label comes last, under its own name.

    The `helps` replace the help texts of the serializer. The `values` are a `QueryDict` where a field takes several.
    """
    known: Mapping[str, Any] = serializer.fields
    shown = {} if values is None else values
    asked = [name for name in labels if name in known]
    asked += [name for name, source in known.items() if name not in labels and _is_asked(source)]
    made = [_field(known[name], name, label_of(name, labels), shown, prefix) for name in asked]
    for one in made:
        if one.name in labels and helps is not None:
            one.help = helps.get(one.name, "")
    return made


def _field(source: Any, name: str, label: str, values: Any, prefix: str) -> Field:
    made = Field(name, label, _kind(source), prefix=prefix, help=str(source.help_text or ""))
    made.required, made.optional = source.required, not source.required
    made.value = text(values.get(name))[: getattr(source, "max_length", None) or MAX_CHARACTERS]
    limits = {"maxlength": "max_length", "min": "min_value", "max": "max_value"}
    made.attributes = {
        html: limit for html, ours in limits.items() if (limit := getattr(source, ours, None)) is not None
    }
    if made.kind == "select":
        made.multiple = "multiple" in source.style.get("base_template", "")
        chosen = {text(one) for one in values.getlist(name)} if made.multiple else {made.value}
        made.options = [
            Option(str(one.value), str(one.display_text).capitalize(), str(one.value) in chosen)
            for one in source.iter_options()
        ]
    return made


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """Return the label of a field, by default its name in words: ``Postal code`` for ``postalCode``."""
    return labels.get(name) or re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name).capitalize()


def _is_asked(source: Any) -> bool:
    """Return True if forms show this field. A field with a template of its own is for programs only."""
    is_one_value = not isinstance(source, serializers.ListField | serializers.BaseSerializer)
    return is_one_value and not source.read_only and "template" not in source.style


def _kind(source: Any) -> str:
    if isinstance(source, SwitchField):
        return "checkbox"
    if hasattr(source, "iter_options"):
        return "select"
    if "textarea" in source.style.get("base_template", ""):
        return "textarea"
    if isinstance(source, DayField):
        return "date"
    if isinstance(source, serializers.IntegerField):
        return "number"
    return "email" if isinstance(source, serializers.EmailField) else str(source.style.get("input_type", "text"))


def text(value: Any) -> str:
    if value is None:
        return ""
    return (TRUE if value else FALSE) if isinstance(value, bool) else str(value)


def in_local_time(values: dict[str, Any], names: Sequence[str], place: tzinfo) -> dict[str, Any]:
    """Convert moments in RFC 3339 into the values of an input for local time: ``2026-12-04T10:00``."""
    moments = {name: datetime.fromisoformat(values[name]).astimezone(place) for name in names if values.get(name)}
    return values | {name: f"{moment:%Y-%m-%dT%H:%M}" for name, moment in moments.items()}
