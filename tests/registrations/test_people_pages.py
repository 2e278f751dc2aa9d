"""The pages of an event's people: counts and lists agree, and refusals are explained."""

import html
import re

import pytest

from eventsite import clock
from eventsite.text import humanize
from eventsite.web import pagination
from registrations.browsable import people
from registrations.notices import history
from tests.api import Api, next_page
from tests.pages import Browser, Page
from tests.registrations.notices.streaming import reported
from tests.signing_in import As, adam, alice, olivia, oscar


@pytest.fixture
def party(cognito: None) -> str:
    """An event of Olivia, with Ann (checked in) and Ben in it, and Cat on its waitlist."""
    admin = As(adam().access)
    event = As(olivia().access).event(eventId="party")
    for user in ("ann", "ben", "cat"):
        admin.post("/users", {"userId": user, "name": user.title(), "email": f"{user}@example.com"})
        admin.register(event, user)
    admin.put(f"/events/{event}/registrations/ann/check-in")
    return event


def shown(page: Page) -> list[str]:
    return [name for name in ("Ann", "Ben", "Cat") if name in page.links]


@pytest.mark.parametrize(
    ("count", "people", "range_"),
    [("2 in", ["Ann", "Ben"], "1–2 of 2"), ("1 waiting", ["Cat"], "1–1 of 1"), ("1 checked in", ["Ann"], "1–1 of 1")],
)
def test_a_count_leads_to_the_people_that_it_counts(party: str, count: str, people: list[str], range_: str) -> None:
    browser = Browser(token=olivia().access)
    number, label = count.split(" ", 1)
    event = browser.open("/events/party")
    assert number in event.text
    page = browser.follow(event, label)
    assert shown(page) == people and range_ in page.text


def test_a_search_stays_among_those_who_are_checked_in(party: str) -> None:
    browser = Browser(token=olivia().access)
    page = browser.open("/events/party/registrations?checkedIn=true")
    found = browser.send(next(form for form in page.forms if "q" in form.fields), q="example.com")
    assert shown(found) == ["Ann"] and "1 person matches" in found.text
    assert shown(browser.open("/events/party/registrations?checkedIn=true&print=yes")) == ["Ann"]


def test_a_person_who_left_is_not_checked_in(party: str) -> None:
    As(olivia().access).delete("/events/party/registrations/ann")
    page = Browser(token=olivia().access).open("/events/party/registrations?status=cancelled")
    assert shown(page) == ["Ann"] and page.html.count(">Checked in<") == 1  # the tab
    (cancelled,) = As(olivia().access).get("/events/party/registrations?status=cancelled").json()
    assert humanize.moment(cancelled["cancelledAt"]) in page.text
    page = Browser(token=olivia().access).open("/events/party/registrations/ann")
    assert ">Cancelled<" in page.html


def add(token: str, typed: str, event: str = "party") -> Page:
    browser = Browser(token=token)
    page = browser.open(f"/events/{event}/registrations")
    return browser.send(next(form for form in page.forms if "userId" in form.fields), userId=typed)


@pytest.mark.parametrize("typed", ["Ann", "someone@example.com", "Ann Adams"])
def test_an_organizer_adds_by_address(party: str, typed: str) -> None:
    page = add(olivia().access, typed)
    assert page.form("POST").errors == {"userId": "No one with this e-mail address has signed in here."}
    assert "Add a person: e-mail" in page.text and "the link is wrong" not in page.text


def test_a_person_who_is_in_is_named_before_the_questions(api: Api) -> None:
    event = api.event(capacity=1, questions=[{"questionId": "q", "label": "Why?", "kind": "text", "required": True}])
    for user in ("ann", "ben"):
        api.post(f"/events/{event}/registrations", {"userId": api.user(user), "answers": {"q": "Because"}})
    browser = Browser()
    for user, field in (("ann", "userId"), ("ben", "userId"), (api.user("cat"), "answers.q")):
        page = browser.open(f"/events/{event}/registrations")
        page = browser.send(next(form for form in page.forms if "userId" in form.fields), userId=user)
        errors = page.form("POST").errors
        assert set(errors) == {field}
        assert errors.get("userId", "This person is already signed up.") == "This person is already signed up."


