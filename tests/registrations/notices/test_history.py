"""What happened to the seats of an event, for its organizers: newest first, without people who are deleted."""

import re
import time
from itertools import count
from typing import Any

import pytest

from eventsite import clock
from eventsite.auth.scope import EVERYTHING
from registrations import seating
from registrations.notices import history
from registrations.notices.history import HistoryEntry
from tests.api import Api, problem
from tests.registrations.notices.carrying import Carried
from tests.registrations.notices.streaming import reported
from tests.signing_in import As, adam, alice, olivia, oscar


@pytest.fixture
def party(api: Api, carried: Carried, alice_before_bob: str) -> str:
    """An event with one seat, which Alice had and Bob has now. All of it is recorded."""
    api.leave(alice_before_bob, "alice")
    api.patch("/events/party", {"location": "Hall"})
    carried.publish()
    return alice_before_bob


def seats(api: Api) -> list[tuple[str, Any]]:
    entries = api.walk("/events/party/history?limit=2")
    return [(entry["what"], entry["userId"]) for entry in entries if not entry["what"].startswith("mail.")]


def test_it_lists_what_happened_newest_first(api: Api, party: str) -> None:
    assert seats(api) == [
        ("event.changed", None),
        ("registration.promoted", "bob"),
        ("registration.cancelled", "alice"),
        ("registration.waitlisted", "bob"),
        ("registration.registered", "alice"),
        ("event.created", None),
    ]
    times = [entry["at"] for entry in api.walk("/events/party/history")]
    assert times == sorted(times, reverse=True)


