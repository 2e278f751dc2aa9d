"""Sheets as spreadsheets write them: a cell comes in as a person sees it, or it is named."""

import codecs
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from registrations.transfer import columns, moments, notes
from registrations.transfer.notes import Notes
from registrations.transfer.sheets import Broken, at
from tests.api import Api
from tests.registrations.transfer.reading import records
from tests.registrations.transfer.test_export import empty_the_tables

PEOPLE = [{"userId": "person1", "name": "Pérson Öne", "email": "one@example.org", "notify": False}]
SHEET = "userId,name,email,notify\r\nperson1,Pérson Öne,one@example.org,{}\r\n"


FORMS = {
    "commas": SHEET.format("false").encode(),
    "semicolons": SHEET.format("FALSCH").replace(",", ";").encode(),
    "semicolons with a mark": codecs.BOM_UTF8 + SHEET.format("FALSE").replace(",", ";").encode(),
    "tabs in UTF-16": codecs.BOM_UTF16_LE + SHEET.format("FALSE").replace(",", "\t").encode("utf-16-le"),
    "tabs in the other UTF-16": codecs.BOM_UTF16_BE + SHEET.format("no").replace(",", "\t").encode("utf-16-be"),
    "Windows-1252": SHEET.format("0").replace(",", ";").encode("cp1252"),
    "a named separator": b"sep=;\r\n" + SHEET.format("N").replace(",", ";").encode(),
    "quoted headers in another case": ('"USERID","Name","E-Mail","Notify"' + SHEET.format("No")[24:]).encode(),
    "empty lines and columns": SHEET.format("FALSE").replace("\r\n", ",,\r\n").encode() + b",,,,,\r\n\r\n",
    "separators and lines in a header": (
        'userId,name,email,notify,"a;b;c;d;e;f;g\n;?"' + SHEET.format("No,")[24:]
    ).encode(),
    "lines of Unix": SHEET.format("false").replace("\r\n", "\n").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_sheet_is_the_same_people(tmp_path: Path, form: str) -> None:
    (tmp_path / "people.csv").write_bytes(FORMS[form])
    found = Notes()
    assert records(tmp_path / "people.csv", found) == PEOPLE
    assert found.details.pop(notes.ENCODINGS, []) == (["people.csv"] if form == "Windows-1252" else [])
    assert found.details.keys() == ({notes.COLUMNS} if "in a header" in form else set())


CELLS = [
    ("notify", "TRUE", True),
    ("notify", "1", True),
    ("notify", "yes", True),
    ("notify", "WAHR", True),
    ("notify", "Nein", False),
    ("capacity", "12.0", 12),
    ("capacity", "12,00", 12),
    ("capacity", "007", 7),
    ("startTime", "06:30:00 PM", "18:30"),
    ("startTime", "6:30 p.m.", "18:30"),
    ("startTime", "12:05 AM", "00:05"),
    ("startTime", "18:30:00", "18:30"),
    ("date", "2083-03-20", "2083-03-20"),
    ("date", "2083-03-20 00:00:00", "2083-03-20 00:00:00"),
    ("userId", "007", "007"),
    ("name", "007", "007"),
    ("title", "1e5", "1e5"),
    ("email", "TRUE", "TRUE"),
]


@pytest.mark.parametrize(("name", "cell", "expected"), CELLS)
def test_a_cell_is_what_a_person_sees_in_it(name: str, cell: str, expected: Any) -> None:
    kind = columns.EVENT if name in columns.FIELDS[columns.EVENT] else columns.USER
    assert columns.value(kind, name, cell) == expected


WRONG = [
    ("capacity", "many"),
    ("capacity", "1.000"),
    ("capacity", "9" * 5000),
    ("capacity", "-1"),
    ("waitlistEnabled", "perhaps"),
    ("startTime", "25:00"),
    ("startTime", "13:00 PM"),
    ("startTime", "18"),
    ("startTime", "18:30 GMT"),
    ("date", "20.03.2083"),
    ("date", "2083-02-30"),
    ("date", "20.3.83"),
    ("date", "soon"),
    ("createdAt", "3/4/2083 10:00"),
    ("createdAt", "yesterday"),
    ("createdAt", "0001-01-01T00:00:00+12:00"),
    ("createdAt", "9999-12-31T23:59:59-12:00"),
]


@pytest.mark.parametrize(("name", "cell"), WRONG)
def test_a_cell_that_cannot_be_read_is_named(tmp_path: Path, name: str, cell: str) -> None:
    (tmp_path / "events.csv").write_text(f"eventId,title,{name}\nparty,Party,{cell}\n")
    with pytest.raises(Broken, match=rf"^events\.csv, line 2, column C \({name}\): .+\. ?.*\.$"):
        records(tmp_path / "events.csv")


@pytest.mark.parametrize("name", ["date", "createdAt"])
def test_a_date_that_may_be_two_days_names_the_option(name: str) -> None:
    with pytest.raises(moments.Ambiguous, match=r"may be two days\. Write it as .+ --date-format DMY or MDY\."):
        columns.value(columns.EVENT, name, "3/4/2083 10:00")


@pytest.mark.parametrize(
    ("order", "cell"), [("DMY", "3.4.2083"), ("MDY", "4/3/2083"), ("DMY", "03-04-83"), ("ISO", "2083/4/3")]
)
def test_the_order_of_a_date_may_be_named(order: str, cell: str) -> None:
    assert columns.value(columns.EVENT, "date", cell, order=order) == "2083-04-03"
    assert columns.value(columns.USER, "createdAt", f"{cell} 6:30:05 PM", order=order) == "2083-04-03T18:30:05.000000Z"


@given(
    st.datetimes().map(lambda one: one.isoformat()) | st.text(max_size=30) | st.from_regex(r"[0-9:/. apmTZ+-]{1,30}")
)
def test_no_text_is_a_time_that_the_api_would_not_give(text: str) -> None:
    found = moments.moment(text)
    assert found is None or moments.moment(found) == found


CHANGED = [
    *("007", "1e5", "1.00E+03", "7E+5+", "3/4", "4 May", "12:30 PM", "5%", "TRUE", "1 000,50 ", "'007", "-1", "1'000"),
    *("$5", "$1,000", "5 €", "€5", "(5)", "-$5", "CHF 5", "5 kr", "4. März", "12\xa0Mrz", "4 août", "3 ottobre"),
]


@pytest.mark.parametrize("text", CHANGED)
def test_a_text_that_a_spreadsheet_would_change_is_marked(text: str) -> None:
    written = columns.cell(columns.USER, "name", text)
    assert (written, columns.value(columns.USER, "name", written)) == (f"'{text}", text)


@pytest.mark.parametrize("text", ["Studio 4", "Ann", "2nd floor", "May", "u12", "12 Monkeys", "€", "(a)", "May I?"])
def test_other_texts_are_written_as_they_are(text: str) -> None:
    assert columns.cell(columns.USER, "name", text) == text


COLUMNS = [("A", 1), ("Z", 26), ("AA", 27), ("AZ", 52), ("BA", 53), ("ZZ", 702)]


@pytest.mark.parametrize(("letters", "number"), COLUMNS)
def test_a_column_is_called_as_in_a_spreadsheet(letters: str, number: int) -> None:
    assert at("a.csv", 1, number) == f"a.csv, line 1, column {letters}"


OTHERS = [
    (b"PK\x03\x04....", "this is a workbook. Save the sheet as CSV"),
    (b"BEGIN:VCALENDAR\r\n", "this is a calendar. Write its events to a sheet"),
    (b"BEGIN:VCARD\r\n", r"this is a list of contacts \(vCard\). Export them as CSV"),
    ("name,email\n".encode("utf-16-le"), "this is no text. Save it as UTF-8."),
]


@pytest.mark.parametrize(("content", "sentence"), OTHERS)
def test_a_file_of_another_kind_is_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "people.csv").write_bytes(content)
    with pytest.raises(CommandError, match=rf"^people\.csv, line 1, column 1: {sentence}"):
        call_command("import", str(tmp_path / "people.csv"))


