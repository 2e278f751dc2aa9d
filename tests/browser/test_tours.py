"""The whole service by clicks, in each role, with sign-in and without."""

from typing import Any

from tests.api import Api
from tests.signing_in import As, adam, olivia


def new_event(page: Any, **typed: str) -> None:
    """Fill in the form of a new event."""
    page.get_by_text("New event").first.click()
    fields = {
        "Title": "Spring party",
        "Date": "2083-04-01",
        "Place": "Garden",
        "Seats": "1",
    } | typed
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)


def test_an_open_service(person: Any, api: Api) -> None:
    someone = person()
    page = someone.open("/")
    someone.go("Events")
    new_event(page, Organizer="The garden club")
    someone.click("Publish")
    assert someone.message().startswith("“Spring party” is published. Share it: http://localhost")
    assert someone.heading() == "Spring party"
    event = page.url
    someone.go("People")
    for name in ("Carol", "Dave", "Erin"):
        page.get_by_text("New person").first.click()
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_label("Id", exact=False).last.fill(name.lower())
        someone.click("Create person")
        someone.go("People")
    someone.open(event)
    someone.follow("0 in")
    for name in ("Carol", "Dave", "Erin"):
        page.get_by_label("Add a person").fill(name)
        someone.click("Add")
    assert someone.message() == "Erin is number 2 on the waitlist."
    someone.click("Cancel the registration of Carol")
    assert "Carol gives up the seat. Dave moves up." in page.inner_text("main")
    someone.click("Cancel the registration")
    assert someone.message() == "Carol is not registered any more. Dave has the seat now."
    someone.open(event)
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Seats", exact=True).fill("2")
    someone.click("Save")
    assert someone.message() == "Seats 1 → 2. Erin moved up."
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Seats", exact=True).fill("1")
    someone.click("Save")
    assert "2 people have a seat." in page.inner_text("main")
    someone.click("Set 1 seat")
    assert someone.message() == "Seats 2 → 1."
    page.get_by_text("Edit", exact=True).click()
    someone.click("Delete")
    someone.click("Cancel all registrations and delete it")
    assert someone.message() == "“Spring party” was deleted."


def test_an_attendee_signs_up_and_gives_up_with_one_click_each(signing_in: str, person: Any) -> None:
    organizer = As(olivia().access)
    event = organizer.event(capacity=1)
    attendee = person()
    page = attendee.open(f"/events/{event}")
    attendee.log_in("alice", signing_in)
    assert page.get_by_text("Edit", exact=True).count() == page.get_by_text("Run this event").count() == 0
    attendee.click("Sign up")
    assert attendee.message() == "You have a seat."
    attendee.click("Give up my seat")
    assert attendee.message() == "You have given up your seat."
    organizer.register(event, olivia().sub)
    page.reload()
    attendee.click("Join the waitlist")
    assert "You are number 1 on the waitlist." in page.inner_text("main")
    attendee.go("My registrations")
    assert "Number 1 on the waitlist" in page.inner_text(".events")
    attendee.click("Leave the waitlist: Spring party")
    assert attendee.message() == "You have left the waitlist."
    assert "You have no registrations yet." in page.inner_text("main")
    attendee.go("My profile")
    page.get_by_label("Name", exact=True).fill("Alice Ahmed")
    page.get_by_role("textbox", name="E-mail").fill("alice@example.com")
    attendee.click("Save")
    sentence = "Saved. A mail is on its way: follow its link to confirm the address."
    assert (attendee.message(), attendee.heading()) == (sentence, "Alice Ahmed")
    attendee.click("Log out")
    attendee.page.wait_for_url(f"{attendee.service}/events")
    assert page.get_by_role("link", name="Log in").count() == 1


def test_an_organizer_sees_who_is_coming_and_nobody_elses(signing_in: str, person: Any) -> None:
    others = As(adam().access)
    others.event(eventId="others", title="Somebody else's")
    organizer = person()
    page = organizer.open("/events")
    organizer.log_in("olivia", signing_in)
    new_event(page)
    organizer.click("Publish")
    event = page.url
    for name in ("carol", "dave"):
        others.user(name)
    organizer.follow("0 in")
    for name in ("carol", "dave"):
        page.get_by_label("Add a person").fill(name)
        organizer.click("Add")
    assert organizer.message() == "Dave is number 1 on the waitlist."
    organizer.open(event)
    assert "Next on the waitlist: Dave." in page.inner_text("main")
    organizer.follow("See all people")
    assert "Carol" in page.inner_text("table")
    organizer.go("Events")
    organizer.follow("Mine")
    assert page.get_by_role("link", name="Somebody else's").count() == 0
    organizer.follow("Spring party")
    organizer.click("Cancel event")
    assert "1 person is waiting." in page.inner_text("main")
    assert "2 people will be told." in page.inner_text("main")
    organizer.click("Cancel the event")
    assert organizer.message() == "The event is cancelled; 2 people will be told."
    organizer.open("/events/others")
    assert page.get_by_text("Edit", exact=True).count() == page.get_by_text("Run this event").count() == 0


def test_an_admin_finds_people_and_helps_them(signing_in: str, person: Any) -> None:
    service = As(adam().access)
    event = service.event(capacity=1)
    for name in ("carol", "dave"):
        service.user(name)
    admin = person()
    page = admin.open(f"/events/{event}/registrations")
    admin.log_in("adam", signing_in)
    page.get_by_label("Add a person").fill("Car")
    admin.click("Add")
    admin.click("Add Carol (carol)")
    assert admin.message() == "Carol has a seat."
    page.get_by_label("Find by name or e-mail").fill("car")
    admin.click("Find")
    assert page.locator("tbody tr").count() == 1
    admin.go("People")
    admin.follow("Dave")
    page.get_by_role("textbox", name="E-mail").fill("dave@example.com")
    admin.click("Save")
    assert admin.message() == "Saved."


def test_a_user_of_an_open_service_signs_up_as_an_attendee(person: Any, api: Api) -> None:
    api.user("ada")
    event = api.event()
    someone = person()
    page = someone.open(f"/events/{event}")
    someone.click("Act as an attendee")
    someone.click("Sign up")
    assert someone.message() == "You have a seat."
    someone.go("My registrations")
    assert "Spring party" in page.inner_text("main")
    someone.click("Leave this role")
    assert page.get_by_role("link", name="People").count() == 1