def test_what_happens_within_one_second_is_in_order_too(
    api: Api, carried: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, ticks = clock.now()[:20], count(1)
    monkeypatch.setattr(clock, "now", lambda: f"{second}{next(ticks):03}000Z")
    event = api.event(eventId="party", capacity=0)
    users = [api.user(f"user-{number}") for number in range(12)]
    for user in users:
        api.register(event, user)
    api.patch("/events/party", {"capacity": 11})
    api.leave(event, users[0])
    carried.publish()
    waited = [("registration.waitlisted", user) for user in users]
    moved = [("registration.promoted", user) for user in users[:11]]
    last = [("registration.cancelled", users[0]), ("registration.promoted", users[11])]
    happened = [("event.created", None), *waited, ("event.changed", None), *moved, *last]
    assert seats(api) == happened[::-1]
    promoted = {
        entry["userId"]: entry["at"] for entry in api.walk("/events/party/history") if entry["what"] == moved[0][0]
    }
    path = "/events/party/registrations/{}"
    assert all(api.get(path.format(user)).json()["promotedAt"] == promoted[user] for user in users[1:])


def test_it_has_the_mails(api: Api, party: str) -> None:
    entries = api.get("/events/party/history").json()
    mailed = {(entry["userId"], entry["detail"]) for entry in entries if entry["what"] == "mail.sent"}
    assert ("bob", "promoted") in mailed and ("bob", "moved") in mailed


def test_it_names_the_fields_that_changed(api: Api, party: str) -> None:
    details = {entry["what"]: entry["detail"] for entry in api.get("/events/party/history").json()}
    assert details["event.changed"] == "location"
    assert details["registration.cancelled"] == "gave up a seat"


def test_a_notice_that_comes_twice_is_recorded_once(api: Api, party: str, carried: Carried) -> None:
    before = api.get("/events/party/history").json()
    carried.publish()
    assert api.get("/events/party/history").json() == before


def test_an_event_of_the_same_id_has_another_history(api: Api, party: str, carried: Carried) -> None:
    api.delete("/events/party?registrations=cancel")
    api.event(eventId="party")
    carried.publish()
    assert [entry["what"] for entry in api.get("/events/party/history").json()] == ["event.created"]


@pytest.mark.parametrize("published", ["before", "after", "both"])
def test_an_erased_person_is_a_deleted_person(api: Api, party: str, carried: Carried, published: str) -> None:
    api.post("/users", {"userId": "carol", "name": "Carol"})
    api.register(party, "carol")
    if published != "after":
        carried.publish()
    assert api.delete("/users/carol").status_code == 204
    if published != "before":
        carried.publish()
    entries = [entry for entry in api.walk("/events/party/history") if entry["detail"] == "a deleted person"]
    assert entries and all(entry["userId"] is None for entry in entries)
    assert "carol" not in str([entry.attribute_values for entry in HistoryEntry.scan()]), "not even where it is kept"
    assert "bob" in str(api.get("/events/party/history").json())


def test_entries_are_kept_for_400_days(api: Api, party: str) -> None:
    entries = list(HistoryEntry.query(f"history#party#{reported()[0]['id'].split('.')[1]}"))
    assert entries
    for entry in entries:
        assert abs(entry.expires_at - time.time() - 400 * 24 * 60 * 60) < 600
    entries[0].update([HistoryEntry.expires_at.set(1)])
    shown = api.walk("/events/party/history")
    assert len(shown) == len(entries) - 1, "which DynamoDB removes only later"


def test_a_page_costs_what_the_page_costs(api: Api, party: str, meter: Any) -> None:
    for limit in (1, 5):
        before = len(meter.calls)
        api.get(f"/events/party/history?limit={limit}")
        assert meter.calls[before:] == ["GetItem", "Query", "BatchGetItem"]


def test_signing_up_records_nothing_by_itself(api: Api) -> None:
    api.register(api.event(eventId="party"), api.user())
    assert api.get("/events/party/history").json() == []


def test_only_organizers_see_it(cognito: None) -> None:
    As(oscar().access).event(eventId="party")
    for token, status in ((None, 401), (alice().access, 403), (olivia().access, 403)):
        assert As(token).get("/events/party/history").status_code == status
    for person in (oscar(), adam()):
        assert As(person.access).get("/events/party/history").json() == []


def test_a_check_in_names_the_helper(cognito: None, carried: Carried) -> None:
    As(oscar().access).event(eventId="party")
    As(alice().access).post("/events/party/registrations", {})
    As(oscar().access).get("/users/me")
    path = f"/events/party/registrations/{alice().sub}/check-in"
    assert As(oscar().access).put(path).status_code == 200
    carried.publish()
    entries = As(oscar().access).get("/events/party/history").json()
    (entry,) = [one for one in entries if one["what"] == "registration.checked_in"]
    assert (entry["userId"], entry["by"]) == (alice().sub, oscar().sub)
    As(adam().access).delete(f"/users/{oscar().sub}")
    (entry,) = [one for one in As(adam().access).get("/events/party/history").json() if one["what"] == entry["what"]]
    assert (entry["by"], entry["detail"]) == (None, "by a deleted person")


def test_an_unknown_event_has_none(api: Api) -> None:
    assert problem(api.get("/events/none/history")) == (404, "event_not_found")
    assert problem(api.get(f"/events/{api.event()}/history?cursor=x")) == (422, "invalid_cursor")


def test_a_message_is_in_it(api: Api, party: str, carried: Carried) -> None:
    api.post("/events/party/messages", {"subject": "Tea", "text": "There is tea.", "to": "registered"})
    carried.publish([])
    entries = api.get("/events/party/history").json()
    assert [(entry["detail"]) for entry in entries if entry["what"] == "message.sent"] == ["Tea"]


def test_a_message_of_an_organizer_without_a_record_names_the_organizer(cognito: None, carried: Carried) -> None:
    As(oscar().access).event(eventId="party")
    As(alice().access).post("/events/party/registrations", {})
    message = {"subject": "Tea", "text": "There is tea.", "to": "everybody"}
    assert As(oscar().access).post("/events/party/messages", message).status_code == 202
    carried.publish([])
    (entry,) = [one for one in As(oscar().access).walk("/events/party/history") if one["what"] == "message.sent"]
    assert (entry["by"], entry["detail"]) == (oscar().sub, "Tea")


def test_erasing_twice_is_erasing_once(api: Api, party: str) -> None:
    incarnation = reported()[0]["id"].split(".")[1]
    for _ in range(2):
        history.erase("alice", [("party", incarnation)])
    assert ("registration.cancelled", None) in seats(api)


@pytest.fixture
def acts(cognito: None, carried: Carried) -> str:
    """Sign-ups and cancellations by an attendee, an organizer and an admin."""
    for person in (alice, oscar, adam):
        As(person().access).get("/users/me")
    As(oscar().access).event(eventId="party", capacity=1)
    registrations = "/events/party/registrations"
    As(alice().access).post(registrations, {})
    As(adam().access).post("/users", {"userId": "bob", "name": "Bob"})
    As(adam().access).post("/users", {"userId": "carol", "name": "Carol"})
    As(oscar().access).post(registrations, {"userId": "bob"})
    As(adam().access).post(registrations, {"userId": "carol"})
    As(alice().access).delete(f"{registrations}/me")
    As(oscar().access).delete(f"{registrations}/bob")
    As(adam().access).delete(f"{registrations}/carol")
    carried.publish()
    return "party"


def callers(reader: Api, event: str) -> dict[tuple[str, str | None], tuple[str | None, str | None]]:
    """Return the caller and the detail by what happened and the person."""
    entries = [one for one in reader.walk(f"/events/{event}/history") if one["what"].startswith("registration.")]
    return {(one["what"].partition(".")[2], one["userId"]): (one["by"], one["detail"]) for one in entries}


def test_it_names_who_signed_up_added_and_cancelled(acts: str) -> None:
    me, organizer, admin = alice().sub, oscar().sub, adam().sub
    expected = {
        ("registered", me): (me, None),
        ("waitlisted", "bob"): (organizer, None),
        ("waitlisted", "carol"): (admin, None),
        ("cancelled", me): (me, "gave up a seat"),
        ("promoted", "bob"): (None, None),
        ("cancelled", "bob"): (organizer, "the seat was taken back"),
        ("promoted", "carol"): (None, None),
        ("cancelled", "carol"): (admin, "the seat was taken back"),
    }
    for reader in (oscar(), adam()):
        assert callers(As(reader.access), acts) == expected
    assert As(alice().access).get(f"/events/{acts}/history").status_code == 403
    page = As(oscar().access).get(f"/events/{acts}/history", accept="text/html").content.decode()
    assert {"adam", "oscar"} <= set(re.findall('data-label="by">(.*)</td>', page))


def test_a_deleted_caller_is_a_deleted_person(acts: str) -> None:
    for person in (oscar(), alice()):
        assert As(adam().access).delete(f"/users/{person.sub}").status_code == 204
    found = callers(As(adam().access), acts)
    assert found["waitlisted", "bob"] == (None, "by a deleted person")
    assert found["cancelled", "bob"] == (None, "the seat was taken back, by a deleted person")
    assert found["waitlisted", "carol"] == (adam().sub, None)
    assert found["registered", None] == (None, "a deleted person")
    stored = str([entry.attribute_values for entry in HistoryEntry.scan()])
    assert alice().sub not in stored and oscar().sub not in stored, "not even where it is kept"


def test_an_admin_who_deletes_a_person_is_named(cognito: None, carried: Carried) -> None:
    As(adam().access).get("/users/me")
    As(oscar().access).event(eventId="party")
    As(adam().access).post("/users", {"userId": "bob", "name": "Bob"})
    As(oscar().access).post("/events/party/registrations", {"userId": "bob"})
    As(adam().access).delete("/users/bob")
    carried.publish()
    found = callers(As(adam().access), "party")
    assert found["cancelled", None] == (adam().sub, "a deleted person, the seat was taken back")
    assert found["registered", None] == (oscar().sub, "a deleted person"), "an organizer without a record is named too"


def test_nobody_signs_in_so_nobody_is_named(api: Api, party: str) -> None:
    assert {by for by, _ in callers(api, party).values()} == {None}


@pytest.mark.parametrize("caller", ["b" * 30, "ana", None])
def test_the_caller_is_named_also_if_ids_are_long(api: Api, carried: Carried, caller: str | None) -> None:
    """A caller with a long id that is no UUID is not named, except as the person."""
    event = api.event(eventId="party")
    for user in filter(None, {"u" * 40, caller}):
        api.user(user)
    seating.register(event, "u" * 40, scope=EVERYTHING, by=caller)
    seating.leave(event, "u" * 40, scope=EVERYTHING, by="u" * 40)
    carried.publish()
    found = callers(api, event)
    assert found["registered", "u" * 40][0] == (caller if caller == "ana" else None)
    assert found["cancelled", "u" * 40] == ("u" * 40, "gave up a seat")
