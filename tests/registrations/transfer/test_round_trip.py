"""Every field survives: create, list, sheet, export, import into empty tables.

Nothing here names a field, so a new one is tried as soon as the document has an example of it (events/schema.py, …).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from events.schema import BODY
from registrations import sheet
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


LABELS = sorted({*sheet.COLUMNS, sheet.ANSWERS, "title", "event", "user", "kind"})
LIKE_COLUMNS = {
    "as the columns": LABELS,
    "as people write them": [name.capitalize() for name in LABELS],
    "with a number": [f"{name} (2)" for name in ("Email", "Name", "Email")] + ["E-Mail", "e mail", "Email (3)"],
    "the same": ["Food", "Food", "food?", "Food (2)", "?", "!", "?"],
}


@pytest.mark.parametrize("labels", LIKE_COLUMNS.values(), ids=LIKE_COLUMNS)
def test_an_answer_stays_an_answer_whatever_its_question_is_called(api: Api, tmp_path: Path, labels: list[str]) -> None:
    for first in range(0, len(labels), 10):
        some = labels[first : first + 10]
        ids = [f"q{number}" for number in range(len(some))]
        questions = [{"questionId": one, "label": label, "kind": "text"} for one, label in zip(ids, some, strict=True)]
        event = api.event(title="Ours", questions=questions)
        answers = {one: f"{one}@example.com" for one in ids}
        api.user("mallory")
        assert api.post(f"/events/{event}/registrations", {"userId": "mallory", "answers": answers}).status_code == 201
        paths = [f"/events/{event}", f"/events/{event}/registrations?expand=user"]
        before = [api.get(path).json() for path in paths]
        assert before[1][0]["answers"] == answers
        (tmp_path / str(first)).mkdir()
        (tmp_path / "event.json").write_text(json.dumps(before[0]))
        (tmp_path / "sheet.csv").write_bytes(api.get(f"{paths[1]}&format=csv").content)
        empty_the_tables()
        call_command("import", str(tmp_path / "event.json"), str(tmp_path / "sheet.csv"))
        assert [api.get(path).json() for path in paths] == before
        survives(api, event, "mallory", tmp_path / str(first))
        empty_the_tables()


def test_only_the_first_column_of_a_name_counts(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "event.json").write_text(json.dumps(api.get(f"/events/{api.event(eventId='party')}").json()))
    empty_the_tables()
    (tmp_path / "sheet.csv").write_text("eventId,userId,name,email,Email\nparty,mallory,Mallory,,victim@example.com\n")
    call_command("import", str(tmp_path / "event.json"), str(tmp_path / "sheet.csv"))
    assert api.get("/users/mallory").json()["email"] is None
    assert "sheet.csv: Email" in capsys.readouterr().out
