"""Faults that people met on the pages, each shown as they met it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventsite import clock
from tests.api import Api
from tests.signing_in import As, adam, alice, olivia


@pytest.fixture
def party(signing_in: str) -> str:
    """An event of Olivia's, with one seat and a waitlist."""
    return As(olivia().access).event(eventId="party", capacity=1)


@pytest.fixture
def attendee(signing_in: str, party: str, person: Any) -> Any:
    """Alice, logged in, on the page of the event."""
    someone = person()
    someone.open(f"/events/{party}")
    someone.log_in("alice", signing_in)
    return someone


def close(organizer: As) -> str:
    organizer.patch("/events/party", {"status": "completed"})
    return "Sign-up is closed."


def fill_up(organizer: As) -> str:
    organizer.patch("/events/party", {"waitlistEnabled": False})
    organizer.post("/events/party/registrations", {})
    return "This event is full, and there is no waitlist."


def sign_up_in_another_tab(_: As) -> str:
    As(alice().access).post("/events/party/registrations", {})
    return "You are already signed up."


@pytest.mark.parametrize("meanwhile", [close, fill_up, sign_up_in_another_tab])
def test_a_refused_sign_up_leads_back_to_the_event(attendee: Any, meanwhile: Any) -> None:
    sentence = meanwhile(As(olivia().access))
    attendee.click("Sign up")
    assert attendee.message() == sentence
    assert attendee.page.url.endswith("/events/party")
    assert attendee.page.get_by_label("Add a person").count() == 0


def test_a_sign_up_after_the_session_is_over_goes_on_after_the_login(attendee: Any, signing_in: str) -> None:
    attendee.lose_session()
    attendee.click("Sign up")
    attendee.fill_in_if_asked("alice", signing_in)
    assert attendee.page.url.endswith("/events/party")
    attendee.click("Sign up")
    assert attendee.message() == "You have a seat."


def test_a_session_that_is_over_is_renewed_and_nobody_notices(attendee: Any) -> None:
    attendee.context.clear_cookies(name="sessionid")
    attendee.click("Sign up")
    assert attendee.message() == "You have a seat."


def test_an_empty_add_registers_nobody(signing_in: str, party: str, person: Any) -> None:
    organizer = person()
    page = organizer.open("/events/party/registrations")
    organizer.log_in("olivia", signing_in)
    organizer.click("Add")
    assert page.locator(".error").inner_text() == "Enter an e-mail address."
    assert As(olivia().access).get("/events/party/registrations").json() == []


