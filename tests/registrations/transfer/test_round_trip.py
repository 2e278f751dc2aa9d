"""Every field survives: create, list, sheet, export, import into empty tables.

Nothing here names a field, so a new one is tried as soon as the document has an example of it (events/schema.py, …).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from events.schema import BODY
from registrations.schema import REGISTERED
from registrations.transfer import columns, export
from tests.api import Api
from tests.registrations.transfer.round_trip import FORMS, survives
from tests.registrations.transfer.test_export import empty_the_tables
from users.schema import ALICE

FOLLOWS = {
    columns.EVENT: {"eventId", "hasWaitlist"},
    columns.USER: {"userId"},
    columns.REGISTRATION: set(),
}
"""Fields whose values follow from others, and ids, which an example may leave out."""
TIMES = {"promotedAt": "2026-11-01T10:00:00.000000Z", "checkedInAt": "2026-11-02T10:00:00.000000Z"}


def writable(kind: str) -> set[str]:
    return {name for name, field in columns.FIELDS[kind].items() if not field.read_only}


def test_the_examples_have_every_field_that_a_client_sets() -> None:
    assert writable(columns.EVENT) - FOLLOWS[columns.EVENT] <= BODY.keys()
    assert writable(columns.USER) - FOLLOWS[columns.USER] <= ALICE.keys()
    assert set(columns.COLUMNS[columns.REGISTRATION]) <= REGISTERED.keys()


@pytest.fixture
def season(api: Api) -> None:
    """An event, a user and a registration with a value in every field that a client sets."""
    now = {"registrationOpensAt": "2026-01-01T00:00:00Z", "registrationClosesAt": None}
    assert api.post("/events", BODY | now | {"waitlistEnabled": True, "unlisted": True}).status_code == 201
    assert (
        api.post("/users", {name: ALICE[name] for name in ALICE if name in writable(columns.USER)}).status_code == 201
    )
    body = {"userId": "alice", "answers": REGISTERED["answers"]}
    assert api.post("/events/spring-party/registrations", body).status_code == 201


@pytest.mark.usefixtures("season")
def test_an_export_is_the_same_after_an_import(api: Api, tmp_path: Path) -> None:
    survives(api, "spring-party", "alice", tmp_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("season")
def test_what_a_server_sets_comes_in_too(tmp_path: Path, form: str) -> None:
    records: list[dict[str, Any]] = []
    for record in export.everything():
        if record["kind"] == columns.REGISTRATION:
            record |= {name: value for name, value in TIMES.items() if name in record}
        if record["kind"] == columns.EVENT:
            record |= {"version": 7, "organizerId": "olivia", "checkedInCount": 1}
        records.append(record)
    if form == "jsonl":
        export.write_lines(records, (opened := (tmp_path / "season.jsonl").open("w")).write)
        opened.close()
    else:
        files = {kind: (tmp_path / f"{kind}.csv").open("w", newline="") for kind in columns.COLUMNS}
        export.write_sheets(records, files.__getitem__)
        for opened in files.values():
            opened.close()
    empty_the_tables()
    call_command("import", *map(str, tmp_path.iterdir()))
    after = {record["kind"]: record for record in export.everything()}
    assert [after[record["kind"]] for record in records] == records


@pytest.mark.usefixtures("season")
def test_our_lists_come_in_with_everyones_name_and_address(api: Api, tmp_path: Path) -> None:
    paths = ["/events/spring-party", "/events/spring-party/registrations?expand=user"]
    before = [api.get(path).json() for path in paths]
    for number, answer in enumerate(before):
        (tmp_path / f"{number}.json").write_text(json.dumps(answer))
    (tmp_path / "sheet.csv").write_bytes(api.get("/events/spring-party/registrations?format=csv").content)
    for lists in (["0.json", "1.json"], ["0.json", "sheet.csv"]):
        empty_the_tables()
        call_command("import", *(str(tmp_path / name) for name in lists))
        assert [api.get(path).json() for path in paths] == before
