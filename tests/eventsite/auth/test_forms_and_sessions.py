"""Forms that were opened in one session and are sent in another one, or in none: nothing typed is lost."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests import pages
from tests.eventsite.auth.test_login import fill_in
from tests.pages import Page
from tests.signing_in import As, adam, alice, olivia, oscar

pytestmark = pytest.mark.usefixtures("cognito")

MEAL = {"questionId": "meal", "label": "Meal?", "kind": "text", "required": False}
COOKIES = ("sessionid", "renewal")


class Browser(pages.Browser):
    """A browser that logs in, and whose forms have to prove where they come from."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        headers = {"accept": pages.ACCEPT}
        self._client = Client(
            raise_request_exception=False, enforce_csrf_checks=True, SERVER_NAME="localhost", headers=headers
        )
        if name:
            self.log_in(name)

    @property
    def cookies(self) -> Any:
        return self._client.cookies

    def go_to(self, login: str) -> str:
        """Return the address of the hosted UI to which a link to the login leads."""
        return str(self._client.get(login)["Location"])

    def go_to_login(self, page: str = "/events") -> str:
        return self.go_to(f"/login?{urlencode({'next': page})}")

    def come_back(self, address: str) -> Any:
        """Follow the redirect of the hosted UI."""
        return self._client.get(address.removeprefix("http://localhost"))

    def log_in(self, name: str, page: str = "/events") -> Any:
        return self.come_back(fill_in(self.go_to_login(page), name))

    def end_session(self) -> None:
        """Forget the session and its renewal."""
        for name in COOKIES:
            del self.cookies[name]

    def press(self, page: Page, button: str) -> Page:
        """Press the first button of a page with this label."""
        return self.send(next(form for form in page.forms if button in form.buttons), button)


@pytest.fixture(autouse=True)
def people(cognito: None) -> None:
    alice(), olivia(), oscar(), adam()


def login_of(page: Page) -> str:
    """Return the page that "Log in" of a page leads back to."""
    return parse_qs(urlsplit(page.links["Log in"]).query)["next"][0]


def test_answers_are_kept_when_the_session_is_over() -> None:
    browser, event = Browser("alice"), As(olivia().access).event(questions=[MEAL])
    form = browser.open(f"/events/{event}").form("POST")
    browser.end_session()
    refused = browser.send(form, **{"answers.meal": "Without nuts"})
    assert (refused.status, login_of(refused)) == (401, f"/events/{event}")
    assert "what you typed is kept" in refused.text
    again = refused.form("POST")
    assert again.fields == {"answers.meal": "Without nuts"}
    browser.come_back(fill_in(browser.go_to(refused.links["log in on a new tab"]), "alice"))
    refused = browser.send(again)
    assert "You logged in as alice after this page was opened. Everything you typed is still here" in refused.text
    assert browser.send(refused.form("POST")).messages == ["You have a seat."]
    registration = As(alice().access).get(f"/events/{event}/registrations/me").json()
    assert registration["answers"] == {"meal": "Without nuts"}


def test_a_form_of_another_user_is_sent_after_a_notice_that_names_its_sender() -> None:
    browser = Browser("olivia")
    form = browser.open("/users/me").form("PUT")
    browser.log_in("oscar")
    refused = browser.send(form, name="Olivia the Great")
    assert refused.status == 403
    assert "You logged in as oscar after this page was opened." in refused.text
    assert "Log in" not in refused.links
    assert refused.headings == ["My profile"]
    assert refused.form("PUT").fields["name"] == "Olivia the Great"
    assert As(oscar().access).get("/users/me").json()["name"] == "oscar"


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("", "Publish"),
        ("", "Switch the waitlist off"),
        ("", "Delete"),
        ("/registrations", "Check in alice"),
        ("/registrations", "Cancel the registration of alice"),
    ],
)
def test_a_button_of_an_earlier_login_leads_to_its_page_and_does_nothing(path: str, button: str) -> None:
    browser, organizer = Browser("olivia"), As(olivia().access)
    event = organizer.event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    organizer.patch(f"/events/{event}", {"status": "draft" if button == "Publish" else "published"})
    before = organizer.get(f"/events/{event}").json()
    opened = browser.open(f"/events/{event}{path}")
    browser.log_in("olivia")
    shown = browser.press(opened, button)
    assert (shown.status, shown.path) == (200, f"/events/{event}{path}")
    assert shown.messages == ["You logged in as olivia after this page was opened. Nothing was done: try again."]
    assert organizer.get(f"/events/{event}").json() == before


