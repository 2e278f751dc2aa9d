"""`manage.py import --event`: the guest lists that people have at hand, by the columns their services write."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from eventsite.management import operating
from registrations.transfer import guests, notes, people, sheets
from registrations.transfer.guests import Reading
from registrations.transfer.notes import Notes
from tests.api import Api

LISTS = {
    "Eventbrite": (
        "Order #,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,Attendee #,Attendee Status\r\n"
        "1001,2026-11-01 10:05:00+00:00,Bea,Two,bea@example.org,1,General Admission,2001,Checked In\r\n"
        "1002,2026-11-01 10:00:00+00:00,Ann,One,ann@example.org,1,General Admission,2002,Attending\r\n"
        "1003,2026-11-01 10:01:00+00:00,Cem,Three,cem@example.org,1,General Admission,2003,Not Attending\r\n"
    ),
    "Luma": (
        "api_id,name,first_name,last_name,email,phone_number,created_at,approval_status,checked_in_at\r\n"
        "gst-1,Bea Two,Bea,Two,bea@example.org,,2026-11-01T10:05:00.000Z,approved,\r\n"
        "gst-2,Ann One,Ann,One,ann@example.org,,2026-11-01T10:00:00.000Z,approved,\r\n"
        "gst-3,Cem Three,Cem,Three,cem@example.org,,2026-11-01T09:00:00.000Z,declined,\r\n"
    ),
    "pretix": (
        "Order code;Position ID;Status;Email;Order date;Order time;Product;Attendee name;Attendee email\r\n"
        "B2;1;paid;bea@example.org;2026-11-01;10:05:00;Ticket;Bea Two;\r\n"
        "A1;1;paid;eve@example.org;2026-11-01;10:00:00;Ticket;Ann One;ann@example.org\r\n"
        "A3;1;canceled;cem@example.org;2026-11-01;09:06:00;Ticket;Cem Three;\r\n"
    ),
    "Hi.Events": (
        "ID,First Name,Last Name,Email,Status,Is Checked In,Ticket Name,Event ID,Created Date\r\n"
        "1,Ann,One,ann@example.org,ACTIVE,No,Standard,7,2026-11-01T10:00:00Z\r\n"
        "2,Bea,Two,bea@example.org,ACTIVE,No,Standard,7,2026-11-01T10:05:00Z\r\n"
        "3,Cem,Three,cem@example.org,CANCELLED,No,Standard,7,2026-11-01T10:06:00Z\r\n"
    ),
    "Google Forms": (
        '"Timestamp","Email Address","Your name","Do you eat meat?"\r\n'
        '"2026/11/01 10:05:00 AM GMT+1","bea@example.org","Bea Two","Yes"\r\n'
        '"2026/11/01 9:55:00 AM GMT+1","ann@example.org","Ann One","No"\r\n'
    ),
    "Google contacts": (
        "First Name,Middle Name,Last Name,Phonetic First Name,E-mail 1 - Label,E-mail 1 - Value\r\n"
        "Ann,,One,,* Work,ann@example.org ::: ann2@example.org\r\n"
        "Bea,,Two,,,bea@example.org\r\n"
    ),
    "Outlook contacts": (
        '"First Name","Middle Name","Last Name","Company","E-mail Address"\r\n'
        '"Ann","","One","","ann@example.org"\r\n'
        '"Bea","","Two","","bea@example.org"\r\n'
    ),
    "a list typed by hand": "name,email\nAnn One,ann@example.org\nBea Two,bea@example.org\n",
}
MEETUP = (
    "Name,User ID,Title,RSVP,Guests,RSVPed on,Event Host\r\n"
    "Bea Two,1002,Member,Waitlist,1,2026-07-28 14:23:11,No\r\n"
    "Ann One,1001,Member,Yes,0,2026-07-28 14:22:11,No\r\n"
    "Dan Four,1004,Member,Waitlist,0,2026-07-28 14:22:59,No\r\n"
    "Cem Three,1003,Member,No,0,2026-07-28 14:20:11,No\r\n"
)


MEAT = {"questionId": "meat", "label": "Do you eat meat?", "kind": "yesNo", "choices": [], "required": True}
FORM = "email,Do you eat meat?\nann@example.org,Sometimes\nbea@example.org,\n"


def imported(tmp_path: Path, text: str, *options: str, name: str = "guests.csv", **more: Any) -> str:
    """Import a guest list. Returns: what was printed."""
    (tmp_path / name).write_text(text)
    printed = io.StringIO()
    call_command("import", str(tmp_path / name), *options, stdout=printed, verbosity=2, **more)
    return printed.getvalue()


def in_event(api: Api, event: str) -> list[tuple[str, str, str]]:
    """Return who is in, in order: the name, the address and the status."""
    rows = api.get(f"/events/{event}/registrations?expand=user").json()
    return [(row["user"]["name"], row["user"]["email"], row["status"]) for row in rows]


@pytest.mark.parametrize("service", LISTS)
def test_the_guests_of_a_service_are_signed_up_in_the_order_in_which_they_asked(
    api: Api, tmp_path: Path, service: str
) -> None:
    event = api.event(capacity=5)
    said = imported(tmp_path, LISTS[service], "--event", event)
    assert in_event(api, event) == [
        ("Ann One", "ann@example.org", "registered"),
        ("Bea Two", "bea@example.org", "registered"),
    ]
    assert said.endswith("2 guests have a seat, and 0 wait.\n")
    assert (notes.DECLINED in said) is ("Cem" in LISTS[service])


def test_who_waited_still_waits_and_companions_are_named(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=1)
    said = imported(tmp_path, MEETUP, "--event", event)
    assert [(name, status) for name, _, status in in_event(api, event)] == [
        ("Ann One", "registered"),
        ("Dan Four", "waitlisted"),
        ("Bea Two", "waitlisted"),
    ]
    assert f"{notes.COMPANIONS}: 1." in said and "line 2, column E (Guests): 1" in said
    assert "guests.csv: Event Host" in said


def test_a_second_import_changes_nothing(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=5)
    imported(tmp_path, LISTS["Luma"], "--event", event)
    before = [api.get(path).json() for path in ("/users", f"/events/{event}/registrations")]
    said = imported(tmp_path, LISTS["Eventbrite"], "--event", event)
    assert [api.get(path).json() for path in ("/users", f"/events/{event}/registrations")] == before
    assert f"{notes.ALREADY}: 2." in said


SEATED, WAITING, AWAY = ("approved", "going", "paid"), ("waitlist", "pending"), ("declined", "canceled")
GUESTS = st.tuples(st.sampled_from("abcde"), st.sampled_from(SEATED + WAITING + AWAY), st.integers(0, 9))


@given(listed=st.lists(GUESTS, max_size=8), capacity=st.integers(1, 4), waitlist=st.booleans())
def test_any_list_fills_the_seats_in_its_order_and_loses_nobody(
    api: Api, tmp_path: Path, listed: list[tuple[str, str, int]], capacity: int, waitlist: bool
) -> None:
    event = api.event(capacity=capacity, waitlistEnabled=waitlist)
    text = "Name,Email,Status,Created at\n" + "".join(
        f"{name},{name}-{event}@example.org,{word},2026-11-01T10:0{minute}:00Z\n" for name, word, minute in listed
    )
    coming = sorted((one for one in listed if one[1] not in AWAY), key=lambda one: (one[1] in WAITING, one[2]))
    people = list(dict.fromkeys(name for name, _, _ in coming))
    expected = [(name, "registered") for name in people[:capacity]]
    expected += [(name, "waitlisted") for name in people[capacity:] if waitlist]
    said = imported(tmp_path, text, "--event", event)
    assert [(name, status) for name, _, status in in_event(api, event)] == expected
    assert (f"{notes.FULL}: {len(people) - capacity}." in said) is (len(people) > capacity and not waitlist)
    again = imported(tmp_path, text, "--event", event)
    assert [(name, status) for name, _, status in in_event(api, event)] == expected
    assert (f"{notes.ALREADY}: {len(expected)}." in again) is bool(expected)


def test_a_seat_that_is_not_there_is_a_place_in_the_queue_and_said(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=1)
    said = imported(tmp_path, LISTS["a list typed by hand"], "--event", event)
    assert [status for _, _, status in in_event(api, event)] == ["registered", "waitlisted"]
    assert f"{notes.WAITING}: 1.\n  guests.csv, line 3" in said
    full = api.event(capacity=1, waitlistEnabled=False)
    assert f"{notes.FULL}: 1." in imported(tmp_path, LISTS["a list typed by hand"], "--event", full)


def test_one_who_is_on_two_lines_is_signed_up_once_and_named(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=5)
    said = imported(tmp_path, "name,email\nAnn,ann@example.org\nBea,ANN@example.org\n", "--event", event)
    assert in_event(api, event) == [("Ann", "ann@example.org", "registered")]
    assert f"{notes.LISTED_TWICE}: 1.\n  guests.csv, line 3: Bea" in said


ASKED = [
    (("11/29/24 22:54", "11/29/24 22:28"), "MDY"),
    (("30.11.2026 09:00:05", "30.11.2026 09:00:04"), "DMY"),
    (("2026/11/01 9:55:00 AM UTC", "2026/11/01 10:05:00 AM GMT+1"), "ISO"),
    (("2026/11/01 12:05:00 AM GMT-1:30", "2026/11/01, 01:20:00 GMT"), "ISO"),
    (("2026-11-01 10:05:00 UTC", "2026-11-01T10:04:59+00:00"), "ISO"),
]


@pytest.mark.parametrize(("times", "order"), ASKED)
def test_the_order_of_asking_is_read_from_times_as_services_write_them(times: tuple[str, str], order: str) -> None:
    later, earlier = times
    text = f"name;email;Created at\nBea;bea@example.org;{later}\nAnn;ann@example.org;{earlier}\n"
    found = Notes()
    listed = guests.guests(sheets.read("guests.csv", text), Reading(order=order), found, [])
    assert [one.user["name"] for one in guests.in_order(listed, found)] == ["Ann", "Bea"]
    assert not found


def test_a_time_that_is_not_understood_is_named_and_the_order_of_the_lines_counts(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=5)
    text = "name;email;RSVPed on\nBea;bea@example.org;some day\nAnn;ann@example.org;another\n"
    said = imported(tmp_path, text, "--event", event)
    assert [name for name, _, _ in in_event(api, event)] == ["Bea", "Ann"]
    assert f"{notes.TIMES}: 2.\n  guests.csv, line 2, column C (RSVPed on): 'some day'" in said


def test_refused_lines_may_be_left_out(api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = api.event(capacity=5)
    text = "name,email\nAnn,ann@example.org\nBea,\nCem,\n"
    with pytest.raises(SystemExit) as ended:
        imported(tmp_path, text, "--event", event, "--skip")
    assert (ended.value.code, in_event(api, event)) == (1, [("Ann", "ann@example.org", "registered")])
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == ["Refused"] * 2


def test_columns_may_be_named(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=5)
    text = "Wer bist du?;Wohin schreiben wir?\nAnn One;ann@example.org\n"
    imported(tmp_path, text, "--event", event, "--map", "name=Wer bist du?", "--map", "Email=wohin schreiben wir")
    assert in_event(api, event) == [("Ann One", "ann@example.org", "registered")]


WRONG = [
    (
        "colour,size\nred,3\n",
        [],
        r"guests\.csv, line 1, column A: no column holds a name or an e-mail address\. Name it",
    ),
    (
        "name,email\nAnn,ann@example.org\nBea,\n",
        [],
        r"^1 refused; --skip leaves them out\. Nothing was imported\.$",
    ),
    (
        "name,email,Timestamp\nAnn,ann@example.org,3/4/2027 10:00\n",
        [],
        r"guests\.csv, line 2, column C \(Timestamp\): '3/4/2027 10:00' may be two days\. Write it as .+--date-format",
    ),
    ('[{"userId": "ann"}]', [], r"guests\.csv, line 1, column A: no column holds a name or an e-mail address\."),
    ("name,email\nAnn,x\n", ["--map", "email=Mail"], r"there is no column 'Mail'\. There are name, email\."),
    ("name,email\nAnn,x\n", ["--map", "colour=name"], r"--map colour=name: write a role and a header"),
    ("name,email\nAnn\n", [], r"guests\.csv, line 2, column B \(email\): there are 1 cells"),
]


@pytest.mark.parametrize(("text", "options", "sentence"), WRONG)
def test_what_cannot_be_read_is_a_sentence_and_nothing_is_written(
    api: Api, tmp_path: Path, text: str, options: list[str], sentence: str
) -> None:
    event = api.event()
    with pytest.raises(CommandError, match=sentence):
        imported(tmp_path, text, "--event", event, *options)
    assert (api.get("/users").json(), in_event(api, event)) == ([], [])


def test_an_event_that_is_not_there_or_not_open_is_a_sentence(api: Api, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no event with this id"):
        imported(tmp_path, MEETUP, "--event", "nothing")
    draft = api.event(status="draft")
    with pytest.raises(CommandError, match=r"does not take registrations|Sign-up is closed"):
        imported(tmp_path, MEETUP, "--event", draft)
    assert api.get("/users").json() == []


def test_an_empty_id_is_no_event_and_the_guests_do_not_come_in_as_people(api: Api, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^There is no event with this id\.$"):
        imported(tmp_path, LISTS["Luma"], "--event", "")
    assert api.get("/users").json() == []


@pytest.mark.parametrize("first", ["ann@example.org", ""])
def test_of_two_columns_with_one_name_the_first_that_is_filled_counts(api: Api, tmp_path: Path, first: str) -> None:
    second = "" if first else "ann@example.org"
    imported(tmp_path, f"Email,Full name,E-Mail\n{first},Ann,{second}\n")
    assert [(user["name"], user["email"]) for user in api.get("/users").json()] == [("Ann", "ann@example.org")]


def test_a_dry_run_writes_nothing(api: Api, tmp_path: Path) -> None:
    event = api.event()
    assert imported(tmp_path, MEETUP, "--event", event, "--dry-run").endswith("3 guests to import.\n")
    assert (api.get("/users").json(), in_event(api, event)) == ([], [])


def test_a_log_shows_how_far_it_is(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operating, "LINE_SECONDS", 0)
    imported(tmp_path, LISTS["Luma"], "--event", api.event())
    assert capsys.readouterr().err.splitlines()[-4:] == [
        *("guests read: 1", "guests read: 2", "guests: 1 of 2", "guests: 2 of 2"),
    ]


def test_a_list_that_is_no_sheet_is_a_sentence(api: Api, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^guests\.json, line 1, column 1: this is no sheet\. Import it without"):
        imported(tmp_path, "[]", "--event", api.event(), name="guests.json")


@pytest.mark.parametrize("service", LISTS)
def test_without_an_event_they_are_people(api: Api, tmp_path: Path, service: str) -> None:
    imported(tmp_path, LISTS[service])
    assert sorted(user["name"] for user in api.get("/users").json()) == ["Ann One", "Bea Two"]
    assert {user["userId"] for user in api.get("/users").json()} == {
        people.id_of_address(address) for address in ("ann@example.org", "bea@example.org")
    }


def test_columns_with_the_questions_of_an_event_are_answers() -> None:
    table = sheets.read("form.csv", LISTS["Google Forms"])
    found = Notes()
    listed = guests.guests(table, Reading(questions=[MEAT]), found, [])
    assert [guest.answers for guest in listed] == [{"meat": True}, {"meat": False}]
    assert not found


def test_answers_that_do_not_fit_are_left_out_and_noted() -> None:
    found = Notes()
    listed = guests.guests(sheets.read("form.csv", FORM), Reading(questions=[MEAT]), found, [])
    assert [guest.answers for guest in listed] == [{}, {}]
    assert [detail.partition(":")[0] for detail in found.details[notes.ANSWERS]] == ["form.csv, line 2"]


def test_the_guests_of_a_form_bring_their_answers(api: Api, tmp_path: Path) -> None:
    event = api.event(capacity=5, questions=[MEAT])
    imported(tmp_path, LISTS["Google Forms"], "--event", event)
    rows = api.get(f"/events/{event}/registrations").json()
    assert [row["answers"] for row in rows] == [{"meat": False}, {"meat": True}]


def test_a_user_who_is_here_already_is_known_by_the_address(api: Api, tmp_path: Path) -> None:
    api.post("/users", {"userId": "ann", "name": "Ann", "email": "ann@example.org"})
    event = api.event(capacity=5)
    imported(tmp_path, LISTS["a list typed by hand"], "--event", event)
    assert next(row["userId"] for row in api.get(f"/events/{event}/registrations").json()) == "ann"
    assert in_event(api, event)[0] == ("Ann", "ann@example.org", "registered")
