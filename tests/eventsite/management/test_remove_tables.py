"""`manage.py remove_tables`: data goes only when somebody has typed which."""

import io

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from eventsite.dynamodb import tables
from eventsite.dynamodb.base_model import table_models
from users.models import User


def typing(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command prints while somebody types this."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    printed = io.StringIO()
    call_command("remove_tables", stdout=printed)
    return printed.getvalue()


@pytest.mark.parametrize("text", ["", "\n", "yes\n", "y\n", "eventsite-prod-\n"])
def test_anything_but_the_prefix_removes_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    User("alice", name="Alice", created_at="2026-01-01T00:00:00.000000Z").save()
    with pytest.raises(CommandError, match="Nothing was removed"):
        typing(text, monkeypatch)
    assert User.get("alice")


def test_the_prefix_removes_all_tables_even_protected_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in table_models():
        model.delete_table()
    made = tables.create_missing(protect=True)
    printed = typing(f"{settings.TABLE_PREFIX}\n", monkeypatch)
    assert all(f"Removed {name}." in printed for name in made)
    assert not [model for model in table_models() if model.exists()]


def test_where_there_are_no_tables_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for model in table_models():
        model.delete_table()
    with pytest.raises(CommandError, match="There are no tables"):
        typing("", monkeypatch)
