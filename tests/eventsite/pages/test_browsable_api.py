"""People use the service in a browser: every call has a form or a button, and every page leads on."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
import segno
from django.test import Client

from events import services, views
from eventsite import clock
from eventsite.errors import Unavailable
from tests.api import EVENT, Api
from tests.metering import Meter
from tests.pages import ACCEPT, FORM, ORIGIN, Browser, Page
from tests.signing_in import As, adam, alice, olivia


@pytest.fixture
def party(api: Api) -> str:
    """An event with one seat, which alice has. Bob waits."""
    api.event(eventId="party", capacity=1)
    for user in ("alice", "bob"):
        api.register("party", api.user(user))
    return "party"


TYPED = {name: str(value) for name, value in EVENT.items() if name not in ("waitlistEnabled", "status")}


def test_links_lead_from_the_root_to_everything_and_back(browser: Browser, party: str) -> None:
    seen: dict[str, int] = {}
    found = [f"{browser.base}/"]
    while found:
        address = found.pop().removeprefix(ORIGIN)
        if address not in seen and "format=" not in address and not address.startswith("#"):
            page = browser.fetch(address)
            seen[address] = page.status
            found += [link for link in page.links.values() if link.startswith((browser.base + "/", ORIGIN))]
    assert set(seen.values()) == {200}, seen
    expected = ["/", "/events", "/events/party", "/events/party/registrations", "/events/party/waitlist"]
    expected += [f"/events/party/registrations/{user}" for user in ("alice", "bob")]
    expected += ["/users", "/users/alice", "/users/alice/registrations", "/users/bob/waitlists", "/docs", "/redoc"]
    assert {browser.base + path for path in expected} <= set(seen)


def test_each_page_is_named_and_leads_up(browser: Browser, party: str) -> None:
    page = browser.open("/events/party/registrations/alice")
    assert page.title == "Registration of Alice – eventsite"
    for label, path in (("Spring party", "/events/party"), ("Events", "/events"), ("eventsite", "/")):
        assert page.links[label].removeprefix(ORIGIN) == browser.base + path
    assert browser.open("/events/party").headings[0] == "Spring party"


def test_an_event_is_created_by_a_form_whose_optional_fields_stay_blank(browser: Browser) -> None:
    form = browser.open("/events").form("POST")
    assert form.kinds["description"] == "textarea"
    assert form.kinds["date"] == "date"
    assert form.kinds["capacity"] == "number"
    assert form.kinds["waitlistEnabled"] == "checkbox"
    assert list(form.buttons) == ["Publish", "Save as draft"]
    assert "hasWaitlist" not in form.fields
    event = browser.send(form, **TYPED)
    assert event.messages[0].startswith("“Spring party” is published. Share it: http://localhost")
    assert event.headings[0] == "Spring party"
    assert event.form("PUT").choices["status"][:2] == ["draft", "scheduled"]
    assert event.form("PUT").fields.items() >= (TYPED | {"waitlistEnabled": "true"}).items()


def test_an_event_is_saved_as_a_draft_and_published_by_one_click_each(browser: Browser, api: Api) -> None:
    draft = browser.send(browser.open("/events").form("POST"), "Save as draft", **TYPED)
    assert draft.messages == ["“Spring party” is saved as a draft. Only you see it."]
    publish = next(form for form in draft.forms if "Publish" in form.buttons)
    assert browser.send(publish).messages == ["Published."]
    assert api.get("/events").json()[0]["status"] == "published"


def test_an_event_is_duplicated_without_its_day(browser: Browser, api: Api) -> None:
    event = api.event(title="Choir", startTime="19:00", endTime="21:00", timeZone="Europe/Berlin", capacity=77)
    copy = browser.follow(browser.open(f"/events/{event}"), "Duplicate").form("POST")
    wanted = {"title": "Choir", "startTime": "19:00", "endTime": "21:00", "capacity": "77", "date": ""}
    assert copy.fields.items() >= wanted.items()
    assert browser.send(copy, date="2083-05-01").headings[0] == "Choir"
    assert len(api.get("/events").json()) == 2


def test_the_form_of_an_event_shows_what_it_is_and_changes_it(browser: Browser, api: Api) -> None:
    path = f"/events/{api.event()}"
    before = api.get(path).json()
    changed = browser.send(browser.open(path).form("PUT"), title="Summer party", status="active")
    assert changed.messages == ["Saved: Title and Status."]
    assert changed.form("PUT").fields["title"] == "Summer party"
    after = api.get(path).json()
    assert after == before | {
        "title": "Summer party",
        "status": "active",
        "version": 2,
        "updatedAt": after["updatedAt"],
    }


@pytest.mark.parametrize(("method", "path"), [("POST", "/events"), ("PUT", "/events/party")])
def test_a_refused_form_comes_back_with_the_typed_text_and_its_faults(
    browser: Browser, party: str, method: str, path: str
) -> None:
    typed = TYPED | {"title": " ", "capacity": "-1", "date": "2083-02-30"}
    refused = browser.send(browser.open(path).form(method), **typed)
    assert (refused.status, refused.title[:7]) == (422, "Error: ")
    assert "Please check the fields marked below." in refused.text
    again = refused.form(method)
    assert set(again.errors) == {"title", "capacity", "date"}
    assert again.fields.items() >= typed.items()
    assert browser.send(again, **TYPED, waitlistEnabled="true").messages


def test_a_conflict_keeps_the_typed_text_and_is_shown_beside_its_field(browser: Browser, party: str) -> None:
    typed = TYPED | {"eventId": party, "waitlistEnabled": "true"}
    refused = browser.send(browser.open("/events").form("POST"), **typed)
    assert refused.status == 409
    again = refused.form("POST")
    assert again.errors == {"eventId": "This link name is taken."}
    assert again.fields.items() >= typed.items()


def test_a_form_that_is_sent_twice_makes_one_event(browser: Browser, api: Api) -> None:
    form = browser.open("/events").form("POST")
    first, second = browser.send(form, **TYPED), browser.send(form, **TYPED)
    assert first.path == second.path
    assert len(api.get("/events").json()) == 1


@pytest.mark.parametrize(("title", "count"), [("The same", 1), ("Another", 2)])
def test_a_form_whose_answer_was_lost_is_sent_again_and_acts_once(
    browser: Browser, api: Api, monkeypatch: pytest.MonkeyPatch, title: str, count: int
) -> None:
    def create_without_answer(*args: Any, **options: Any) -> None:
        services.create(*args, **options)
        raise Unavailable

    form = browser.open("/events").form("POST")
    with monkeypatch.context() as patched:
        patched.setattr(views, "services", SimpleNamespace(create=create_without_answer))
        unanswered = browser.send(form, **(TYPED | {"title": "The same"}))
    assert unanswered.status == 503
    shown = browser.send(unanswered.form("POST"), title=title)
    if title == "Another":
        assert (shown.status, shown.form("POST").fields["title"]) == (422, title)
        assert "What you sent before was done after all." in shown.text
        shown = browser.send(shown.form("POST"))
    assert shown.messages[0].startswith(f"“{title}” is published.")
    assert len(api.get("/events").json()) == count


def test_a_second_tab_cannot_undo_the_first(browser: Browser, api: Api, party: str) -> None:
    tab = browser.open("/events/party").form("PUT")
    api.patch("/events/party", {"title": "Winter party", "location": "Hall"})
    refused = browser.send(tab, title="Summer party", capacity="5")
    assert refused.status == 412
    for shown in ("Summer party", "Winter party"):
        assert shown in refused.text
    again = refused.form("PUT")
    assert (again.fields["location"], again.fields["title"]) == ("Hall", "Summer party")
    assert browser.send(again).messages[0].startswith("Saved: Title and Seats.")
    after = api.get("/events/party").json()
    assert (after["title"], after["location"], after["capacity"]) == ("Summer party", "Hall", 5)


def test_what_another_tab_saved_already_is_no_conflict(browser: Browser, party: str) -> None:
    tab = browser.open("/events/party").form("PUT")
    browser.send(tab, title="Summer party")
    assert browser.send(tab, title="Summer party").messages == ["Nothing was changed."]


def test_a_form_that_changes_nothing_is_reported_as_that(browser: Browser, party: str) -> None:
    assert browser.send(browser.open("/events/party").form("PUT")).messages == ["Nothing was changed."]


def test_more_seats_are_reported_with_the_promoted_people(browser: Browser, api: Api, party: str) -> None:
    for name in ("carol", "dave"):
        api.register(party, api.user(name))
    page = browser.send(browser.open("/events/party").form("PUT"), capacity="3")
    assert page.messages == ["Seats 1 → 3. Bob and Carol moved up."]
    assert "Next on the waitlist: Dave." in page.text


def test_fewer_seats_than_people_have_to_be_confirmed(browser: Browser, api: Api, party: str) -> None:
    asked = browser.send(browser.open("/events/party").form("PUT"), capacity="0")
    assert (asked.status, asked.headings[0]) == (200, "Only 0 seats for “Spring party”?")
    assert "1 person has a seat." in asked.text
    assert api.get("/events/party").json()["capacity"] == 1
    assert browser.sure(asked).messages == ["Seats 1 → 0."]
    assert api.get("/events/party").json()["capacity"] == 0


def test_cancelling_an_event_with_people_in_it_has_to_be_confirmed(browser: Browser, api: Api, party: str) -> None:
    asked = browser.send(browser.open("/events/party").form("PUT"), status="cancelled")
    assert "1 person is waiting." in asked.text
    assert api.get("/events/party").json()["status"] == "published"
    browser.sure(asked)
    assert api.get("/events/party").json()["status"] == "cancelled"


def test_an_event_is_deleted_by_mouse_once_that_is_confirmed(browser: Browser, api: Api) -> None:
    path = f"/events/{api.event()}"
    asked = browser.send(browser.open(path).button("DELETE"))
    assert browser.open(path).status == 200
    assert browser.sure(asked).messages == ["“Spring party” was deleted."]
    assert browser.open(path).status == 404


def test_a_stale_delete_form_shows_what_changed_and_asks_again(browser: Browser, api: Api, party: str) -> None:
    tab = browser.open("/events/party").button("DELETE")
    asked = browser.send(tab)
    api.patch("/events/party", {"title": "Winter party", "location": "Hall"})
    stale = browser.sure(asked)
    assert (stale.status, stale.headings[0]) == (412, "Delete “Winter party”?")
    assert "Title: Winter party, before: Spring party." in stale.text
    assert "Place: Hall, before: Garden." in stale.text
    assert api.get("/events/party").status_code == 200
    again = browser.send(tab)
    api.patch("/events/party", {"description": "Other words"})
    assert (browser.sure(again).status, api.get("/events/party").status_code) == (412, 200)
    assert browser.sure(stale).status == 412
    assert browser.sure(browser.sure(stale)).messages == ["“Winter party” was deleted."]


def test_the_opt_out_of_mail_is_a_check_box(browser: Browser, api: Api) -> None:
    carol = browser.send(browser.open("/users").form("POST"), userId="carol", name="Carol")
    assert carol.form("PUT").kinds["notify"] == "checkbox"
    assert carol.form("PUT").fields["notify"] == "true"
    assert browser.send(carol.form("PUT"), notify="false").messages == ["Saved."]
    assert api.get("/users/carol").json()["notify"] is False
    assert browser.open("/users/carol").form("PUT").fields["notify"] == "false"


def test_a_user_is_created_registered_and_unregistered_by_mouse(browser: Browser, party: str) -> None:
    carol = browser.send(browser.open("/users").form("POST"), userId="carol", name="Carol")
    assert carol.messages == ["Carol was added."]
    registrations = browser.open("/events/party/registrations")
    added = browser.send(registrations.form("POST"), userId="carol")
    assert added.messages == ["Carol is number 2 on the waitlist."]
    assert added.headings[0] == "People: Spring party"
    row = next(form for form in added.forms if form.method == "DELETE")
    asked = browser.send(row, "Cancel the registration of Alice")
    assert "Alice gives up the seat. Bob moves up." in asked.text
    assert browser.sure(asked).messages == ["Alice is not registered any more. Bob has the seat now."]


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"capacity": 0}])
def test_a_seat_is_promised_to_no_one_who_does_not_get_it(
    browser: Browser, api: Api, party: str, change: dict[str, Any]
) -> None:
    api.patch("/events/party", change)
    row = next(form for form in browser.open("/events/party/registrations").forms if form.method == "DELETE")
    asked = browser.send(row, "Cancel the registration of Alice")
    assert "Alice gives up the seat. No one moves up." in asked.text
    assert browser.sure(asked).messages == ["Alice is not registered any more."]


@pytest.mark.parametrize("typed", ["Carol C", "carol", "nobody at all"])
def test_somebody_is_added_by_name(browser: Browser, api: Api, party: str, typed: str) -> None:
    api.post("/users", {"userId": "c-1", "name": "Carol Costa"})
    refused = browser.send(browser.open("/events/party/registrations").form("POST"), userId=typed)
    assert refused.form("POST").errors
    if typed == "nobody at all":
        assert "Do you mean" not in refused.text
        return
    added = browser.send(refused.button("POST"))
    assert added.messages == ["Carol Costa is number 2 on the waitlist."]


def test_a_person_is_found_by_name_within_an_event(browser: Browser, party: str) -> None:
    page = browser.open("/events/party/registrations")
    found = browser.send(next(form for form in page.forms if "q" in form.fields), q="bo")
    assert ("Bob" in found.links, "Alice" in found.links) == (True, False)


def test_the_older_paths_have_their_form_and_button_too(browser: Browser, party: str, api: Api) -> None:
    api.register("party", api.user("carol"))
    for path in ("/events/party/register", "/events/party/register/carol"):
        assert browser.open(path).status == 405


def test_buttons_lead_through_the_pages_of_a_list_and_back(browser: Browser, api: Api) -> None:
    for number in range(3):
        api.event(title=f"Party {number}", date=f"2083-04-0{number + 1}")
    page, seen = browser.open("/events?limit=1"), []
    while True:
        seen.append(next(label for label in page.links if "Party" in label))
        if "Next" not in page.links:
            break
        page = browser.follow(page, "Next")
    while "Previous" in page.links:
        page = browser.follow(page, "Previous")
        seen.append(next(label for label in page.links if "Party" in label))
    assert seen == ["Party 0", "Party 1", "Party 2", "Party 1", "Party 0"]


def test_a_long_list_shows_the_position_of_its_page(browser: Browser, api: Api) -> None:
    event = api.event()
    for user in api.users(3):
        api.register(event, user)
    page = browser.open(f"/events/{event}/registrations?limit=2")
    assert "1–2 of 3" in page.text
    assert "3–3 of 3" in browser.follow(page, "Next").text


def _filters(page: Page) -> Any:
    return next(form for form in page.forms if "organizerId" in form.fields)


def test_the_list_begins_today_and_the_past_has_a_tab(browser: Browser, api: Api, monkeypatch: Any) -> None:
    api.event(title="Over", date="2025-12-31")
    api.event(title="To come", date="2026-01-02")
    monkeypatch.setattr(clock, "now", lambda: "2026-01-02T10:00:00.000000Z")
    page = browser.open("/events")
    assert ("Over" in page.links, "To come" in page.links) == (False, True)
    past = browser.follow(page, "Past")
    assert ("Over" in past.links, "To come" in past.links) == (True, False)
    assert len(api.get("/events").json()) == 2


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
    typed: dict[str, Any] = {"status": ["draft", "active"], "from": "2083-01-01", "order": "desc", "limit": "5"}
    page = browser.send(_filters(browser.open("/events")), **typed)
    assert (page.status, "Open" in page.links, "Hidden" in page.links) == (200, False, True)
    assert _filters(page).fields.items() >= typed.items()


def test_registrations_have_a_tab_for_each_state(browser: Browser, party: str) -> None:
    page = browser.follow(browser.open("/events/party/registrations"), "Waiting")
    assert ("Bob" in page.links, "Alice" in page.links) == (True, False)


def test_a_wrong_filter_is_explained(browser: Browser) -> None:
    page = browser.send(_filters(browser.open("/events")), limit="0", order="desc")
    assert page.status == 422
    assert "Per page: Enter 1 or more." in " ".join(page.text.split())


def test_a_path_that_leads_nowhere_is_a_page(browser: Browser) -> None:
    for path in ("/nowhere", "/events/nothing", "/users/nobody"):
        page = browser.open(path)
        assert (page.status, len(page.headings) >= 1, "See all events" in page.links) == (404, True, True)


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
def test_forms_of_programs_are_refused(api: Api, content_type: str) -> None:
    for accept in ("application/json", "text/html, application/json", "*/*"):
        answer = api.post("/users", raw=b"name=Alice", content_type=content_type, accept=accept)
        assert answer.status_code == 415


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/html, */*", "application/json"),
        ("application/json, text/html", "application/json"),
        ("text/html", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
    ],
)
def test_only_browsers_get_pages_where_json_would_do(api: Api, accept: str, kind: str) -> None:
    assert api.get("/events", accept=accept).headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("body", ["{", "[]", '"text"', '{"title": 5}'])
def test_raw_data_that_cannot_be_used_gets_a_page_too(browser: Browser, body: str) -> None:
    client = Client(SERVER_NAME="localhost", headers={"accept": "text/html"})
    answer = client.post(f"{browser.base}/events", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("before", ["", "null", "[", "[" * 100_000, '{"title": {}}', "5"])
def test_the_claims_of_a_form_are_not_trusted(browser: Browser, party: str, before: str) -> None:
    form = browser.open("/events/party").form("PUT")
    form.hidden |= {"_before": before, "_next": "https://elsewhere.example/", "_method": "TRACE"}
    assert browser.send(form).status in (200, 405)
    form.hidden |= {"_method": "PUT", "_version": "x"}
    assert browser.send(form).status in (200, 412)


def test_what_people_typed_is_never_run_as_html(browser: Browser, api: Api) -> None:
    script = "<script>alert(1)</script>"
    path = f"/events/{api.event(title=script, description=script, organizer=script)}"
    pages = [browser.open(path), browser.open("/events")]
    pages.append(browser.send(browser.open(path).form("PUT"), title=script, capacity="x"))
    for page in pages:
        assert "alert(1)" in page.html
        assert script not in page.html


def test_a_page_of_a_hundred_events_is_light(browser: Browser, api: Api) -> None:
    for number in range(100):
        api.event(title=f"An event with a title of a usual length {number}", date=f"2083-04-{number % 28 + 1:02}")
    page = browser.open("/events")
    assert len([link for link in page.links if link.startswith("An event")]) == 100
    assert len(page.html.encode()) <= 120_000
    assert page.elements <= 2_500


PAGES = ["/events", "/events/party", "/events/party/registrations", "/events/party/waitlist", "/users", "/users/bob"]
PAGES += ["/events/party/registrations/bob", "/users/bob/registrations", "/users/bob/waitlists"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_dynamodb_at_most_twice_more_than_its_json(api: Api, party: str, meter: Meter, path: str) -> None:
    calls = []
    for browser in (api.get, Browser().open):
        meter.reset()
        browser(path)
        calls.append(len(meter.calls))
    assert calls[1] <= calls[0] + 2, calls


def test_an_event_with_people_is_deleted_with_their_registrations_once_that_is_confirmed(
    browser: Browser, api: Api, party: str
) -> None:
    asked = browser.send(browser.open("/events/party").button("DELETE"))
    assert "1 person has a seat." in asked.text
    assert browser.sure(asked).messages == ["“Spring party” was deleted."]
    assert api.get("/users/alice/registrations").json() == []


def test_a_program_does_not_pay_for_the_pages() -> None:
    program = """
