"""What this app does when something happens to an event."""

from typing import Any

from django.dispatch import receiver

from events.signals import event_deleted, seats_freed
from eventsite.web import observability
from registrations import seating
from registrations.signals import seats_changed

METRICS = {
    "registered": "Registrations",
    "waitlisted": "Waitlisted",
    "promoted": "Promotions",
    "cancelled": "Cancellations",
}


@receiver(seats_freed)
def let_the_queue_move(event_id: str, **_: Any) -> None:
    """Promote as many as fit, before the edit that freed the seats is answered (CONTRACT, rule 5)."""
    seating.fill(event_id)


@receiver(event_deleted)
def forget_the_history(event_id: str, at: str, **_: Any) -> None:
    """Remove the cancelled registrations of an event that is no more."""
    seating.forget_cancelled(event_id, at)


@receiver(seats_changed)
def count_people(**changes: Any) -> None:
    """Count what became of how many people."""
    for kind, metric in METRICS.items():
        if people := changes.get(kind):
            observability.count(metric, people)
