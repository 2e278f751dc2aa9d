"""The service and the reference side by side: whatever is done in whatever order, both are in the same state."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.api import Api, problem
from tests.registrations.auditing import audit, stored
from tests.registrations.reference import Answer, Seating

OPEN, CLOSED = ("scheduled", "published", "active"), ("draft", "cancelled", "completed")
STATUSES = st.sampled_from(OPEN + CLOSED)
CAPACITIES = st.integers(0, 3)
EVENTS = st.sampled_from(("garden", "harbour"))
PEOPLE = ("ada", "bela", "cleo", "dora", "emil")
USERS = st.sampled_from(PEOPLE)
_runs = itertools.count()


class SeatsUnderRules(RuleBasedStateMachine):
    """Two events, five people, and everything that can be asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.api, self.run = Api(), next(_runs)
        self.model: dict[str, Seating] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.keyed: list[tuple[str, str, Any]] = []

    def named(self, name: str) -> str:
        """The id of something in this run; every run has its own events and users."""
        return f"{name}-{self.run}"

    @initialize(capacity=CAPACITIES)
    def begin(self, capacity: int) -> None:
        for user in PEOPLE:
            self.api.user(self.named(user))
        self.create("garden", capacity, True, "published", keyed=False)

    @rule(event=EVENTS, capacity=CAPACITIES, waitlist=st.booleans(), status=STATUSES, keyed=st.booleans())
    def create(self, event: str, capacity: int, waitlist: bool, status: str, keyed: bool) -> None:
        fields = {"capacity": capacity, "waitlistEnabled": waitlist, "status": status}
        answer = self._post("/events", _event(self.named(event), fields), keyed=keyed)
        if event in self.model:
            assert problem(answer) == (409, "event_exists")
            return
        assert answer.status_code == 201
        self.model[event] = Seating(capacity, waitlist, status in OPEN)
        self.shown[event] = fields | {"version": 1}

    @rule(event=EVENTS, user=USERS, keyed=st.booleans())
    def register(self, event: str, user: str, keyed: bool) -> None:
        path, body = f"/events/{self.named(event)}/registrations", {"userId": self.named(user)}
        answer = self._post(path, body, keyed=keyed)
        if self._is_missing(event, answer):
            return
        self.model[event], expected = self.model[event].register(user)
        assert self._outcome(answer) == expected

    @rule(event=EVENTS)
    def register_nobody(self, event: str) -> None:
        answer = self.api.register(self.named(event), "nobody")
        if not self._is_missing(event, answer):
            assert problem(answer) == (404, "user_not_found")

    @rule(event=EVENTS, user=USERS)
    def leave(self, event: str, user: str) -> None:
        answer = self.api.leave(self.named(event), self.named(user))
        expected: Answer = ("registration_not_found", None)
        if event in self.model:
            self.model[event], expected = self.model[event].leave(user)
        assert self._outcome(answer) == expected

    @rule(event=EVENTS, capacity=CAPACITIES)
    def resize(self, event: str, capacity: int) -> None:
        self._edit(event, {"capacity": capacity}, lambda seating: seating.edit(capacity=capacity))

    @rule(event=EVENTS, waitlist=st.booleans())
    def switch_the_waitlist(self, event: str, waitlist: bool) -> None:
        self._edit(event, {"waitlistEnabled": waitlist}, lambda seating: seating.edit(waitlist=waitlist))

    @rule(event=EVENTS, status=STATUSES)
    def change_the_status(self, event: str, status: str) -> None:
        self._edit(event, {"status": status}, lambda seating: seating.edit(open=status in OPEN))

    @rule(event=EVENTS)
    def delete(self, event: str) -> None:
        answer = self.api.delete(f"/events/{self.named(event)}")
        if self._is_missing(event, answer):
            return
        if self.model[event].seated or self.model[event].queue:
            assert problem(answer) == (409, "event_has_registrations")
            return
        assert answer.status_code == 204
        del self.model[event], self.shown[event]

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Whatever was done with a key is not done again; the first answer comes back."""
        if not self.keyed:
            return
        key = data.draw(st.sampled_from(range(len(self.keyed))))
        path, body, first = self.keyed[key]
        again = self.api.post(path, body, idempotency_key=self.named(f"key-{key}"))
        assert (again.status_code, again.json()) == (first.status_code, first.json())

    @invariant()
    def tables_agree(self) -> None:
        for event in ("garden", "harbour"):
            kept, seating = stored(self.named(event)), self.model.get(event)
            if seating is None:
                assert (kept.event, kept.seats, kept.rows) == (None, None, ())
                continue
            assert kept.having("registered") == self._all(seating.seated)
            assert kept.having("waitlisted") == self._all(seating.queue)
            assert set(kept.having("cancelled")) == set(self._all(seating.past))
            shrunk = len(seating.seated) > seating.capacity
            assert audit(self.named(event), shrunk=shrunk) == []

    @invariant()
    def answers_about_events_agree(self) -> None:
        for event, seating in self.model.items():
            path = f"/events/{self.named(event)}"
            seen = self.api.get(path).json()
            counts = {"registeredCount": len(seating.seated), "waitlistCount": len(seating.queue)}
            assert {name: seen[name] for name in [*self.shown[event], *counts]} == self.shown[event] | counts
            active = [(row["userId"], row["status"]) for row in self.api.get(f"{path}/registrations").json()]
            expected = [(user, "registered") for user in self._all(seating.seated)]
            assert active == expected + [(user, "waitlisted") for user in self._all(seating.queue)]
            queue = [(row["userId"], row["waitlistPosition"]) for row in self.api.get(f"{path}/waitlist").json()]
            assert queue == [(user, rank) for rank, user in enumerate(self._all(seating.queue), 1)]

    @invariant()
    def answers_about_users_agree(self) -> None:
        for user in PEOPLE:
            rows = self.api.get(f"/users/{self.named(user)}/registrations").json()
            found = {row["event"]["eventId"]: row["registration"] for row in rows}
            for event in ("garden", "harbour"):
                row = found.pop(self.named(event), None)
                seen = (row["status"], row["waitlistPosition"]) if row else None
                assert seen == _standing(self.model.get(event), user)
            assert found == {}

    def teardown(self) -> None:
        """Compare the history too, once per run: it only grows."""
        for event, seating in self.model.items():
            past = self.api.get(f"/events/{self.named(event)}/registrations?status=cancelled").json()
            assert {row["userId"] for row in past} == set(self._all(seating.past))

    def _post(self, path: str, body: Any, *, keyed: bool) -> Any:
        if not keyed:
            return self.api.post(path, body)
        answer = self.api.post(path, body, idempotency_key=self.named(f"key-{len(self.keyed)}"))
        if answer.status_code == 201:
            self.keyed.append((path, body, answer))
        return answer

    def _edit(self, event: str, changes: dict[str, Any], apply: Callable[[Seating], Seating]) -> None:
        answer = self.api.patch(f"/events/{self.named(event)}", changes)
        if self._is_missing(event, answer):
            return
        assert answer.status_code == 200
        self.model[event] = apply(self.model[event])
        self.shown[event] |= changes | {"version": self.shown[event]["version"] + 1}

    def _is_missing(self, event: str, answer: Any) -> bool:
        if event not in self.model:
            assert problem(answer) == (404, "event_not_found")
        return event not in self.model

    def _outcome(self, answer: Any) -> Answer:
        """An answer in the words of the reference."""
        document = answer.json()
        if answer.status_code == 201:
            return document["status"], document["waitlistPosition"]
        if answer.status_code == 200:
            promoted = document["promotedUser"]
            return "left", promoted and promoted.removesuffix(f"-{self.run}")
        return problem(answer)[1], None

    def _all(self, users: Any) -> tuple[str, ...]:
        return tuple(map(self.named, users))


def _event(event_id: str, fields: dict[str, Any]) -> dict[str, Any]:
    texts = dict.fromkeys(("title", "description", "location", "organizer"), "Any")
    return {"eventId": event_id, "date": "2027-04-01"} | texts | fields


def _standing(seating: Seating | None, user: str) -> tuple[str, int | None] | None:
    if seating and user in seating.seated:
        return "registered", None
    if seating and user in seating.queue:
        return "waitlisted", seating.queue.index(user) + 1
    return None


RUN = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def test_the_service_and_the_reference_agree_after_every_step() -> None:
    run_state_machine_as_test(SeatsUnderRules, settings=settings(RUN, max_examples=100, stateful_step_count=10))


@pytest.mark.slow
def test_they_agree_over_long_histories() -> None:
    deep = settings(RUN, max_examples=150, stateful_step_count=40, derandomize=False)
    run_state_machine_as_test(SeatsUnderRules, settings=deep)
