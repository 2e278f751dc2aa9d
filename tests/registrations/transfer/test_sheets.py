"""Sheets as files to import: what `export` and the API write, and what is broken about others."""

from pathlib import Path
from typing import Any

import pytest

from registrations.transfer.sheets import Broken
from tests.api import Api
from tests.registrations.transfer.reading import records
from tests.registrations.transfer.sheets import BROKEN


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


@BROKEN
def test_what_is_broken_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(Broken, match=f"^broken.csv, {place}: "):
        read(tmp_path / "broken.csv", text)
