"""Reading a file as `import` does."""

from pathlib import Path

from registrations.transfer import files, sheets
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Record


def records(path: Path, found: Notes | None = None, order: str = "ISO") -> list[Record]:
    """Return the records of a file with our columns, or of JSON."""
    found = Notes() if found is None else found
    text = files.read_text(path, found)
    if files.is_sheet(path, text):
        rows = sheets.read(path.name, text).rows(found, order=order)
    else:
        rows = files.rows(path, text, found)
    return [row.values for row in rows]
