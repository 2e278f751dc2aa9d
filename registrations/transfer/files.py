"""Read files as records: the output of `aws dynamodb scan`, answers of list calls, JSON lines, and sheets."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from registrations.transfer import moments, notes
from registrations.transfer.columns import REGISTRATION
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Broken, Table

Record = dict[str, Any]

LISTS = ("Items", "items")
"""The names of the list of records in a page of a scan, and in a list of another service."""
SHEETS = (".csv", ".tsv", ".txt")
JSONS = (".json", ".jsonl", ".ndjson")
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"", "utf-8"),
)
"""Encodings by the first bytes of a file."""
NUL = "\0"
WITHOUT_A_MARK = "cp1252"
"""The encoding of Western spreadsheets, which write no mark."""
OTHERS = (
    (b"PK\x03\x04", "a workbook. Save the sheet as CSV (UTF-8) and import that."),
    (b"\xd0\xcf\x11\xe0", "a workbook. Save the sheet as CSV (UTF-8) and import that."),
    (b"BEGIN:VCALENDAR", "a calendar. Write its events to a sheet with the columns title, date and so on."),
    (b"BEGIN:VCARD", "a list of contacts (vCard). Export them as CSV and import that."),
)
"""Files of other kinds by their first bytes, and what to do instead."""


@dataclass
class Row:
    """A record with its place, such as ``events.json, record 17``."""

    values: Record
    place: str
    kind: str = ""
    """The kind of the record, or an empty string if the columns of its sheet do not show it."""


def rows(path: Path, text: str, found: Notes) -> Iterator[Row]:
    """Return the records of a JSON file, with plain values.

    The file may hold several documents, such as the pages of a scan or one per line.

    Raises:
        Broken: The file is not valid. The text has line and column, and what to change.
    """
    number = 0
    halves = "\\ud" in text.lower()
    for document, start in _documents(path.name, text):
        for record in _listed(document):
            number += 1
            place = f"{path.name}, line {_line(text, start)}, record {number}"
            if not isinstance(record, dict):
                raise Broken(f"{place}: {repr(record)[:40]} is not a record, which is an object with fields.")
            try:
                values = plain(record)
                whole = _whole(values) if halves else values
            except (Wrong, RecursionError) as error:
                raise Broken(
                    f"{place}: {str(error) if isinstance(error, Wrong) else 'it is nested too deeply'}."
                ) from None
            if whole != values:
                found.add(notes.HALF_CHARACTERS, place)
            yield Row(whole, place)


def rows_of(table: Table, found: Notes, *, order: str = moments.ISO) -> Iterator[Row]:
    """Return the lines of a sheet with our columns.

    Raises:
        Broken: The sheet is not valid.
    """
    kind = table.kind
    for name in table.unknown_columns if kind != REGISTRATION else ():  # its others are for the event's questions
        found.add(notes.COLUMNS, f"{table.name}: {name}")
    for place, values in table.records(kind, order=order):
        yield Row(values, place, kind)


def is_sheet(path: Path, text: str) -> bool:
    """Return True if a file is a sheet and not JSON, by its name or its first characters."""
    if path.suffix.lower() in (*SHEETS, *JSONS):
        return path.suffix.lower() in SHEETS
    return text.lstrip()[:1] not in ("{", "[")


def read_text(path: Path, found: Notes) -> str:
    """Read the text of a file.

    Raises:
        Broken: The file is no text.
    """
    content = path.read_bytes()
    for mark, sentence in OTHERS:
        if content.startswith(mark):
            raise Broken(f"{path.name}, line 1, column 1: this is {sentence}")
    text = _decoded(path, content, found)
    if NUL in text:
        raise Broken(f"{path.name}, line {_line(text, text.index(NUL))}, column 1: this is no text. Save it as UTF-8.")
    return text


def _decoded(path: Path, content: bytes, found: Notes) -> str:
    encoding = next(name for mark, name in ENCODINGS if content.startswith(mark))
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != ENCODINGS[-1][1]:
            raise Broken(f"{path.name}, {_place_of(content, error.start)}: these bytes are no text.") from None
    try:
        text = content.decode(WITHOUT_A_MARK)
    except UnicodeDecodeError as error:
        raise Broken(
            f"{path.name}, {_place_of(content, error.start)}: this is neither UTF-8 nor Windows-1252. Save it as UTF-8."
        ) from None
    found.add(notes.ENCODINGS, path.name)
    return text


def _place_of(content: bytes, position: int) -> str:
    lines = content[:position].split(b"\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"


# JSON


def _documents(name: str, text: str) -> Iterator[tuple[Any, int]]:
    """Return each JSON document of a text, with its position."""
    decoder, position = JSONDecoder(parse_constant=_refuse), _skip(text, 0)
    while position < len(text):
        try:
            document, end = decoder.raw_decode(text, position)
        except JSONDecodeError as error:
            raise Broken(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
        except (ValueError, RecursionError) as error:
            what = "a number is too long, or none" if isinstance(error, ValueError) else "this is nested too deeply"
            raise Broken(f"{name}, line {_line(text, position)}, column 1: {what}.") from None
        yield document, position
        position = _skip(text, end)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _listed(document: Any) -> list[Any]:
    """Return the records of a document: a page of a scan, a list, or one record."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        for name in LISTS:
            if isinstance(document.get(name), list):
                return list(document[name])
        if set(document) == {"Item"}:
            return [document["Item"]]
    return [document]


# DynamoDB JSON


class Wrong(ValueError):
    """A value does not match its type in DynamoDB JSON."""


def plain(record: Record) -> Record:
    """Convert a record from DynamoDB JSON, if it is not plain already.

    Raises:
        Wrong: A value does not match its type.
    """
    if record and all(_is_typed(value) for value in record.values()):
        return {name: _value(value) for name, value in record.items()}
    return record


def _is_typed(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and value.keys() <= TYPES.keys()


def _value(typed: Any) -> Any:
    if not _is_typed(typed):
        raise Wrong(f"{repr(typed)[:40]} has no type of DynamoDB's")
    ((kind, value),) = typed.items()
    needed, read = TYPES[kind]
    if not isinstance(value, needed):
        raise Wrong(f"{repr(value)[:40]} is not of DynamoDB's type {kind}")
    return read(value)


def _number(text: Any) -> Any:
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,38}(\.\d{1,38})?([eE][+-]?\d{1,3})?", text, re.ASCII):
        raise Wrong(f"{repr(text)[:40]} is not one of DynamoDB's numbers")
    return json.loads(re.sub(r"^(-?)0+(?=\d)", r"\1", text))


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
TYPES: dict[str, tuple[Any, Any]] = {
    "S": (str, str),
    "N": (str, _number),
    "B": (str, str),
    "BOOL": (bool, bool),
    "NULL": (bool, lambda _: None),
    "SS": (list, list),
    "NS": (list, lambda values: [_number(each) for each in values]),
    "BS": (list, list),
    "L": (list, lambda values: [_value(each) for each in values]),
    "M": (dict, lambda values: {name: _value(each) for name, each in values.items()}),
}


def _whole(value: Any) -> Any:
    """Replace lone surrogates in the texts of a value. JSON may have them, but DynamoDB cannot store them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return [_whole(each) for each in value] if isinstance(value, list) else value
