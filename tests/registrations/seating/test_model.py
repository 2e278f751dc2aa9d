"""The service and the reference side by side: whatever is done in whatever order, both are in the same state."""

import itertools
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from eventsite import clock
from tests.api import Api, problem
from tests.registrations.auditing import Stored, differences, stored
from tests.registrations.reference import Answer, Seating, outcome
from users.models import User

OPEN, CLOSED = ("scheduled", "published", "active"), ("draft", "cancelled", "completed")
STATUSES = st.sampled_from(OPEN + CLOSED)
CAPACITIES = st.sampled_from((1, 2, 0, 3))
WAITLISTS = st.sampled_from((True, True, True, False))
CHANGES = st.fixed_dictionaries(
    {}, optional={"capacity": CAPACITIES, "waitlistEnabled": WAITLISTS, "status": STATUSES}
).filter(bool)
EVENT_NAMES = ("garden", "harbour")
EVENTS = st.sampled_from(EVENT_NAMES)
PEOPLE = ("ada", "bela", "cleo", "dora")
USERS = st.sampled_from(PEOPLE)
CROWDS = st.permutations(PEOPLE).flatmap(
    lambda people: st.sampled_from((4, 3, 4, 2, 0)).map(lambda count: people[:count])
)
BEGINNINGS = st.tuples(
    CAPACITIES, WAITLISTS, st.sampled_from(("published", "active", "scheduled", "published", "active", "draft")), CROWDS
)
_runs = itertools.count()
happened: Counter[str] = Counter()
"""How often the runs met each case, so that a test can show that they did."""


