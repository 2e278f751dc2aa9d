"""What organizers write to the people of their events: once to each, at most five times a day."""

import time
from typing import Any
from unittest.mock import patch

import pytest
from pytest_django.fixtures import Settings

from eventsite.dynamodb import daily_limit
from eventsite.dynamodb.idempotency import IdempotentRequest
from eventsite.errors import Unavailable
from registrations.notices import organizer_messages, queue
from tests.api import Api, problem
from tests.registrations.notices.carrying import Carried, html, text
from tests.signing_in import As, adam, alice, olivia, oscar
from users.models import User

MESSAGE: dict[str, Any] = {"subject": "Bring a cup", "text": "There is tea.\n\nYou have a seat.", "to": "everybody"}


@pytest.fixture
def party(carried: Carried, alice_before_bob: str) -> str:
    """An event with one seat, which Alice has while Bob waits."""
    carried.publish()
    return alice_before_bob


def written(api: Api, carried: Carried, **changes: Any) -> list[Any]:
    answer = api.post("/events/party/messages", MESSAGE | changes)
    assert (answer.status_code, list(answer.json())) == (202, ["message"])
    return carried.publish([])


@pytest.mark.parametrize(
    ("to", "people"), [("everybody", ["alice", "bob"]), ("registered", ["alice"]), ("waitlisted", ["bob"])]
)
def test_it_reaches_those_it_is_for(api: Api, party: str, carried: Carried, to: str, people: list[str]) -> None:
    mails = written(api, carried, to=to)
    assert [mail["To"].addresses[0].username for mail in mails] == people
    assert {mail["Subject"] for mail in mails} == {"Bring a cup"}


def test_it_is_a_quotation_in_the_mail(api: Api, party: str, carried: Carried) -> None:
    mail = written(api, carried, text="Tea.\n\nYou have a seat.\u2028\r\n<b>Bold</b>")[0]
    assert "> Tea.\n>\n> You have a seat.\n>\n> <b>Bold</b>\n" in text(mail).replace("> \n", ">\n")
    assert "<b>" not in html(mail) and "<blockquote>" in html(mail)
    assert "Spring party" in text(mail) and list(mail.iter_attachments()) == []


def test_people_who_want_no_mail_get_it_too(api: Api, party: str, carried: Carried) -> None:
    api.patch("/users/alice", {"notify": False})
    assert len(written(api, carried)) == 2


def test_each_task_is_mailed_once(api: Api, party: str, carried: Carried) -> None:
    api.post("/events/party/messages", MESSAGE)
    tasks = list(carried.bodies)
    assert len(carried.publish([])) == 2
    carried.bodies = tasks
    assert carried.publish([]) == []
    assert len(written(api, carried)) == 2, "another message"


@pytest.mark.parametrize(
    ("change", "gives_up"),
    [({}, True), ({"status": "cancelled"}, False), ({"status": "completed"}, False), ({"date": "2020-01-01"}, False)],
    ids=str,
)
def test_it_offers_to_give_up_only_what_takes_place_and_no_setting_that_does_not_end_it(
    api: Api, party: str, carried: Carried, change: dict[str, str], gives_up: bool
) -> None:
    api.patch("/events/party", change)
    mail = written(api, carried)[0]
    for part in (text(mail), html(mail)):
        assert ("give your registration up" in part) is gives_up
        assert "You get this because" in part and "no e-mail" not in part.lower()


def test_with_one_key_it_is_sent_once_and_counts_once(api: Api, party: str, carried: Carried) -> None:
    for _ in range(7):
        assert api.post("/events/party/messages", MESSAGE, idempotency_key="k").status_code == 202
    assert len(carried.publish([])) == 2
    other = api.post("/events/party/messages", MESSAGE | {"text": "Coffee."}, idempotency_key="k")
    assert problem(other) == (422, "idempotency_key_reused")
    assert api.post("/events/party/messages", MESSAGE, idempotency_key="l").status_code == 202
    assert len(carried.publish([])) == 2


