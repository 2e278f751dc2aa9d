"""Files as records: what `aws dynamodb scan` prints, what list calls answer, JSON lines, and sheets."""

import csv
import io
import json
import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from eventsite.web.sheets import meant

Record = dict[str, Any]

TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"})
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html"""
LISTS = ("Items", "items")
"""Where a scan, and a service that wraps its lists, keep the records of a page."""


KIND_OF_SHEET = {"registrationId": "registration", "title": "event", "name": "user"}
"""What a sheet is of, by a column that it has."""
NUMBERS = frozenset({"capacity", "registeredCount", "waitlistCount", "version", "waitlistPosition"})
SWITCHES, TRUTHS = frozenset({"waitlistEnabled", "hasWaitlist", "notify"}), {"true": True, "false": False}


class Broken(Exception):
    """A file is not what it should be; the text names the place."""


def records(path: Path) -> Iterator[Record]:
    """The records of a file, one after the other, with plain values.

    The file may hold several JSON documents, such as the pages of a scan or one per line.
    Raises: `Broken` with line and column.
    """
    text = path.read_bytes().decode("utf-8-sig")
    if path.suffix.lower() == ".csv":
        yield from _rows(path, text)
        return
    for document, start in _documents(path, text):
        for record in _listed(document):
            if not isinstance(record, dict):
                raise Broken(f"{path.name}, line {_line(text, start)}: {str(record)[:40]!r} is not a record.")
            yield plain(record)


def _rows(path: Path, text: str) -> Iterator[Record]:
    """The lines of a sheet, as `export` and the API write it."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        kind = next((kind for column, kind in KIND_OF_SHEET.items() if column in header), None)
        if kind is None:
            raise Broken(f"{path.name}, line 1, column 1: there is no line with the names of the columns.")
        for cells in reader:
            place = f"{path.name}, line {reader.line_num}"
            if len(cells) != len(header):
                column = min(len(cells), len(header)) + 1
                raise Broken(f"{place}, column {column}: {len(cells)} cells, where the first line has {len(header)}.")
            yield {"kind": kind} | {
                name: _cell(place, name, meant(cell)) for name, cell in zip(header, cells, strict=True) if cell
            }
    except csv.Error as error:
        raise Broken(f"{path.name}, line {reader.line_num}, column 1: {error}.") from None


def _cell(place: str, name: str, cell: str) -> Any:
    """What a cell holds: a number, a truth value, or the text that it is."""
    if name in NUMBERS and not re.fullmatch("[0-9]{1,18}", cell):
        raise Broken(f"{place}, column {name}: {cell[:40]!r} is not a number.")
    return int(cell) if name in NUMBERS else TRUTHS.get(cell, cell) if name in SWITCHES else cell


def _documents(path: Path, text: str) -> Iterator[tuple[Any, int]]:
    """Each JSON document of a text, with the place where it begins."""
    decoder, position = JSONDecoder(), _skip(text, 0)
    while position < len(text):
        try:
            document, end = decoder.raw_decode(text, position)
        except JSONDecodeError as error:
            raise Broken(f"{path.name}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
        yield document, position
        position = _skip(text, end)


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _listed(document: Any) -> list[Any]:
    """The records of a document: a page of a scan or of a list, a line of an export to S3, or one record."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        for name in LISTS:
            if isinstance(document.get(name), list):
                return list(document[name])
        if set(document) == {"Item"}:
            return [document["Item"]]
    return [document]


def plain(record: Record) -> Record:
    """A record with plain values, whether it was DynamoDB JSON or is plain already."""
    if record and all(_is_typed(value) for value in record.values()):
        return {name: _value(value) for name, value in record.items()}
    return record


def _is_typed(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and value.keys() <= TYPES


def _value(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    if kind == "N":
        return json.loads(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: _value(each) for name, each in value.items()}
    if kind == "L":
        return [_value(each) for each in value]
    return [json.loads(each) for each in value] if kind == "NS" else value
