"""Records of other services become events with their people in order, and every change is noted."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registrations.models import CANCELLED, REGISTERED, WAITLISTED
from registrations.transfer import notes
from registrations.transfer.assemble import Assembled, assemble
from registrations.transfer.people import id_of_address
from tests.eventsite.text.test_mail_address import IMPOSSIBLE
from tests.registrations.transfer import tables as theirs


@pytest.fixture(autouse=True)
def tables() -> None:
    """Instead of the suite's: nothing here needs a table."""


def people(assembled: Assembled, status: str) -> list[str]:
    """Who has this status for the one event that moved."""
    (event,) = assembled.events
    return [attendee.user_id for attendee in event.attendees[status]]


def test_an_event_of_service_a_is_ours_as_it_is() -> None:
    assembled = assemble([theirs.A_EVENT])
    (event,) = assembled.events
    assert event.event_id == theirs.A_EVENT["eventId"]
    assert {name: event.fields[name] for name in ("title", "date", "capacity", "status", "waitlist_enabled")} == {
        "title": "Glazing day",
        "date": "2083-05-01",
        "capacity": 30,
        "status": "scheduled",
        "waitlist_enabled": False,
    }
    assert (assembled.notes.details, assembled.refused) == ({}, [])


@pytest.mark.parametrize("record", [theirs.A_EVENT, theirs.c_user("ann")])
def test_a_record_that_comes_twice_is_noted_where_the_values_differ(record: dict[str, Any]) -> None:
    assert assemble([record, record]).notes.details == {}
    name = "name" if "name" in record else "title"
    assembled = assemble([record, record | {name: "Another"}])
    assert [detail.partition(":")[0] for detail in assembled.notes.details[notes.DIFFERENT]] == ["record 2"]
    written = [*assembled.users.values(), *(event.fields for event in assembled.events)]
    assert [values[name] for values in written] == ["Another"]


def test_a_person_without_an_id_has_one_of_the_address() -> None:
    assembled = assemble([{"name": "Ann", "email": "ann@example.org"}])
    assert (list(assembled.users), assembled.refused) == ([id_of_address("ann@example.org")], [])


def test_the_queue_of_service_b_is_in_the_order_of_its_positions() -> None:
    rows = [theirs.b_row("ann"), theirs.b_row("bea"), *map(theirs.b_row, ("zoe", "cem", "dan"), (0, 1, 2))]
    users = [theirs.b_user(user) for user in ("ann", "bea", "cem", "dan", "zoe")]
    assembled = assemble([theirs.B_EVENT, *rows, theirs.b_counters(2, 3), *users])
    (event,) = assembled.events
    assert people(assembled, REGISTERED) == ["ann", "bea"]
    assert people(assembled, WAITLISTED) == ["zoe", "cem", "dan"]
    assert event.event_id.startswith("conf-2083-")
    assert assembled.notes.details == {notes.IDS: [f"The event conf.2083 is called {event.event_id} here."]}
    assert assembled.users["ann"]["name"] == "Ann"


def test_who_is_in_both_states_of_service_b_keeps_the_seat() -> None:
    rows = [theirs.b_row("ann"), theirs.b_row("bea"), theirs.b_row("ann", 0), theirs.b_row("cem", 1)]
    assembled = assemble([theirs.B_EVENT, *rows, *map(theirs.b_user, ("ann", "bea", "cem"))])
    assert (people(assembled, REGISTERED), people(assembled, WAITLISTED)) == (["ann", "bea"], ["cem"])
    assert [detail.partition(" for ")[0] for detail in assembled.notes.details[notes.REPEATED]] == ["ann: 2"]


def test_a_description_that_is_missing_leaves_the_event_out() -> None:
    assembled = assemble([theirs.b_counters(1, 0), theirs.b_row("ann"), theirs.b_user("ann")])
    assert assembled.events == []
    assert len(assembled.refused) == 2 and all("in none of the files" in reason for reason in assembled.refused)


def c(*rows: dict[str, Any], **changes: Any) -> Assembled:
    users = [theirs.c_user(user) for user in sorted({row["userId"] for row in rows})]
    return assemble([theirs.C_EVENT | changes, *users, *rows])


def test_the_queue_of_service_c_is_in_the_order_of_asking_whatever_its_positions_say() -> None:
    assembled = c(
        theirs.c_row("ann", "registered", 1),
        theirs.c_row("bea", "registered", 2),
        theirs.c_row("dan", "waitlisted", 4, 1),
        theirs.c_row("cem", "waitlisted", 3, 1),
    )
    assert people(assembled, WAITLISTED) == ["cem", "dan"]
    first = assembled.events[0].attendees[REGISTERED][0]
    assert (first.carried["registration_id"], first.carried["registered_at"]) == (
        "4df2fd3d-1afc-4012-bba9-cfd4cbe30001",
        "2025-12-04T03:29:01.983733Z",
    )
    assert not assembled.notes


