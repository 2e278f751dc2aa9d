"""The columns of our sheets: the fields of the API, and the values of their cells.

They are derived from the serializers, so a new field is a column too, in `export` and in `import`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from events.serializers import SOURCES, EventSerializer
from eventsite.web.fields import TimeField
from registrations.serializers import RegistrationSerializer
from registrations.sheet import normalized
from registrations.transfer import moments
from users.serializers import UserSerializer

Field = serializers.Field[Any, Any, Any, Any]

EVENT, USER, REGISTRATION = "event", "user", "registration"
FIELDS: dict[str, dict[str, Field]] = {
    USER: UserSerializer._declared_fields,
    EVENT: {name: EventSerializer._declared_fields[name] for name in SOURCES},
    REGISTRATION: RegistrationSerializer._declared_fields,
}
"""The fields of each kind of record, by the names of the API."""
COLUMNS = {kind: tuple(fields) for kind, fields in FIELDS.items()}
_FIELDS = [(name, field) for fields in FIELDS.values() for name, field in fields.items()]
MOMENTS = {name for name, field in _FIELDS if isinstance(field, serializers.DateTimeField)}
SWITCHES = {name for name, field in _FIELDS if isinstance(field, serializers.BooleanField)}

TRUTHS = {
    **dict.fromkeys(("true", "1", "yes", "y", "on", "x", "wahr", "ja", "vrai", "oui", "verdadero", "vero"), True),
    **dict.fromkeys(("false", "0", "no", "n", "off", "falsch", "nein", "faux", "non", "falso"), False),
}
"""The words for true and false in sheets, in lower case."""
_NUMBER = re.compile(r"(\d{1,18})(?:[.,]0{1,2})?", re.ASCII)
MARK = "'"  # stops a spreadsheet from converting a text; `import` removes only the marks of `export`
_MONTHS = (
    "jan|jän|ene|gen|feb|fev|fév|mar|mär|mrz|mrt|apr|avr|abr|may|mai|maj|mei|mag|jun|jui|giu|jul|lug|"
    "aug|aoû|ago|sep|set|oct|okt|ott|out|nov|dec|dez|déc|dic"
)
_SIGNS = r"[\d\s+\-\u2212.,:/()%\u2019$€£¥₩₹₽₺₴₪¢]"
_MONEY = r"chf|fr\.?|eur|usd|gbp|kr\.?|zł|kč|ft|r\$"
_CHANGED = re.compile(
    rf"{MARK}*(?:"
    rf"(?=\D*\d)(?:{_MONEY})?(?:{_SIGNS}|(?<=\d){MARK})+(?:e{_SIGNS}+|[ap]\.?m\.?\s*|{_MONEY})?"
    rf"|(?=\D*\d){_SIGNS}*(?:{_MONTHS})[^\W\d_]{{0,6}}{_SIGNS}*"
    r"|\s*(?:true|false|wahr|falsch)\s*)",
    re.IGNORECASE,
)
"""Texts that a spreadsheet converts to a number, a date, money or a boolean: 007, 1e5, 3/4, 4. März, (5), $5."""
_STRUCTURES = (serializers.BaseSerializer, serializers.ListField, serializers.DictField, serializers.JSONField)


def accepts(kind: str, name: str, value: Any) -> bool:
    """Return True if the API accepts a value for a field."""
    try:
        FIELDS[kind][name].run_validation(value)
    except serializers.ValidationError:
        return False
    return True


class Wrong(Exception):
    """A cell does not have the type of its column. The text shows what to write."""


ALIASES = {"title": ("eventName",), "date": ("eventDate",), "waitlistEnabled": ("hasWaitlist", "waitlist_enabled")}
"""The names of fields in other services."""
KNOWN = {name for name, _ in _FIELDS} | {one for names in ALIASES.values() for one in names}
_NAMES = {normalized(name): name for name, _ in _FIELDS}


def field_named(header: str) -> str:
    """Return the field of a column, ignoring case. An unknown column keeps its name."""
    return _NAMES.get(normalized(header), header.strip())


def _number(cell: str, _: str) -> int:
    found = _NUMBER.fullmatch(cell.strip())
    if found is None:
        raise ValueError
    return int(found[1])


def _day(cell: str, order: str) -> str:
    found = moments.in_iso(cell, order)
    moments.day(found)
    return found


def _moment(cell: str, order: str) -> str:
    found = moments.moment(cell, order)
    if found is None:
        raise ValueError
    return found


READERS: tuple[tuple[Any, Callable[[str, str], Any], str], ...] = (
    (serializers.IntegerField, _number, "is not a number. Write digits only, such as 12."),
    (
        serializers.BooleanField,
        lambda cell, _: TRUTHS[cell.strip().lower()],
        "is neither true nor false. Write TRUE or FALSE.",
    ),
    (serializers.DateField, _day, "is not a day of the calendar. Write it as YYYY-MM-DD."),
    (serializers.DateTimeField, _moment, "is not a time. Write it as 2027-01-31T09:30:00Z, or clear the cell."),
    (TimeField, lambda cell, _: moments.time_of_day(cell), "is not a time of day. Write it as HH:MM, such as 18:30."),
    (_STRUCTURES, lambda cell, _: json.loads(cell), "is not JSON, which export writes here."),
)
"""The readers of cells by the types of their fields, and the sentence on a cell that they refuse."""


def _reader_of(field: Field | None) -> tuple[Callable[[str, str], Any], str] | None:
    """Return the reader of the cells of a field, or None if they are texts."""
    return next(((read, sentence) for types, read, sentence in READERS if isinstance(field, types)), None)


def value(kind: str, name: str, cell: str, *, order: str = moments.ISO) -> Any:
    """Convert a cell to a number, a boolean, a day, a structure or a text.

    Raises:
        Wrong: The column cannot have this value.
        Ambiguous: It is a date, and the order of its parts has to be given.
    """
    field = FIELDS[kind].get(name)
    reader = _reader_of(field)
    if reader is None:
        return cell[1:] if field is not None and cell.startswith(MARK) and _CHANGED.fullmatch(cell) else cell
    read, sentence = reader
    try:
        return read(cell, order)
    except (ValueError, KeyError, RecursionError):
        raise Wrong(f"{cell[:40]!r} {sentence}") from None


def cell(kind: str, name: str, value: Any) -> Any:
    """Convert a value to a cell that `value` can read again after any spreadsheet."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    is_text = isinstance(value, str) and _reader_of(FIELDS[kind][name]) is None
    return f"{MARK}{value}" if is_text and _CHANGED.fullmatch(value) else value
