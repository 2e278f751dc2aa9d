"""`manage.py shell`: the models and rules at hand, over data."""

from pathlib import Path

import pytest

from tests.eventsite.processes import has_ended, manage

PARTY = {
    "title": "Party",
    "description": "Cake.",
    "date": "2083-04-01",
    "location": "Garden",
    "capacity": 1,
    "organizer": "Alice",
    "status": "published",
    "waitlist_enabled": True,
}


def shell(directory: Path, code: str, *arguments: str) -> str:
    """Run code in the shell. Returns: what it printed."""
    ended = manage(directory, "shell", "--verbosity", "0", *arguments, "-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_models_and_rules_are_at_hand(tmp_path: Path) -> None:
    names = "Event, Seats, Registration, User, events, seating, users, listing, reading, of_event, of_user"
    printed = shell(tmp_path, f"print(*[each.__name__ for each in ({names})])")
    assert printed == (
        "Event Seats Registration User "
        "events.services registrations.seating users.services events.listing registrations.reading.one "
        "of_event of_user\n"
    )


def test_everything_named_can_be_imported(tmp_path: Path) -> None:
    ended = manage(tmp_path, "shell", "-v", "2", "-c", "pass")
    assert "Imported: EVERYTHING, Event, Registration, Seats, User, events, listing, of_event, " in ended.stdout


def test_a_command_prints_only_what_its_code_prints(tmp_path: Path) -> None:
    assert manage(tmp_path, "shell", "-c", "print(User.__name__)").stdout == "User\n"


def test_a_fresh_checkout_can_be_asked_and_remembers(tmp_path: Path) -> None:
    code = f"""
event_id = events.create({PARTY!r}, organizer_id=None).event.event_id
users.create(name="Bob", user_id="bob")
seating.register(event_id, "bob", scope=EVERYTHING)
print(event_id)
"""
    event_id = shell(tmp_path, code).strip()
    assert has_ended(tmp_path)
    printed = shell(tmp_path, f"print(Event.get({event_id!r}).title, Seats.get({event_id!r}).registered)")
    assert printed == "Party 1\n"


def test_it_starts_without_an_engine(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = manage(tmp_path / "file" / "data", "shell", "-v", "0", "-c", "print(User.__name__)")
    assert (ended.returncode, ended.stdout) == (0, "User\n")
    assert "cannot keep its data in" in ended.stderr


def test_nothing_is_imported_if_asked(tmp_path: Path) -> None:
    assert shell(tmp_path, "print('Event' in globals())", "--no-imports") == "False\n"


@pytest.mark.parametrize(
    "code", ['events.read("nosuch", scope=EVERYTHING)', 'Event.get("nosuch")', 'users.read("nosuch")']
)
def test_a_missing_item_is_reported_in_one_sentence(tmp_path: Path, code: str) -> None:
    ended = manage(tmp_path, "shell", "-v", "0", "-c", code)
    assert ended.returncode == 1
    assert ended.stderr.startswith("There is no") and ended.stderr.count("\n") == 1


def test_a_defect_ends_in_a_traceback(tmp_path: Path) -> None:
    assert "Traceback" in manage(tmp_path, "shell", "-v", "0", "-c", "1 / 0").stderr
