"""What this app does when something happens to an event.

Whatever follows a commit is sent robustly: it cannot change the answer of what was committed.
"""

from typing import Any

from django.dispatch import receiver

from events.ledger.models import Seats
from events.models import Event
from events.signals import event_deleted, event_edited, settling_wanted
from eventsite.web import observability
from registrations.seating import clearing, closing
from registrations.signals import seats_changed
from users.signals import user_leaves

METRICS = {
    "registered": "Registrations",
    "waitlisted": "Waitlisted",
    "promoted": "Promotions",
    "cancelled": "Cancellations",
}


@receiver(event_edited)
def count_the_promoted(promoted: int, **_: Any) -> None:
    """Count whom an edit let move up."""
    if promoted:
        observability.count(METRICS["promoted"], promoted)


@receiver(settling_wanted)
def settle(seats: Seats, **_: Any) -> None:
    """Write down everywhere what is committed in the seats of an event that is about to be deleted."""
    clearing.settle_all(seats)


@receiver(event_deleted)
def forget_the_registrations(event_id: str, incarnation: str, event: Event, **_: Any) -> None:
    """Remove what is left of an event that is no more."""
    closing.forget_event(event_id, incarnation, event)


@receiver(user_leaves)
def let_go(user_id: str, **_: Any) -> None:
    """Give up all that a user has, and forget the history, before the user is gone."""
    closing.give_up_everything(user_id)


@receiver(seats_changed)
def count_people(**changes: Any) -> None:
    """Count what became of how many people."""
    for kind, metric in METRICS.items():
        if people := changes.get(kind):
            observability.count(metric, people)