def test_seats_that_were_free_while_people_waited_go_to_the_first_of_them() -> None:
    assembled = c(*(theirs.c_row(user, "waitlisted", second) for second, user in enumerate(("ann", "bea", "cem"), 1)))
    assert (people(assembled, REGISTERED), people(assembled, WAITLISTED)) == (["ann", "bea"], ["cem"])
    assert [detail.split()[0] for detail in assembled.notes.details[notes.MOVED_UP]] == ["ann", "bea"]
    assert any("0 registered, and the counter said 2" in detail for detail in assembled.notes.details[notes.COUNTS])


def test_an_event_that_is_closed_lets_nobody_move_up() -> None:
    assert people(c(theirs.c_row("ann", "waitlisted", 1), status="completed"), WAITLISTED) == ["ann"]


def test_an_event_that_was_oversold_stays_so() -> None:
    assembled = c(*(theirs.c_row(user, "registered", second) for second, user in enumerate(("ann", "bea", "cem"), 1)))
    assert people(assembled, REGISTERED) == ["ann", "bea", "cem"]
    assert assembled.notes.details[notes.OVERSOLD] == [f"event {assembled.events[0].event_id} by 1"]


def test_several_rows_of_one_user_are_one_registration() -> None:
    assembled = c(*(theirs.c_row("ann", "registered", second) for second in (5, 3, 4)))
    assert people(assembled, REGISTERED) == ["ann"]
    assert assembled.events[0].attendees[REGISTERED][0].carried["registered_at"].startswith("2025-12-04T03:29:03")
    assert assembled.notes.details[notes.REPEATED][0].startswith("ann: 3 for event")


def test_a_user_who_is_in_no_file_is_called_by_the_id() -> None:
    assembled = assemble(
        [theirs.C_EVENT | {"registeredCount": 1, "waitlistCount": 0}, theirs.c_row("ann", "registered", 1)]
    )
    assert assembled.users["ann"]["name"] == "ann"
    assert assembled.notes.details == {notes.UNKNOWN_PEOPLE: ["ann"]}


def test_what_a_list_of_a_users_registrations_answers_is_enough() -> None:
    row = theirs.c_row("ann", "registered", 1)
    assembled = assemble([{"registration": row, "event": theirs.C_EVENT}, theirs.c_user("ann")])
    assert people(assembled, REGISTERED) == ["ann"]


def test_an_event_of_service_d_keeps_its_moment_and_its_organizer() -> None:
    assembled = assemble([theirs.D_EVENT])
    (event,) = assembled.events
    assert (event.fields["date"], event.fields["start_time"], event.fields["time_zone"]) == (
        "2083-05-01",
        "16:30",
        "UTC",
    )
    assert (event.fields["status"], event.organizer_id) == ("active", theirs.D_EVENT["organizerId"])
    assert event.updated_at == "2025-06-02T10:00:00.000001Z"
    assert (event.fields["title"], event.fields["description"]) == ("Spring fair", "")
    assert assembled.notes.details.keys() == {notes.MOMENTS, notes.ORGANIZERS}


@pytest.mark.parametrize(
    ("written", "date", "start"),
    [
        ("2083-05-01", "2083-05-01", None),
        ("2083-05-01 00:00:00", "2083-05-01", None),
        ("2083-05-01T18:30:00", "2083-05-01", "18:30"),
        ("2083-05-01T00:30:00+02:00", "2083-04-30", "22:30"),
        ("2083-05-01T18:30:00Z", "2083-05-01", "18:30"),
    ],
)
def test_a_date_with_a_time_is_the_same_moment(written: str, date: str, start: str | None) -> None:
    (event,) = assemble([theirs.D_EVENT | {"eventDate": written}]).events
    assert (event.fields["date"], event.fields.get("start_time")) == (date, start)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"date": "2083-02-30"}, "date"),
        ({"date": "next spring"}, "date"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": None}, "capacity"),
        ({"title": "x" * 201}, "title"),
        ({"location": " "}, "location"),
    ],
)
def test_an_event_that_cannot_be_ours_is_left_out_with_the_reason(changes: dict[str, Any], field: str) -> None:
    assembled = c(theirs.c_row("ann", "registered", 1), **changes)
    assert assembled.events == []
    (reason,) = assembled.refused
    assert reason.startswith(f"record 1, column {field}: ") and reason.endswith("1 registration for it waits for that.")


def test_a_status_that_is_none_of_ours_makes_a_draft() -> None:
    assembled = assemble([theirs.A_EVENT | {"status": "Planning"}])
    assert assembled.events[0].fields["status"] == "draft"
    assert assembled.notes.details[notes.DRAFTS][0].endswith("which was Planning")


@pytest.mark.parametrize("theirs_id", ["a.b", "me", "ü", "x" * 200, "user@example.com"])
def test_an_id_outside_our_rule_is_always_mapped_to_the_same_one(theirs_id: str) -> None:
    first, second = (assemble([theirs.c_user("ann") | {"userId": theirs_id}]) for _ in range(2))
    (mapped,) = first.users
    assert list(second.users) == [mapped] and mapped != theirs_id and len(mapped) <= 128
    assert first.notes.details == {notes.IDS: [f"The user {theirs_id} is called {mapped} here."]}