@pytest.mark.parametrize("impostors", [1, 3])
def test_an_organizer_adds_nobody_who_only_typed_the_address(party: str, impostors: int) -> None:
    for number, user in enumerate((alice(), oscar(), adam())[:impostors]):
        typed = As(user.access).patch("/users/me", {"name": f"Impostor {number}", "email": "dan@example.com"})
        assert typed.json()["emailVerified"] is (user == adam())
    if impostors == 1:
        page = add(olivia().access, "dan@example.com")
        assert page.form("POST").errors == {"userId": "No one with this e-mail address has signed in here."}
    As(adam().access).patch("/users/me", {"email": "adam@example.com"})
    As(adam().access).post("/users", {"userId": "dan", "name": "Dan", "email": "dan@example.com"})
    add(olivia().access, "dan@example.com")
    people = As(olivia().access).get("/events/party/registrations").json()
    assert [one["userId"] for one in people] == ["ann", "ben", "cat", "dan"]


def test_an_admin_adds_by_name(party: str) -> None:
    As(adam().access).post("/users", {"userId": "ann-2", "name": "Ann"})
    assert add(adam().access, "Zoe").form("POST").errors == {"userId": "No one has this name, address or id."}
    page = add(adam().access, "Ann")
    sentence = "Several people have this name: choose one, or enter the e-mail address."
    assert {"userId": sentence} in [form.errors for form in page.forms]
    assert "Add Ann (ann@example.com)" in {label for form in page.forms for label in form.buttons}


def test_an_organizer_is_refused_in_the_words_of_the_pages(party: str) -> None:
    page = add(olivia().access, "ben@example.com")
    assert page.form("POST").errors == {"userId": "This person is already signed up."}
    assert "Please check the fields marked below." in page.text
    organizer = As(olivia().access)
    organizer.event(eventId="full", capacity=0, waitlistEnabled=False)
    assert "This event is full, and there is no waitlist." in add(olivia().access, "ben@example.com", "full").text
    organizer.event(eventId="past", date="2020-01-01")
    assert "Sign-up is closed." in add(olivia().access, "ben@example.com", "past").text


def test_a_message_has_a_recipient(party: str) -> None:
    organizer, browser = As(olivia().access), Browser(token=olivia().access)
    organizer.delete("/events/party/registrations/cat")
    form = browser.open("/events/party/history").form("POST")
    assert form.choices["to"] == ["registered", "waitlisted", "everybody"]
    page = browser.send(form, to="waitlisted", subject="Tea", text="There is tea.")
    assert page.form("POST").errors == {"to": "There is no one to write to."}
    assert page.form("POST").fields["text"] == "There is tea."
    organizer.event(eventId="empty")
    assert "Message" not in browser.open("/events/empty").links
    assert "Write to people" not in browser.open("/events/empty/history").text


@pytest.mark.parametrize(
    ("label", "path", "sentence"),
    [
        ("Check in", "/events/party/registrations/ben/check-in", "This person has no seat for this event any more."),
        (
            "Cancel the registration of",
            "/events/party/registrations/ben",
            "This person is not signed up for this event.",
        ),
    ],
)
def test_a_person_who_left_meanwhile_does_not_stop_the_door(party: str, label: str, path: str, sentence: str) -> None:
    browser = Browser(token=olivia().access)
    page = browser.open("/events/party/registrations?q=ben")
    form = next(form for form in page.forms if f"{label} Ben" in form.buttons)
    assert form.buttons[f"{label} Ben"] == path
    As(olivia().access).delete("/events/party/registrations/ben")
    page = browser.send(form, f"{label} Ben")
    assert page.messages == [sentence] and page.headings[0] == "People: Spring party"
    assert page.path.endswith("?q=ben")


