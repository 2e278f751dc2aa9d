"""The audit finds what is wrong with the seats, mends it, and keeps quiet about traffic."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from events.models import Event, Seats
from registrations import audit
from registrations.models import Registration
from tests.api import Api


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAUSE_SECONDS", 0.001)


@pytest.fixture
def party(api: Api) -> str:
    """An event with two seats, taken by a and b; c and d wait, in this order, and x has left."""
    event = api.event(eventId="party", capacity=2)
    for user in "xabcd":
        api.register(event, api.user(user))
        if user == "x":
            api.leave(event, "x")
    return event


def command(*arguments: str, **options: Any) -> tuple[str, bool]:
    """What `manage.py audit_seats` prints, and whether its exit status is 0."""
    out = io.StringIO()
    try:
        call_command("audit_seats", *arguments, stdout=out, **options)
    except CommandError as error:
        assert error.returncode == 1
        return out.getvalue(), False
    return out.getvalue(), True


def row(user: str) -> Registration:
    return Registration.get("party", user)


def change(record: Any, **values: Any) -> None:
    """Write attributes past all rules."""
    actions = [getattr(type(record), name).set(value) for name, value in values.items() if value is not None]
    actions += [getattr(type(record), name).remove() for name, value in values.items() if value is None]
    record.update(actions=actions)


def waiting(api: Api) -> list[str]:
    return [entry["userId"] for entry in api.get("/events/party/waitlist").json()]


def seated(api: Api) -> list[str]:
    return [entry["userId"] for entry in api.get("/events/party/registrations?status=registered").json()]


def standing_of(user: str, event: str = "party") -> str:
    return str(Registration.get(event, user).standing)


EARLY, LATE = "2020-01-01T00:00:00.000000Z", "2090-01-01T00:00:00.000000Z"

BREACHES: dict[str, tuple[str, Callable[[], object]]] = {
    "too many counted as registered": ("registered_count", lambda: change(Seats.key("party"), registered=7)),
    "too few counted as registered": ("registered_count", lambda: change(Seats.key("party"), registered=0)),
    "the counter is gone": ("registered_count", lambda: change(Seats.key("party"), registered=None)),
    "too many counted as waiting": ("waiting_count", lambda: change(Seats.key("party"), waiting=3)),
    "nobody counted as waiting": ("waiting_count", lambda: change(Seats.key("party"), waiting=0)),
    "a row is gone": ("registered_count", lambda: row("a").delete()),
    "a waiting row is gone": ("waiting_count", lambda: row("c").delete()),
    "a seat is free while people wait": ("idle_seats", lambda: change(Seats.key("party"), capacity=3)),
    "the queue's clock is behind": ("queue_clock", lambda: change(Seats.key("party"), last_joined_at=EARLY)),
    "the queue's clock is gone": ("queue_clock", lambda: change(Seats.key("party"), last_joined_at=None)),
    "two have one place": ("shared_place", lambda: change(row("d"), standing=standing_of("c"))),
    "two have one id": ("double", lambda: change(row("b"), registration_id=row("a").registration_id)),
    "an id is gone": ("double", lambda: change(row("b"), registration_id=None)),
    "a seat without the right time": ("damaged_row", lambda: change(row("a"), registered_at=EARLY)),
    "a waiting row that says promoted": ("damaged_row", lambda: change(row("c"), promoted_at=LATE)),
    "a seat that says cancelled": ("damaged_row", lambda: change(row("a"), cancelled_at=LATE)),
    "a cancelled row without its time": ("damaged_row", lambda: change(row("x"), cancelled_at=None)),
    "a seat with a standing that is none": ("damaged_row", lambda: change(row("a"), standing="confirmed")),
    "a waiting row with a standing that is none": ("damaged_row", lambda: change(row("c"), standing="pending#1")),
    "the seats are gone": ("half_missing", lambda: Seats.get("party").delete()),
    "the description is gone": ("half_missing", lambda: Event.get("party").delete()),
    "open although it is not": ("halves_at_odds", lambda: change(Event.key("party"), status="draft")),
    "listed on another day": ("halves_at_odds", lambda: change(Seats.key("party"), sort="2020-01-01#party#seats")),
    "the event is gone": ("no_event", lambda: (Seats.get("party").delete(), Event.get("party").delete())),
}


def test_a_healthy_event_has_no_findings(api: Api, party: str) -> None:
    api.post("/users", {"name": "Ann"}, idempotency_key="k")  # leaves a marker beside the events
    assert audit.examine(party) == []
    assert command() == ("Audited 1 events: all is well.\n", True)


@pytest.mark.parametrize("breach", BREACHES)
def test_what_is_broken_is_found_and_mended(party: str, breach: str) -> None:
    kind, break_it = BREACHES[breach]
    break_it()
    before = audit.look(party)
    assert kind in {finding.kind for finding in audit.run()}
    assert command()[1] is False
    assert audit.look(party) == before, "an audit that was not asked to repair changed something"
    printed, well = command(repair=True)
    assert well, printed
    assert "Mended." in printed
    assert all(finding.kind == "unknown" for finding in audit.run([party])), "something is left"


def test_mending_a_counter_lets_nobody_in_or_out(api: Api, party: str) -> None:
    change(Seats.key(party), registered=9, waiting=9)
    command(party, repair=True)
    assert (seated(api), waiting(api)) == (["a", "b"], ["c", "d"])


def test_free_seats_go_to_the_head_of_the_queue(api: Api, party: str) -> None:
    row("b").delete()
    command(party, repair=True)
    assert (seated(api), waiting(api)) == (["a", "c"], ["d"])


def test_the_order_of_two_at_one_place_stays(api: Api, party: str) -> None:
    change(row("d"), standing=standing_of("c"))
    command(party, repair=True)
    assert waiting(api) == ["c", "d"]
    api.leave(party, "a")
    assert seated(api) == ["b", "c"]


def test_the_counters_decide_whether_a_row_without_a_standing_holds_a_seat(api: Api, party: str) -> None:
    change(row("b"), standing="confirmed")
    command(party, repair=True)
    assert (sorted(seated(api)), waiting(api)) == (["a", "b"], ["c", "d"])


def test_an_event_without_seats_gets_them_back_and_can_be_edited(api: Api, party: str) -> None:
    Seats.get(party).delete()
    assert api.get(f"/events/{party}").status_code == 404
    command(party, repair=True)
    event = api.get(f"/events/{party}").json()
    assert (event["capacity"], event["registeredCount"], event["waitlistCount"]) == (2, 2, 2)
    assert api.patch(f"/events/{party}", {"capacity": 3}).json()["registeredCount"] == 3


def test_seats_without_a_description_get_one_to_be_written_anew(api: Api, party: str) -> None:
    Event.get(party).delete()
    command(party, repair=True)
    assert api.get(f"/events/{party}").json()["title"] == audit.LOST
    assert api.patch(f"/events/{party}", {"title": "Party"}).json()["title"] == "Party"


def test_what_a_cut_off_deletion_leaves_is_no_alarm(api: Api) -> None:
    event = api.event()
    api.register(event, api.user("a"))
    api.leave(event, "a")
    Seats.get(event).delete()
    Event.get(event).delete()
    printed, well = command()
    assert well
    assert "(harmless)" in printed
    command(repair=True)
    assert list(Registration.scan()) == []


def test_only_the_named_events_are_audited(api: Api, party: str) -> None:
    other = api.event()
    change(Seats.key(other), registered=1)
    assert command(party)[1]
    assert not command(party, other)[1]


def test_an_unknown_id_is_said_to_be_unknown() -> None:
    assert "no event with this id" in command("nobody")[0]


def test_a_mend_gives_way_to_whatever_happened_since(api: Api, party: str) -> None:
    change(Seats.key(party), registered=5)
    (finding,) = audit.examine(party)
    change(Seats.key(party), registered=2)
    assert finding.mend
    finding.mend()
    assert Seats.get(party).registered == 2


def test_a_difference_that_does_not_last_is_none(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction just being committed may be visible in the seats and not yet in the row."""
    real, torn = audit.look, iter([True])

    def half_visible(event_id: str) -> audit.Look:
        seen = real(event_id)
        return replace(seen, seats=(seen.seats or {}) | {"registered": 3}) if next(torn, False) else seen

    monkeypatch.setattr(audit, "look", half_visible)
    assert audit.examine(party) == []


