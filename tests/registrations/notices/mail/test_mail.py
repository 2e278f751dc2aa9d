"""Who is mailed about which change, in which words, and never without need."""

from collections.abc import Callable
from email.message import EmailMessage
from itertools import permutations
from typing import Any
from unittest.mock import patch
from xml.etree import ElementTree

import icalendar
import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from events.models import EventItem
from eventsite import clock
from eventsite.errors import Unavailable
from registrations.models import RegistrationItem, UserRegistration
from registrations.notices.mail import delivery as sending
from registrations.notices.mail.sent_markers import MailMarker
from registrations.seating import ends
from tests.api import Api, problem
from tests.registrations.notices.carrying import Carried, html, text
from tests.registrations.notices.streaming import reported
from users.models import User

TIMES = {"startTime": "19:00", "endTime": "22:00", "timeZone": "Europe/Berlin"}


@pytest.fixture
def party(api: Api, carried: Carried) -> str:
    """An event with one seat, which Alice has. Bob and Carol wait. All have addresses, and nobody was mailed."""
    for name in ("Alice", "Bob", "Carol"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name.lower()}@example.com"})
    event = api.event(eventId="party", title="Fête d’été", capacity=1, **TIMES)
    for user in ("alice", "bob", "carol"):
        api.register(event, user)
    assert len(carried.publish()) == 3, "of signing up"
    return event


def entry(mail: EmailMessage) -> tuple[str, Any]:
    """Return the attached calendar: its method and its event."""
    (attached,) = mail.iter_attachments()
    calendar: Any = icalendar.Calendar.from_ical(attached.get_content())
    assert attached.get_filename() == "event.ics"
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params["method"] == calendar["METHOD"]
    (event,) = calendar.walk("VEVENT")
    assert not calendar.errors and not event.errors
    return str(calendar["METHOD"]), event


def told_to(mails: list[EmailMessage]) -> list[str]:
    return [f"{mail['To'].addresses[0].username}: {mail['Subject']}" for mail in mails]


def test_a_promoted_person_is_mailed(api: Api, party: str, carried: Carried) -> None:
    api.leave(party, "alice")
    (mail,) = carried.publish()
    assert (mail["To"], mail["From"]) == ("Bob <bob@example.com>", "eventsite <eventsite@localhost.localdomain>")
    assert mail["Subject"] == "You have a seat: Fête d’été"
    assert (mail["Auto-Submitted"], mail["MIME-Version"]) == ("auto-generated", "1.0")
    assert mail["List-Unsubscribe"] == "<http://localhost:8000/users/bob>"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
    ]  # fmt: skip
    facts = (
        "You moved up from the waitlist: you have a seat.",
        "Thu 1 Apr 2083, 19:00–22:00 (Europe/Berlin)",
        "Garden",
    )
    for part in (text(mail), html(mail)):
        assert all(fact in part for fact in facts)
        assert "http://localhost:8000/events/party/registrations/bob" in part


def test_the_entry_for_the_calendar_is_that_of_the_calendar(api: Api, party: str, carried: Carried) -> None:
    api.leave(party, "alice")
    method, event = entry(carried.publish()[0])
    listed: Any = icalendar.Calendar.from_ical(api.get("/events/party?format=ics").content)
    (same,) = listed.walk("VEVENT")
    assert method == "PUBLISH"
    for name in ("UID", "SEQUENCE", "SUMMARY", "DTSTART", "DTEND", "STATUS", "DTSTAMP"):
        assert event[name] == same[name]
    assert event["ORGANIZER"] == "mailto:eventsite@localhost.localdomain"


def test_a_cancelled_event_is_mailed_to_its_people(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"status": "cancelled"})
    mails = carried.publish()
    assert told_to(mails) == [f"{name}: Cancelled: Fête d’été" for name in ("alice", "bob", "carol")]
    assert "The event is cancelled." in text(mails[0]) and "The event is cancelled." in html(mails[0])
    method, event = entry(mails[0])
    assert (method, event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 2)
    assert "/registrations/" not in text(mails[0]), "nothing is left to give up"


def test_an_event_that_is_on_again_is_mailed_to_its_people(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"status": "cancelled"})
    carried.publish()
    api.patch(f"/events/{party}", {"status": "published"})
    mails = carried.publish()
    assert told_to(mails) == [f"{name}: On again: Fête d’été" for name in ("alice", "bob", "carol")]
    assert entry(mails[0])[0] == "PUBLISH"