def test_a_button_after_the_session_shows_no_form_that_nobody_filled_in() -> None:
    browser, event = Browser("olivia"), As(olivia().access).event(status="draft")
    opened = browser.open(f"/events/{event}")
    browser.end_session()
    refused = browser.press(opened, "Publish")
    assert (refused.status, login_of(refused)) == (401, f"/events/{event}")
    assert "You are signed out. Log in to go on." in refused.text
    assert not refused.forms


def test_no_go_back_from_a_button_leads_to_its_page() -> None:
    """The button sends one value: a form of it alone would have every other field empty."""
    browser, event = Browser("olivia"), As(olivia().access).event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    asked = browser.press(browser.open(f"/events/{event}"), "Cancel event")
    assert asked.links["No, go back"] == f"/events/{event}"


def test_a_log_out_of_an_earlier_login_is_refused_with_the_reason() -> None:
    browser = Browser("olivia")
    opened = browser.open("/events")
    browser.log_in("oscar")
    refused = browser.press(opened, "Log out")
    assert (refused.status, refused.headings) == (403, ["You logged in meanwhile"])
    assert "You logged in as oscar after this page was opened. Nothing was done: try again." in refused.text
    assert "Log out" in refused.text


def test_no_cookie_goes_to_another_stage_of_the_host(settings: Settings) -> None:
    settings.SESSION_COOKIE_PATH = settings.CSRF_COOKIE_PATH = "/prod"
    browser, organizer = Browser("olivia"), As(olivia().access)
    draft = browser.open(f"/events/{organizer.event(status='draft')}")
    browser.press(draft, "Publish")
    paths = {name: cookie["path"] for name, cookie in browser.cookies.items()}
    assert set(paths) >= {"sessionid", "csrftoken", "renewal", "messages"}
    assert set(paths.values()) == {"/prod"}


def test_the_page_of_a_confirmation_knows_who_is_signed_in() -> None:
    shown = Browser("alice").open("/confirmations/x")
    assert shown.status == 410
    assert shown.links["My profile"] == "/users/me"
    assert "Log out" in shown.text and "Log in" not in shown.links


@pytest.mark.parametrize("address", ["/login/callback?code=x&state=y", "/login/callback", "/logout"])
def test_a_login_that_failed_can_be_begun_again(address: str) -> None:
    refused = Browser().open(address)
    assert refused.status in (400, 405)
    assert login_of(refused) == "/"
    assert "Bad Request" not in refused.text


def test_a_login_whose_code_is_refused_can_be_begun_again_for_its_page() -> None:
    browser = Browser()
    refused = browser.open(re.sub("code=[^&]+", "code=x", fill_in(browser.go_to_login("/users/me"), "alice")))
    assert (refused.status, login_of(refused)) == (400, "/users/me")


def test_two_tabs_log_in_at_once() -> None:
    browser = Browser()
    pages_of_tabs = ("/events?when=past", "/users/me")
    for address, page in [(browser.go_to_login(page), page) for page in pages_of_tabs]:
        assert browser.come_back(fill_in(address, "alice"))["Location"] == page


@pytest.mark.parametrize(
    ("page", "after"),
    [
        ("/events?q=a%2Fb&when=past", "/events?q=a%2Fb&when=past"),
        (f"/events?cursor={'x' * 4000}", "/events"),
        ("/" + "x" * 4000, "/"),
    ],
)
def test_a_long_address_does_not_outgrow_the_cookie(page: str, after: str) -> None:
    assert Browser().log_in("alice", page)["Location"] == after
