"""Tables for spreadsheets: RFC 4180, without cells that a spreadsheet would execute as formulas.

A mark precedes each text that may begin a formula: at the start of a cell, and within it after a separator or a line
break, where a spreadsheet with other settings begins a new cell. A text that looks marked already gets one more mark,
so `unmarked` returns exactly the text that `marked` got.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

SEPARATORS = (",", ";")
"""What stands between cells. Spreadsheets expect ``;`` where the decimal sign is a comma."""
CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
BOM = "\ufeff".encode()  # the byte order mark by which some spreadsheets recognise UTF-8

MARK = "'"

_BEGINS_FORMULA = r"""['"\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]"""
"""OWASP's list, with the full-width forms. Spreadsheets skip spaces and quotes before a formula.
https://owasp.org/www-community/attacks/CSV_Injection"""
_SEPARATOR = r"([,;|\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029])"
_AT_START = re.compile(rf"{_BEGINS_FORMULA}|'*[\t\r\n]")
_INSIDE = re.compile(rf"{_SEPARATOR}(?={_BEGINS_FORMULA})")
_MARKED_INSIDE = re.compile(rf"{_SEPARATOR}{MARK}(?={_BEGINS_FORMULA})")


def lines(rows: Iterable[Sequence[Any]], separator: str = ",") -> bytes:
    """Return rows of texts, numbers and None as lines of a sheet."""
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=separator).writerows([marked(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode()


def marked(cell: Any) -> Any:
    """Return a cell that no spreadsheet executes. A mark makes a text of a possible formula."""
    if not isinstance(cell, str):
        return cell
    text = _INSIDE.sub(rf"\1{MARK}", cell)
    return f"{MARK}{text}" if _AT_START.match(cell) else text


def unmarked(cell: str) -> str:
    """Return the text of a cell before `marked`."""
    if cell.startswith(MARK) and _AT_START.match(cell, 1):
        cell = cell[1:]
    return _MARKED_INSIDE.sub(r"\1", cell)