def test_an_event_that_was_withdrawn_and_is_open_again_is_mailed_with_its_present_times(
    api: Api, party: str, carried: Carried
) -> None:
    for way in (["draft"], ["cancelled", "draft"], ["completed"], ["cancelled", "completed"]):
        for status in way:
            api.patch(f"/events/{party}", {"status": status})
        api.patch(f"/events/{party}", {"date": "2083-05-01"})
        api.patch(f"/events/{party}", {"status": "published"})
        mails = carried.publish(reported()[-1:])
        assert told_to(mails) == [f"{name}: On again: Fête d’été" for name in ("alice", "bob", "carol")]
        assert "Sat 1 May 2083" in text(mails[0])


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"status": "published"}, {"date": "2083-04-02"}], ids=str)
def test_a_waiting_person_is_mailed_about_waiting_without_an_entry_for_the_calendar(
    api: Api, party: str, carried: Carried, change: dict[str, str]
) -> None:
    if change == {"status": "published"}:
        api.patch(f"/events/{party}", {"status": "cancelled"})
        carried.publish()
    api.patch(f"/events/{party}", change)
    seated, *waiting = carried.publish()
    assert list(seated.iter_attachments())
    for mail in waiting:
        assert not list(mail.iter_attachments())
        for part in (text(mail), html(mail)):
            assert "signed up." not in part.partition("You get this")[0]
            assert ("You are still on the waitlist." in part) is ("cancelled" not in change.values())


@pytest.mark.parametrize(
    ("change", "now", "before"),
    [
        (
            {"date": "2083-04-02"},
            "Fri 2 Apr 2083, 19:00–22:00 (Europe/Berlin)",
            "Thu 1 Apr 2083, 19:00–22:00 (Europe/B",
        ),
        ({"endTime": None}, "Thu 1 Apr 2083, 19:00 (Europe/Berlin)", "Thu 1 Apr 2083, 19:00–22:00 (Europe/Berlin)"),
        (
            {"startTime": None, "endTime": None, "timeZone": None},
            "When: Thu 1 Apr 2083\n",
            "before: Thu 1 Apr 2083, 19:00–22:00 (Europe/Berlin)",
        ),
        ({"timeZone": "Asia/Tokyo"}, "19:00–22:00 (Asia/Tokyo)", "before: Thu 1 Apr 2083, 19:00–22:00 (Europe/Berlin)"),
        ({"location": "Hall <2>"}, "Where: Hall <2>", "before: Garden"),
    ],
    ids=str,
)
def test_a_moved_event_is_mailed_to_its_people(
    api: Api, party: str, carried: Carried, change: dict[str, Any], now: str, before: str
) -> None:
    api.patch(f"/events/{party}", change)
    mails = carried.publish()
    assert told_to(mails) == [f"{name}: Changed: Fête d’été" for name in ("alice", "bob", "carol")]
    assert now in text(mails[0]) and before in text(mails[0])
    assert html(mails[0]).count("<s>") == 1


@pytest.mark.parametrize(
    "change", [{"title": "Winter party"}, {"description": "Cake."}, {"capacity": 0}, {"status": "completed"}]
)
def test_a_change_without_effect_on_people_is_not_mailed(
    api: Api, party: str, carried: Carried, change: dict[str, Any]
) -> None:
    api.patch(f"/events/{party}", change)
    assert carried.publish() == []


