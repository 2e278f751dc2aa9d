"""People use the service in a browser: every call has a form or a button, and every page leads on."""

from typing import Any

import pytest
from django.test import Client

from tests.api import EVENT, Api
from tests.browser import ORIGIN, Browser


@pytest.fixture
def party(api: Api) -> str:
    """An event with one seat, which alice has; bob waits."""
    api.event(eventId="party", capacity=1)
    for user in ("alice", "bob"):
        api.register("party", api.user(user))
    return "party"


TYPED = {name: str(value) for name, value in EVENT.items() if name != "waitlistEnabled"}


def test_links_lead_from_the_root_to_everything_and_back(browser: Browser, party: str) -> None:
    seen: dict[str, int] = {}
    found = [f"{browser.base}/"]
    while found:
        address = found.pop().removeprefix(ORIGIN)
        if address not in seen and "format=" not in address:
            page = browser.fetch(address)
            seen[address] = page.status
            found += [link for link in page.links.values() if link.startswith((browser.base + "/", ORIGIN))]
    assert set(seen.values()) == {200}, seen
    expected = ["/", "/events", "/events/party", "/events/party/registrations", "/events/party/waitlist"]
    expected += [f"/events/party/registrations/{user}" for user in ("alice", "bob")]
    expected += ["/users", "/users/alice", "/users/alice/registrations", "/users/bob/waitlists", "/docs", "/redoc"]
    assert {browser.base + path for path in expected} <= set(seen)


def test_breadcrumbs_lead_up(browser: Browser, party: str) -> None:
    page = browser.open("/events/party/registrations/alice")
    assert page.title.strip() == "Registration – eventsite"
    for label, path in (("Event", "/events/party"), ("Events", "/events"), ("eventsite", "/")):
        assert page.links[label].removeprefix(ORIGIN) == browser.base + path


def test_an_event_is_created_by_a_form_whose_optional_fields_stay_blank(browser: Browser) -> None:
    form = browser.open("/events").form("POST")
    assert form.kinds["description"] == "textarea"
    assert form.kinds["date"] == "date"
    assert form.kinds["capacity"] == "number"
    assert form.choices["status"][:2] == ["draft", "scheduled"]
    assert "hasWaitlist" not in form.fields
    created = browser.send(form, **TYPED)
    assert created.status == 201
    event = browser.follow(created, "See what was created")
    assert event.form("PUT").fields.items() >= (TYPED | {"waitlistEnabled": "False"}).items()


def test_the_form_of_an_event_shows_what_it_is_and_changes_it(browser: Browser, api: Api) -> None:
    path = f"/events/{api.event()}"
    before = api.get(path).json()
    changed = browser.send(browser.open(path).form("PUT"), title="Summer party", status="active")
    assert changed.status == 200
    assert changed.form("PUT").fields["title"] == "Summer party"
    after = api.get(path).json()
    assert after == before | {
        "title": "Summer party",
        "status": "active",
        "version": 2,
        "updatedAt": after["updatedAt"],
    }


@pytest.mark.parametrize(("method", "path"), [("POST", "/events"), ("PUT", "/events/party")])
def test_a_refused_form_comes_back_with_what_was_typed_and_what_is_wrong(
    browser: Browser, party: str, method: str, path: str
) -> None:
    form = browser.open(path).form(method)
    refused = browser.send(form, **TYPED | {"title": " ", "capacity": "-1", "date": "2027-02-30"})
    assert refused.status == 422
    assert "validation_error" in refused.text
    again = refused.form(method)
    assert set(again.errors) == {"title", "capacity", "date"}
    assert again.fields.items() >= (TYPED | {"title": " ", "capacity": "-1", "date": "2027-02-30"}).items()
    assert browser.send(again, **TYPED).status == (201 if method == "POST" else 200)


def test_a_conflict_keeps_what_was_typed(browser: Browser, party: str) -> None:
    typed = TYPED | {"eventId": party, "waitlistEnabled": "True"}
    refused = browser.send(browser.open("/events").form("POST"), **typed)
    assert refused.status == 409
    assert "event_exists" in refused.text
    assert refused.form("POST").fields.items() >= typed.items()


