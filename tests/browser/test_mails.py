"""Mails as a browser shows them: nothing wrong in light and dark, on a phone and on a desk."""

from typing import Any

from events.models import Event
from registrations.notices.mail import messages
from registrations.notices.occasions import DELETED, MOVED, OFF, ON_AGAIN, PROMOTED, Occasion
from tests.browser.test_for_everybody import look
from tests.registrations.notices.carrying import html
from users.models import User

EVENT = Event(
    "party",
    Event.ITEM,
    title="A party with a name that is much longer than any telephone is wide: " + "Donaudampfschifffahrt" * 4,
    date="2083-04-01",
    start_time="19:00",
    end_time="22:00",
    time_zone="America/Argentina/ComodRivadavia",
    location="The hall behind the garden",
    organizer="The garden club",
    description="Cake.",
    status="published",
    version=1,
    created_at="2026-11-21T12:00:00.000000Z",
    updated_at="2026-11-21T12:00:00.000000Z",
)
ALICE = User("alice", name="Alice", email="alice@example.com")
BEFORE = {"date": "2083-03-31", "location": "The garden"}


@look
def test_every_mail(person: Any, scheme: str, width: int) -> None:
    someone = person(width=width, color_scheme=scheme)
    found = []
    for kind in (PROMOTED, OFF, DELETED, ON_AGAIN, MOVED):
        letter = messages.compose(Occasion(kind, EVENT, BEFORE if kind == MOVED else {}), ALICE, "1")
        someone.page.set_content(html(letter))
        found += [f"{kind}: {fault}" for fault in someone.faults()]
    assert found == []