def test_a_deleted_event_is_mailed_to_its_people(api: Api, party: str, carried: Carried) -> None:
    api.delete(f"/events/{party}?registrations=cancel")
    mails = carried.publish()
    assert told_to(mails) == [f"{name}: Cancelled: Fête d’été" for name in ("alice", "bob", "carol")]
    assert "and your registration with it" in text(mails[0])
    method, event = entry(mails[0])
    assert (method, event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert "/events/" not in text(mails[0]), "there is nothing to look at any more"


CUT_OFF = {"before the first person": (ends, "_first_lines"), "after the first are announced": (ends, "remove_rows")}
CONTINUED = {
    "by the same request": lambda api, event: api.delete(f"/events/{event}?registrations=cancel").status_code == 204,
    "by the command": lambda _, event: call_command("purge_event", event) is None,
    "by the audit": lambda _, event: call_command("audit_seats", repair=True) is None,
}


@pytest.mark.parametrize("continued", CONTINUED.values(), ids=CONTINUED)
@pytest.mark.parametrize("cut_off", CUT_OFF.values(), ids=CUT_OFF)
def test_a_deletion_that_was_cut_off_is_continued_and_mailed_to_everybody_once(
    api: Api, party: str, carried: Carried, cut_off: tuple[Any, str], continued: Callable[[Api, str], bool]
) -> None:
    with patch.object(*cut_off, side_effect=Unavailable):
        api.delete(f"/events/{party}?registrations=cancel")
    assert list(RegistrationItem.scan())
    assert problem(api.delete(f"/events/{party}")) == (404, "event_not_found")
    early = carried.publish()
    assert continued(api, party)
    assert told_to(sorted(early + carried.publish(), key=lambda mail: str(mail["To"]))) == [
        f"{name}: Cancelled: Fête d’été" for name in ("alice", "bob", "carol")
    ]
    assert not [*RegistrationItem.scan(), *EventItem.query(party)]
    assert problem(api.delete(f"/events/{party}?registrations=cancel")) == (404, "event_not_found")


def test_what_a_deletion_has_left_is_not_taken_for_a_new_event_of_the_id(
    api: Api, party: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with patch.object(ends, "_first_lines", side_effect=Unavailable):
        api.delete(f"/events/{party}?registrations=cancel")
    api.event(eventId=party, title="Another")
    call_command("purge_event", party, dry_run=True)
    assert "party (Another): 0 registered, 0 waiting" in capsys.readouterr().out
    call_command("audit_seats", repair=True)
    assert api.get(f"/events/{party}").json()["title"] == "Another"
    assert not list(RegistrationItem.scan())


def test_what_a_person_must_not_be_bothered_with(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"status": "cancelled"})
    carried.publish()
    api.patch(f"/events/{party}", {"location": "Hall"})
    assert carried.publish() == [], "where it does not take place"
    api.delete(f"/events/{party}?registrations=cancel")
    assert carried.publish() == [], "that an event that they know is cancelled is gone"


@pytest.mark.parametrize("last_status", ["published", "completed"])
def test_a_past_event_is_not_mailed(api: Api, party: str, carried: Carried, last_status: str) -> None:
    api.patch(f"/events/{party}", {"date": "2026-01-01"})
    assert len(carried.publish()) == 3, "it is new that it was then"
    api.leave(party, "alice")
    api.patch(f"/events/{party}", {"location": "Hall"})
    api.patch(f"/events/{party}", {"status": last_status})
    api.delete(f"/events/{party}?registrations=cancel")
    assert carried.publish() == []


def test_an_event_is_past_from_its_end_on(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: "2083-04-01T19:59:59.000000Z")  # it ends at 22:00 in Berlin
    api.patch(f"/events/{party}", {"location": "Hall"})
    assert len(carried.publish()) == 3
    monkeypatch.setattr(clock, "now", lambda: "2083-04-01T20:00:00.000000Z")
    api.patch(f"/events/{party}", {"location": "Garden"})
    assert carried.publish() == []


def test_who_has_no_address_or_wants_no_mail_gets_none(api: Api, party: str, carried: Carried) -> None:
    api.patch("/users/alice", {"email": None})
    api.put("/users/bob", {"notify": False})
    api.patch(f"/events/{party}", {"location": "Hall"})
    assert told_to(carried.publish()) == ["carol: Changed: Fête d’été"]


def test_a_person_who_left_meanwhile_is_not_mailed(api: Api, party: str, carried: Carried) -> None:
    api.leave(party, "alice")
    api.leave(party, "bob")
    assert told_to(carried.publish()) == ["carol: You have a seat: Fête d’été"]
    api.patch(f"/events/{party}", {"location": "Hall"})
    notices = reported()
    api.delete("/users/carol")
    assert carried.publish(notices) == []


def test_a_person_back_at_the_end_of_the_queue_gets_no_mail_about_the_old_seat(
    api: Api, party: str, carried: Carried
) -> None:
    api.leave(party, "alice")
    notices = reported()
    api.leave(party, "bob")
    api.register(party, "bob")
    assert carried.publish(notices) == []
    assert told_to(carried.publish()) == [
        "bob: You are on the waitlist: Fête d’été",
        "carol: You have a seat: Fête d’été",
    ]


@pytest.mark.parametrize("back", [{"location": "Garden"}, {"status": "cancelled"}, {"status": "draft"}])
def test_a_change_that_was_undone_is_not_mailed(api: Api, party: str, carried: Carried, back: dict[str, str]) -> None:
    api.patch(f"/events/{party}", {"location": "Hall"})
    moved = reported()
    api.patch(f"/events/{party}", back)
    assert carried.publish(moved) == []


def test_an_event_of_the_same_id_has_other_people(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"location": "Hall"})
    moved = reported()
    api.delete(f"/events/{party}?registrations=cancel")
    api.event(eventId="party", location="Barn")
    api.register("party", "alice")
    assert carried.publish(moved) == []


