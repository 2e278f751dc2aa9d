"""A browser may act as an attendee of an open service, which takes permissions away and gives none."""

from typing import Any
from urllib.parse import urlencode

import pytest

from eventsite.auth import acting, permissions
from eventsite.auth.permissions import SIGNED_IN, TABLE, Principal
from tests.api import Api, problem
from tests.pages import FORM, Browser
from tests.signing_in import Acting, alice


def act(api: Api, **typed: str) -> Any:
    return api.post("/acting", raw=urlencode(typed), content_type=FORM)


@pytest.fixture
def attendee(api: Api) -> Browser:
    """Ada, who opened the only event."""
    api.event(eventId="party", capacity=1)
    api.user("ada")
    browser = Browser()
    page = browser.open("/events/party")
    browser.send(next(form for form in page.forms if "Act as an attendee" in form.buttons))
    return browser


def test_one_click_leads_into_the_role_and_one_out_of_it(attendee: Browser) -> None:
    page = attendee.open("/events/party")
    assert page.path == "/events/party"
    assert {"My registrations", "My profile"} <= page.links.keys() and "People" not in page.links
    assert "You act as Ada" in page.text and "Edit" not in page.text
    page = attendee.send(next(form for form in page.forms if "Leave this role" in form.buttons))
    assert "People" in page.links and "Edit" in page.text


def test_an_attendee_signs_up_and_gives_up(attendee: Browser, api: Api) -> None:
    page = attendee.open("/events/party")
    page = attendee.send(next(form for form in page.forms if "Sign up" in form.buttons))
    assert page.messages == ["You have a seat."]
    assert [one["userId"] for one in api.get("/events/party/registrations").json()] == ["ada"]
    assert "Spring party" in attendee.open("/users/me/registrations").text
    page = attendee.send(next(form for form in page.forms if "Give up my seat" in form.buttons))
    assert page.messages == ["You have given up your seat."]


def test_a_sign_up_after_the_role_was_left_explains_itself(attendee: Browser, api: Api) -> None:
    opened = attendee.open("/events/party")
    attendee.send(next(form for form in opened.forms if "Leave this role" in form.buttons))
    refused = attendee.send(next(form for form in opened.forms if "Sign up" in form.buttons))
    assert refused.status == 422
    assert "You do not act as an attendee any more. Act as one to sign up." in refused.text
    assert "userId" not in refused.text
    assert api.get("/events/party/registrations").json() == []


@pytest.mark.parametrize(("change", "asks"), [({}, True), ({"status": "cancelled"}, False), ({"capacity": 0}, False)])
def test_an_attendee_is_asked_before_a_seat_goes_to_another_one(
    attendee: Browser, api: Api, change: dict[str, Any], asks: bool
) -> None:
    for user in ("ada", api.user("bob")):
        api.register("party", user)
    api.patch("/events/party", change or {"title": "Party"})
    page = attendee.open("/events/party/registrations/me")
    page = attendee.send(next(form for form in page.forms if "Give up my seat" in form.buttons))
    assert ("the first of them gets your seat" in page.text) is asks
    assert (page.messages == ["You have given up your seat."]) is not asks


def test_a_person_is_chosen_on_the_own_page(api: Api) -> None:
    api.users(3)
    chosen = api.user("bob")
    browser = Browser()
    page = browser.open(f"/users/{chosen}")
    page = browser.send(next(form for form in page.forms if "Act as Bob" in form.buttons))
    assert "You act as Bob" in page.text


def test_an_attendee_who_deletes_the_account_leaves_the_role(attendee: Browser, api: Api) -> None:
    page = attendee.open("/users/me")
    page = attendee.sure(attendee.send(next(form for form in page.forms if "Delete my account" in form.buttons)))
    assert page.messages == ["Your account is deleted."]
    assert api.get("/users").json() == []


@pytest.mark.parametrize("call", TABLE)
def test_the_role_has_the_permissions_of_an_attendee(call: str) -> None:
    assert permissions.reach(call, Principal("ada")) is TABLE[call][SIGNED_IN]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_an_attendee_changes_no_event(api: Api, method: str) -> None:
    event = api.event()
    refused = Acting("ada").call(method, f"/events/{event}", {"title": "New"})
    assert problem(refused) == (403, "permission_denied")


@pytest.mark.parametrize("value", ["", "ada", "eyJzdWIiOiJhZGEifQ:1x:forged", '"', "x" * 4000])
def test_a_forged_cookie_names_no_attendee(api: Api, value: str) -> None:
    api.user("ada")
    answer = api.get("/users/me", cookie=f"{acting.COOKIE}={value}")
    assert problem(answer) == (401, "not_authenticated")


def test_it_takes_a_known_user(api: Api) -> None:
    assert problem(act(api, userId="nobody")) == (404, "user_not_found")
    assert act(api).headers["Location"] == "/users"


@pytest.mark.parametrize(
    ("page", "target"),
    [
        ("/events/party", "/events/party"),
        ("/events?when=past", "/events?when=past"),
        ("/users", "/"),
        ("https://evil.example/events", "/"),
        ("//evil.example/events", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
def test_it_leads_to_a_page_that_attendees_see(api: Api, page: str, target: str) -> None:
    api.user()
    assert act(api, next=page).headers["Location"] == target


def test_other_sites_and_other_methods_are_refused(api: Api) -> None:
    assert act_from("https://evil.example").status_code == 403
    assert problem(api.get("/acting")) == (405, "method_not_allowed")


def act_from(origin: str) -> Any:
    return Api().post("/acting", raw="", content_type=FORM, origin=origin)


def test_the_answers_to_an_attendee_are_never_stored(api: Api) -> None:
    event = api.event()
    assert Acting("ada").get(f"/events/{event}").headers["Cache-Control"] == "no-store"


def test_where_people_sign_in_there_is_no_such_role(cognito: None) -> None:
    assert problem(Acting(alice().sub).get("/users/me")) == (401, "not_authenticated")
    assert act(Api()).status_code == 404
