"""Three roles use what an event is run with, by clicks: the window, questions, co-organizers, check-in, the history."""

import re
from typing import Any

import pytest

from tests.browser.person import Person
from tests.signing_in import As, adam, alice, olivia, oscar

SCHOOL = "/events/school"


@pytest.fixture
def roles(signing_in: str, person: Any) -> dict[str, Person]:
    """An organizer, an attendee and an admin at browsers of their own. Oscar's address is verified."""
    As(adam().access).post("/users", {"userId": oscar().sub, "name": "Oscar", "email": "oscar@example.com"})
    found = {}
    for name in ("olivia", "alice", "adam"):
        found[name] = person()
        found[name].open("/users/me")
        found[name].log_in(name, signing_in)
    return found


def unfold(part: Any, name: str) -> None:
    part.locator("summary", has_text=name).first.click()


def fill(part: Any, **typed: str) -> None:
    """Fill in fields by their labels, in which an underscore is a space."""
    for label, value in typed.items():
        name = label.replace("_", " ")
        optional = part.get_by_label(f"{name} optional", exact=True)
        part.get_by_label(name, exact=True).or_(optional).fill(value)


def make_event(organizer: Person) -> None:
    """Make an unlisted event of several days, whose window is not open yet."""
    page = organizer.go("Events")
    new = page.locator("#new")
    unfold(page, "New event")
    unfold(new, "More")
    fill(new, Title="Summer school", Date="2083-07-01", Place="Hall", Seats="1", Last_day="2083-07-05")
    fill(new, **{"Sign-up opens": "2083-01-01T10:00", "Link name": "school"})
    new.get_by_label("Unlisted").check()
    organizer.click("Publish")
    assert organizer.heading() == "Summer school"


def ask(organizer: Person) -> None:
    """Make a question that has to be answered."""
    page = organizer.open(SCHOOL)
    unfold(page, "Questions at sign-up")
    fill(page, Question_1="Shirt?", **{"Question 1: answers to choose from": "S\nL"})
    page.get_by_label("Question 1: kind of answer", exact=True).select_option("One of several answers")
    page.get_by_label("Question 1 has to be answered", exact=True).check()
    assert organizer.violations() == []
    organizer.click("Save questions")
    assert organizer.message() == "The questions are saved."


def share(organizer: Person) -> None:
    """Name a co-organizer by an e-mail address."""
    page = organizer.open(SCHOOL)
    unfold(page, "Co-organizers")
    fill(page, **{"E-mail of a person": "oscar@example.com"})
    assert organizer.violations() == []
    organizer.press(page.locator("#organizers").get_by_role("button", name="Add", exact=True))
    assert organizer.message() == "Oscar is a co-organizer now."


def open_the_window(organizer: Person) -> None:
    page = organizer.open(SCHOOL)
    page.get_by_text("Edit", exact=True).click()
    unfold(page.locator(".edit"), "More")
    fill(page.locator(".edit"), **{"Sign-up opens": ""})
    organizer.click("Save")


def sign_up(attendee: Person) -> None:
    """Answer the question, get the seat, and make the address of one's calendar."""
    page = attendee.open(SCHOOL)
    attendee.click("Sign up")
    page.get_by_label("Shirt?").select_option("L")
    attendee.click("Sign up")
    assert attendee.message() == "You have a seat."
    attendee.go("My registrations")
    attendee.follow("Subscribe to my events as a calendar")
    attendee.click("Make an address")
    assert re.search(r"/calendars/\w+.*\.ics", page.inner_text("main")) and attendee.violations() == []


def add_oscar(admin: Person) -> None:
    page = admin.open(f"{SCHOOL}/registrations")
    page.get_by_label("Add a person").fill("Oscar")
    admin.click("Add")
    page.get_by_label("Shirt?").select_option("S")
    admin.click("Add")
    assert "Oscar is number 1 on the waitlist." in admin.message()


def let_in(organizer: Person) -> None:
    """Check the attendee in, and make the attendee a co-organizer."""
    organizer.open(f"{SCHOOL}/registrations/{alice().sub}")
    organizer.click("Check in")
    organizer.open(f"{SCHOOL}/registrations/{alice().sub}")
    organizer.click("Make co-organizer")
    assert organizer.message() == "alice is a co-organizer now."


def test_three_roles_run_an_event(roles: dict[str, Person]) -> None:
    organizer, attendee, admin = roles["olivia"], roles["alice"], roles["adam"]
    make_event(organizer)
    ask(organizer)
    share(organizer)
    shown = attendee.open(SCHOOL)
    assert "Opens" in shown.inner_text(".card") and shown.get_by_role("button", name="Sign up").count() == 0
    assert shown.get_by_text("Questions at sign-up").count() == shown.get_by_text("Co-organizers").count() == 0
    open_the_window(organizer)
    sign_up(attendee)
    add_oscar(admin)
    let_in(organizer)
    for person in (organizer, admin):
        person.open(f"{SCHOOL}/registrations")
        person.follow("History and messages")
        assert person.heading() == "History: Summer school"
    found = As(olivia().access).get(SCHOOL).json()
    assert found["checkedInCount"] == 1 and set(found["organizers"]) == {oscar().sub, alice().sub}