def as_a_spreadsheet_saves_it(path: Path) -> None:
    """Save a sheet again as a spreadsheet does in Germany: other separators, other truth values, other times."""
    text = path.read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    words = {"true": "WAHR", "false": "FALSCH", "19:00": "07:00:00 PM"}
    changed = [[words.get(cell, cell) for cell in row] + [""] for row in rows]
    saved = io.StringIO()
    csv.writer(saved, delimiter=";", lineterminator="\r\n").writerows([*changed, [""] * len(changed[0])])
    path.write_bytes(codecs.BOM_UTF8 + saved.getvalue().encode())


def test_a_spreadsheet_between_export_and_import_changes_nothing(api: Api, tmp_path: Path) -> None:
    for user, notify in (("ann", True), ("bea", False)):
        api.post(
            "/users", {"userId": user, "name": f"={user}; the\n1st", "email": f"{user}@example.org", "notify": notify}
        )
    api.event(eventId="party", title="Ümlaut; and, more", description="", startTime="19:00", timeZone="Europe/Berlin")
    api.register("party", "bea")
    before = [api.get(path).json() for path in ("/users", "/events", "/events/party/registrations")]
    call_command("export", str(tmp_path), format="csv")
    for path in tmp_path.iterdir():
        as_a_spreadsheet_saves_it(path)
    empty_the_tables()
    call_command("import", *map(str, tmp_path.iterdir()))
    after = [api.get(path).json() for path in ("/users", "/events", "/events/party/registrations")]
    assert [sorted(map(json.dumps, one)) for one in after] == [sorted(map(json.dumps, one)) for one in before]
