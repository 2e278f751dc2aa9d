"""The columns of our sheets: the fields of the API, and what a cell of each may hold.

All of it follows from the serializers, so a new field is a column too, in `export` and in `import`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from events.serializers import SOURCES, EventSerializer
from eventsite.web.bodies import snake_case
from eventsite.web.fields import TimeField
from registrations.serializers import RegistrationSerializer
from registrations.transfer import moments
from users.serializers import UserSerializer

Field = serializers.Field[Any, Any, Any, Any]

EVENT, USER, REGISTRATION = "event", "user", "registration"
FIELDS: dict[str, dict[str, Field]] = {
    USER: UserSerializer._declared_fields,
    EVENT: {name: EventSerializer._declared_fields[name] for name in SOURCES},
    REGISTRATION: RegistrationSerializer._declared_fields,
}
"""The fields of each kind of record by their names in the API."""
COLUMNS = {kind: tuple(fields) for kind, fields in FIELDS.items()}

TRUTHS = {
    **dict.fromkeys(("true", "1", "yes", "y", "on", "x", "wahr", "ja", "vrai", "oui", "verdadero", "vero"), True),
    **dict.fromkeys(("false", "0", "no", "n", "off", "falsch", "nein", "faux", "non", "falso"), False),
}
"""What spreadsheets and people write for true and false, in lower case."""
_NUMBER = re.compile(r"(\d{1,18})(?:[.,]0{1,2})?", re.ASCII)
MARK = "'"
"""Keeps a spreadsheet from turning a text into something else. `import` takes off only the marks that `export` set."""
_MONTHS = "jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_CHANGED = re.compile(
    rf"{MARK}*\s*(?:"
    r"(?=\D*\d)[+\-\d.,:/ ]+%?(?:e[+\-]?\d+)?(?:\s*[ap]\.?m\.?)?"
    rf"|(?=\D*\d)[\d .\-]*(?:{_MONTHS})[a-z]{{0,6}}[\d .,\-]*"
    r"|true|false|wahr|falsch)\s*",
    re.IGNORECASE,
)
"""Texts that a spreadsheet takes for a number, a date or a truth value: 007, 1e5, 3/4, May 4."""
_STRUCTURES = (serializers.BaseSerializer, serializers.ListField, serializers.DictField, serializers.JSONField)


def python_name(name: str, its_field: Field) -> str:
    """Return the Python name of a field of the API, such as ``created_at`` for ``createdAt``."""
    return str(its_field.source or snake_case(name))


def is_moment(name: str, kind: str) -> bool:
    """Return whether a field holds a moment."""
    return isinstance(FIELDS[kind].get(name), serializers.DateTimeField)


def is_switch(name: str, kind: str) -> bool:
    """Return whether a field is true or false."""
    return isinstance(FIELDS[kind].get(name), serializers.BooleanField)


def accepts(kind: str, name: str, value: Any) -> bool:
    """Return whether the API accepts a value for a field."""
    try:
        FIELDS[kind][name].run_validation(value)
    except serializers.ValidationError:
        return False
    return True


class Wrong(ValueError):
    """A cell does not hold what its column needs. The text shows what to write."""


def normalized(header: str) -> str:
    """Return a header without case, spaces and punctuation: E-Mail and email are the same."""
    return re.sub(r"[\W_]+", "", header).casefold()


ALIASES = {"title": ("eventName",), "date": ("eventDate",), "waitlistEnabled": ("waitlist_enabled",)}
"""Other names of fields, in services that are known."""
KNOWN = {name for fields in FIELDS.values() for name in fields} | {one for names in ALIASES.values() for one in names}
_NAMES = {normalized(name): name for fields in FIELDS.values() for name in fields}


def field_named(header: str) -> str:
    """Return our name of a column, in whatever case it is written. An unknown column keeps its name."""
    return _NAMES.get(normalized(header), header.strip())


def value(kind: str, name: str, cell: str, *, order: str = moments.ISO) -> Any:
    """Return what a cell holds: a number, a truth value, a day, a structure, or the text that it is.

    Args:
        kind: what the line is, such as `EVENT`.
        name: the name of the column.
        cell: the text in it.
        order: the order of the parts of a date.

    Raises:
        Wrong: If the column cannot hold this.
    """
    field = FIELDS[kind].get(name)
    read = next((reader for types, reader in READERS if isinstance(field, types)), None)
    if read is None:
        return cell[1:] if field is not None and cell.startswith(MARK) and _CHANGED.fullmatch(cell) else cell
    return read(cell, order)


def _number(cell: str, _: str) -> int:
    found = _NUMBER.fullmatch(cell.strip())
    if found is None:
        raise Wrong(f"{_short(cell)} is not a number. Write digits only, such as 12.")
    return int(found[1])


def _truth(cell: str, _: str) -> bool:
    found = TRUTHS.get(cell.strip().lower())
    if found is None:
        raise Wrong(f"{_short(cell)} is neither true nor false. Write TRUE or FALSE.")
    return found


def _day(cell: str, order: str) -> str:
    if order == moments.ISO and moments.needs_order(cell):
        raise Wrong(f"{_short(cell)} may be two days. Write it as YYYY-MM-DD, or add --date-format DMY or MDY.")
    try:
        found = moments.in_iso(cell, order)
        moments.day(found)
    except ValueError:
        raise Wrong(f"{_short(cell)} is not a day of the calendar. Write it as YYYY-MM-DD.") from None
    return found


def _moment(cell: str, order: str) -> str:
    try:
        found = moments.moment(moments.in_iso(cell, order))
    except ValueError:
        found = None
    if found is None:
        raise Wrong(f"{_short(cell)} is not a time. Write it as 2027-01-31T09:30:00Z, or clear the cell.")
    return found


def _time(cell: str, _: str) -> str:
    try:
        return moments.time_of_day(cell)
    except ValueError:
        raise Wrong(f"{_short(cell)} is not a time of day. Write it as HH:MM, such as 18:30.") from None


def _structure(cell: str, _: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        raise Wrong(f"{_short(cell)} is not JSON, which export writes here.") from None


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")


READERS: tuple[tuple[Any, Callable[[str, str], Any]], ...] = (
    (serializers.IntegerField, _number),
    (serializers.BooleanField, _truth),
    (serializers.DateField, _day),
    (serializers.DateTimeField, _moment),
    (TimeField, _time),
    (_STRUCTURES, _structure),
)
_READ = (
    serializers.IntegerField,
    serializers.BooleanField,
    serializers.DateField,
    serializers.DateTimeField,
    TimeField,
)
"""Fields whose cells are no texts."""


def cell(kind: str, name: str, value: Any) -> Any:
    """Return the value of a field as a cell, which `value` reads again after any spreadsheet."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    is_text = isinstance(value, str) and not isinstance(FIELDS[kind][name], _READ)
    return f"{MARK}{value}" if is_text and _CHANGED.fullmatch(value) else value