LINES = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size;
}"""


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_names_dates_and_seats_take_few_lines(person: Any, api: Api, width: int) -> None:
    event = api.event(title="Donaudampfschifffahrt" * 9, location="W" * 150, capacity=10)
    for name in ("Bartholomew Featherstonehaugh", "Ada"):
        user = api.post("/users", {"name": name, "email": f"{name.split()[0].lower()}@example.com"}).json()["userId"]
        api.register(event, user)
    someone = person(width=width)
    page = someone.open(f"/events/{event}/registrations")
    assert [page.locator("tbody th").nth(row).evaluate(LINES) for row in (0, 1)] <= [2, 1]
    assert all(cell.evaluate(LINES) == 1 for cell in page.locator("td.date-time:not(:empty)").all())
    assert all(button.bounding_box()["height"] >= 36 for button in page.locator("tbody button").all())
    page = someone.open("/events")
    assert page.locator(".events .room").first.evaluate(LINES) == 1
    assert page.locator(".events .place time").first.evaluate(LINES) <= 2
    assert not someone.overflows()


def test_an_event_is_upcoming_until_it_ends_in_its_own_zone(person: Any, api: Api, monkeypatch: Any) -> None:
    api.event(eventId="la", date="2083-04-01", startTime="19:00", endTime="21:00", timeZone="America/Los_Angeles")
    monkeypatch.setattr(clock, "now", lambda: "2083-04-02T01:00:00.000000Z")
    someone = person()
    page = someone.open("/events")
    assert page.get_by_role("link", name="Spring party").count() == 1
    someone.follow("Spring party")
    assert "2 seats left" in page.inner_text("main")
    monkeypatch.setattr(clock, "now", lambda: "2083-04-02T05:00:00.000000Z")
    page = someone.open("/events")
    assert page.get_by_role("link", name="Spring party").count() == 0
    someone.follow("Past")
    assert page.get_by_role("link", name="Spring party").count() == 1


def test_a_long_description_with_line_breaks_is_taken_whole(person: Any, api: Api) -> None:
    text = ("x" * 99 + "\n") * 20
    api.event(eventId="party")
    someone = person()
    page = someone.open("/events/party")
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Description").fill(text)
    someone.click("Save")
    assert someone.message() == "Saved: Description."
    assert api.get("/events/party").json()["description"] == text


def test_giving_up_a_seat_that_others_wait_for_asks_first(attendee: Any) -> None:
    attendee.click("Sign up")
    As(olivia().access).post("/events/party/registrations", {})
    attendee.page.reload()
    attendee.click("Give up my seat")
    asked = attendee.page.inner_text("main")
    assert "you will be number 1 on the waitlist" in asked
    attendee.follow("No, go back")
    assert "You have a seat." in attendee.page.inner_text("main")
    attendee.click("Give up my seat")
    attendee.click("Give up my seat")
    assert attendee.message() == "You have given up your seat."


def test_no_go_back_shows_the_form_as_typed(person: Any, api: Api) -> None:
    api.event(eventId="party")
    api.register("party", api.user("alice"))
    someone = person()
    page = someone.open("/events/party")
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Title", exact=True).fill("Typed with care")
    page.get_by_label("Seats", exact=True).fill("0")
    someone.click("Save")
    someone.click("No, go back")
    assert page.get_by_label("Title", exact=True).input_value() == "Typed with care"
    page.get_by_label("Seats", exact=True).fill("5")
    someone.click("Save")
    assert api.get("/events/party").json()["title"] == "Typed with care"


def test_the_log_in_of_the_header_keeps_the_form(signing_in: str, party: str, person: Any) -> None:
    organizer = person()
    page = organizer.open("/events/party")
    organizer.log_in("olivia", signing_in)
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Title", exact=True).fill("Typed with care")
    organizer.lose_session()
    organizer.click("Save")
    organizer.go("Log in")
    organizer.fill_in_if_asked("olivia", signing_in)
    page.wait_for_selector("[role=status]")
    assert page.get_by_label("Title", exact=True).input_value() == "Typed with care"


@pytest.mark.parametrize(
    ("section", "field", "button"),
    [("questions", "questions.0.label", "Save questions"), ("organizers", "organizers.typed", "Add")],
)
def test_what_was_typed_comes_back_to_its_own_form(
    signing_in: str, party: str, person: Any, section: str, field: str, button: str
) -> None:
    """Several forms of the page send the same method to the same address."""
    organizer = person()
    page = organizer.open("/events/party")
    organizer.log_in("olivia", signing_in)
    page.locator(f"#{section} summary").click()
    page.locator(f"[name='{field}']").fill("Typed with care")
    organizer.lose_session()
    organizer.click(button)
    organizer.press(page.get_by_role("main").get_by_role("link", name="Log in"))
    organizer.fill_in_if_asked("olivia", signing_in)
    page.wait_for_selector("[role=status]")
    assert page.locator(f"[name='{field}']").input_value() == "Typed with care"
    assert page.locator(f"#{section} [role=status]").is_visible()


def test_what_was_typed_outlives_the_session_without_scripts(signing_in: str, party: str, person: Any) -> None:
    organizer = person(java_script_enabled=False)
    page = organizer.open("/events/party")
    organizer.log_in("olivia", signing_in)
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Title", exact=True).fill("Typed with care")
    organizer.lose_session()
    organizer.click("Save")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="log in on a new tab").click()
    tab = opened.value
    tab.locator("input[name=username]").fill("olivia")
    tab.locator("input[name=password]").fill(signing_in)
    tab.locator("[type=submit]").first.click()
    tab.wait_for_url("**/events/party")
    organizer.click("Save")
    assert "You logged in as olivia after this page was opened." in page.inner_text("main")
    organizer.click("Save")
    assert organizer.message() == "Saved: Title."


def test_switching_the_waitlist_off_is_reported_as_that(person: Any, api: Api) -> None:
    api.event(eventId="party", capacity=0)
    api.register("party", api.user("alice"))
    someone = person()
    page = someone.open("/events/party")
    page.get_by_text("Edit", exact=True).click()
    page.locator("details.more summary").click()
    page.get_by_label("Waitlist").uncheck()
    someone.click("Save")
    assert someone.message() == "The waitlist is off; the 1 person in it stays."


def test_deleting_ones_account_signs_out_and_the_account_stays_away(attendee: Any) -> None:
    attendee.go("My profile")
    attendee.click("Delete my account")
    attendee.click("Delete my account")
    assert attendee.message() == "Your account is deleted."
    assert attendee.page.get_by_role("link", name="Log in").count() == 1
    attendee.go("Events")
    assert As(adam().access).get(f"/users/{alice().sub}").status_code == 404


def test_an_admin_does_not_give_up_seats_of_others(signing_in: str, party: str, person: Any) -> None:
    As(alice().access).post("/events/party/registrations", {})
    admin = person()
    page = admin.open(f"/users/{alice().sub}/registrations")
    admin.log_in("adam", signing_in)
    assert page.get_by_role("button", name=re.compile("Cancel the registration")).count() == 1
    assert page.get_by_text("Give up my seat").count() == 0


def test_my_registration_names_the_event_and_its_date(attendee: Any) -> None:
    attendee.click("Sign up")
    page = attendee.open("/events/party/registrations/me")
    shown = page.inner_text("main")
    assert "Spring party" in shown and "Thu 1 Apr 2083" in shown


def test_a_cancelled_event_gives_nobody_a_seat(attendee: Any) -> None:
    attendee.click("Sign up")
    As(olivia().access).patch("/events/party", {"status": "cancelled"})
    attendee.page.reload()
    shown = attendee.page.inner_text("main")
    assert "This event is cancelled." in shown and "You have a seat." not in shown


def test_a_registration_leads_an_organizer_to_no_page_that_is_not_there(
    signing_in: str, party: str, person: Any
) -> None:
    As(alice().access).post("/events/party/registrations", {})
    organizer = person()
    page = organizer.open(f"/events/party/registrations/{alice().sub}")
    organizer.log_in("olivia", signing_in)
    links = page.locator("main a").all()
    paths = [link.get_attribute("href") for link in links]
    assert not [path for path in paths if path and path.startswith("/users/")]


@pytest.mark.parametrize(("label", "value"), [("Date", "2083-05-01"), ("Place", "Hall")])
def test_moving_an_event_with_people_asks_first(person: Any, api: Api, label: str, value: str) -> None:
    api.event(eventId="party")
    api.register("party", api.user("alice"))
    someone = person()
    page = someone.open("/events/party")
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label(label, exact=True).fill(value)
    someone.click("Save")
    assert "1 person will be told." in page.inner_text("main")
    someone.click("Save and tell them")
    assert someone.message() == f"Saved: {label}."


@pytest.mark.parametrize("typed", ["can", "Can ", "CANDICE@"])
def test_typing_a_name_narrows_to_people_and_copies_their_addresses(person: Any, api: Api, typed: str) -> None:
    """The buttons of every row have the letters of Candice, too."""
    event = api.event(capacity=3)
    for name in ("Candice", "Dave", "Erin"):
        api.post("/users", {"userId": name, "name": name, "email": f"{name.lower()}@example.org"})
        api.register(event, name)
    someone = person()
    someone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = someone.open(f"/events/{event}/registrations")
    page.get_by_label("Find by name or e-mail").press_sequentially(typed)
    assert page.locator(".people tbody th").evaluate_all("all => all.filter(one => one.checkVisibility()).length") == 1
    someone.click("Copy addresses")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "candice@example.org"


def test_find_keeps_its_tab_and_shows_exact_matches_first(person: Any, api: Api) -> None:
    event = api.event(capacity=2)
    for name in ("Anna Annason", "Bo", "Anna", "Annabel", "Hanna"):
        user = api.post("/users", {"name": name, "email": f"{name.split()[0].lower()}@example.com"}).json()["userId"]
        api.register(event, user)
    someone = person()
    page = someone.open(f"/events/{event}/registrations?status=waitlisted")
    page.get_by_label("Find by name or e-mail").fill("anna")
    someone.click("Find")
    assert page.locator("tbody th").all_inner_texts() == ["Anna", "Annabel", "Hanna"]
    assert page.locator('.tabs a[aria-current="page"]').inner_text() == "Waiting"
    page.get_by_label("Find by name or e-mail").fill("annabel@")
    someone.click("Find")
    assert page.locator("tbody th").all_inner_texts() == ["Annabel"]


def test_the_window_is_counted_down_without_a_script(person: Any, api: Api) -> None:
    opens = datetime.now(UTC) + timedelta(days=5, hours=1)
    api.event(eventId="party", registrationOpensAt=opens.isoformat())
    someone = person(java_script_enabled=False)
    page = someone.open("/events/party")
    assert re.search(r"Opens \w{3} \d+ \w{3}( \d{4})?, \d\d:\d\d UTC \(in 5 days\)", page.inner_text(".card"))
    assert page.get_by_role("button", name="Sign up").count() == 0


def test_questions_are_answered_at_sign_up(attendee: Any) -> None:
    questions = [
        {"questionId": "diet", "label": "Do you eat meat?", "kind": "yesNo", "required": True},
        {"questionId": "note", "label": "Anything else?", "kind": "text", "required": False},
    ]
    As(olivia().access).patch("/events/party", {"questions": questions})
    attendee.page.reload()
    attendee.click("Sign up")
    assert attendee.page.locator(".error").inner_text() == "Please answer this question."
    attendee.page.get_by_label("Do you eat meat?").select_option("No")
    attendee.click("Sign up")
    assert attendee.message() == "You have a seat."
    found = As(alice().access).get("/events/party/registrations/me").json()
    assert found["answers"] == {"diet": False}


def test_people_are_checked_in_at_the_door_and_out_again(person: Any, api: Api) -> None:
    event = api.event()
    for name in ("Dave", "Erin"):
        api.register(event, api.user(name.lower()))
    someone = person(width=390)
    page = someone.open(f"/events/{event}/registrations")
    page.get_by_label("Find by name or e-mail").fill("da")
    assert page.locator("tbody tr:visible").count() == 1
    someone.click("Check in Dave")
    assert someone.message() == "Dave is checked in."
    assert api.get(f"/events/{event}").json()["checkedInCount"] == 1
    someone.click("Undo the check-in of Dave")
    assert someone.message() == "Dave is not checked in any more."