import sys
from eventsite.wsgi import application
from django.test import Client
assert Client(SERVER_NAME="localhost").get("/").status_code == 200
print(sorted(name for name in sys.modules if name.endswith(".browsable") or name.startswith("eventsite.pages.")))
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    light = [f"eventsite.pages.{name}" for name in ("middleware", "renderer", "submissions", "viewsets")]
    assert printed.strip() == str(light)


def test_a_confirmation_repeats_no_more_than_its_form_holds(browser: Browser, party: str) -> None:
    form = browser.open("/events/party").form("PUT")
    form.hidden |= {"strange": "x" * 100_000, "_before": form.hidden["_before"]}
    asked = browser.send(form, capacity="0")
    assert "Only 0 seats" in asked.headings[0]
    assert "xxxx" not in asked.html


def test_a_search_shows_the_names_itself(browser: Browser, party: str, meter: Meter) -> None:
    page = browser.open("/events/party/registrations")
    meter.reset()
    browser.send(next(form for form in page.forms if "q" in form.fields), q="bo")
    assert meter.calls.count("BatchGetItem") <= 2


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("reader", [alice, olivia, adam, None])
def test_an_event_s_page_costs_no_more_for_a_signed_in_reader(meter: Meter, reader: Any) -> None:
    olivias = As(olivia().access)
    event = olivias.event(capacity=1)
    olivias.post(f"/events/{event}/registrations", {})
    As(alice().access).post(f"/events/{event}/registrations", {})
    client, calls = As(reader and reader().access), []
    for accept in ("application/json", ACCEPT):
        meter.reset()
        answer = client.get(f"/events/{event}", accept=accept)
        calls.append(len(meter.calls))
    assert calls[1] <= calls[0] + 2, calls
    told = {alice: "You are number 1 on the waitlist.", olivia: "You have a seat.", None: "Log in to join the waitlist"}
    assert told.get(reader, "Join the waitlist") in answer.content.decode()


@pytest.mark.usefixtures("cognito")
def test_a_code_leads_organizers_to_the_button_that_checks_the_person_in() -> None:
    owner, attendee = As(olivia().access), As(alice().access)
    event = owner.event(capacity=1)
    attendee.post(f"/events/{event}/registrations", {})
    path = f"/events/{event}/registrations/{alice().sub}"
    own = attendee.get(f"/events/{event}/registrations/me", accept=ACCEPT).content.decode()
    assert segno.make_qr(f"{ORIGIN}{path}", error="m").svg_inline(omitsize=True, border=2) in own
    assert "Check in" not in own
    for button, now in (("Check in", "Undo the check-in"), ("Undo the check-in", "Check in")):
        page = Page(owner.get(path, accept=ACCEPT), path)
        form = next(form for form in page.forms if button in form.buttons)
        assert "<svg" not in page.html
        answer = owner.post(form.action, raw=urlencode(form.hidden), accept=ACCEPT, content_type=FORM)
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
        assert bool(attendee.get(path).json()["checkedInAt"]) == (now == "Undo the check-in")
