"""Every text that the API accepts comes through export and import as it was, in both forms."""

import io
import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.schema import BODY
from registrations.transfer import columns, export, sheets
from registrations.transfer.assemble import assemble
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Row
from tests import strategies

ODD = [
    "'@home",
    "@home",
    "'='",
    "x;=1+1",
    "x\n=1+1",
    "x\t=1",
    "\xa0=1",
    "'",
    "''=1",
    " a ",
    "\xa0a",
    "TRUE",
    "007",
    "1e5",
    "'007",
    "3/4",
    "4 May",
    "''1",
    "1 000,50 ",
    "12:30 PM",
]
TEXTS = strategies.texts(200) | st.sampled_from([text for text in ODD if text.strip()])


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's: nothing here needs a table."""


def through_sheets(records: list[dict[str, Any]]) -> list[Row]:
    written: dict[str, io.StringIO] = defaultdict(lambda: io.StringIO(newline=""))
    export.write_sheets(records, written.__getitem__)
    rows: list[Row] = []
    for kind, sheet in written.items():
        rows += sheets.read(f"{kind}.csv", sheet.getvalue()).rows(Notes())
    return rows


def through_lines(records: list[dict[str, Any]]) -> list[Row]:
    return [Row(json.loads(json.dumps(record, ensure_ascii=False)), "line") for record in records]


@pytest.mark.parametrize("through", [through_sheets, through_lines])
@given(name=TEXTS, title=TEXTS, description=TEXTS | st.just(""), place=TEXTS, organizer=TEXTS)
@example(name="'@home", title="x;=1+1", description="'=\n'=", place="\xa0=1", organizer=" Club ")
def test_texts_are_the_same(through: Any, name: str, title: str, description: str, place: str, organizer: str) -> None:
    texts = {"title": title, "description": description, "location": place, "organizer": organizer}
    event = dict.fromkeys(columns.COLUMNS[columns.EVENT]) | BODY | texts | {"kind": columns.EVENT}
    user = dict.fromkeys(columns.COLUMNS[columns.USER]) | {"kind": columns.USER, "userId": "ann", "name": name}
    moved = assemble(through([user, event]))
    assert (moved.refused, moved.notes.details) == ([], {})
    assert moved.users["ann"]["name"] == name
    assert {field: moved.events[0].fields[field] for field in texts} == texts
