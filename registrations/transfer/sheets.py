"""Sheets as people have them: CSV with commas, semicolons or tabs, from any spreadsheet or service."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eventsite.web.sheets import unmarked
from registrations.transfer import columns, moments, notes
from registrations.transfer.columns import EVENT, REGISTRATION, USER
from registrations.transfer.notes import Notes

NO_HEADER = "there is no line with the names of the columns. Begin with one, such as name,email."
SEPARATORS = ",;\t|"
LONGEST_HEADER = 100_000  # characters
_NAMED_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)
"""The first line in which Excel names the separator."""
OF_AN_EVENT = frozenset({"eventId", "date", "eventDate", "capacity", "location"})
"""Columns of a sheet of events. A list of people with a title has none of them."""
Cells = list[str]
Record = dict[str, Any]
Order = tuple[float, str, float]


class Broken(Exception):
    """A file cannot be read. The text has the place, and what to change."""


def at(name: str, line: int, column: int, header: str = "") -> str:
    """Return the place of a cell, with the letter of its column."""
    letters = ""
    while column > 0:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{name}, line {line}, column {letters}{f' ({header})' if header else ''}"


@dataclass
class Row:
    """A record with its place, such as ``events.json, record 17``."""

    values: Record
    place: str
    kind: str = ""
    """The kind of the record, or an empty string if it follows from the names of its fields."""
    order: Order = (0, "", 0)
    """The order of registrations with the same status. Equal ones stay in the order of the records."""
    complete: bool = True
    """False if the record has only a part, which is added to a complete one."""


@dataclass
class Table:
    """A sheet with the names of its columns, and its lines."""

    name: str
    header: Cells
    lines: list[tuple[int, Cells]]
    """The lines: the number in the file, and a cell for each column."""

    @cached_property
    def fields(self) -> list[str]:
        """Return the field of each column. An unknown column keeps its name, and a repeated one has none."""
        first: dict[str, int] = {}
        for number, header in enumerate(self.header):
            first.setdefault(columns.field_named(header), number)
        found = {number: name for name, number in first.items()}
        return [found.get(number, "") for number in range(len(self.header))]

    @property
    def kind(self) -> str:
        """Return the kind of the lines, by the columns.

        Raises:
            Broken: The columns are unknown or incomplete.
        """
        fields = {*self.fields}
        if {"eventId", "userId"} <= fields:
            return REGISTRATION
        if "registrationId" in fields:
            raise Broken(f"{at(self.name, 1, 1)}: a sheet of registrations needs the columns eventId and userId.")
        if self._is_of_events:
            return EVENT
        if {"userId", "name", "email"} & fields:
            return USER
        raise Broken(f"{at(self.name, 1, 1)}: {NO_HEADER}")

    @property
    def is_ours(self) -> bool:
        """Return True if the columns are ours. All other sheets are guest lists."""
        ids = {"userId", "registrationId"} & {*self.fields}
        return bool(ids) or self._is_of_events or {*self.fields} <= {*columns.COLUMNS[USER]}

    @property
    def _is_of_events(self) -> bool:
        return bool({"title", "eventName"} & {*self.fields} and OF_AN_EVENT & {*self.fields})

    def rows(self, found: Notes, *, order: str = moments.ISO) -> Iterator[Row]:
        """Return the lines of a sheet with our columns. Note the columns that are left out."""
        kind = self.kind
        for header, name in zip(self.header, self.fields, strict=True):
            is_left_out = name not in columns.KNOWN and kind != REGISTRATION  # there it may be a question of the event
            if header and (is_left_out or not name):
                found.add(notes.COLUMNS, f"{self.name}: {header}")
        for line, cells in self.lines:
            yield Row(self._values(kind, order, line, cells), f"{self.name}, line {line}", kind)

    def _values(self, kind: str, order: str, line: int, cells: Cells) -> Record:
        values: Record = {}
        for number, (name, cell) in enumerate(zip(self.fields, cells, strict=True), 1):
            if name and cell.strip():
                try:
                    values[name] = columns.value(kind, name, unmarked(cell), order=order)
                except (columns.Wrong, moments.Ambiguous) as error:
                    raise Broken(f"{at(self.name, line, number, name)}: {error}") from None
        return values


def read(name: str, text: str) -> Table:
    """Read the sheet in a file of this name and text.

    Raises:
        Broken: The sheet is not valid. The text has line and column, and what to change.
    """
    named = _NAMED_SEPARATOR.match(text)
    above = 1 if named else 0
    text = text[named.end() :] if named else text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=named[1] if named else _separator(text), strict=True)
    try:
        (_, header), *lines = [(reader.line_num + above, cells) for cells in reader] or [(1, [])]
    except csv.Error as error:
        raise Broken(f"{at(name, reader.line_num + above, 1)}: {error}. Look for a quotation mark.") from None
    header = [cell.strip() for cell in header]
    while header and not header[-1]:
        header.pop()
    if not header:
        raise Broken(f"{at(name, 1, 1)}: {NO_HEADER}")
    filled = [(line, cells) for line, cells in lines if any(cell.strip() for cell in cells)]
    return Table(name, header, [(line, _fitted(name, header, line, cells)) for line, cells in filled])


def _separator(text: str) -> str:
    """Return the most frequent separator of the first line. Quoted headers may have separators and line breaks."""
    first = re.sub(r'"[^"]*"', "", text[:LONGEST_HEADER]).partition("\n")[0]
    return max(SEPARATORS, key=first.count)


def _fitted(name: str, header: Cells, line: int, cells: Cells) -> Cells:
    """Return the cells of a line, one for each column. Refuse a line with too many or too few."""
    width = len(header)
    if len(cells) < width:
        place = at(name, line, len(cells) + 1, header[len(cells)])
        raise Broken(f"{place}: there are {len(cells)} cells, and the first line names {width} columns.")
    for number, cell in enumerate(cells[width:], width + 1):
        if cell.strip():
            raise Broken(f"{at(name, line, number)}: the first line has no name for this column.")
    return cells[:width]
