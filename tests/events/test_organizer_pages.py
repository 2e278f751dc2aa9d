"""The forms of organizers on the page of an event: its questions, its co-organizers, and a duplicate."""

import re
from typing import Any

import pytest

from tests.api import Api
from tests.events.questions import DIET
from tests.pages import Browser, Form, Page
from tests.signing_in import As, adam, alice, olivia, oscar


@pytest.fixture
def browser() -> Browser:
    return Browser()


def form_with(page: Page, field: str) -> Form:
    return next(form for form in page.forms if field in form.fields)


def questions(page: Page) -> Form:
    return form_with(page, "questions.0.label")


def differing(page: Page) -> list[list[str]]:
    """Return the rows of the table of a conflict: a label, the typed value and the present one."""
    rows = re.findall(r"<tr>\s*<th scope=.row.>(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>", page.html)
    return [list(row) for row in rows]


def test_questions_are_made_changed_and_removed(api: Api, browser: Browser) -> None:
    path = f"/events/{api.event(organizer='Club')}"
    typed = {"questions.0.label": "Größe?", "questions.1.label": "Diet?", "questions.1.kind": "choice"}
    typed |= {"questions.1.choices": "meat\r\n vegan \r\n\r\n", "questions.1.required": "true"}
    page = browser.send(questions(browser.open(path)), **typed)
    assert page.messages == ["The questions are saved."]
    assert api.get(path).json()["questions"] == [
        {"questionId": "groe", "label": "Größe?", "kind": "text", "choices": [], "required": False},
        DIET,
    ]
    shown = questions(page)
    assert shown.fields["questions.1.choices"] == "meat\nvegan" and "questions.3.label" in shown.fields
    page = browser.send(shown, **{"questions.0.label": "", "questions.2.label": "Diet?"})
    first, second = api.get(path).json()["questions"]
    assert first == DIET and second["label"] == "Diet?" and second["questionId"].startswith("diet-")
    browser.send(questions(page), **{"questions.0.label": "", "questions.1.label": ""})
    assert api.get(path).json()["questions"] == []


@pytest.mark.parametrize("status", ["published", "draft"])
def test_a_question_that_people_have_answered_is_removed_after_a_question(
    api: Api, browser: Browser, status: str
) -> None:
    other = DIET | {"questionId": "other", "label": "Other?", "required": False}
    event = api.event(questions=[DIET, other])
    api.post(f"/events/{event}/registrations", {"userId": api.user("ann"), "answers": {"diet": "vegan"}})
    api.patch(f"/events/{event}", {"status": status})
    asked = browser.send(questions(browser.open(f"/events/{event}")), **{"questions.0.label": ""})
    assert asked.headings[0] == "Ask “Diet?” no more?"
    assert "1 person has a seat." in asked.text and "What they answered is no longer shown." in asked.text
    assert len(api.get(f"/events/{event}").json()["questions"]) == 2
    assert browser.sure(asked).messages == ["The questions are saved."]
    assert [one["label"] for one in api.get(f"/events/{event}").json()["questions"]] == ["Other?"]


WRONG_EDITS = [
    {"date": "2083-05-01", "endDate": "2083-04-01"},
    {"date": "2083-05-01", "endTime": "10:00"},
    {"date": "2083-05-01", "timeZone": "Europe/Berlin"},
    {"date": "2083-03-28", "startTime": "02:30", "timeZone": "Europe/Berlin"},
]


@pytest.mark.parametrize("edit", WRONG_EDITS, ids=str)
def test_an_edit_that_is_refused_is_not_asked_about(api: Api, browser: Browser, edit: dict[str, str]) -> None:
    event = api.event()
    api.register(event, api.user("ann"))
    refused = browser.send(form_with(browser.open(f"/events/{event}"), "title"), **edit)
    assert refused.status == 422 and form_with(refused, "title").errors
    assert "Move" not in refused.headings[0]


