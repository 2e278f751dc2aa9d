"""Read the text of a file, and JSON as records: a scan by `aws dynamodb`, answers of list calls, JSON lines."""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from registrations.transfer import notes
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Broken, Record, Row

LISTS = ("Items", "items")  # the list of records in a page of a scan, and in a list of another service
SHEETS = (".csv", ".tsv", ".txt")
JSONS = (".json", ".jsonl", ".ndjson")
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Encodings by the first bytes of a file."""
OTHERS = (
    ((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "a workbook. Save the sheet as CSV (UTF-8) and import that."),
    (b"BEGIN:VCALENDAR", "a calendar. Write its events to a sheet with the columns title, date and so on."),
    (b"BEGIN:VCARD", "a list of contacts (vCard). Export them as CSV and import that."),
)
"""Files of other kinds by their first bytes, and what to do instead."""


def rows(path: Path, text: str, found: Notes) -> Iterator[Row]:
    """Return the records of a JSON file, with plain values.

    The file may hold several documents, such as the pages of a scan or one per line.

    Raises:
        Broken: The file is not valid. The text has line and column, and what to change.
    """
    halves = "\\ud" in text.lower()
    for number, (record, line) in enumerate(_records(path.name, text), 1):
        place = f"{path.name}, line {line}, record {number}"
        if not isinstance(record, dict):
            raise Broken(f"{place}: {repr(record)[:40]} is not a record, which is an object with fields.")
        try:
            values = plain(record)
            whole = _whole(values) if halves else values
        except RecursionError:
            raise Broken(f"{place}: it is nested too deeply.") from None
        except Wrong as error:
            raise Broken(f"{place}: {error}.") from None
        if whole != values:
            found.add(notes.HALF_CHARACTERS, place)
        yield Row(whole, place)


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
    if "\0" in text:
        line = text.partition("\0")[0].count("\n") + 1
        raise Broken(f"{path.name}, line {line}, column 1: this is no text. Save it as UTF-8.")
    return text


def _decoded(path: Path, content: bytes, found: Notes) -> str:
    marked = next((name for mark, name in ENCODINGS if content.startswith(mark)), None)
    with suppress(UnicodeDecodeError):
        return content.decode(marked or "utf-8")
    try:
        text = content.decode(marked or "cp1252")  # Western spreadsheets write no mark
    except UnicodeDecodeError as error:
        lines = content[: error.start].split(b"\n")
        what = "these bytes are no text" if marked else "this is neither UTF-8 nor Windows-1252. Save it as UTF-8"
        raise Broken(f"{path.name}, line {len(lines)}, column {len(lines[-1]) + 1}: {what}.") from None
    found.add(notes.ENCODINGS, path.name)
    return text


# JSON


def _records(name: str, text: str) -> Iterator[tuple[Any, int]]:
    """Return each record of a text, with the line in which its document begins."""
    decoder, end, line = JSONDecoder(parse_constant=_refuse), 0, 1
    while found := re.compile(r"\S").search(text, end):
        start = found.start()
        line += text.count("\n", end, start)
        try:
            document, end = decoder.raw_decode(text, start)
        except JSONDecodeError as error:
            raise Broken(f"{name}, line {error.lineno}, column {error.colno}: {error.msg}.") from None
        except (ValueError, RecursionError) as error:
            what = "a number is too long, or none" if isinstance(error, ValueError) else "this is nested too deeply"
            raise Broken(f"{name}, line {line}, column 1: {what}.") from None
        yield from ((record, line) for record in _listed(document))
        line += text.count("\n", start, end)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _listed(document: Any) -> list[Any]:
    """Return the records of a document: a page of a scan, a list, or one record."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        if set(document) == {"Item"}:
            return [document["Item"]]
        lists = [document[name] for name in LISTS if isinstance(document.get(name), list)]
        return lists[0] if lists else [document]
    return [document]


# DynamoDB JSON


TYPES = {"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"}
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html"""


class Wrong(ValueError):
    """A value does not match its type in DynamoDB JSON."""


def plain(record: Record) -> Record:
    """Convert a record from DynamoDB JSON, if it is not plain already."""
    if record and all(_is_typed(value) for value in record.values()):
        return {name: _value(value) for name, value in record.items()}
    return record


def _is_typed(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and value.keys() <= TYPES


def _value(typed: Any) -> Any:
    if not _is_typed(typed):
        raise Wrong(f"{repr(typed)[:40]} has no type of DynamoDB's")
    ((kind, value),) = typed.items()
    match kind, value:
        case ("S" | "B", str()) | ("BOOL", bool()) | ("SS" | "BS", list()):
            return value
        case "N", str():
            return _number(value)
        case "NULL", bool():
            return None
        case "NS", list():
            return [_number(one) for one in value]
        case "L", list():
            return [_value(one) for one in value]
        case "M", dict():
            return {name: _value(one) for name, one in value.items()}
    raise Wrong(f"{repr(value)[:40]} is not of DynamoDB's type {kind}")


def _number(text: Any) -> Any:
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,38}(\.\d{1,38})?([eE][+-]?\d{1,3})?", text, re.ASCII):
        raise Wrong(f"{repr(text)[:40]} is not one of DynamoDB's numbers")
    return json.loads(re.sub(r"^(-?)0+(?=\d)", r"\1", text))


def _whole(values: Record) -> Record:
    """Replace lone surrogates in the texts of a record. JSON may have them, but DynamoDB cannot store them."""
    text = json.dumps(values, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return dict(json.loads(text))
