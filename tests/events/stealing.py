"""Making an event change hands at the worst moment."""

from types import ModuleType
from typing import Any

import pytest

from events import editing
from events.editing import check_access
from events.models import Event, EventItem, Seats
from tests.api import EVENT

THIEF = "oscar"
FIELDS = {name: EVENT[name] for name in ("title", "description", "date", "location", "organizer", "status")}


def make(owner: str, capacity: int) -> str:
    """Create an event with a waitlist."""
    fields = FIELDS | {"event_id": "party", "capacity": capacity, "waitlist_enabled": True}
    return str(editing.create(fields, organizer_id=owner).event.event_id)


def steal_after_the_look(monkeypatch: pytest.MonkeyPatch, module: ModuleType, event_id: str) -> None:
    """Once `module` has seen whose an event is, make it another organizer's, of the same version."""

    def look_and_steal(*args: Any, **options: Any) -> None:
        check_access(*args, **options)
        for half in (Event, Seats):
            half.key(event_id).update(actions=[EventItem.organizer_id.set(THIEF)])

    monkeypatch.setattr(module, "check_access", look_and_steal)