def test_ten_questions_leave_no_empty_one(api: Api, browser: Browser) -> None:
    asked = [DIET | {"questionId": f"q{number}"} for number in range(10)]
    page = browser.open(f"/events/{api.event(questions=asked)}")
    assert "questions.10.label" not in questions(page).fields
    browser.send(questions(page), **{"questions.9.label": "Last?"})
    assert api.get(page.path).json()["questions"][9]["label"] == "Last?"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"questions.1.label": "Diet?", "questions.1.kind": "choice"}, "questions.1.choices"),
        ({"questions.0.label": "", "questions.1.label": "x" * 201}, "questions.1.label"),
        ({"questions.1.label": "Which?", "questions.1.kind": "a drawing"}, "questions.1.kind"),
        ({"questions.1.choices": "yes\r\nno", "questions.1.kind": "choice"}, "questions.1.label"),
    ],
)
def test_a_wrong_question_is_marked_and_what_was_typed_is_kept(
    api: Api, browser: Browser, typed: dict[str, str], field: str
) -> None:
    path = f"/events/{api.event(questions=[DIET])}"
    page = browser.send(questions(browser.open(path)), **typed)
    assert page.status == 422 and set(questions(page).errors) == {field}
    assert questions(page).fields["questions.1.label"] == typed.get("questions.1.label", "")[:200]
    assert api.get(path).json()["questions"] == [DIET]


def test_an_edit_meanwhile_is_no_reason_to_lose_a_question(api: Api, browser: Browser) -> None:
    path = f"/events/{api.event(questions=[DIET])}"
    opened = questions(browser.open(path))
    api.patch(path, {"title": "Other"})
    page = browser.send(opened, **{"questions.1.label": "Why?"})
    assert "This was changed meanwhile" in page.headings
    assert "You and the other person changed different fields" not in page.text
    assert differing(page) == [["Question 2", "Why?", "(nothing)"]]
    saved = browser.send(questions(page))
    assert saved.messages == ["The questions are saved."]
    assert [one["label"] for one in api.get(path).json()["questions"]] == ["Diet?", "Why?"]


def test_questions_of_two_tabs_keep_their_ids_and_both_are_shown(api: Api, browser: Browser) -> None:
    path = f"/events/{api.event(questions=[DIET])}"
    first, second = (questions(browser.open(path)) for _ in range(2))
    browser.send(first, **{"questions.0.label": "Size?"})
    other = DIET | {"questionId": "other", "label": "Other?"}
    api.patch(path, {"questions": [other, *api.get(path).json()["questions"]]})
    page = browser.send(second, **{"questions.0.label": "Food?"})
    assert ["Question 1", "Food?", "Other?"] in differing(page)
    assert ["Question 2", "(nothing)", "Size?"] in differing(page)
    browser.send(questions(page))
    assert [(one["questionId"], one["label"]) for one in api.get(path).json()["questions"]] == [("diet", "Food?")]


def test_questions_that_were_not_changed_are_no_conflict(api: Api, browser: Browser) -> None:
    path = f"/events/{api.event(questions=[DIET])}"
    opened = questions(browser.open(path))
    api.patch(path, {"title": "Other"})
    assert browser.send(opened).messages == ["Nothing was changed."]


def test_a_duplicate_has_the_questions(api: Api, browser: Browser) -> None:
    event = api.event(questions=[DIET])
    form = form_with(browser.open(f"/events?copy={event}"), "title")
    refused = browser.send(form, "Publish", date="soon")
    browser.send(form_with(refused, "title"), "Publish", date="2099-05-05", eventId="again")
    assert api.get("/events/again").json()["questions"] == [DIET]


@pytest.fixture
def party(cognito: None) -> str:
    """Oscar's event, with Alice and Olivia, whose addresses are verified."""
    As(oscar().access).event(eventId="party")
    for person, address in ((alice(), "alice@example.com"), (olivia(), "olivia@example.com")):
        body = {"userId": person.sub, "name": address.split("@")[0].title(), "email": address}
        assert As(adam().access).post("/users", body).status_code == 201
    As(alice().access).post("/events/party/registrations", {})
    return "/events/party"


def organizers_of(path: str) -> list[str]:
    return list(As(adam().access).get(path).json()["organizers"])


def test_an_owner_adds_by_address_and_removes(party: str) -> None:
    browser = Browser(token=oscar().access)
    page = browser.send(
        form_with(browser.open(party), "organizers.typed"), **{"organizers.typed": "Olivia@example.com"}
    )
    assert page.messages == ["Olivia is a co-organizer now."]
    assert organizers_of(party) == [olivia().sub]
    remove = next(form for form in page.forms if "organizers.removed" in form.hidden)
    assert browser.send(remove).messages == ["Olivia is no co-organizer any more."]
    assert organizers_of(party) == []


