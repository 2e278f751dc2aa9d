"""The move from the second release: `second_release.jsonl` is what its `export` wrote.

One event has a seat that was handed on, a waitlist of three, and two cancellations, one of them not yet applied.
"""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registrations.models import RegistrationItem
from tests.api import Api
from tests.registrations.auditing import audit

EXPORTED = Path(__file__).with_name("second_release.jsonl")
LONG = "long-" + 60 * "x"


def test_what_the_second_release_exported_is_imported_whole(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("import", str(EXPORTED))
    assert "all is well" in capsys.readouterr().out
    event = api.get("/events/party").json()
    assert (event["registeredCount"], event["waitlistCount"]) == (1, 3)
    people = api.get("/events/party/registrations").json()
    assert [(one["userId"], one["waitlistPosition"]) for one in people] == [
        ("alice", None),
        ("zoe", 1),
        ("bob", 2),
        (LONG, 3),
    ]
    assert people[0]["registrationId"] == "446ddd1f-a7f7-4c42-aec9-0669c3024207"
    assert people[0]["promotedAt"] == "2026-11-29T23:34:26.292270Z"
    cancelled = api.get("/events/party/registrations?status=cancelled").json()
    assert [one["userId"] for one in cancelled] == ["old", "quit"]
    assert api.leave("party", "alice").json()["promotedUser"] == "zoe"
    assert audit("party") == []


@pytest.mark.parametrize("options", [[], ["--migrate"], ["--dry-run"]], ids=str)
def test_tables_of_the_second_release_are_refused(api: Api, options: list[str]) -> None:
    """Its items have the same keys, but another form."""
    RegistrationItem("alice", "active#party", ticket=1).save()
    with pytest.raises(CommandError, match="From the second release"):
        call_command("create_tables", *options)