@pytest.mark.parametrize("function", ["take", "queue.send", "keyed.finish"])
def test_a_keyed_copy_that_was_cut_off_is_sent_once_by_the_next(
    api: Api, party: str, carried: Carried, function: str
) -> None:
    places = {
        "take": (organizer_messages, "take"),
        "queue.send": (queue, "send"),
        "keyed.finish": (IdempotentRequest, "finish"),
    }
    with patch.object(*places[function], side_effect=Unavailable):
        assert api.post("/events/party/messages", MESSAGE, idempotency_key="k").status_code == 503
    for _ in range(6):
        assert api.post("/events/party/messages", MESSAGE, idempotency_key="k").status_code == 202
    assert len(carried.publish([])) == 2


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k"}], ids=["without a key", "with a key"])
def test_one_without_recipients_counts_for_nothing(api: Api, party: str, carried: Carried, key: dict[str, str]) -> None:
    api.leave("party", "alice")  # Bob gets the seat, and the waitlist is empty
    carried.publish()
    for _ in range(6):
        answer = api.post("/events/party/messages", MESSAGE | {"to": "waitlisted"}, **key)
        assert (answer.status_code, answer.json()) == (202, {"message": "There is no one to write to."})
    assert carried.publish([]) == []
    assert len(written(api, carried, to="registered")) == 1


def test_the_sixth_of_a_day_is_refused(api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        assert api.post("/events/party/messages", MESSAGE).status_code == 202
    refused = api.post("/events/party/messages", MESSAGE)
    assert problem(refused) == (429, "too_many_messages")
    assert 0 <= int(refused.headers["Retry-After"]) <= daily_limit.DAY
    other = api.event(eventId="other")
    assert api.post(f"/events/{other}/messages", MESSAGE).status_code == 202
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + daily_limit.DAY)
    assert api.post("/events/party/messages", MESSAGE).status_code == 202


def test_a_refused_message_counts_for_nothing(api: Api, party: str) -> None:
    for _ in range(6):
        assert api.post("/events/party/messages", {}).status_code == 422
    assert api.post("/events/party/messages", MESSAGE).status_code == 202


def test_without_mail_it_is_refused(api: Api, party: str, settings: Settings) -> None:
    settings.MAIL_FROM = ""
    assert problem(api.post("/events/party/messages", MESSAGE)) == (409, "mail_is_off")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"text": "\u200b"}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"to": "nobody"}, "to"),
        ({"to": None}, "to"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused(api: Api, party: str, changes: dict[str, Any], field: str) -> None:
    answer = api.post("/events/party/messages", MESSAGE | changes)
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_an_unknown_event_has_nobody_to_write_to(api: Api) -> None:
    assert problem(api.post("/events/none/messages", MESSAGE)) == (404, "event_not_found")


def test_only_organizers_write(cognito: None, carried: Carried) -> None:
    As(oscar().access).event(eventId="party")
    for token, expected in (
        (None, (401, "not_authenticated")),
        (alice().access, (403, "permission_denied")),
        (olivia().access, (403, "permission_denied")),
    ):
        answer = As(token).post("/events/party/messages", MESSAGE)
        assert (answer.status_code, answer.json()["code"]) == expected
    for person in (oscar(), adam()):
        assert As(person.access).post("/events/party/messages", MESSAGE).status_code == 202


def test_answers_go_to_the_organizer(cognito: None, carried: Carried) -> None:
    As(oscar().access).event(eventId="party")
    As(alice().access).post("/events/party/registrations", {})
    As(oscar().access).get("/users/me")
    for person, email in ((alice(), "alice@example.com"), (oscar(), "oscar@example.org")):
        User(person.sub).update([User.email.set(email), User.email_verified.set(True)])
    carried.publish()
    mails = written(As(oscar().access), carried)
    assert [str(mail["Reply-To"]) for mail in mails] == ["oscar <oscar@example.org>"]
    User(oscar().sub).update([User.email_verified.set(False)])
    assert [mail["Reply-To"] for mail in written(As(oscar().access), carried)] == [None]