def test_an_owner_adds_a_person_of_the_event(party: str) -> None:
    browser = Browser(token=oscar().access)
    page = browser.open(f"{party}/registrations/{alice().sub}")
    page = browser.send(next(form for form in page.forms if "organizers.added" in form.hidden))
    assert page.messages == ["Alice is a co-organizer now."] and organizers_of(party) == [alice().sub]
    browser.send(next(form for form in page.forms if "organizers.removed" in form.hidden))
    assert organizers_of(party) == []


@pytest.mark.parametrize("typed", ["", "nobody@example.com", "Olivia", "sub", "typed@example.com"])
def test_an_id_a_name_and_an_unverified_address_add_nobody(party: str, typed: str) -> None:
    As(alice().access).patch("/users/me", {"email": "typed@example.com"})
    typed = olivia().sub if typed == "sub" else typed
    browser = Browser(token=oscar().access)
    page = browser.send(form_with(browser.open(party), "organizers.typed"), **{"organizers.typed": typed})
    assert page.status == 422 and set(form_with(page, "organizers.typed").errors) == {"organizers.typed"}
    assert organizers_of(party) == []


def test_who_organizes_already_is_not_added_again(party: str) -> None:
    body = {"userId": oscar().sub, "name": "Oscar", "email": "oscar@example.com"}
    assert As(adam().access).post("/users", body).status_code == 201
    browser = Browser(token=oscar().access)

    def error_of(address: str) -> str:
        form = form_with(browser.open(party), "organizers.typed")
        page = browser.send(form, **{"organizers.typed": address})
        return form_with(page, "organizers.typed").errors.get("organizers.typed", "")

    assert error_of("oscar@example.com") == "This person owns the event."
    As(oscar().access).patch(party, {"organizers": [olivia().sub]})
    assert error_of("olivia@example.com") == "This person is a co-organizer already."
    many = [olivia().sub, *(f"user-{number}" for number in range(19))]
    As(oscar().access).patch(party, {"organizers": many})
    assert error_of("alice@example.com") == "An event has at most 20 co-organizers."
    assert organizers_of(party) == many


def test_an_admin_may_type_a_name(party: str) -> None:
    browser = Browser(token=adam().access)
    browser.send(form_with(browser.open(party), "organizers.typed"), **{"organizers.typed": "olivia"})
    assert organizers_of(party) == [olivia().sub]


def test_only_those_who_may_use_the_forms_see_them(party: str) -> None:
    As(oscar().access).patch(party, {"organizers": [olivia().sub]})
    expected: list[tuple[Any, set[str]]] = [
        (alice(), set()),
        (olivia(), {"questions.0.label"}),
        (oscar(), {"questions.0.label", "organizers.typed"}),
        (adam(), {"questions.0.label", "organizers.typed"}),
    ]
    for person, names in expected:
        page = Browser(token=person.access).open(party)
        shown = {name for form in page.forms for name in form.fields}
        assert shown & {"questions.0.label", "organizers.typed"} == names


@pytest.mark.parametrize("field", ["questions.0.label", "questions.1.label", "organizers.typed"])
def test_what_was_typed_below_a_draft_is_kept_when_the_session_is_over(cognito: None, field: str) -> None:
    path = f"/events/{As(oscar().access).event(status='draft', questions=[DIET])}"
    form = form_with(Browser(token=oscar().access).open(path), field)
    refused = Browser().send(form, **{field: "Typed"})
    assert refused.status == 401
    shown = form_with(refused, field)
    assert shown.fields[field] == "Typed"
    saved = Browser(token=oscar().access).send(shown, **({field: "Why?"} if field.startswith("questions") else {}))
    assert saved.status == (200 if field.startswith("questions") else 422)


def test_one_co_organizer_too_many_is_refused_by_the_button_of_a_person(party: str) -> None:
    """A button has no form of its own that the page could show."""
    As(oscar().access).patch(party, {"organizers": [f"user-{number}" for number in range(20)]})
    As(alice().access).post(f"{party}/registrations", {})
    browser = Browser(token=oscar().access)
    page = browser.open(f"{party}/registrations/{alice().sub}")
    refused = browser.send(next(form for form in page.forms if "Make co-organizer" in form.buttons))
    assert refused.status == 422
    assert "An event has at most 20 co-organizers." in refused.text
    assert not [form for form in refused.forms if form.fields]
