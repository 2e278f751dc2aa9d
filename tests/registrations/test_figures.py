"""Large figures in sentences: with separators, wherever people read them."""

import io
from typing import Any

import pytest
from django.core.management import call_command

from events.browsable import consequences
from events.whole import find_event
from eventsite.pages import growth
from eventsite.text import humanize
from registrations.notices import words
from registrations.notices.mail import messages
from registrations.notices.occasions import WAITING, Occasion
from registrations.transfer.notes import Notes
from tests.api import Api
from tests.pages import Browser
from tests.signing_in import As, adam, alice, olivia
from users.models import User

MANY = 1_000  # people more than there are


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every figure that is written for people be that much larger."""
    monkeypatch.setattr(humanize, "number", lambda count: f"{count + MANY:,}")


@pytest.fixture
def queue(cognito: None, many: None) -> str:
    """The page of an event of Olivia's without seats, on whose waitlist is Alice."""
    event = As(olivia().access).event(capacity=0)
    answer = As(alice().access).post(f"/events/{event}/registrations", {})
    assert answer.json()["message"] == "The event is full. You are number 1,001 on the waitlist."
    return f"/events/{event}"


def test_a_place_on_the_waitlist(queue: str) -> None:
    assert "You are number 1,001 on the waitlist." in Browser(token=alice().access).open(queue).text
    assert "You would be number 1,002 on the waitlist." in Browser(token=adam().access).open(queue).text


def test_the_question_before_a_person_is_removed_from_the_waitlist(queue: str) -> None:
    browser = Browser(token=olivia().access)
    page = browser.open(f"{queue}/registrations")
    form = next(form for form in page.forms if "Cancel the registration of alice" in form.buttons)
    asked = browser.send(form, "Cancel the registration of alice")
    assert "leaves the waitlist (number 1,001)." in asked.text


def test_the_bounds_of_a_number(api: Api) -> None:
    browser = Browser()
    form = browser.open(f"/events/{api.event()}").form("PUT")
    assert browser.send(form, capacity="100001").form("PUT").errors == {"capacity": "Enter 100,000 or less."}


@pytest.mark.parametrize(
    ("before", "sentence"),
    [("1", "Seats 1 → 100,000."), ("1234", "Seats 1,234 → 100,000."), ("x", "Seats x → 100,000.")],
)
def test_the_outcome_of_a_changed_capacity(before: str, sentence: str) -> None:
    assert consequences.outcome_of("capacity", before, {"capacity": 100_000}) == sentence


def test_the_table_of_sign_ups() -> None:
    moments = ["2083-04-01T10:00:00Z"] * 1_234 + ["2083-04-02T10:00:00Z"]
    found: Any = growth.of(moments)
    assert [(step["new"], step["total"]) for step in found["steps"]] == [("1,234", "1,234"), ("1", "1,235")]


def test_the_lines_of_notices() -> None:
    counts = {"registeredCount": 1_234, "capacity": 100_000, "waitlistCount": 0}
    data = counts | {"eventId": "party", "userId": "ada"}
    line = words.line({"time": "2083-04-01T10:00:00Z", "type": "registration.registered", "data": data})
    assert line.endswith("(1,234 of 100,000 seats taken, 0 waiting)")


def test_the_mail_about_a_place_on_the_waitlist(api: Api) -> None:
    event, user = api.event(), api.user()
    api.patch(f"/users/{user}", {"email": "ada@example.com"})
    whole = find_event(event)
    assert whole
    mail = messages.compose(Occasion(WAITING, whole.event, place=1_234), User.get(user), "changed")
    text = mail.get_body(["plain"])
    assert text and "You are number 1,234 on the waitlist." in text.get_content()


def test_what_an_import_noted() -> None:
    notes = Notes()
    for _ in range(1_234):
        notes.add("Ids made", "one")
    assert [*notes.lines(), *notes.lines(2)][:2] == ["Ids made: 1,234, such as: one", "Ids made: 1,234."]


def test_an_event_at_the_prompt(api: Api) -> None:
    out = io.StringIO()
    call_command("show", api.event(capacity=100_000), stdout=out)
    assert "0 of 100,000 taken" in out.getvalue()