def test_everybody_else_is_kept_out(party: str, api: Api) -> None:
    page = Browser().open("/events/party/registrations")
    assert page.status == 401 and "Log in to see this page." in page.text and "typed" not in page.text


@pytest.mark.parametrize(
    ("zone", "clock_name", "first", "second"),
    [
        ("Asia/Tokyo", "Tokyo time", "1 Dec 2082, 08:30", "1 Dec 2082, 10:30"),
        ("America/St_Johns", "St Johns time", "30 Nov 2082, 20:00", "30 Nov 2082, 22:00"),
        (None, "UTC", "30 Nov 2082, 23:30", "1 Dec 2082, 01:30"),
    ],
)
def test_times_are_those_of_the_clocks_where_the_event_takes_place(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    zone: str | None,
    clock_name: str,
    first: str,
    second: str,
) -> None:
    times = {"startTime": "19:00", "timeZone": zone} if zone else {}
    event = api.event(eventId="party", **times)
    for user, now in (("ann", "2082-11-30T23:30:00.000000Z"), ("ben", "2082-12-01T01:30:00.000000Z")):
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        api.register(event, api.user(user))
    history.record(reported())
    people = Browser().open("/events/party/registrations")
    assert f"Signed up ({clock_name})" in people.text and first in people.text and second in people.text
    one = Browser().open("/events/party/registrations/ben")
    assert f"{second} {clock_name}" in one.text
    past = Browser().open("/events/party/history")
    assert f"When ({clock_name})" in past.text and first in past.text and second in past.text
    growth = Browser().open("/events/party")
    assert f"Sign-ups over time ({clock_name})" in growth.text and first in growth.text and second in growth.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("registrations", "No one has signed up yet."),
        ("registrations?status=registered", "No one has a seat yet."),
        ("registrations?status=waitlisted", "No one is waiting."),
        ("waitlist", "No one is waiting."),
        ("registrations?status=cancelled", "No one has cancelled."),
        ("registrations?checkedIn=true", "No one is checked in yet."),
    ],
)
def test_an_empty_list_names_who_is_missing(api: Api, path: str, sentence: str) -> None:
    assert sentence in Browser().open(f"/events/{api.event()}/{path}").text


@pytest.mark.parametrize(
    ("change", "is_next"),
    [({}, True), ({"status": "completed"}, False), ({"status": "draft"}, False), ({"capacity": 0}, False)],
    ids=str,
)
def test_no_one_is_next_where_no_one_moves_up(api: Api, change: dict[str, object], is_next: bool) -> None:
    event = api.event(capacity=1)
    for user in ("ann", "ben"):
        api.register(event, api.user(user))
    api.patch(f"/events/{event}", change)
    assert ("Next on the waitlist" in Browser().open(f"/events/{event}").text) is is_next


NAMES = ("Zoë", "Ádám", "émile", "Øyvind", "bea", "Ann-Marie", "Carl")
BY_NAME = ["Ádám", "Ann-Marie", "bea", "Carl", "émile", "Øyvind", "Zoë"]


@pytest.fixture
def crowd(api: Api, monkeypatch: pytest.MonkeyPatch) -> str:
    """An open event with more people than one page shows."""
    monkeypatch.setattr(people, "ALL", 2)
    monkeypatch.setattr(pagination, "DEFAULT_LIMIT", 2)
    event = api.event(eventId="crowd", questions=[{"questionId": "q", "label": "Why & <how>?", "kind": "text"}])
    for number, name in enumerate(NAMES):
        api.post("/users", {"userId": f"u{number}", "name": name, "email": f"u{number}@example.com"})
        api.post(f"/events/{event}/registrations", {"userId": f"u{number}", "answers": {"q": '"<&😀>' * 150}})
    return event


def listed(page: Page) -> list[str]:
    return [name for name in page.links if name in NAMES]


