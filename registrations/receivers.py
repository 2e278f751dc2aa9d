"""What this app does for events and users: it executes their commands, and receives their signals.

Signals after a commit are sent robustly: a failing receiver cannot change the answer of a committed request.
"""

from typing import Any

from django.dispatch import receiver

import events.commands
import users.commands
from events.listing import organized_by
from events.models import Event
from events.signals import event_deleted, event_edited
from eventsite.dynamodb.steps import Steps
from eventsite.web import observability
from registrations import seating
from registrations.signals import seats_changed
from users.models import User
from users.signals import address_entered

events.commands.drain.is_done_by(seating.drain)

METRICS = {
    "registered": "Registrations",
    "waitlisted": "Waitlisted",
    "promoted": "Promotions",
    "cancelled": "Cancellations",
}


@receiver(event_deleted)
def forget_the_registrations(event_id: str, incarnation: str, event: Event, *, was_used: bool, **_: Any) -> None:
    """Delete what a removed event leaves behind. One that no user has ever joined leaves nothing."""
    if was_used:
        seating.forget_event(event_id, incarnation, event)


def let_go(user_id: str, by: str | None) -> Steps[bool]:
    """Delete every registration of a deleted user, and forget the history."""
    registered = yield from seating.forget_user(user_id, by=by)
    if places := registered + organized_by(user_id):
        from registrations.notices import history  # few requests delete a person

        history.forget_person(user_id, places)
    return bool(registered)


users.commands.give_up.is_done_by(seating.give_up_all)
users.commands.let_go.is_done_by(let_go)


@receiver(address_entered)
def ask_to_confirm(user: User, **_: Any) -> None:
    from registrations.notices.mail import confirmations  # few requests enter an address

    confirmations.ask(user)


@receiver([event_edited, seats_changed])
def count_people(**changes: Any) -> None:
    for kind, metric in METRICS.items():
        if people := changes.get(kind):
            observability.count(metric, people)
