"""Events that are written past the API, for tests that need hundreds of them."""

from typing import Any

from events import services
from events.models import EventItem


def items_of(fields: dict[str, Any], owner: str | None = None) -> list[EventItem]:
    """Return all items of a new event, with its places in private lists."""
    whole = services.compose(fields, owner)
    return [*whole, *whole.event.places.values()]