def test_a_registration_for_an_earlier_event_of_the_id_hides_no_mail(api: Api, party: str, carried: Carried) -> None:
    key = UserRegistration.key_of(party, "carol")
    earlier = UserRegistration.get(*key)  # with ticket 3
    api.delete(f"/events/{party}?registrations=cancel")
    carried.publish()
    api.event(eventId=party, title="Ball")
    api.register(party, "carol")
    earlier.save()  # as until the operation in the log is applied
    assert told_to(carried.publish()) == ["carol: You are signed up: Ball"]


def test_each_is_mailed_once_however_often_it_comes(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"location": "Hall"})
    api.leave(party, "alice")
    assert sorted(told_to(carried.publish())) == [
        "bob: Changed: Fête d’été",
        "bob: You have a seat: Fête d’été",
        "carol: Changed: Fête d’été",
    ]
    for _ in range(2):
        assert carried.publish() == []
    api.patch(f"/events/{party}", {"location": "Garden"})
    assert len(carried.publish()) == 2, "another change"


@pytest.mark.parametrize("seconds", [20.0, 10.0], ids=["enough time", "time for one look"])
def test_many_people_are_mailed_page_by_page(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    monkeypatch.setattr(sending, "READ_AT_ONCE", 2)
    monkeypatch.setattr(sending, "CUT_AT_ONCE", 4)
    monkeypatch.setattr(sending, "time_left", lambda: seconds)
    for number in range(4):
        api.post("/users", {"userId": f"guest{number}", "name": "Guest", "email": f"guest{number}@example.com"})
        api.register(party, f"guest{number}")
    assert len(carried.publish()) == 4
    api.patch(f"/events/{party}", {"location": "Hall"})
    addresses = [mail["To"].addresses[0].username for mail in carried.publish()]
    assert sorted(addresses) == ["alice", "bob", "carol", "guest0", "guest1", "guest2", "guest3"]


@pytest.mark.parametrize(
    "hostile",
    [
        "A\r\nBcc: eve@example.com",
        "A\n\nB",
        "<script>alert(1)</script>",
        "\u2067gnp.exe",
        '"; x="',
        "{{ x }}",
        "=?utf-8?q?A=0D=0ABcc=3A_eve=40example.org?=",
        "=?utf-8?b?QQ0KQmNjOiBldmVAZXhhbXBsZS5vcmcNCg0KPGI+?=",
        "A =?utf-8?q?=0D=0A=0D=0Abody?= =?utf-8?q?B?=",
    ],
)
def test_what_people_call_things_stays_what_it_is(api: Api, carried: Carried, hostile: str) -> None:
    api.post("/users", {"userId": "alice", "name": hostile, "email": "alice@example.com"})
    api.event(eventId="party", title=hostile, location=hostile, organizer=hostile)
    api.register("party", "alice")
    assert len(carried.publish()) == 1
    api.patch("/events/party", {"date": "2083-05-01"})
    (mail,) = carried.publish()
    assert not mail.defects and mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == ["alice@example.com"]
    ElementTree.fromstring(html(mail).partition("<body>")[2].partition("</body>")[0].replace("<br>", "<br/>"))
    assert "<script" not in html(mail)
    assert entry(mail)[0] == "PUBLISH"


def test_a_domain_with_other_letters_is_written_as_mail_servers_take_it(api: Api, party: str, carried: Carried) -> None:
    api.patch("/users/bob", {"email": "bob@bücher.example"})
    api.leave(party, "alice")
    assert carried.publish()[0]["To"].addresses[0].addr_spec == "bob@xn--bcher-kva.example"


def test_links_lead_to_oneself_where_one_signs_in(api: Api, party: str, carried: Carried, settings: Settings) -> None:
    api.leave(party, "alice")
    notices = reported()
    settings.AUTH_MODE, settings.PUBLIC_URL = "cognito", "https://events.example/prod"
    User("bob").update([User.email_verified.set(True)])
    (mail,) = carried.publish(notices)
    assert mail["List-Unsubscribe"] == "<https://events.example/prod/users/me>"
    assert "https://events.example/prod/events/party/registrations/me" in text(mail)
    assert "localhost:8000" not in text(mail) + html(mail)


def test_without_an_address_of_the_service_mails_have_no_links(
    api: Api, party: str, carried: Carried, settings: Settings
) -> None:
    settings.PUBLIC_URL = ""
    api.leave(party, "alice")
    (mail,) = carried.publish()
    assert "http" not in text(mail)
    assert mail["List-Unsubscribe"] == "<mailto:eventsite@localhost.localdomain?subject=unsubscribe>"


def test_where_nobody_sends_mail_nobody_gets_any(api: Api, party: str, carried: Carried, settings: Settings) -> None:
    settings.MAIL_FROM = ""
    api.leave(party, "alice")
    assert carried.publish() == []


def test_a_marker_holds_nothing_about_the_person_and_expires(api: Api, party: str, carried: Carried) -> None:
    api.leave(party, "alice")
    carried.publish()
    markers = [item for item in MailMarker.scan() if item.item == MailMarker.ITEM]
    assert len(markers) == 4, "three of signing up, and one of moving up"
    for raw in markers:
        assert not any(name in str(raw.to_dynamodb_dict()) for name in ("alice", "bob", "carol"))
        assert raw.sent and raw.expires_at - raw.began == 15 * 24 * 60 * 60


def test_notices_in_any_order_leave_people_with_the_final_state(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"location": "Hall"})
    api.patch(f"/events/{party}", {"location": "Barn"})
    for notices in permutations(reported()[-2:]):
        for mail in carried.publish(notices):
            assert "Where: Barn" in text(mail)