def test_an_organizer_has_the_same_id_as_the_user() -> None:
    for ours in ("organizerId", "organizers"):
        event = theirs.A_EVENT | {ours: "a.b" if ours == "organizerId" else ["me", "a.b", "ann"]}
        assembled = assemble([event, theirs.c_user("ann") | {"userId": "a.b"}, theirs.c_user("ann") | {"userId": "me"}])
        (planned,), (dotted, reserved) = assembled.events, assembled.users
        expected = dotted if ours == "organizerId" else [reserved, dotted, "ann"]
        assert (planned.organizer_id or planned.fields["organizers"]) == expected


def test_different_ids_that_look_alike_stay_different() -> None:
    assert len(assemble([theirs.c_user(user) for user in ("a.b", "a_b", "a-b", "a b")]).users) == 4


def test_our_first_release_moves_with_its_versions_order_and_history() -> None:
    assembled = assemble(theirs.FIRST_RELEASE)
    (event,) = assembled.events
    assert (event.version, event.organizer_id, event.created_at) == (3, "olivia", "2026-10-01T08:00:00.000000Z")
    assert (people(assembled, REGISTERED), people(assembled, WAITLISTED), people(assembled, CANCELLED)) == (
        ["alice"],
        ["zoe", "bob"],
        ["old"],
    )
    assert event.attendees[REGISTERED][0].carried["promoted_at"] == "2026-10-03T08:00:09.000000Z"
    assert assembled.refused == []
    assert sorted(assembled.notes.details[notes.UNKNOWN_PEOPLE]) == ["old", "zoe"]


def test_the_history_of_an_earlier_event_of_the_same_id_stays_behind() -> None:
    records = [dict(record) for record in theirs.FIRST_RELEASE]
    records[0]["createdAt"] = "2026-10-03T08:00:00.500000Z"
    assert people(assemble(records), CANCELLED) == []


def test_an_unknown_record_is_refused() -> None:
    assembled = assemble([{"colour": "red", "size": 3}])
    assert assembled.refused == ["record 1: this is no event, user or registration. It has colour, size."]


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(chance: random.Random) -> None:
    rows = [theirs.b_row("ann"), theirs.b_row("bea"), *map(theirs.b_row, ("zoe", "cem", "dan"), (0, 1, 2))]
    records = [theirs.B_EVENT, theirs.b_counters(2, 3), *rows, *map(theirs.b_user, ("ann", "bea", "cem", "dan", "zoe"))]
    records += theirs.FIRST_RELEASE
    chance.shuffle(records)
    assembled = assemble(records)
    queues = {event.event_id[:4]: [one.user_id for one in event.attendees[WAITLISTED]] for event in assembled.events}
    assert queues == {"conf": ["zoe", "cem", "dan"], "part": ["zoe", "bob"]}


@pytest.mark.parametrize("email", [*(text for text in IMPOSSIBLE if text.strip() == text != ""), 7], ids=ascii)
def test_an_address_that_no_mail_can_have_stays_behind(email: Any) -> None:
    assembled = assemble(
        [{"userId": "ann", "name": "Ann", "email": email}, {"userId": "bea", "name": "Bea", "email": ""}]
    )
    assert [assembled.users[user].get("email") for user in ("ann", "bea")] == [None, None]
    assert list(assembled.notes.details) == [notes.NO_ADDRESSES]


@pytest.mark.parametrize("name", ["\u202e", "\u200b\u3164", "", None])
def test_who_has_no_name_that_can_be_read_is_called_by_the_id(name: Any) -> None:
    assert assemble([{"userId": "ann", "name": name}]).users["ann"]["name"] == "ann"


@pytest.mark.parametrize(("written", "verified"), [("false", None), ("no", None), (False, None), ("true", True)])
def test_an_address_that_the_record_denies_is_not_verified(written: Any, verified: bool | None) -> None:
    user = {"userId": "ann", "name": "Ann", "email": "ann@example.org", "emailVerified": written}
    assert assemble([user]).users["ann"]["email_verified"] is verified


@pytest.mark.parametrize("organizer", [{"a": 1}, ["olga"], True])
def test_an_owner_that_is_no_id_is_left_out(organizer: Any) -> None:
    (event,) = assemble([theirs.A_EVENT | {"organizerId": organizer}]).events
    assert event.organizer_id is None


def test_registrations_of_people_without_ids_have_different_ids() -> None:
    shared = {"registrationId": "", "status": "registered", "eventId": theirs.A_EVENT["eventId"]}
    assembled = assemble([theirs.A_EVENT, *(shared | {"email": f"{one}@example.org"} for one in ("ann", "bea"))])
    assert len(people(assembled, REGISTERED)) == 2
    assert notes.TWICE not in assembled.notes.details
