"""A receiver of notices that knows by them alone who is in, and counts each once."""

from collections.abc import Sequence
from typing import Any

from registrations.notices.occasions import Notice
from tests.api import Api
from tests.registrations.notices.streaming import data

WAITS, IS_IN = "waitlisted", "registered"
OF_THE_MOMENT = ("version", "updatedAt", "registeredCount", "waitlistCount")
"""What an event's notices say of it that other changes move too."""


class Receiver:
    """Keeps the notices that it received."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.people: dict[str, dict[int, tuple[str, str]]] = {}
        """For each incarnation of an event: who has which ticket, and whether they wait."""
        self._last: dict[str, str] = {}
        self._incarnations: dict[str, str] = {}

    def __call__(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            known = self.seen.setdefault(notice["id"], data(notice))
            assert known == data(notice), "the same id stands for the same change"
            if known is data(notice):
                self._take(notice)

    def _take(self, notice: Notice) -> None:
        event, sequence = notice["source"], str(notice["sequence"])
        assert self._last.get(event, "") < sequence, "those of one event come in order"
        self._last[event] = sequence
        kind, _, what = notice["type"].partition(".")
        if kind == "event":
            self._take_event(notice, what)
        else:
            self._take_registration(notice, what)

    def _take_event(self, notice: Notice, what: str) -> None:
        reported = data(notice)
        event = str(reported["eventId"])
        self._incarnations[event] = _origin(notice)
        if what == "deleted":
            del self.events[event]
        else:
            assert (what == "created") == (event not in self.events)
            known = self.events.setdefault(event, {})
            for name, before in reported.get("previous", {}).items():
                assert known.get(name, before) == before
            known |= reported["event"]

    def _take_registration(self, notice: Notice, what: str) -> None:
        people, ticket, user = (
            self.people.setdefault(_origin(notice), {}),
            data(notice)["ticket"],
            str(notice.get("subject")),
        )
        if what in (WAITS, IS_IN):
            assert ticket not in people and user not in [one for one, _ in people.values()]
            people[ticket] = (user, what)
        elif what == "promoted":
            assert people[ticket] == (user, WAITS)
            people[ticket] = (user, IS_IN)
        else:
            assert people.pop(ticket)[0] == user

    def must_agree_with(self, api: Api, event: str) -> None:
        """Compare the received notices with the tables."""
        answer = api.get(f"/events/{event}")
        if answer.status_code == 404:
            assert event not in self.events
            assert not any(self.people.values())
            return
        reported, people = answer.json(), self.people.get(self._incarnations[event], {})
        known = {name: value for name, value in self.events[event].items() if name not in OF_THE_MOMENT}
        assert known.items() <= reported.items()
        rows = api.walk(f"/events/{event}/registrations")
        assert [people[ticket] for ticket in sorted(people)] == [(row["userId"], row["status"]) for row in rows]


def _origin(notice: Notice) -> str:
    """The event and its incarnation."""
    return ".".join(notice["id"].split(".")[:2])