def test_a_sign_up_is_confirmed_with_the_way_to_give_it_up(api: Api, carried: Carried) -> None:
    api.post("/users", {"userId": "alice", "name": "Alice", "email": "alice@example.com"})
    api.event(eventId="party", **TIMES)
    api.register("party", "alice")
    (mail,) = carried.publish()
    assert mail["Subject"] == "You are signed up: Spring party"
    assert entry(mail)[0] == "PUBLISH"
    for part in (text(mail), html(mail)):
        assert "You have a seat." in part
        assert "http://localhost:8000/events/party/registrations/alice" in part


def test_a_place_in_the_queue_is_confirmed_as_it_is_by_then(api: Api, party: str, carried: Carried) -> None:
    for name in ("Dave", "Erin"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name.lower()}@example.com"})
        api.register(party, name.lower())
    api.leave(party, "bob")
    dave, erin = carried.publish()
    assert dave["Subject"] == erin["Subject"] == "You are on the waitlist: Fête d’été"
    assert "You are number 2 on the waitlist." in text(dave) and "You are number 3 on the waitlist." in text(erin)
    assert list(dave.iter_attachments()) == [], "nothing for the calendar"


def test_who_moved_up_at_once_gets_one_mail(api: Api, party: str, carried: Carried) -> None:
    api.post("/users", {"userId": "dave", "name": "Dave", "email": "dave@example.com"})
    api.register(party, "dave")
    api.patch(f"/events/{party}", {"capacity": 9})
    assert told_to(carried.publish())[-1] == "dave: You have a seat: Fête d’été"


def test_people_who_want_no_mail_hear_of_cancellations(api: Api, party: str, carried: Carried) -> None:
    for user in ("alice", "bob", "carol"):
        api.patch(f"/users/{user}", {"notify": False})
    api.patch(f"/events/{party}", {"location": "Hall"})
    assert carried.publish() == []
    api.patch(f"/events/{party}", {"status": "cancelled"})
    assert len(carried.publish()) == 3
    api.patch(f"/events/{party}", {"status": "published"})
    assert carried.publish() == []
    api.delete(f"/events/{party}?registrations=cancel")
    assert len(carried.publish()) == 3


def test_an_address_that_is_not_verified_is_not_mailed(
    api: Api, party: str, carried: Carried, settings: Settings
) -> None:
    api.patch(f"/events/{party}", {"status": "cancelled"})
    notices = reported()
    settings.AUTH_MODE = "cognito"
    User("bob").update([User.email_verified.set(True)])
    assert told_to(carried.publish(notices)) == ["bob: Cancelled: Fête d’été"]


def test_the_last_day_is_part_of_when(api: Api, party: str, carried: Carried) -> None:
    api.patch(f"/events/{party}", {"endDate": "2083-04-03"})
    mail = carried.publish()[0]
    assert "When: Thu 1 Apr 2083, 19:00 – Sat 3 Apr 2083, 22:00 (Europe/Berlin)" in text(mail)
    assert "before: Thu 1 Apr 2083, 19:00–22:00 (Europe/Berlin)" in text(mail)


def test_an_event_of_several_days_that_has_begun_is_mailed(
    api: Api, party: str, carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.patch(f"/events/{party}", {"endDate": "2083-04-03"})
    carried.publish()
    monkeypatch.setattr(clock, "now", lambda: "2083-04-02T12:00:00.000000Z")
    api.leave(party, "alice")
    (mail,) = carried.publish()
    assert "When: Thu 1 Apr 2083, 19:00 – Sat 3 Apr 2083, 22:00 (Europe/Berlin)" in text(mail)
