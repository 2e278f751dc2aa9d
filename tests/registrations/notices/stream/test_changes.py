"""The notices of each change: one for each person concerned, in order, with the change itself."""

import json
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from django.core.management import call_command

from events.ledger.models import Seats
from registrations.audit import runner
from tests.api import Api
from tests.registrations.notices.streaming import data, everything, in_words, reported
from tests.registrations.scenes import queue_up, traces_of


def seats_reported(api: Api) -> list[str]:
    return [one for one in in_words(reported()) if one.startswith("registration.")]


def test_registering_waiting_leaving_and_moving_up_are_notices(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    for user in map(api.user, ("alice", "bob", "carol")):
        api.register(event, user)
    api.leave(event, "carol")
    api.leave(event, "alice")
    api.leave(event, "bob")
    assert in_words(reported()) == [
        "event.created /events/party",
        "registration.registered alice",
        "registration.waitlisted bob",
        "registration.waitlisted carol",
        "registration.cancelled carol",
        "registration.cancelled alice",
        "registration.promoted bob",
        "registration.cancelled bob",
    ]


def test_a_notice_holds_the_change_and_nothing_about_the_person(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    api.post("/users", {"userId": "alice", "name": "Alice Liddell", "email": "alice@example.com"})
    api.register(event, "alice")
    api.register(event, api.user("bob"))
    api.leave(event, "alice")
    _, registered, waitlisted, cancelled, promoted = reported()
    counts = {"capacity": 1, "registeredCount": 1, "waitlistCount": 1}
    assert data(registered) == {
        "eventId": "party", "userId": "alice", "ticket": 1, "status": "registered", **counts, "waitlistCount": 0,
    }  # fmt: skip
    assert data(waitlisted) == {"eventId": "party", "userId": "bob", "ticket": 2, "status": "waitlisted", **counts}
    counts["waitlistCount"] = 0
    assert data(promoted) == {"eventId": "party", "userId": "bob", "ticket": 2, "status": "registered", **counts}
    assert data(cancelled) == {
        "eventId": "party", "userId": "alice", "ticket": 1, "status": "cancelled", **counts,
        "reason": "left", "freedSeat": True,
    }  # fmt: skip
    everywhere = str(reported())
    assert "Liddell" not in everywhere and "@" not in everywhere


def test_a_notice_is_a_cloud_event_that_can_be_put_in_order(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    api.register(event, api.user("alice"))
    api.register(event, api.user("bob"))
    api.leave(event, "alice")
    notices = reported()
    made = data(notices[0])["event"]
    assert notices[0]["id"].startswith("party.") and notices[0]["id"].endswith(".v1.created")
    incarnation = notices[0]["id"].split(".")[1]
    assert [one["id"] for one in notices[1:]] == [
        f"party.{incarnation}.{rest}" for rest in ("1.registered", "2.waitlisted", "1.cancelled", "2.promoted")
    ]
    assert {one["source"] for one in notices} == {"/events/party"}
    sequences = [one["sequence"] for one in notices]
    assert sequences == sorted(sequences) and len(set(sequences)) == len(sequences)
    assert notices[0]["time"] == made["createdAt"]
    assert notices[3]["time"] == notices[4]["time"]
    assert [JSONFormat().read(CloudEvent, json.dumps(one)).get_data() for one in notices] == list(map(data, notices))


LONG_IDS = ["x" * 25, "x" * 128, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "F47AC10B-58CC-4372-A567-0E02B2C3D479"]
"""Ids of which the commit log has only a hash."""


@pytest.mark.parametrize("user", ["short", "f47ac10b-58cc-4372-a567-0e02b2c3d479", *LONG_IDS])
@pytest.mark.parametrize("capacity", [0, 1])
@pytest.mark.parametrize("ending", ["back", "erased", "event deleted", "deleted with registrations", "stays", "left"])
def test_a_registration_that_is_gone_holds_up_no_notice(api: Api, user: str, capacity: int, ending: str) -> None:
    event, other = api.event(eventId="party", capacity=capacity), api.event(eventId="other")
    api.register(event, api.user(user))
    if ending in ("back", "event deleted", "left"):
        api.leave(event, user)
    if ending == "back":
        api.register(event, user)
    elif ending == "erased":
        api.delete(f"/users/{user}")
    elif "deleted" in ending:
        assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    api.register(other, api.user("bob"))
    found = in_words(reported())
    assert found[-1] == "registration.registered bob"
    of_user = [one.split()[0] for one in found if one.endswith(f" {user}")]
    joined = "registration.registered" if capacity else "registration.waitlisted"
    left = {"back": 1, "stays": 0}.get(ending, 1)
    expected = [joined, *["registration.cancelled"] * left, *[joined] * (ending == "back")]
    if user in LONG_IDS and ending == "back":
        expected = [joined]
    elif user in LONG_IDS and ending in ("erased", "event deleted"):
        expected = []
    elif user in LONG_IDS and ending == "deleted with registrations":
        expected = ["registration.cancelled"]  # from the outbox
    assert of_user == expected


def test_leaving_the_queue_frees_no_seat_and_leaving_a_seat_that_nobody_wants_does(api: Api) -> None:
    event = api.event(capacity=1)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    api.leave(event, bob)
    api.leave(event, alice)
    *_, of_bob, of_alice = reported()
    assert (data(of_bob)["freedSeat"], data(of_alice)["freedSeat"]) == (False, True)


def test_raising_the_capacity_notifies_the_promoted_but_not_those_who_left(api: Api) -> None:
    event = api.event(capacity=0)
    users = api.users(5)
    for user in users:
        api.register(event, user)
    api.leave(event, users[1])
    before = len(reported())
    api.patch(f"/events/{event}", {"capacity": 3})
    changed, *promoted = reported()[before:]
    assert (changed["type"], data(changed)["changed"], data(changed)["previous"]) == (
        "event.changed", ["capacity"], {"capacity": 0},
    )  # fmt: skip
    assert [one.get("subject") for one in promoted] == [users[0], users[2], users[3]]
    assert {one["type"] for one in promoted} == {"registration.promoted"}


def test_a_promotion_before_a_leave_is_still_a_notice_in_order(api: Api) -> None:
    event = api.event(capacity=0)
    users = [f"guest-{number:03}" for number in range(120)]  # more than one look-up by keys
    queue_up(event, users)
    api.leave(event, users[7])
    api.patch(f"/events/{event}", {"capacity": 120})
    api.leave(event, users[3])
    promoted = [one.get("subject") for one in reported() if one["type"] == "registration.promoted"]
    assert promoted == [user for user in users if user != users[7]]


def test_whose_leaving_is_just_being_written_is_found(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    event = api.event(capacity=1)
    alice, bob, *others = api.users(20)
    for user in (alice, bob, *others):
        api.register(event, user)
    api.leave(event, alice)
    records = [record for record in everything() if "{'S': 'h" in str(record)][:1]
    records[0]["dynamodb"]["NewImage"]["records"]["M"] = {
        name: value for name, value in records[0]["dynamodb"]["NewImage"]["records"]["M"].items() if "S" in value
    }
    monkeypatch.setattr("eventsite.dynamodb.steps.batch_get", lambda *keys, consistent: [None] * len(keys))
    assert in_words(reported(records)) == [f"registration.cancelled {alice}", f"registration.promoted {bob}"]


def test_reopening_an_event_promotes_and_is_a_notice(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    alice, bob = api.users(2)
    for user in (alice, bob):
        api.register(event, user)
    api.patch(f"/events/{event}", {"status": "cancelled"})
    api.leave(event, alice)
    api.patch(f"/events/{event}", {"status": "published"})
    assert sorted(in_words(reported())[3:]) == sorted([
        "event.cancelled /events/party",
        f"registration.cancelled {alice}",
        "event.changed /events/party",
        f"registration.promoted {bob}",
    ])  # fmt: skip


def test_an_edit_reports_the_changed_fields_and_their_old_values(api: Api) -> None:
    event = api.event(startTime="18:00", timeZone="Europe/Berlin")
    api.patch(f"/events/{event}", {"location": "Hall", "date": "2083-04-02", "startTime": None, "timeZone": None})
    changed = reported()[-1]
    assert changed["type"] == "event.changed" and changed["id"].endswith(".v2.changed")
    assert data(changed)["changed"] == ["date", "location", "startTime", "timeZone"]
    assert data(changed)["previous"] == {
        "date": "2083-04-01", "location": "Garden", "startTime": "18:00", "timeZone": "Europe/Berlin",
    }  # fmt: skip
    answer = api.get(f"/events/{event}").json()
    shown = data(changed)["event"]
    assert shown.items() <= answer.items() and "capacity" not in shown


def test_an_edit_that_changes_nothing_is_no_notice(api: Api) -> None:
    event = api.event()
    before = len(reported())
    api.patch(f"/events/{event}", {"title": "Spring party", "capacity": 2})
    assert len(reported()) == before


def test_cancelling_is_one_notice_with_the_other_changes(api: Api) -> None:
    event = api.event()
    api.patch(f"/events/{event}", {"status": "cancelled", "title": "Called off"})
    *_, last = reported()
    assert last["type"] == "event.cancelled"
    assert data(last)["changed"] == ["title", "status"]
    api.patch(f"/events/{event}", {"title": "Called off for good"})
    assert reported()[-1]["type"] == "event.changed"


def test_a_deletion_is_a_notice_and_one_for_each_person(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    for user in map(api.user, ("alice", "bob", "carol")):
        api.register(event, user)
    api.leave(event, "carol")
    before = len(reported())
    assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    gone, *ended = reported()[before:]
    assert gone["type"] == "event.deleted" and data(gone)["event"]["title"] == "Spring party"
    assert in_words(ended) == ["registration.cancelled alice", "registration.cancelled bob"]
    assert data(ended[0])["reason"] == "event_deleted" and data(ended[0])["event"]["title"] == "Spring party"
    assert data(ended[0])["event"]["date"] == "2083-04-01"


def test_deleting_an_event_without_people_is_one_notice(api: Api) -> None:
    event = api.event(eventId="party")
    api.delete(f"/events/{event}")
    assert in_words(reported()) == ["event.created /events/party", "event.deleted /events/party"]


def test_a_recreated_event_is_another_one(api: Api) -> None:
    for _ in range(2):
        event = api.event(eventId="party")
        api.delete(f"/events/{event}")
    ids = [one["id"] for one in reported()]
    assert len(set(ids)) == 4


def test_an_import_is_a_notice_of_the_event_and_none_of_its_people(api: Api, tmp_path: Path) -> None:
    event = api.event(eventId="party", capacity=1)
    for user in api.users(3):
        api.register(event, user)
    api.patch(f"/events/{event}", {"location": "Hall"})
    call_command("export", str(tmp_path / "all.jsonl"))
    api.delete(f"/events/{event}?registrations=cancel")
    before = len(reported())
    call_command("import", str(tmp_path / "all.jsonl"))
    (created,) = reported()[before:]
    assert created["type"] == "event.created" and created["id"].endswith(".v2.created")
    api.register(event, api.user())
    assert reported()[-1]["type"] == "registration.waitlisted" and data(reported()[-1])["waitlistCount"] == 3


def test_a_promotion_by_the_audit_is_a_notice_and_corrected_figures_are_not(api: Api) -> None:
    event = api.event(eventId="party", capacity=2)
    users = api.users(3)
    for user in users:
        api.register(event, user)
    Seats.key(event).update([Seats.capacity.set(3)])
    before = len(reported())
    runner.repair_event(event, traces_of(event))
    assert in_words(reported()[before:]) == [f"registration.promoted {users[2]}"]
    Seats.key(event).update([Seats.registered.set(2), Seats.waiting.set(1), Seats.seated_through.set(2)])
    runner.repair_event(event, traces_of(event))
    assert api.get(f"/events/{event}").json()["registeredCount"] == 3
    assert len(reported()) == before + 1


def test_the_upkeep_of_the_protocol_is_no_notice(api: Api) -> None:
    event = api.event(capacity=1)
    alice = api.user()
    api.register(event, alice, idempotency_key="1")
    records = everything()
    before = len(reported(records))
    api.register(event, alice, idempotency_key="1")
    api.register(event, alice)
    assert len(reported()) == before
