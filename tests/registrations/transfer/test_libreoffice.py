"""A real spreadsheet between export and import keeps every event, person, opt-out and text."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.api import Api
from tests.registrations.transfer.round_trip import exported
from tests.registrations.transfer.test_export import empty_the_tables

pytestmark = pytest.mark.slow

PROGRAM = shutil.which("soffice") or shutil.which("libreoffice")
SECONDS = 240
FILTERS = {"commas": "44,34,76,1", "semicolons in UTF-16": "59,34,65535,1", "tabs": "9,34,76,1"}
"""How LibreOffice writes: the codes of separator, quotation mark and encoding, and the first line."""


@pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not installed.")
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
    command = [
        str(PROGRAM),
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--infilter=CSV:44,34,76,1",
    ]
    command += ["--convert-to", f"csv:Text - txt - csv (StarCalc):{FILTERS[form]}", "--outdir", str(tmp_path / "to")]
    subprocess.run([*command, *map(str, (tmp_path / "from").iterdir())], check=True, timeout=SECONDS)
    empty_the_tables()
    call_command("import", *map(str, (tmp_path / "to").iterdir()))
    assert exported() == before
