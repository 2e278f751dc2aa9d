"""Check-in at the door: once per person, counted exactly, undone, and gone with the registration."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from registrations.notices.words import line
from tests.api import EVENT, Api, problem
from tests.metering import Meter
from tests.registrations.notices.streaming import data, reported
from tests.signing_in import As, alice, olivia, oscar

MORE_PEOPLE = 6


def door(event: str, user: str) -> str:
    return f"/events/{event}/registrations/{user}/check-in"


def count(api: Api, event: str) -> int:
    return int(api.get(f"/events/{event}").json()["checkedInCount"])


@pytest.fixture
def party(api: Api) -> str:
    """An event with two people in it and one who waits."""
    event = api.event(capacity=2)
    for name in ("ada", "bea", "cleo"):
        api.register(event, api.user(name))
    return event


def test_people_are_checked_in_once_and_counted(api: Api, party: str) -> None:
    assert count(api, party) == 0
    first = api.put(door(party, "ada"))
    assert (first.status_code, first.json()["userId"], first.json()["status"]) == (200, "ada", "registered")
    assert first.json()["checkedInAt"]
    assert api.put(door(party, "ada")).json() == first.json()
    assert api.get(f"/events/{party}/registrations/ada").json() == first.json()
    assert count(api, party) == 1
    assert api.put(door(party, "bea")).json()["checkedInAt"] >= first.json()["checkedInAt"]
    assert count(api, party) == 2
    undone = api.delete(door(party, "ada"))
    assert (undone.status_code, undone.json()["checkedInAt"]) == (200, None)
    assert api.delete(door(party, "ada")).json() == undone.json()
    assert count(api, party) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_only_people_with_a_seat_are_checked_in(api: Api, party: str, method: str) -> None:
    assert problem(api.call(method, door(party, "cleo"))) == (409, "not_registered")
    assert problem(api.call(method, door(party, "nobody"))) == (404, "registration_not_found")
    assert problem(api.call(method, door("nothing", "ada"))) == (404, "event_not_found")
    api.leave(party, "ada")
    assert problem(api.call(method, door(party, "ada"))) == (409, "not_registered")
    assert api.call(method, door(party, "cleo")).status_code == 200


def test_lists_and_sheets_show_who_is_in(api: Api, party: str) -> None:
    at = api.put(door(party, "bea")).json()["checkedInAt"]
    path = f"/events/{party}/registrations"
    assert [one["userId"] for one in api.walk(f"{path}?checkedIn=true")] == ["bea"]
    assert [one["userId"] for one in api.walk(f"{path}?checkedIn=false")] == ["ada", "cleo"]
    assert [one["userId"] for one in api.walk(f"{path}?checkedIn=false&status=registered&limit=1")] == ["ada"]
    rows = csv.DictReader(io.StringIO(api.get(f"{path}?format=csv").content.decode()))
    assert {row["userId"]: row["checkedInAt"] for row in rows} == {"ada": "", "bea": at, "cleo": ""}
    assert problem(api.get(f"{path}?checkedIn=perhaps")) == (422, "validation_error")


def test_a_filtered_list_is_read_to_its_end(api: Api) -> None:
    event = api.event(capacity=30)
    users = api.users(12)
    for user in users:
        api.register(event, user)
    for user in users[::5]:
        api.put(door(event, user))
    for limit in (1, 2, 3, 20):
        path = f"/events/{event}/registrations?limit={limit}"
        assert [one["userId"] for one in api.walk(f"{path}&checkedIn=true")] == users[::5]
        assert len(api.walk(f"{path}&checkedIn=false")) == 9


def test_a_check_in_ends_with_the_registration(api: Api, party: str) -> None:
    api.put(door(party, "ada"))
    assert api.leave(party, "ada").json()["promotedUser"] == "cleo"
    assert count(api, party) == 0
    assert api.get(f"/events/{party}/registrations/ada").json()["checkedInAt"] is None
    api.patch(f"/events/{party}", {"capacity": 3})
    assert api.register(party, "ada").json()["checkedInAt"] is None
    api.put(door(party, "bea"))
    assert api.delete("/users/bea").status_code == 204
    assert count(api, party) == 0


def test_an_event_under_a_used_id_begins_empty(api: Api) -> None:
    user = api.user()
    for _ in range(2):
        event = api.event(eventId="party")
        api.register(event, user)
        assert count(api, event) == 0
        api.put(door(event, user))
        assert count(api, event) == 1
        assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204


def test_two_helpers_at_the_door_count_each_person_once(api: Api) -> None:
    event = api.event(capacity=MORE_PEOPLE)
    users = api.users(MORE_PEOPLE)
    for user in users:
        api.register(event, user)
    with ThreadPoolExecutor(4) as helpers:
        answers = list(helpers.map(lambda user: Api().put(door(event, user)), users * 3))
    assert {answer.status_code for answer in answers} == {200}
    assert count(api, event) == MORE_PEOPLE
    assert len({(one.json()["userId"], one.json()["checkedInAt"]) for one in answers}) == MORE_PEOPLE


def test_a_check_in_takes_one_read_and_one_write(api: Api, party: str, meter: Meter) -> None:
    for method, units in (("PUT", 10), ("PUT", 4), ("DELETE", 10), ("DELETE", 4)):
        meter.reset()
        assert api.call(method, door(party, "ada")).status_code == 200
        calls = ["TransactGetItems", "TransactWriteItems"] if units > 4 else ["TransactGetItems"]
        assert (meter.calls, meter.units) == (calls, units)


def test_an_edit_answers_with_the_count(api: Api, party: str) -> None:
    api.put(door(party, "ada"))
    for change in ({"title": "Another"}, {"capacity": 5}):
        assert api.patch(f"/events/{party}", change).json()["checkedInCount"] == 1


def test_each_check_in_is_a_notice(api: Api, party: str) -> None:
    for user, method in (("ada", "PUT"), ("ada", "PUT"), ("bea", "PUT"), ("ada", "DELETE"), ("ada", "PUT")):
        api.call(method, door(party, user))
    came = [one for one in reported() if one["type"] == "registration.checked_in"]
    assert [(one.get("subject"), data(one)["checkedInCount"]) for one in came] == [("ada", 1), ("bea", 2), ("ada", 2)]
    assert len({one["id"] for one in came}) == 3
    at = api.get(f"/events/{party}/registrations/ada").json()["checkedInAt"]
    assert datetime.fromisoformat(came[-1]["time"]) == datetime.fromisoformat(at)
    assert "came in to" in line(came[0])


@pytest.mark.usefixtures("cognito")
def test_organizers_check_in_and_see_the_count() -> None:
    owner, helper, attendee = As(oscar().access), As(olivia().access), As(alice().access)
    event = owner.event(organizers=[olivia().sub])
    attendee.post(f"/events/{event}/registrations", {})
    path = door(event, alice().sub)
    assert problem(attendee.put(path)) == (403, "permission_denied")
    assert problem(As(None).put(path)) == (401, "not_authenticated")
    assert helper.put(path).status_code == 200
    assert (count(owner, event), count(helper, event)) == (1, 1)
    assert "checkedInCount" not in attendee.get(f"/events/{event}").json()
    assert attendee.get(f"/events/{event}/registrations/me").json()["checkedInAt"]
    draft = owner.event(status="draft")
    assert problem(attendee.put(door(draft, "me"))) == (404, "event_not_found")


class Door(RuleBasedStateMachine):
    """People sign up, leave, come in and go out again: the count is always that of the list."""

    @initialize()
    def start(self) -> None:
        self.api = Api()
        self.event = self.api.event(**EVENT | {"capacity": 2})
        self.users = self.api.users(4)

    @rule(person=st.integers(0, 3))
    def sign_up(self, person: int) -> None:
        assert self.api.register(self.event, self.users[person]).status_code in (201, 409)

    @rule(person=st.integers(0, 3))
    def leave(self, person: int) -> None:
        assert self.api.leave(self.event, self.users[person]).status_code in (200, 404)

    @rule(person=st.integers(0, 3), method=st.sampled_from(["PUT", "DELETE"]))
    def at_the_door(self, person: int, method: str) -> None:
        assert self.api.call(method, door(self.event, self.users[person])).status_code in (200, 404, 409)

    @invariant()
    def the_count_is_that_of_the_list(self) -> None:
        inside = self.api.get(f"/events/{self.event}/registrations?checkedIn=true").json()
        assert {one["status"] for one in inside} <= {"registered"}
        assert count(self.api, self.event) == len(inside)


def test_the_count_is_exact_whatever_happens() -> None:
    run_state_machine_as_test(Door, settings=settings(max_examples=5, stateful_step_count=12))