class SeatsUnderRules(RuleBasedStateMachine):
    """Two events, four people, and everything that can be asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.api, self.run = Api(), next(_runs)
        self.model: dict[str, Seating] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        self.keyed: list[tuple[str, str, Any]] = []
        self.kept: dict[str, Stored] = {}

    def named(self, name: str) -> str:
        """Return the id of an event or user of this run. Every run has its own."""
        return f"{name}-{self.run}"

    @initialize(beginnings=st.tuples(BEGINNINGS, BEGINNINGS))
    def begin(self, beginnings: Sequence[tuple[int, bool, str, list[str]]]) -> None:
        with User.batch_write() as users:
            for user in PEOPLE:
                users.save(User(self.named(user), name=user, created_at=clock.now()))
        for event, (capacity, waitlist, status, crowd) in zip(EVENT_NAMES, beginnings, strict=True):
            self.create(event, capacity, waitlist, status, keyed=False)
            for user in crowd:
                self.register(event, user, keyed=True)

    @rule(event=EVENTS, capacity=CAPACITIES, waitlist=WAITLISTS, status=STATUSES, keyed=st.booleans())
    def create(self, event: str, capacity: int, waitlist: bool, status: str, keyed: bool) -> None:
        fields = {"capacity": capacity, "waitlistEnabled": waitlist, "status": status}
        answer = self._post("/events", _event(self.named(event), fields), keyed=keyed)
        if event in self.model:
            assert problem(answer) == (409, "event_exists")
            return
        assert answer.status_code == 201
        self.model[event] = Seating(capacity, waitlist, status in OPEN)
        self.shown[event] = fields | {"version": 1}

    @rule(event=EVENTS, user=st.sampled_from((*PEOPLE, *PEOPLE, "nobody")), keyed=st.booleans())
    def register(self, event: str, user: str, keyed: bool) -> None:
        path, body = f"/events/{self.named(event)}/registrations", {"userId": self.named(user)}
        answer = self._post(path, body, keyed=keyed)
        if self._is_missing(event, answer):
            return
        if user == "nobody":
            assert problem(answer) == (404, "user_not_found")
            return
        again = user in self.model[event].past
        self.model[event], expected = self.model[event].register(user)
        happened[f"{expected[0]} again" if again else expected[0]] += 1
        assert self._outcome(answer) == expected

    @rule(event=EVENTS, user=USERS)
    def leave(self, event: str, user: str) -> None:
        answer = self.api.leave(self.named(event), self.named(user))
        expected: Answer = ("registration_not_found", None)
        if event in self.model:
            self.model[event], expected = self.model[event].leave(user)
            happened["handed on" if expected[1] else expected[0]] += 1
        assert self._outcome(answer) == expected

    @rule(event=EVENTS, changes=CHANGES)
    def edit(self, event: str, changes: dict[str, Any]) -> None:
        answer = self.api.patch(f"/events/{self.named(event)}", changes)
        if self._is_missing(event, answer):
            return
        assert answer.status_code == 200
        before, self.model[event] = self.model[event], self.model[event].edit(**_settings(changes))
        happened["promoted by an edit"] += before.queue != self.model[event].queue
        self.shown[event] |= changes | {"version": self.shown[event]["version"] + 1}

    @rule(event=EVENTS, seats=st.integers(1, 2))
    def make_room(self, event: str, seats: int) -> None:
        self.edit(event, {"capacity": seats + (self.model[event].capacity if event in self.model else 0)})

    @rule(event=EVENTS, user=USERS)
    def close_and_reopen(self, event: str, user: str) -> None:
        self.edit(event, {"status": "cancelled"})
        self.leave(event, user)
        self.edit(event, {"status": "published"})

    @rule(event=EVENTS)
    def the_first_one_leaves(self, event: str) -> None:
        if event in self.model and self.model[event].seated:
            self.leave(event, self.model[event].seated[0])

    @rule(event=EVENTS, user=USERS)
    def leave_and_come_back(self, event: str, user: str) -> None:
        self.leave(event, user)
        self.register(event, user, keyed=False)

    @rule(event=EVENTS, everybody_leaves=st.booleans())
    def delete(self, event: str, everybody_leaves: bool) -> None:
        if everybody_leaves and event in self.model:
            for user in self.model[event].seated + self.model[event].queue:
                self.leave(event, user)
        answer = self.api.delete(f"/events/{self.named(event)}")
        if self._is_missing(event, answer):
            return
        if self.model[event].seated or self.model[event].queue:
            assert problem(answer) == (409, "event_has_registrations")
            return
        assert answer.status_code == 204
        happened["deleted with a history"] += bool(self.model[event].past)
        del self.model[event], self.shown[event]

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """A keyed request is executed once, and its first answer comes back."""
        if not self.keyed:
            return
        key = data.draw(st.sampled_from(range(len(self.keyed))))
        path, body, first = self.keyed[key]
        happened["replayed"] += 1
        again = self.api.post(path, body, idempotency_key=self.named(f"key-{key}"))
        assert (again.status_code, again.json()) == (first.status_code, first.json())

    @invariant()
    def everything_agrees(self) -> None:
        """Compare the tables, and the answers about the events that a step changed."""
        for event in EVENT_NAMES:
            kept = stored(self.named(event), self._all(PEOPLE))
            self.tables_agree(event, kept)
            before, self.kept[event] = self.kept.get(event, kept), kept
            if kept is before or kept.contents() != before.contents():
                self.answers_about_the_event_agree(event)
                self.answers_about_users_agree(before.users() | kept.users())

    def tables_agree(self, event: str, kept: Stored) -> None:
        seating = self.model.get(event)
        if seating is None:
            assert (kept.event, kept.seats, kept.active) == (None, None, ())
            return
        assert kept.having("registered") == self._all(seating.seated)
        assert kept.having("waitlisted") == self._all(seating.queue)
        assert set(kept.having("cancelled")) == set(self._all(seating.past))
        assert differences(kept, shrunk=len(seating.seated) > seating.capacity) == []

    def answers_about_the_event_agree(self, event: str) -> None:
        path, seating = f"/events/{self.named(event)}", self.model.get(event)
        answer = self.api.get(path)
        if seating is None:
            assert problem(answer) == problem(self.api.get(f"{path}/waitlist")) == (404, "event_not_found")
            return
        counts = {"registeredCount": len(seating.seated), "waitlistCount": len(seating.queue)}
        assert {name: answer.json()[name] for name in [*self.shown[event], *counts]} == self.shown[event] | counts
        active = [(row["userId"], row["status"]) for row in self.api.get(f"{path}/registrations").json()]
        expected = [(user, "registered") for user in self._all(seating.seated)]
        assert active == expected + [(user, "waitlisted") for user in self._all(seating.queue)]
        queue = [(row["userId"], row["waitlistPosition"]) for row in self.api.get(f"{path}/waitlist").json()]
        assert queue == [(user, rank) for rank, user in enumerate(self._all(seating.queue), 1)]

    def answers_about_users_agree(self, users: set[str]) -> None:
        for user in users:
            rows = self.api.get(f"/users/{user}/registrations").json()
            found = {row["event"]["eventId"]: row["registration"] for row in rows}
            for event in EVENT_NAMES:
                row = found.pop(self.named(event), None)
                seen = (row["status"], row["waitlistPosition"]) if row else None
                assert seen == _standing(self.model.get(event), user.removesuffix(f"-{self.run}"))
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
        self.keyed.append((path, body, answer))
        return answer

    def _is_missing(self, event: str, answer: Any) -> bool:
        if event not in self.model:
            assert problem(answer) == (404, "event_not_found")
        return event not in self.model

    def _outcome(self, answer: Any) -> Answer:
        """An answer in the words of the reference, with the names of this run."""
        word, detail = outcome(answer)
        return word, detail.removesuffix(f"-{self.run}") if isinstance(detail, str) else detail

    def _all(self, users: Any) -> tuple[str, ...]:
        return tuple(map(self.named, users))


def _event(event_id: str, fields: dict[str, Any]) -> dict[str, Any]:
    texts = dict.fromkeys(("title", "description", "location", "organizer"), "Any")
    return {"eventId": event_id, "date": "2083-04-01"} | texts | fields


def _settings(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes of an event in the words of the reference."""
    settings = {"capacity": changes.get("capacity"), "waitlist": changes.get("waitlistEnabled")}
    settings["open"] = changes["status"] in OPEN if "status" in changes else None
    return {name: value for name, value in settings.items() if value is not None}


def _standing(seating: Seating | None, user: str) -> tuple[str, int | None] | None:
    if seating and user in seating.seated:
        return "registered", None
    if seating and user in seating.queue:
        return "waitlisted", seating.queue.index(user) + 1
    return None


OFTEN = {"waitlisted", "registration_closed", "event_full", "handed on", "replayed"}
RARE = {"waitlisted again", "already_registered", "promoted by an edit", "deleted with a history"}
RUN = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=(Phase.generate,))


def test_the_service_and_the_reference_agree_after_every_step() -> None:
    logging.getLogger("django.request").setLevel("ERROR")
    run_state_machine_as_test(SeatsUnderRules, settings=settings(RUN, max_examples=8, stateful_step_count=9))
    assert OFTEN - (+happened).keys() == set(), happened


@pytest.mark.slow
def test_they_agree_over_long_histories() -> None:
    deep = settings(RUN, max_examples=30, stateful_step_count=40)
    run_state_machine_as_test(SeatsUnderRules, settings=deep)
    assert (OFTEN | RARE) - (+happened).keys() == set(), happened
