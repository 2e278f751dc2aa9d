"""Tables for spreadsheets: RFC 4180, without cells that a spreadsheet would carry out as formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
BOM = "\ufeff".encode()
"""What makes some spreadsheets read a file as UTF-8."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that may be carried out: OWASP's list, with the full-width forms.
https://owasp.org/www-community/attacks/CSV_Injection"""
MARK = "'"
"""What makes a text of such a cell; spreadsheets do not show it."""


def lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of texts, numbers and None as lines of a sheet."""
    sheet = io.StringIO()
    csv.writer(sheet).writerows([harmless(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode()


def harmless(cell: Any) -> Any:
    """A cell as a spreadsheet may see it: a text that begins like a formula is marked as a text."""
    return f"{MARK}{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def meant(cell: str) -> str:
    """What a cell says, without the mark that `harmless` puts before it."""
    return cell[1:] if cell.startswith(MARK) and cell[1:].startswith(FORMULA) else cell