def test_a_list_by_name_is_that_of_everybody(crowd: str) -> None:
    page = Browser().follow(Browser().open(f"/events/{crowd}/registrations?limit=2"), "Sort by name")
    assert listed(page) == BY_NAME and "1–7 of 7" in page.text


@pytest.mark.parametrize("query", ["sort=name", "print=yes&sort=name", "print=yes"])
def test_a_whole_list_is_cut_where_an_answer_is_full(crowd: str, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/events/{crowd}/registrations?{query}"
    empty = pagination.weight(Browser().open("/events/nothing").html.encode())
    monkeypatch.setattr(people, "MOST_BYTES", 20_000)
    page, found, pages = Browser().open(path), [], 1
    while True:
        assert pagination.weight(page.html.encode()) < 20_000 + 2 * empty
        found += listed(page)
        if "Next" not in page.links:
            break
        page, pages = Browser().follow(page, "Next"), pages + 1
    assert found == (BY_NAME if "sort" in query else list(NAMES))
    assert 1 < pages < 7


def test_a_wide_search_goes_on_and_all_its_addresses_are_copied(crowd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_FOUND", 3)
    page, found = Browser().open(f"/events/{crowd}/registrations?q=example.com"), []
    for shown_range in ("1–3 of 7", "4–6 of 7", "7–7 of 7"):
        assert "7 people match “example.com”." in page.text and shown_range in page.text
        assert all(f"u{number}@example.com" in page.html for number in range(len(NAMES)))
        found += listed(page)
        page = Browser().follow(page, "Next") if "Next" in page.links else page
    assert found == list(NAMES)


@pytest.mark.parametrize("query", ["sort=name", "q=example", "print=yes", "checkedIn=false"])
def test_a_part_that_is_beyond_the_end_is_the_first_one(crowd: str, query: str) -> None:
    assert sorted(listed(Browser().open(f"/events/{crowd}/registrations?{query}&skip=99"))) == sorted(NAMES)


@pytest.mark.parametrize("limit", ["", "&limit=1"])
def test_who_is_checked_in_is_found_however_many_are_not(api: Api, limit: str) -> None:
    event = api.event(capacity=13)
    for number in range(13):
        api.post("/users", {"userId": f"u{number}", "name": NAMES[number % 7]})
        api.register(event, f"u{number}")
    api.put(f"/events/{event}/registrations/u12/check-in")
    page = Browser().open(f"/events/{event}/registrations?checkedIn=true{limit}")
    assert listed(page) == [NAMES[12 % 7]] and "1–1 of 1" in page.text
    others = Browser().open(f"/events/{event}/registrations?checkedIn=false{limit}")
    assert others.html.count('aria-label="Check in ') == 12 and "1–12 of 12" in others.text


@pytest.mark.parametrize(
    ("sought", "names"),
    [("adam", ["Ádám"]), ("ÁDÁM", ["Ádám"]), ("zoe", ["Zoë"]), ("oyv", ["Øyvind"]), ("ann m", ["Ann-Marie"])],
)
def test_a_person_is_found_without_accents(crowd: str, sought: str, names: list[str]) -> None:
    assert listed(Browser().open(f"/events/{crowd}/registrations?q={sought}")) == names


def test_the_addresses_to_copy_are_those_of_all_pages(crowd: str) -> None:
    page = Browser().open(f"/events/{crowd}/registrations?limit=2")
    (address,) = re.findall('data-copy-all="([^"]+)"', page.html)
    api, found = Api(), []
    while address:
        answer = api.get(html.unescape(address))
        found += [one["user"]["email"] for one in answer.json()]
        address = next_page(answer) or ""
    assert found == [f"u{number}@example.com" for number in range(len(NAMES))]
    whole = Browser().open(f"/events/{crowd}/registrations?limit=100")
    assert "data-copy-all" not in whole.html and found[-1] in whole.html
