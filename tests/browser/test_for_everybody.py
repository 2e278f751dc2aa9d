"""The pages are for everybody: axe-core finds nothing, they fit a phone, and the keyboard is enough."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api import EVENT, Api
from tests.browser.conftest import make_season
from tests.browser.person import WIDTHS
from tests.signing_in import As, adam, alice, olivia

PAGES = {
    "open": [
        "/",
        "/health",
        "/events?copy=party",
        "/events?status=draft,completed,cancelled",
        "/events/party",
        "/events/talk",
        "/events/party/registrations",
        "/events/party/registrations?print=yes&sort=name",
        "/events/party/registrations?q=dav",
        "/events/party/registrations?status=cancelled",
        "/events/party/waitlist",
        "/events/party/history",
        "/events/party/registrations/dave",
        "/users",
        "/users?q=nobody",
        "/users/dave",
        "/users/dave/registrations",
        "/events/nothing",
        "/events?limit=0",
    ],
    "acting": ["/events/party", "/users/me", "/users/me/registrations"],
    "": [
        "/events",
        "/events?q=nothing&when=week",
        "/events?when=past",
        "/events/party",
        "/events/cinema",
        "/events/market",
        "/events/later",
        "/events/weekend",
        "/events/closed",
        "/users/me",
        "/no/such/page",
    ],
    "alice": [
        "/events",
        "/events/weekend",
        "/events/party",
        "/events/weekend/registrations/me",
        "/events/party/registrations/me",
        "/users/me",
        "/users/me/registrations",
        "/users/me/waitlists",
        "/users/me/registrations?status=cancelled",
        "/users",
    ],
    "olivia": [
        "/events",
        "/events/weekend",
        "/events/weekend/registrations",
        "/events/weekend/registrations?print=yes&sort=name",
        "/events/weekend/history",
        "/events/later",
        "/events/sketch",
    ],
    "adam": ["/users", "/users/dave", "/users/dave/registrations", "/events/weekend"],
}
"""The pages of each role: of an open service, of a visitor, and of a user who is signed in."""
OF_PARTY = ("", "/registrations", "/registrations?print=yes", "/waitlist", "/history", "/registrations/ann")
LISTS_OF_PARTY = [f"/events/party{path}" for path in OF_PARTY]
LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]
look = pytest.mark.parametrize(("scheme", "width"), LOOKS)


def unfold(page: Any) -> None:
    """Open everything that is folded."""
    page.evaluate("for (const one of document.querySelectorAll('details:not(.json)')) one.open = true")


def make_events(organizer: Api) -> None:
    """Make events in the states that the season leaves out."""
    today = datetime.now(UTC)
    days = [f"{today + timedelta(days=ahead):%Y-%m-%d}" for ahead in (-1, 2)]
    question = {"questionId": "food", "label": "What do you eat?", "kind": "text", "required": False}
    organizer.event(eventId="weekend", date=days[0], endDate=days[1], capacity=9, questions=[question])
    organizer.event(eventId="later", registrationOpensAt=f"{today + timedelta(days=5):%Y-%m-%dT%H:%M:%SZ}")
    organizer.event(eventId="closed", registrationClosesAt="2026-01-01T00:00:00Z")
    organizer.event(eventId="sketch", status="draft")


def test_every_page_of_an_open_service(person: Any, api: Api) -> None:
    make_season(api)
    make_events(api)
    someone = person()
    found = look_at(someone, PAGES["open"])
    someone.open("/events")
    someone.click("Act as an attendee")
    someone.page.get_by_text("You act as").wait_for()
    found += look_at(someone, PAGES["acting"])
    assert not found, "\n".join(found)


def look_at(someone: Any, paths: list[str]) -> list[str]:
    """Return the faults of pages, with everything unfolded."""
    found = []
    for path in paths:
        someone.open(path)
        unfold(someone.page)
        found += someone.faults_in_all_looks()
    return found


def test_every_page_of_a_form_that_is_not_done(person: Any, api: Api) -> None:
    make_season(api)
    someone = person()
    page, found = someone.open("/events"), []
    page.get_by_text("New event").first.click()
    someone.click("Publish")
    found += someone.faults_in_all_looks()
    for path, act in CUT_SHORT.items():
        someone.open(path)
        unfold(page)
        act(someone, api)
        found += someone.faults_in_all_looks()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("role", ["", "alice", "olivia", "adam"])
def test_every_page_of_a_role(signing_in: str, person: Any, role: str) -> None:
    make_season(As(adam().access))
    make_events(As(olivia().access))
    for event in ("party", "weekend"):
        As(alice().access).post(f"/events/{event}/registrations", {})
    As(adam().access).post("/events/weekend/registrations", {"userId": "dave", "answers": {"food": "Soup"}})
    someone = person()
    if role:
        someone.open("/events")
        someone.log_in(role, signing_in)
    found = look_at(someone, PAGES[role])
    assert not found, "\n".join(found)


def _lower(someone: Any, api: Api) -> None:
    someone.page.get_by_label("Seats", exact=True).fill("0")
    someone.click("Save")
    assert "2 people have a seat." in someone.page.inner_text("main")


def _too_late(someone: Any, api: Api) -> None:
    api.patch("/events/cinema", {"title": "Cinema"})
    someone.page.get_by_label("Title", exact=True).fill("Films")
    someone.click("Save")
    assert someone.heading() == "This was changed meanwhile"


def _nobody(someone: Any, api: Api) -> None:
    someone.page.get_by_label("Add a person").fill("Dav")
    someone.click("Add")
    assert "Do you mean" in someone.page.inner_text("main")


CUT_SHORT: dict[str, Callable[[Any, Api], None]] = {
    "/events/party": _lower,
    "/events/cinema": _too_late,
    "/events/party/registrations": _nobody,
}


TARGETS = """() => [
    ...document.querySelectorAll("button, .button, header a, .tabs a, .chips a, summary, [type=search]")
].filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 44).map(one => one.textContent.trim())"""
"""The buttons, entries and fields that are lower than 44 pixels."""


def test_a_thumb_hits_what_it_means(person: Any, api: Api) -> None:
    make_season(api)
    someone = person(width=390)
    for path in ("/events", "/events/party", "/events/party/registrations", "/users/dave", "/users/dave/registrations"):
        page = someone.open(path)
        assert page.evaluate(TARGETS) == [], path
    someone.click("Act as an attendee")
    someone.page.get_by_text("You act as").wait_for()
    assert someone.open("/events/party").evaluate(TARGETS) == []


@pytest.mark.parametrize("path", ["/events", "/events/party", "/events/party/registrations"])
def test_nothing_is_lost_when_everything_is_twice_as_large(person: Any, api: Api, path: str) -> None:
    """A window of 640 pixels is one of 1,280 at 200 %. The text alone may be that large as well."""
    make_season(api)
    someone = person(width=640)
    someone.open(path)
    unfold(someone.page)
    assert not someone.overflows()
    someone.page.add_style_tag  # noqa: B018 (the policy forbids it: the size is set on the element)
    someone.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert not someone.overflows()


def test_the_keyboard_is_enough(person: Any, api: Api) -> None:
    api.event(eventId="party")
    someone = person()
    page = someone.open("/events")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "New event":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type("04012027")
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-invalid]")
    assert page.get_by_label("Title", exact=True).input_value() == "By keyboard"


def test_the_first_wrong_field_has_the_focus(person: Any) -> None:
    someone = person()
    page = someone.open("/events")
    page.get_by_text("New event").first.click()
    page.get_by_label("Title", exact=True).fill("Spring party")
    someone.click("Publish")
    assert page.evaluate("document.activeElement.name") == "date"
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')").split()
    assert page.locator(f"#{described[0]}").inner_text() == "Choose a date."


def test_it_works_without_scripts(person: Any, api: Api) -> None:
    someone = person(java_script_enabled=False)
    page = someone.open("/events")
    page.get_by_text("New event").first.click()
    for label, value in (("Title", "Quiet party"), ("Date", "2083-04-01"), ("Seats", "5")):
        page.get_by_label(label, exact=True).fill(value)
    someone.click("Publish")
    for label, value in (("Place", "Garden"), ("Organizer", "Us")):
        page.get_by_label(label, exact=True).fill(value)
    someone.click("Publish")
    assert someone.message().startswith("“Quiet party” is published.")
    assert someone.page.get_by_role("link", name="This page as programs see it").count() == 0


def test_a_double_click_makes_one_event(person: Any, api: Api) -> None:
    someone = person()
    page = someone.open("/events")
    page.get_by_text("New event").first.click()
    texts = {"Title": "title", "Place": "location", "Organizer": "organizer"}
    for label, name in texts.items():
        page.get_by_label(label, exact=True).fill(EVENT[name])
    page.get_by_label("Date", exact=True).fill("2083-04-01")
    page.get_by_label("Seats", exact=True).fill("5")
    page.get_by_role("button", name="Publish").dblclick()
    page.wait_for_url(re.compile("/events/."))
    assert len(api.get("/events").json()) == 1


def test_json_is_fetched_when_it_is_opened(person: Any, api: Api) -> None:
    api.event(eventId="party")
    someone = person()
    page = someone.open("/events/party")
    assert page.locator("pre").count() == 0
    page.get_by_text("JSON", exact=True).click()
    page.wait_for_selector("pre:not(:empty)")
    assert '"eventId": "party"' in page.inner_text("pre")


def test_a_page_of_a_hundred_events_is_light(person: Any, api: Api) -> None:
    for number in range(100):
        api.event(title=f"An event with a title of a usual length {number}", date=f"2083-04-{number % 28 + 1:02}")
    someone = person()
    page = someone.open("/events")
    assert page.locator(".events li").count() == 100
    assert page.evaluate("document.querySelectorAll('*').length") <= 2500
    nodes = "n => { let c = 0; const w = document.createTreeWalker(document); while (w.nextNode()) c++; return c }"
    assert page.evaluate(nodes, None) <= 2500


def test_what_was_typed_outlives_the_session(signing_in: str, person: Any) -> None:
    event = As(adam().access).event(eventId="party")
    admin = person()
    page = admin.open(f"/events/{event}")
    admin.log_in("adam", signing_in)
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Title", exact=True).fill("Typed with care")
    admin.lose_session()
    admin.click("Save")
    assert page.get_by_label("Title", exact=True).input_value() == "Typed with care"
    admin.press(page.get_by_role("main").get_by_role("link", name="Log in"))
    admin.fill_in_if_asked("adam", signing_in)
    page.wait_for_selector("[role=status]")
    assert page.get_by_label("Title", exact=True).input_value() == "Typed with care"
    admin.click("Save")
    assert admin.message() == "Saved: Title."


def test_texts_without_a_space_fit_at_every_width(person: Any, api: Api) -> None:
    question = {"questionId": "food", "label": "W" * 200, "kind": "text"}
    texts = {"title": "T" * 200, "organizer": "O" * 200, "location": "L" * 200, "description": "D" * 2000}
    api.event(eventId="party", capacity=1, questions=[question], **texts)
    for user in ("ann", "ben"):
        api.post("/users", {"userId": user, "name": user * 66, "email": f"{user}@{'long' * 15}.example.com"})
        api.post("/events/party/registrations", {"userId": user, "answers": {"food": "A" * 1000}})
    someone, wide = person(), []
    for path in (*LISTS_OF_PARTY, "/events", "/users", "/users/ann", "/users/ann/registrations"):
        someone.open(path)
        unfold(someone.page)
        for width in (320, 390, 768, 1024, 1280):
            someone.page.set_viewport_size({"width": width, "height": 900})
            wide += [f"{path} at {width}"] if someone.overflows() else []
    assert wide == []


@pytest.mark.parametrize("path", ["/events", "/events/party", "/users/me"])
def test_a_long_name_of_the_user_leaves_the_log_out_in_sight(
    signing_in: str, person: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    As(olivia().access).event(eventId="party")
    monkeypatch.setattr("eventsite.auth.tokens._name", lambda _: "Wolfeschlegelsteinhausenbergerdorff" * 4)
    organizer = person()
    page = organizer.open("/events")
    organizer.log_in("olivia", signing_in)
    organizer.open(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not organizer.overflows()
        box = page.get_by_role("button", name="Log out").bounding_box()
        assert box["x"] + box["width"] <= width
