"""Sheets as files to import: those of `export` and of the API, and broken ones."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrations.transfer import columns
from registrations.transfer import export as exporting
from registrations.transfer.sheets import Broken
from tests.api import Api
from tests.registrations.transfer.reading import records
from tests.registrations.transfer.sheets import BROKEN
from tests.strategies import texts


def read(path: Path, text: str) -> list[dict[str, Any]]:
    path.write_text(text, newline="", encoding="utf-8")
    return records(path)


def test_cells_are_what_they_stand_for(tmp_path: Path) -> None:
    text = "\ufeffeventId,title,capacity,waitlistEnabled,startTime\r\nparty,'=1+1,12,true,\r\n"
    (event,) = read(tmp_path / "events.csv", text)
    party = {"eventId": "party", "title": "=1+1", "capacity": 12, "waitlistEnabled": True}
    assert event == party


def test_a_sheet_of_the_api_is_one_of_registrations(api: Api, tmp_path: Path) -> None:
    event, user = api.event(), api.user()
    registered = api.register(event, user).json()
    sheet = api.get(f"/events/{event}/registrations?format=csv&bom=true").content.decode()
    (row,) = read(tmp_path / "registrations.csv", sheet)
    assert (row["eventId"], row["userId"], row["registrationId"]) == (event, user, registered["registrationId"])


@given(names=st.lists(texts(200), min_size=1))
def test_what_export_writes_is_what_import_reads(tmp_path: Path, names: list[str]) -> None:
    paths = {kind: tmp_path / f"{kind}.csv" for kind in columns.COLUMNS}
    users = [{"kind": "user", "userId": "ann", "name": name} for name in names]
    with ExitStack() as files:
        opened = {
            kind: files.enter_context(path.open("w", encoding="utf-8", newline="")) for kind, path in paths.items()
        }
        exporting.write_sheets(users, opened.__getitem__)
    assert [user["name"] for user in records(paths["user"])] == names


@BROKEN
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(Broken, match=f"^broken.csv, {place}: "):
        read(tmp_path / "broken.csv", text)
