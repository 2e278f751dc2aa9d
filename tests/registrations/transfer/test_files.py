"""Files as records: the same records in every form, and the place of each mistake."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrations.transfer import files
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Broken, Record
from tests.registrations.transfer.reading import records
from tests.registrations.transfer.tables import A_EVENT, scan, typed

RECORDS = [A_EVENT, {"userId": "alice", "name": "Alice", "capacity": 3, "hasWaitlist": True, "waitlistPosition": None}]


def read(directory: Path, text: str) -> list[Record]:
    path = directory / "them.json"
    path.write_text(text)
    return records(path)


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's: nothing here needs a table."""


def typed_all(record: Record) -> Record:
    return {name: typed(value) for name, value in record.items()}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Items": [typed_all(record) for record in RECORDS], "Count": 2}),
        "\n".join(json.dumps({"Items": [typed_all(record)], "Count": 1}, indent=2) for record in RECORDS),
        "\n".join(json.dumps({"Item": typed_all(record)}) for record in RECORDS),
        json.dumps(RECORDS),
        json.dumps({"items": RECORDS, "lastEvaluatedKey": None}),
        "\n".join(json.dumps(record) for record in RECORDS) + "\n\n",
        "\ufeff" + json.dumps(RECORDS, indent=4),
    ],
    ids=["scan", "pages of a scan", "export to S3", "list", "wrapped list", "JSON lines", "with a mark in front"],
)
def test_every_form_holds_the_same_records(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == RECORDS


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, " \n") == []
    assert read(tmp_path, '{"Items": [], "Count": 0}') == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"a": 1},\n {"b": }]', "them.json, line 2, column 8"),
        ('{"a": 1}\n{"b": 2', "them.json, line 2, column"),
        ('{"a": 1}\n\n[3]', "them.json, line 3, record 2: 3 is not a record"),
        ("eventId,title\n", "them.json, line 1, column 1"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(Broken) as broken:
        read(tmp_path, text)
    assert str(broken.value).startswith(place)


VALUES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=10)


@given(st.dictionaries(st.text(min_size=1, max_size=8), VALUES, min_size=1, max_size=5))
def test_a_record_of_a_table_comes_out_as_it_went_in(record: Record) -> None:
    assert files.plain(typed_all(record)) == record


def test_a_plain_record_that_looks_typed_in_one_field_stays_plain() -> None:
    record = {"eventId": "a", "organizer": {"S": "x"}}
    assert files.plain(record) == record


def test_scan_writes_what_the_reader_reads(tmp_path: Path) -> None:
    assert records(scan(tmp_path / "scan.json", RECORDS)) == RECORDS


def test_long_json_lines_are_read_in_time_that_grows_with_them(tmp_path: Path) -> None:
    text = "\n".join(json.dumps({"userId": str(number), "name": "x" * 300}) for number in range(20_000))
    began = time.process_time()
    *_, last = files.rows(tmp_path / "them.jsonl", text, Notes())
    assert last.place == "them.jsonl, line 20000, record 20000"
    assert time.process_time() - began < 10  # seconds; it took a minute when the lines before each record were counted