def test_rows_that_change_while_they_are_counted_prove_nothing(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, moments = audit.look, iter(range(100))

    def restless(event_id: str) -> audit.Look:
        seen = real(event_id)
        change(row("x"), registration_id=f"id-{next(moments)}")
        return replace(seen, seats=(seen.seats or {}) | {"registered": 3})

    monkeypatch.setattr(audit, "look", restless)
    (finding,) = audit.examine(party)
    assert (finding.kind, finding.harmless) == (audit.UNSETTLED, True)


def test_what_cannot_be_judged_any_more_is_not_called_mended(party: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change(Seats.key(party), registered=5)
    broken = audit.examine(party)
    unsettled = [audit.Finding(party, audit.UNSETTLED, "", harmless=True)]
    outcomes = iter([broken])
    monkeypatch.setattr(audit, "examine", lambda _: next(outcomes, unsettled))
    assert [finding.mended for finding in audit.mend(party)] == [False, False]


@pytest.fixture
def traffic(api: Api, party: str) -> Iterator[list[int]]:
    """Two people who register and leave without end, and the statuses they get."""
    stop, statuses = threading.Event(), list[int]()

    def come_and_go(user: str) -> None:
        mine = Api()
        while not stop.is_set():
            statuses.append(mine.register(party, user).status_code)
            statuses.append(mine.leave(party, user).status_code)

    threads = [threading.Thread(target=come_and_go, args=[user]) for user in api.users(2)]
    for thread in threads:
        thread.start()
    yield statuses
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 201}
    assert audit.examine(party) == []


def test_live_traffic_raises_no_false_alarm(party: str, traffic: list[int]) -> None:
    torn = 0
    for _ in range(300):
        torn += bool(list(audit.differences(audit.look(party))))
        assert all(finding.harmless for finding in audit.examine(party))
        if torn >= 3:
            return
    raise AssertionError("too few looks were torn by the traffic: this proves nothing")


def test_a_counter_is_mended_beside_live_traffic(party: str, traffic: list[int]) -> None:
    Seats.key(party).update(actions=[Seats.waiting.add(5)])
    for _ in range(300):
        if any(finding.mended for finding in audit.mend(party)):
            return
    raise AssertionError("never stood still for long enough")


def test_missing_tables_are_said_in_a_sentence() -> None:
    Registration.delete_table()
    with pytest.raises(CommandError, match="DynamoDB does not answer"):
        call_command("audit_seats")