def test_a_user_is_created_registered_and_unregistered_by_mouse(browser: Browser, party: str) -> None:
    assert browser.send(browser.open("/users").form("POST"), userId="carol", name="Carol").status == 201
    event = browser.open("/events/party")
    registered = browser.send(browser.follow(event, "Registrations").form("POST"), userId="carol")
    assert registered.status == 201
    registration = browser.follow(registered, "See what was created")
    assert '"waitlistPosition": 2' in registration.text
    left = browser.send(registration.button("DELETE"))
    assert left.status == 200
    assert "The registration is cancelled." in left.text


def test_an_event_is_deleted_by_mouse(browser: Browser, api: Api) -> None:
    path = f"/events/{api.event()}"
    browser.send(browser.open(path).button("DELETE"))
    assert browser.open(path).status == 404


def test_the_older_paths_have_their_form_and_button_too(browser: Browser, party: str, api: Api) -> None:
    page = browser.open("/events/party/register")
    assert browser.send(page.form("POST"), userId=api.user("carol")).status == 201
    assert browser.send(browser.open("/events/party/register/carol").button("DELETE")).status == 200


def test_a_button_leads_to_the_next_page_until_the_last(browser: Browser, api: Api) -> None:
    for number in range(3):
        api.event(title=f"Party {number}", date=f"2027-04-0{number + 1}")
    page, titles = browser.open("/events?limit=1"), []
    while True:
        titles += [label for label in page.links if "Party" in label]
        if "Next page" not in page.links:
            break
        page = browser.follow(page, "Next page")
    assert titles == [f"2027-04-0{number + 1} Party {number}" for number in range(3)]


def _filters(page: Any) -> Any:
    return next(form for form in page.forms if form.id == "filters")


def test_filters_left_blank_filter_nothing(browser: Browser, api: Api) -> None:
    api.event(title="Open")
    api.event(title="Hidden", status="draft")
    form = _filters(browser.open("/events"))
    assert list(form.fields) == ["status", "organizerId", "from", "to", "order", "limit"]
    page = browser.send(form)
    assert (page.status, "Open" in page.text, "Hidden" in page.text) == (200, True, True)


def test_filters_show_what_they_filter_by(browser: Browser, api: Api) -> None:
    api.event(title="Open")
    api.event(title="Hidden", status="draft")
    typed = {"status": ["draft", "active"], "from": "2027-01-01", "order": "desc", "limit": "5"}
    page = browser.send(_filters(browser.open("/events")), **typed)
    assert (page.status, "Open" in page.text, "Hidden" in page.text) == (200, False, True)
    assert _filters(page).fields.items() >= typed.items()


def test_registrations_are_filtered_by_status(browser: Browser, party: str) -> None:
    form = _filters(browser.open("/events/party/registrations"))
    assert form.choices["status"] == ["", "registered", "waitlisted", "cancelled"]
    page = browser.send(form, status="waitlisted")
    assert [label for label in page.links if ":" in label] == ["bob: waitlisted"]


def test_a_wrong_filter_is_explained_beside_it(browser: Browser) -> None:
    page = browser.send(_filters(browser.open("/events")), limit="0", order="desc")
    assert page.status == 422
    assert set(_filters(page).errors) == {"limit"}
    assert _filters(page).fields["limit"] == "0"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_forms_of_programs_are_refused(api: Api, content_type: str) -> None:
    answer = api.post("/users", raw=b"name=Alice", content_type=content_type, accept="application/json")
    assert answer.status_code == 415


@pytest.mark.parametrize("body", ["{", "[]", '"text"', '{"title": 5}'])
def test_raw_data_that_cannot_be_used_gets_a_page_too(browser: Browser, body: str) -> None:
    client = Client(SERVER_NAME="localhost", headers={"accept": "text/html"})
    answer = client.post(f"{browser.base}/events", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_what_people_typed_is_never_run_as_html(browser: Browser, api: Api) -> None:
    script = "<script>alert(1)</script>"
    path = f"/events/{api.event(title=script, description=script, organizer=script)}"
    pages = [browser.open(path), browser.open("/events")]
    pages.append(browser.send(browser.open(path).form("PUT"), title=script, capacity="x"))
    for page in pages:
        assert "alert(1)" in page.text
        assert script not in page.html
