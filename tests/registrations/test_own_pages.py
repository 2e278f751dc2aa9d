"""The pages of a user's own registrations agree with the state of the event."""

import pytest

from tests.api import Api
from tests.pages import Browser, Page
from tests.signing_in import As, adam, alice, olivia

ALICE = "/users/me/registrations"


@pytest.fixture
def attendee(cognito: None) -> Browser:
    return Browser(token=alice().access)


@pytest.fixture
def organizer(cognito: None) -> Api:
    return As(olivia().access)


def buttons(page: Page) -> set[str]:
    return {label for form in page.forms if not form.is_in_header for label in form.buttons}


@pytest.mark.parametrize("over", [{"date": "2020-01-01"}, {"status": "completed"}])
def test_an_event_that_is_over_has_no_seat_to_give_up(attendee: Browser, organizer: Api, over: dict[str, str]) -> None:
    event = organizer.event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    organizer.patch(f"/events/{event}", over)
    page = attendee.open(f"/events/{event}")
    assert "This event is over." in page.text and "You had a seat." in page.text
    assert not buttons(page)
    page = attendee.open(f"/events/{event}/registrations/me")
    assert "You had a seat" in page.text and "at the door" not in page.text
    assert not buttons(page)
    page = attendee.open(ALICE)
    assert "You had a seat" in page.text and "Coming up" not in page.text
    assert "You're in" not in attendee.open(f"/events?status={over.get('status', 'published')}").text


def test_a_cancelled_event_has_no_code_to_show(attendee: Browser, organizer: Api) -> None:
    event = organizer.event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    assert "at the door" in attendee.open(f"/events/{event}/registrations/me").text
    organizer.patch(f"/events/{event}", {"status": "cancelled"})
    page = attendee.open(f"/events/{event}/registrations/me")
    assert "The event is cancelled" in page.text and "at the door" not in page.text


def test_a_withdrawn_event_has_no_code_to_show(attendee: Browser, organizer: Api) -> None:
    event = organizer.event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    organizer.patch(f"/events/{event}", {"status": "draft"})
    page = attendee.open(f"/events/{event}/registrations/me")
    assert "The event is withdrawn" in page.text and "at the door" not in page.text
    assert buttons(page) == {"Give up my seat"}


def test_a_seat_that_an_organizer_cancelled_is_not_one_that_was_given_up(attendee: Browser, organizer: Api) -> None:
    page = attendee.open(f"{ALICE}?status=cancelled")
    assert "None of your registrations is cancelled." in page.text
    event = organizer.event()
    As(alice().access).post(f"/events/{event}/registrations", {})
    organizer.delete(f"/events/{event}/registrations/{alice().sub}")
    for path in (f"{ALICE}?status=cancelled", f"/events/{event}/registrations/me"):
        assert "You gave" not in attendee.open(path).text
    assert attendee.open(f"/events/{event}/registrations/me").links["Spring party"] == f"/events/{event}"


def test_a_user_without_a_registration_is_addressed(attendee: Browser, organizer: Api) -> None:
    event = organizer.event()
    page = attendee.open(f"/events/{event}/registrations/me")
    assert page.status == 404 and "You are not signed up for this event." in page.text


def test_a_place_that_was_left_twice_was_on_the_waitlist(attendee: Browser, organizer: Api) -> None:
    event = organizer.event(capacity=0)
    As(alice().access).post(f"/events/{event}/registrations", {})
    leave = next(form for form in attendee.open(f"/events/{event}").forms if "Leave the waitlist" in form.buttons)
    assert attendee.send(leave).messages == ["You have left the waitlist."]
    assert attendee.send(leave).messages == ["You have already left the waitlist."]


def test_a_question_before_the_waitlist_leads_to_the_waitlist(attendee: Browser, organizer: Api) -> None:
    question = {"questionId": "size", "label": "Size?", "kind": "text", "required": True}
    event = organizer.event(capacity=0, questions=[question])
    join = next(form for form in attendee.open(f"/events/{event}").forms if "Join the waitlist" in form.buttons)
    again = attendee.send(join).form("POST")
    assert list(again.buttons) == ["Join the waitlist"]
    assert "You are number 1 on the waitlist." in attendee.send(again, **{"answers.size": "M"}).messages[0]


def test_an_answer_is_changed_until_the_event_is_over(attendee: Browser, organizer: Api) -> None:
    size = {"questionId": "size", "label": "Size?", "kind": "choice", "choices": ["S", "M"], "required": True}
    photo = {"questionId": "photo", "label": "Photos?", "kind": "yesNo", "required": False}
    event = organizer.event(questions=[size, photo])
    path = f"/events/{event}/registrations"
    As(alice().access).post(path, {"answers": {"size": "S", "photo": False}})
    form = attendee.open(f"{path}/me").form("PATCH")
    assert form.fields == {"answers.size": "S", "answers.photo": "false"}
    page = attendee.send(form, **{"answers.size": "M", "answers.photo": ""})
    assert page.messages == ["Your answers are saved."] and page.headings == ["My registration"]
    (found,) = organizer.get(path).json()
    assert {name: answer for name, answer in found["answers"].items() if answer is not None} == {"size": "M"}
    again = attendee.send(page.form("PATCH"), **{"answers.size": ""})
    assert again.form("PATCH").errors == {"answers.size": "Please answer this question."}
    organizer.patch(f"/events/{event}", {"date": "2020-01-01"})
    assert "Change my answers" not in attendee.open(f"{path}/me").text


@pytest.mark.parametrize("path", ["registrations/me", "history", "messages", "registrations/me/check-in"])
def test_the_trail_leads_only_where_the_user_may_go(cognito: None, path: str) -> None:
    event = As(adam().access).event()
    As(olivia().access).post(f"/events/{event}/registrations", {})
    page = Browser(token=olivia().access).open(f"/events/{event}/{path}")
    assert "People" not in page.links and "Spring party" in page.links


@pytest.mark.parametrize("path", ["/users/me", ALICE, "/users/me/calendar"])
def test_a_signed_out_user_has_no_other_person_above(cognito: None, path: str) -> None:
    page = Browser().open(path)
    assert page.status == 401 and "The person" not in page.links


def test_an_admin_who_deletes_a_person_stays_among_people(cognito: None) -> None:
    As(adam().access).post("/users", {"userId": "dave", "name": "Dave"})
    browser = Browser(token=adam().access)
    delete = next(form for form in browser.open("/users/dave").forms if "Delete" in form.buttons)
    page = browser.sure(browser.send(delete))
    assert page.messages == ["Dave was deleted."] and page.headings[0] == "People"


def test_a_refused_profile_addresses_its_user(attendee: Browser) -> None:
    page = attendee.send(attendee.open("/users/me").form("PUT"), email="nope")
    assert page.headings[0] == "My profile" and "Seen by you" in page.text and "E-mail me when" in page.text
    assert page.form("PUT").errors == {"email": "Enter an e-mail address."}
