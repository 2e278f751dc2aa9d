"""Histories of an event, drawn by Hypothesis, and deliveries of its stream."""

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from registrations.notices.stream import handler as stream
from registrations.notices.stream.following import Following
from tests.api import EVENT, Api
from tests.registrations.notices.receiver import Receiver

PEOPLE = ("ada", "bela", "cleo", "dora", "emil")
_runs = itertools.count()

SOMEBODY = st.sampled_from(PEOPLE)
EDITS = st.one_of(
    st.builds(lambda capacity: {"capacity": capacity}, st.integers(0, 5)),
    st.builds(lambda status: {"status": status}, st.sampled_from(("published", "cancelled", "draft", "active"))),
    st.builds(lambda on: {"waitlistEnabled": on}, st.booleans()),
    st.builds(lambda place: {"location": place}, st.sampled_from(("Garden", "Hall"))),
    st.just({"capacity": 4, "status": "active", "location": "Roof"}),
)
STEP = st.one_of(
    st.tuples(st.just("join"), SOMEBODY),
    st.tuples(st.just("join"), SOMEBODY),
    st.tuples(st.just("leave"), SOMEBODY),
    st.tuples(st.just("edit"), EDITS),
    st.tuples(st.just("deliver"), st.integers(1, 4)),
    st.tuples(st.sampled_from(("erase", "delete")), SOMEBODY),
)
HISTORIES = st.lists(STEP, min_size=5, max_size=30)
"""What happens to an event, and when how much of its stream is delivered."""


class Story:
    """One event, its people, and a receiver of its stream."""

    def __init__(self) -> None:
        run = next(_runs)
        self.api, self._following = Api(), Following()
        self.receiver: Receiver = Receiver()
        self.event, self._names = f"event-{run}", {name: f"{name}-{run}" for name in PEOPLE}
        self._records: list[Any] = []
        self._repeated = 0
        for name in PEOPLE:
            self.api.user(self._names[name])

    @property
    def people(self) -> list[str]:
        """Their ids."""
        return list(self._names.values())

    def named(self, name: str) -> str:
        """The id of one of them."""
        return self._names[name]

    def play(self, steps: Sequence[tuple[str, Any]]) -> None:
        """Let it happen."""
        self._create()
        for what, how in steps:
            getattr(self, f"_{what}")(how)
        while self._deliver(3):
            pass

    def _create(self) -> None:
        self.api.post("/events", EVENT | {"eventId": self.event, "capacity": 1})

    def _join(self, name: str) -> None:
        self.api.register(self.event, self._names[name])

    def _leave(self, name: str) -> None:
        self.api.leave(self.event, self._names[name])

    def _edit(self, changes: dict[str, Any]) -> None:
        self.api.patch(f"/events/{self.event}", changes)

    def _erase(self, name: str) -> None:
        self.api.delete(f"/users/{self._names[name]}")
        self.api.user(self._names[name])

    def _delete(self, name: str) -> None:
        self.api.delete(f"/events/{self.event}?registrations=cancel")
        self._create()

    def _deliver(self, most: int) -> bool:
        """Deliver a batch, the beginning of which may have been delivered before. Returns: whether there is more."""
        self._records += self._following.new_records()
        batch = self._records[: most + self._repeated]
        assert stream.publish_records(batch, self.receiver) is None
        kept = min(most // 2, len(batch))
        del self._records[: len(batch) - kept]
        more = len(self._records) > kept
        self._repeated = kept
        return more
