"""The round trip of an event: its answers and its export, before and after an import into empty tables."""

import json
from pathlib import Path
from typing import Any

from django.core.management import call_command

from registrations.transfer import export
from tests.api import Api
from tests.registrations.transfer.test_export import empty_the_tables

FORMS = ("jsonl", "csv")


def exported() -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in export.everything())


def shown(api: Api, event: str, user: str) -> list[Any]:
    """All that the API shows of an event and of a user: alone, in lists, and as a sheet."""
    people = f"/events/{event}/registrations"
    lists = ["/users", "/events", people, f"{people}?status=cancelled", f"/users/{user}/registrations"]
    answers = [api.get(path).json() for path in (f"/events/{event}", *lists)]
    return [*answers, api.get(f"{people}?format=csv").content]


def survives(api: Api, event: str, user: str, folder: Path) -> None:
    """Export everything, import it into empty tables, and compare: as JSON lines, and as sheets."""
    before = exported(), shown(api, event, user)
    for form in FORMS:
        (folder / form).mkdir()
        call_command("export", str(folder / form / "all.jsonl" if form == "jsonl" else folder / form), format=form)
        empty_the_tables()
        call_command("import", *map(str, (folder / form).iterdir()))
        assert (exported(), shown(api, event, user)) == before
