"""An address is verified by a claim, by an admin, or by a click on the link in a mail."""

import re
import time
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from eventsite.auth import tokens
from eventsite.dynamodb import daily_limit
from registrations.notices.mail import confirmations
from tests.api import Api
from tests.eventsite.auth import issuing
from tests.registrations.notices.carrying import Carried, html, text
from tests.signing_in import As, adam, alice
from users import services
from users.models import User

TYPED = "alice@straße.example"


@pytest.fixture
def me(cognito: None, carried: Carried) -> As:
    """Alice, signed in, who is there already."""
    signed_in = As(alice().access)
    assert signed_in.get("/users/me").json()["emailVerified"] is False
    return signed_in


def asked(carried: Carried) -> list[str]:
    """The links in the mails that ask for a confirmation."""
    mails = carried.publish([])
    for mail in mails:
        assert mail["Subject"] == "Please confirm your e-mail address"
        assert mail["To"].addresses[0].addr_spec == "alice@xn--strae-oqa.example"
        assert mail["List-Unsubscribe"] is None
    links = [re.findall(r"http://localhost:8000(/confirmations/\S+)", text(mail)) for mail in mails]
    assert all(link[0] in html(mail) for link, mail in zip(links, mails, strict=True))
    return [link[0] for link in links]


def test_a_typed_address_is_verified_by_a_click(me: As, carried: Carried) -> None:
    assert me.patch("/users/me", {"email": TYPED}).json()["emailVerified"] is False
    (link,) = asked(carried)
    page = Api().get(link)
    assert page.status_code == 200 and b"Confirm the address" in page.content
    assert page.headers["Cache-Control"] == "no-store"
    assert me.get("/users/me").json()["emailVerified"] is False, "programs that scan mail follow links"
    assert Api().post(link).status_code == 200
    assert me.get("/users/me").json()["emailVerified"] is True
    assert Api().post(link).status_code == Api().get(link).status_code == 410, "it works once"


def test_a_link_is_good_for_three_days(me: As, carried: Carried, monkeypatch: pytest.MonkeyPatch) -> None:
    me.patch("/users/me", {"email": TYPED})
    (link,) = asked(carried)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3 * 24 * 60 * 60 + 1)
    assert Api().post(link).status_code == 410
    assert me.get("/users/me").json()["emailVerified"] is False


@pytest.mark.parametrize("then", ["other@example.org", None])
def test_a_link_is_for_the_address_that_it_was_sent_to(me: As, carried: Carried, then: str | None) -> None:
    me.patch("/users/me", {"email": TYPED})
    (link,) = asked(carried)
    me.patch("/users/me", {"email": then})
    assert Api().post(link).status_code == 410
    assert me.get("/users/me").json()["emailVerified"] is False
    me.patch("/users/me", {"email": TYPED})
    assert Api().post(link).status_code == 410, "not even when it is entered again"


@pytest.mark.parametrize("change", [lambda link: link + "x", lambda link: link[:-1], lambda link: "/confirmations/x"])
def test_a_forged_link_confirms_nothing(me: As, carried: Carried, change: Any) -> None:
    me.patch("/users/me", {"email": TYPED})
    (link,) = asked(carried)
    assert Api().post(change(link)).status_code == 410
    assert me.get("/users/me").json()["emailVerified"] is False


def test_other_methods_are_refused(me: As) -> None:
    assert Api().put("/confirmations/x").status_code == 405


def test_a_stranger_is_mailed_at_most_three_times_a_day(
    me: As,
    carried: Carried,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        services.create(
            name="Mallory", email=TYPED if number % 2 else TYPED.upper().replace("SSE", "ßE"), user_id=f"m{number}"
        )
    tasks = list(carried.bodies)
    assert len(tasks) == 5
    assert len(carried.publish([])) == 3
    carried.bodies = tasks[:3]
    assert carried.publish([]) == [], "the same ones again"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + daily_limit.DAY)
    me.patch("/users/me", {"email": TYPED})
    assert len(asked(carried)) == 1


def test_the_same_address_again_stays_as_it_was(me: As, carried: Carried) -> None:
    me.patch("/users/me", {"email": TYPED})
    (link,) = asked(carried)
    me.put("/users/me", {"name": "Alice", "email": TYPED})
    (again,) = asked(carried)
    Api().post(link)
    assert Api().post(again).status_code == 410
    assert me.put("/users/me", {"name": "Alice B.", "email": TYPED}).json()["emailVerified"] is True
    assert asked(carried) == []
    assert me.patch("/users/me", {"email": "other@example.org"}).json()["emailVerified"] is False


def test_an_admin_knows_whose_address_it_is(me: As, carried: Carried) -> None:
    admin = As(adam().access)
    assert admin.patch(f"/users/{alice().sub}", {"email": TYPED}).json()["emailVerified"] is True
    assert admin.post("/users", {"name": "Bob", "email": "bob@example.org"}).json()["emailVerified"] is True
    assert asked(carried) == []


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email": TYPED, "email_verified": True}, (TYPED, True)),
        ({"email": TYPED, "email_verified": "true"}, (TYPED, True)),
        ({"email": TYPED, "email_verified": False}, (TYPED, False)),
        ({"email": TYPED, "email_verified": "yes"}, (TYPED, False)),
        ({"email": TYPED, "email_verified": 1}, (TYPED, True)),
        ({"email": TYPED}, (TYPED, False)),
        ({"email": "=?utf-8?q?x?=@example.org", "email_verified": True}, ("", False)),
        ({"email": ["a@example.org"], "email_verified": True}, ("", False)),
        ({"email_verified": True}, ("", False)),
    ],
    ids=str,
)
def test_a_token_brings_an_address(
    cognito: None,
    carried: Carried,
    claims: dict[str, Any],
    expected: tuple[str, bool],
) -> None:
    principal = tokens.principal({"sub": "newcomer", **claims}, issuing.POOL)
    assert (principal.email, principal.email_verified) == expected
    user = services.read_or_create(
        "newcomer", name="New", email=principal.email, email_verified=principal.email_verified
    )
    assert (user.email or "", user.has_verified_email) == expected
    assert len(carried.publish([])) == (1 if expected[0] and not expected[1] else 0)


def test_in_open_mode_every_address_counts(api: Api, carried: Carried) -> None:
    assert api.post("/users", {"name": "Alice", "email": TYPED}).json()["emailVerified"] is True
    assert api.post("/users", {"name": "Alice"}).json()["emailVerified"] is False
    assert carried.publish([]) == []


def test_what_only_the_server_sets_is_ignored(me: As) -> None:
    body = {"name": "Alice", "email": TYPED, "emailVerified": True}
    assert me.put("/users/me", body).json()["emailVerified"] is False


def test_without_mail_nobody_is_asked(me: As, carried: Carried, settings: Settings) -> None:
    settings.MAIL_FROM = ""
    me.patch("/users/me", {"email": TYPED})
    assert carried.bodies == []


def test_a_queue_that_is_out_does_not_change_the_answer(me: As, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(confirmations, "ask", fail)
    assert me.patch("/users/me", {"email": TYPED}).status_code == 200
    assert User.get(alice().sub).confirmation


def test_the_profile_asks_for_the_click(me: As, carried: Carried) -> None:
    me.patch("/users/me", {"email": TYPED})
    (link,) = asked(carried)
    page = me.get("/users/me", accept="text/html,application/xhtml+xml").content.decode()
    assert "is not confirmed yet." in page
    Api().post(link)
    assert "is not confirmed yet." not in me.get("/users/me", accept="text/html,application/xhtml+xml").content.decode()
