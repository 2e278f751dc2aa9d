"""Bounces and complaints are noted, and a dead address gets no more mail."""

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from registrations.notices import attempts, aws
from registrations.notices.mail import feedback, ses
from tests.api import Api
from tests.registrations.notices.carrying import Carried
from users.models import User

BOUNCE = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "Alice@xn--strae-oqa.example"}]}
COMPLAINT = {"complainedRecipients": [{"emailAddress": "alice@xn--strae-oqa.example"}]}


def event(kind: str, report: dict[str, Any], **tags: str) -> str:
    """An event of SES, as EventBridge puts it into the queue."""
    mail = {"messageId": "0100", "tags": {name: [value] for name, value in tags.items()}}
    detail = {"eventType": kind, "mail": mail, kind.lower(): report}
    return json.dumps({"source": "aws.ses", "time": "2026-12-01T10:00:00Z", "detail": detail})


@pytest.fixture
def party(api: Api, carried: Carried) -> str:
    """An event that Alice is signed up for, and was mailed about."""
    api.post("/users", {"userId": "alice", "name": "Alice", "email": "alice@straße.example"})
    event = api.event(eventId="party")
    api.register(event, "alice")
    assert len(carried.publish()) == 1
    return event


@pytest.mark.parametrize(
    ("kind", "report", "what"),
    [("Bounce", BOUNCE, "mail.bounced"), ("Complaint", COMPLAINT, "mail.complained")],
)
def test_a_dead_address_gets_no_more_mail(
    api: Api, party: str, carried: Carried, kind: str, report: dict[str, Any], what: str
) -> None:
    for _ in range(2):
        assert attempts.attempt(event(kind, report, user="alice", event="party"), 1) is None
    problem = User.get("alice").email_problem
    assert problem == f"{what.removeprefix('mail.')} 2026-12-01T10:00:00Z"
    history = api.get("/events/party/history").json()
    assert [(entry["what"], entry["userId"]) for entry in history if entry["what"] == what] == [(what, "alice")]
    api.patch("/events/party", {"status": "cancelled"})
    assert carried.publish() == []
    api.patch("/users/alice", {"email": "alice@example.org"})
    api.patch("/events/party", {"status": "published"})
    assert len(carried.publish()) == 1, "another address begins again"


@pytest.mark.parametrize(
    "body",
    [
        event("Bounce", BOUNCE | {"bounceType": "Transient"}, user="alice", event="party"),
        event("Bounce", BOUNCE | {"bouncedRecipients": [{"emailAddress": "old@example.org"}]}, user="alice"),
        event("Bounce", BOUNCE, user="nobody", event="none"),
        event("Bounce", BOUNCE),
        event("Delivery", {}, user="alice"),
    ],
)
def test_a_report_about_something_else_changes_nothing(party: str, body: str) -> None:
    feedback.record(json.loads(body))
    assert User.get("alice").email_problem is None


def test_mails_carry_the_ids_that_a_report_needs(
    party: str, carried: Carried, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    class Client:
        def send_email(self, **arguments: Any) -> None:
            sent.append(arguments)

    monkeypatch.setattr(aws, "client", lambda service: Client())
    settings.LOCAL = False
    mail = composed_mail()
    ses.send(mail)
    settings.MAIL_CONFIGURATION_SET = "reports"
    ses.send(mail)
    plain, tagged = sent
    assert "EmailTags" not in plain and "ConfigurationSetName" not in plain
    assert plain["Destination"] == {"ToAddresses": ["alice@xn--strae-oqa.example"]}
    assert tagged["ConfigurationSetName"] == "reports"
    assert tagged["EmailTags"] == [{"Name": "user", "Value": "alice"}, {"Name": "event", "Value": "party"}]


def composed_mail() -> Any:
    from events.whole import find_event
    from registrations.notices.mail import messages
    from registrations.notices.occasions import SIGNED_UP, Occasion

    whole = find_event("party")
    assert whole
    return messages.compose(Occasion(SIGNED_UP, whole.event), User.get("alice"), "party.1.1.registered")
