"""An organizer reads the history of an event, and writes to its people, by clicks."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from registrations.browsable.wording import hears_of_a_seat
from tests.api import Api
from tests.pages import Browser
from tests.registrations.notices.carrying import Carried
from users.models import User


@pytest.fixture
def party(api: Api, carried: Carried) -> str:
    """An event that Alice is signed up for, whose history is written."""
    api.post("/users", {"userId": "alice", "name": "Alice Adams", "email": "alice@example.com"})
    event = api.event(eventId="party")
    api.register(event, "alice")
    carried.publish()
    return event


def test_an_organizer_reads_what_happened(party: str) -> None:
    browser = Browser()
    page = browser.follow(browser.open("/events/party/registrations"), "History and messages")
    assert page.title.startswith("History: Spring party")
    for words in ("Alice Adams", "Got a seat", "Got a mail", "The event was created"):
        assert words in page.text


def test_the_history_is_in_the_words_of_the_pages(api: Api, carried: Carried) -> None:
    event = api.event()
    assert "Nothing is recorded yet." in Browser().open(f"/events/{event}/history").text
    api.post("/users", {"userId": "alice", "name": "Alice", "email": "alice@example.com"})
    api.register(event, "alice")
    api.patch(f"/events/{event}", {"location": "Hall", "endDate": "2083-04-02", "questions": []})
    api.patch(f"/events/{event}", {"status": "cancelled"})
    carried.publish()
    page = Browser().open(f"/events/{event}/history")
    assert "Last day" in page.text and "Place" in page.text and "endDate" not in page.text
    assert '<td class="soft">cancelled</td>' in page.html and '<td class="soft">off</td>' not in page.html


def test_an_organizer_writes_to_people(party: str, carried: Carried) -> None:
    browser = Browser()
    page = browser.follow(browser.open("/events/party"), "Message")
    page = browser.send(page.form("POST"), subject="Tea", text="There is tea.\r\nBring a cup.", to="everybody")
    assert page.messages == ["The message is on its way."]
    (mail,) = carried.publish([])
    assert mail["Subject"] == "Tea"


def test_a_form_that_is_sent_again_mails_nobody_again(party: str, carried: Carried) -> None:
    browser = Browser()
    form = browser.follow(browser.open("/events/party"), "Message").form("POST")
    for _ in range(3):
        assert browser.send(form, subject="Tea", text="There is tea.", to="everybody").messages
    assert len(carried.publish([])) == 1


def test_a_message_that_cannot_be_sent_comes_back_with_what_was_typed(party: str, carried: Carried) -> None:
    browser = Browser()
    page = browser.send(
        browser.open("/events/party/history").form("POST"), subject="", text="There is tea.", to="everybody"
    )
    assert page.status == 422 and page.form("POST").fields["text"] == "There is tea."
    page = browser.send(page.form("POST"), subject="Tea")
    assert page.messages == ["The message is on its way."]


def test_without_mail_there_is_no_form(party: str, settings: Settings) -> None:
    settings.MAIL_FROM = ""
    assert "Write to people" not in Browser().open("/events/party/history").text
    assert "Message" not in Browser().open("/events/party").links


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"email": "a@example.org", "email_verified": True}, "We will e-mail you when you get a seat."),
        ({"email": "a@example.org"}, "Confirm your e-mail address, and we will e-mail you"),
        ({"email": "a@example.org", "email_verified": True, "notify": False}, "with notifications on"),
        ({"email": "a@example.org", "email_verified": True, "email_problem": "bounced"}, "Enter an e-mail address"),
        ({}, "Enter an e-mail address on your profile"),
    ],
    ids=str,
)
def test_joining_the_queue_explains_how_one_hears_of_a_seat(
    api: Api, settings: Settings, known: dict[str, Any], sentence: str
) -> None:
    api.user("alice")
    User("alice").update([getattr(User, name).set(value) for name, value in ({"notify": True} | known).items()])
    settings.AUTH_MODE = "cognito"
    assert sentence in hears_of_a_seat("alice")
    settings.MAIL_FROM = ""
    assert hears_of_a_seat("alice") == "Look at this page again to see when you have a seat."
