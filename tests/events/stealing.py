"""Making an event change hands at the worst moment."""

from contextlib import AbstractContextManager

from events import services
from events.models import EventItem
from eventsite.auth.scope import Scope
from tests.api import EVENT
from tests.registrations.interleaving import right_before, right_before_step

THIEF = "oscar"
FIELDS = {name: EVENT[name] for name in ("title", "description", "date", "location", "organizer", "status")}
OLIVIAS = Scope(touches="olivia", drafts_of="olivia")


def make(owner: str, capacity: int) -> str:
    """Create an event with a waitlist."""
    fields = FIELDS | {"event_id": "party", "capacity": capacity, "waitlist_enabled": True}
    return str(services.create(fields, organizer_id=owner).event.event_id)


def stolen_before(write: str, event_id: str, nth: int = 1) -> AbstractContextManager[None]:
    """Right before the nth write of this kind another organizer has an event of the same id and version instead."""

    return right_before(write, lambda: steal(event_id), nth=nth)


def stolen_before_step(step: str, event_id: str) -> AbstractContextManager[None]:
    """Do the same right before the first step of this name."""
    return right_before_step(step, lambda: steal(event_id))


def steal(event_id: str) -> None:
    """Put another organizer's event of the same id and version in the place of one."""
    for item in list(EventItem.query(event_id)):
        item.delete()
    make(THIEF, 2)
