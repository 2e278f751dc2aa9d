"""A real spreadsheet between export and import keeps every event, person, opt-out and text."""

import io
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from registrations.transfer import columns, export, sheets
from registrations.transfer.notes import Notes
from tests.api import Api
from tests.registrations.transfer.round_trip import exported
from tests.registrations.transfer.test_export import empty_the_tables

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed.")]

SECONDS = 240
FILTERS = {"commas": "44,34,76,1", "semicolons in UTF-16": "59,34,65535,1", "tabs": "9,34,76,1"}
"""How LibreOffice writes: the codes of separator, quotation mark and encoding, and the first line."""


def saved(folder: Path, sheets: Path, read: str, write: str) -> None:
    """Open sheets in LibreOffice, and save them in a folder `to`."""
    command = [str(PROGRAM), f"-env:UserInstallation=file://{folder}/profile", "--headless", f"--infilter={read}"]
    command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{write}", "--outdir", str(folder / "to")]
    subprocess.run([*command, *map(str, sheets.glob("*.csv"))], check=True, timeout=SECONDS)


PIECES = [
    *"$€£% ()-+.,:/'\N{RIGHT SINGLE QUOTATION MARK}\xa0\t=@ehxTZ",
    *("5", "12", "007", "1000", "2026", "31", "E+5", "km", "st", "am", "PM", "TRUE", "false", "wahr", "#N/A"),
    *("May", "Mai", "März", "Mrz", "Sept", "août", "Mon", "EUR", "kr", "CHF", "Q1"),
]
LANGUAGES = {"English": "1033", "German": "1031", "French": "1036", "Swiss": "2055"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_changed(tmp_path: Path, language: str) -> None:
    chance = random.Random(language)
    found = {"".join(chance.choice(PIECES) for _ in range(chance.randint(1, 5))).strip() for _ in range(5000)}
    texts = sorted(text for text in found if text and columns.accepts(columns.USER, "name", text))
    with (tmp_path / "people.csv").open("w", newline="", encoding="utf-8") as opened:
        records = ({"kind": columns.USER, "userId": "ann", "name": text} for text in texts)
        export.write_sheets(records, lambda kind: opened if kind == columns.USER else io.StringIO())
    saved(tmp_path, tmp_path, f"CSV:44,34,76,1,,{LANGUAGES[language]}", FILTERS["commas"])
    read = sheets.read("people.csv", (tmp_path / "to" / "people.csv").read_text())
    assert [row.values["name"] for row in read.rows(Notes())] == texts


@pytest.mark.parametrize("form", FILTERS)
def test_what_libreoffice_saves_comes_in_as_it_was(api: Api, tmp_path: Path, form: str) -> None:
    for user, name, notify in (("007", "=Ann; the\n1st", True), ("bea", "0123", False), ("cem", "TRUE", False)):
        api.post("/users", {"userId": user, "name": name, "email": f"u{user}@example.org", "notify": notify})
    api.event(eventId="party", title="Ümlaut; and, more", description="", startTime="18:30", timeZone="Europe/Berlin")
    api.event(eventId="1e5", title="3/4", date="2083-12-31", status="draft", waitlistEnabled=False)
    for user in ("bea", "007", "cem"):
        api.register("party", user)
    api.leave("party", "bea")
    before = exported()
    (tmp_path / "from").mkdir()
    call_command("export", str(tmp_path / "from"), format="csv")
    saved(tmp_path, tmp_path / "from", "CSV:44,34,76,1", FILTERS[form])
    empty_the_tables()
    call_command("import", *map(str, (tmp_path / "to").iterdir()))
    assert exported() == before
