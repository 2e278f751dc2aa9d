"""Mutation tests of the guards: without a guard, a competing request at the worst moment breaks an invariant.

In each case, the competing request runs right before the guarded write. With the guard, the outcome is that of the
reference model after the competing request. Without it, the outcome differs.
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pytest_django import Settings

from events.ledger import guards as event_guards
from events.ledger import queue
from events.ledger.models import CheckIns, Seats
from events.models import Event
from eventsite.auth.scope import EVERYTHING
from eventsite.dynamodb import writes
from eventsite.dynamodb.idempotency import Marker
from eventsite.dynamodb.steps import run as run_steps
from registrations import seating
from registrations.audit import runner
from registrations.errors import RegistrationClosed
from registrations.models import RegistrationItem, UserRegistration
from registrations.seating import commit, guards, trim
from tests.api import EVENT, Api, problem
from tests.faults import Clock
from tests.registrations.auditing import audit, stored
from tests.registrations.cutting import cut_off_joining, cut_off_leaving
from tests.registrations.interleaving import APPLY, AT_ONCE, COMMIT, WRITE, right_before, right_before_step
from tests.registrations.reference import Answer, Seating, outcome
from tests.registrations.scenes import queue_up, traces_of
from users.models import User

PARTY = "party"
OPEN_STATUSES = ("scheduled", "published", "active")
Step = tuple[Any, ...]


def always(*_: Any, **__: Any) -> Condition:
    """Return a condition that always holds."""
    return Path("nothing").does_not_exist()


@dataclass(frozen=True)
class Case:
    """A guard, and the competing requests that it protects from."""

    guard: str
    """The name of the guard."""
    step: Step
    """The guarded action."""
    meanwhile: tuple[Step, ...] = ()
    """The competing requests right before the write."""
    given: tuple[Step, ...] = ()
    """The earlier requests."""
    capacity: int = 1
    instead: Callable[..., Condition] = always
    """The replacement of the guard, without one of its conditions."""
    before: str = COMMIT
    """The kind of write before which the competing requests run."""
    comes_first: bool = False
    """True if the step was committed before the competing requests, so that it counts as earlier."""


def registers(*users: str) -> tuple[Step, ...]:
    return tuple(("register", user) for user in users)


CASES = {
    "a seat in an event that closes": Case(
        "is_open", ("register", "ada"), meanwhile=(("edit", {"status": "cancelled"}),)
    ),
    "the last seat, wanted by two": Case("has_free_seat", ("register", "ada"), meanwhile=registers("bela")),
    "the queue of an event that closes": Case(
        "is_open", ("register", "ada"), meanwhile=(("edit", {"status": "completed"}),), capacity=0
    ),
    "the queue, switched off": Case(
        "waitlist_is_on", ("register", "ada"), meanwhile=(("edit", {"waitlistEnabled": False}),), capacity=0
    ),
    "the queue while a seat becomes free": Case(
        "must_wait", ("register", "ada"), given=registers("bela"), meanwhile=(("leave", "bela"),)
    ),
    "one user, two seats": Case("is_epoch", ("register", "ada"), meanwhile=registers("ada"), capacity=2),
    "one user, two places in the queue": Case("is_epoch", ("register", "ada"), meanwhile=registers("ada"), capacity=0),
    "a registration applied by others, and given up since": Case(
        "is_unchanged", ("register", "ada"), meanwhile=(("leave", "ada"),), before=APPLY, comes_first=True
    ),
    "a ticket that another one got": Case(
        "is_next_ticket", ("register", "ada"), meanwhile=registers("bela"), capacity=2, before=AT_ONCE
    ),
    "a place in the queue that another one got": Case(
        "is_last_place",
        ("register", "ada"),
        given=registers("bela"),
        meanwhile=(("leave", "bela"),),
        capacity=0,
        before=AT_ONCE,
    ),
    "a seat given up twice": Case(
        "is_epoch", ("leave", "bela"), given=registers("bela"), meanwhile=(("leave", "bela"),)
    ),
    "a seat given up as somebody queues": Case(
        "goes_to_nobody", ("leave", "bela"), given=registers("bela"), meanwhile=registers("cleo")
    ),
    "a seat handed on to who has gone": Case(
        "head_is", ("leave", "bela"), given=registers("bela", "cleo", "dora"), meanwhile=(("leave", "cleo"),)
    ),
    "a seat handed on to who has another one": Case(
        "head_is",
        ("leave", "bela"),
        given=registers("ada", "bela", "cleo", "dora"),
        meanwhile=(("leave", "ada"),),
        capacity=2,
    ),
    "a seat handed on in an event that closes": Case(
        "goes_to_the_queue",
        ("leave", "bela"),
        given=registers("bela", "cleo"),
        meanwhile=(("edit", {"status": "cancelled"}),),
        instead=lambda *_: (Seats.waiting > 0) & (Seats.registered <= Seats.capacity),
    ),
    "a seat handed on that was taken away": Case(
        "goes_to_the_queue",
        ("leave", "bela"),
        given=registers("ada", "bela", "cleo"),
        meanwhile=(("edit", {"capacity": 1}),),
        capacity=2,
        instead=lambda *_: guards.is_open(),
    ),
    "a place in the queue given up by who moves up": Case(
        "waits", ("leave", "cleo"), given=registers("bela", "cleo"), meanwhile=(("leave", "bela"),)
    ),
    "an edit that frees seats as somebody begins to wait": Case(
        "nothing_to_promote",
        ("edit", {"capacity": 2}),
        given=registers("bela"),
        meanwhile=registers("cleo"),
        before=WRITE,
    ),
    "an edit that lets everybody in as more come than fit": Case(
        "everybody_fits",
        ("edit", {"capacity": 2}),
        given=registers("ada", "bela"),
        meanwhile=registers("cleo"),
        before=WRITE,
        instead=lambda seats, free: Seats.seated_through == seats.seated_through,
    ),
    "an edit that reopens as somebody leaves": Case(
        "these_are_next",
        ("edit", {"status": "active"}),
        given=(*registers("ada", "bela", "cleo", "dora"), ("edit", {"capacity": 3, "status": "cancelled"})),
        meanwhile=(("leave", "ada"),),
        capacity=2,
        before=WRITE,
        instead=lambda seats: (
            (Seats.seated_through == seats.seated_through) & (Seats.waitlist_exits == seats.waitlist_exits)
        ),
    ),
    "an edit that lets in who has gone": Case(
        "these_are_next",
        ("edit", {"capacity": 2}),
        given=registers("ada", "bela", "cleo", "dora"),
        meanwhile=(("leave", "bela"),),
        before=WRITE,
    ),
    "an event created twice": Case(
        "is_new",
        ("create", {"capacity": 5}),
        given=(("delete",),),
        meanwhile=(("create", {"capacity": 7}),),
        before=WRITE,
    ),
    "an event edited by two": Case(
        "is_unedited",
        ("edit", {"date": "2083-04-02"}),
        meanwhile=(("edit", {"endDate": "2083-04-05"}),),
        before=WRITE,
    ),
    "an event edited as another takes its place": Case(
        "is_unedited",
        ("edit", {"date": "2083-04-02"}),
        meanwhile=(("delete",), ("create", {"endDate": "2083-04-05"})),
        instead=lambda event: Event.version == event.version,
        before=WRITE,
    ),
    "an event edited in a version that is overtaken": Case(
        "is_unedited", ("edit version 1", {"capacity": 5}), meanwhile=(("edit", {"capacity": 3}),), before=WRITE
    ),
    "an event deleted in a version that is overtaken": Case(
        "is_unedited", ("delete version 1",), meanwhile=(("edit", {"capacity": 3}),), before=WRITE
    ),
    "an event deleted as somebody takes a seat": Case(
        "has_nobody", ("delete",), meanwhile=registers("ada"), before=WRITE
    ),
    "an event deleted as somebody queues": Case(
        "has_nobody",
        ("delete",),
        meanwhile=registers("ada"),
        capacity=0,
        before=WRITE,
    ),
}


class World:
    """The service and the reference, which make the same steps."""

    def __init__(self, api: Api, capacity: int) -> None:
        self.api = api
        self.model: Seating | None = None
        for user in ("ada", "bela", "cleo", "dora"):
            api.user(user)
        self.do(("create", {"capacity": capacity}))

    def do(self, step: Step) -> None:
        """Make a step with both."""
        self.ask(step)
        self.expect(step)

    def ask(self, step: Step) -> Answer:  # noqa: PLR0911 (a table: what each step is)
        """Make a step with the service."""
        match step:
            case ("register", user):
                return outcome(self.api.register(PARTY, user))
            case ("leave", user):
                return outcome(self.api.leave(PARTY, user))
            case ("create", fields):
                return _word(self.api.post("/events", EVENT | {"capacity": 1} | fields | {"eventId": PARTY}))
            case ("edit", changes):
                return _word(self.api.patch(f"/events/{PARTY}", changes))
            case ("delete",):
                return _word(self.api.delete(f"/events/{PARTY}"))
            case ("edit version 1", changes):
                return _word(self.api.patch(f"/events/{PARTY}", changes, if_match='"1"'))
            case ("delete version 1",):
                return _word(self.api.delete(f"/events/{PARTY}", if_match='"1"'))
        return "done", None

    def expect(self, step: Step) -> Answer:
        """Make a step with the reference."""
        model, answer = self._follow(step, self.model)
        self.model = model
        return answer

    def _follow(  # noqa: PLR0911 (a table: what each step means)
        self, step: Step, model: Seating | None
    ) -> tuple[Seating | None, Answer]:
        match step, model:
            case ("create", fields), None:
                return Seating(**{"capacity": 1} | _settings(fields)), ("201", None)
            case ("create", _), _:
                return model, ("event_exists", None)
            case ("edit version 1", _) | ("delete version 1",), _:  # only ever after another edit
                return model, ("precondition_failed", None)
            case ("leave", _), None:
                return None, ("registration_not_found", None)
            case ("register", "nobody"), Seating():
                return model, ("user_not_found", None)
            case ("register", user), Seating():
                return model.register(user)
            case ("leave", user), Seating():
                return model.leave(user)
            case ("edit", changes), Seating():
                return model.edit(**_settings(changes)), ("200", None)
            case ("delete",), Seating():
                busy = model.seated or model.queue
                return (model, ("event_has_registrations", None)) if busy else (None, ("204", None))
        raise AssertionError(step)

    def differences(self) -> list[str]:
        """Return the differences between the tables and the reference, and impossible states."""
        kept, model = stored(PARTY), self.model
        if model is None:
            return [] if kept.event is kept.seats is None else ["the event is still there"]
        if kept.seats is None:
            return ["the event is gone"]
        found: tuple[Any, ...] = (kept.seats.capacity, kept.seats.waitlist_enabled, kept.seats.open)
        found += (kept.having("registered"), kept.having("waitlisted"), frozenset(kept.having("cancelled")))
        expected = (model.capacity, model.waitlist, model.open, model.seated, model.queue, model.past)
        wrong = [] if found == expected else [f"{found} should be {expected}"]
        return wrong + audit(PARTY, shrunk=len(model.seated) > model.capacity) + audited(PARTY)


def _settings(changes: dict[str, Any]) -> dict[str, Any]:
    named = {"capacity": "capacity", "waitlistEnabled": "waitlist"}
    known = {named[name]: value for name, value in changes.items() if name in named}
    return known | ({"open": changes["status"] in OPEN_STATUSES} if "status" in changes else {})


def _word(answer: Any) -> Answer:
    return (problem(answer)[1] if answer.status_code >= 400 else str(answer.status_code)), None


def audited(event: str) -> list[str]:
    """Return the kinds of the findings of the audit."""
    return [finding.kind for finding in runner.examine(event, traces_of(event))]


def run(case: Case, api: Api) -> list[str]:
    """Run a case.

    Returns:
        The differences to the reference.
    """
    world = World(api, case.capacity)
    for step in case.given:
        world.do(step)

    expected: list[Answer] = []

    def compete() -> None:
        if case.comes_first:
            expected.append(world.expect(case.step))
        for step in case.meanwhile:
            world.do(step)

    before = right_before if case.before == WRITE else right_before_step
    with patch.object(trim, "is_calm", lambda *_: case.before == AT_ONCE), before(case.before, compete):
        answer = world.ask(case.step)
    if not case.comes_first:
        expected.append(world.expect(case.step))
    wrong = [] if [answer] == expected else [f"answered {answer} instead of {expected}"]
    return wrong + world.differences()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_with_its_guards_nothing_goes_wrong(case: Case, api: Api) -> None:
    assert run(case, api) == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_without_this_guard_it_does(case: Case, api: Api, settings: Settings) -> None:
    settings.REQUEST_SECONDS = 3.0  # some try until the time is up
    module = event_guards if hasattr(event_guards, case.guard) else guards
    with patch.object(module, case.guard, case.instead):
        assert run(case, api) != []


# Guards that do not stand on an event's seats or on registrations.


def a_request_sent_twice(api: Api) -> bool:
    """Is it executed once, though its effect is undone before it comes again?"""
    event, ada = api.event(capacity=2), api.user()

    def register_and_leave() -> None:
        assert api.register(event, ada, idempotency_key="k").status_code == 201
        api.leave(event, ada)

    with right_before(WRITE, register_and_leave):
        api.register(event, ada, idempotency_key="k")
    return stored(event).having("cancelled") == (ada,)


def an_event_made_twice_by_one_request(api: Api) -> bool:
    """Is there one event?"""
    with right_before(WRITE, lambda: api.post("/events", EVENT, idempotency_key="k")):
        api.post("/events", EVENT, idempotency_key="k")
    return len(api.get("/events").json()) == 1


def a_user_made_by_two(api: Api) -> bool:
    """Does the first one stay?"""
    with right_before(WRITE, lambda: api.post("/users", {"userId": "ada", "name": "Ada"})):
        api.post("/users", {"userId": "ada", "name": "Another Ada"})
    return bool(api.get("/users/ada").json()["name"] == "Ada")


PUTS = {
    "a request sent twice": (a_request_sent_twice, Marker.ITEM),
    "an event made twice by one request": (an_event_made_twice_by_one_request, Marker.ITEM),
    "a user made by two": (a_user_made_by_two, "user"),
}


@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("case", PUTS)
def test_an_item_that_is_put_once_stays_only_with_its_guard(case: str, is_guarded: bool, api: Api) -> None:
    scenario, label = PUTS[case]
    write = writes.transact_write

    def careless(parts: Mapping[str, dict[str, Any]], token: str, **options: Any) -> writes.Transacted:
        if label in parts and not is_guarded:
            put = {name: parts[label]["Put"][name] for name in ("TableName", "Item")}
            parts = {**parts, label: {"Put": put}}
        return write(parts, token, **options)

    with patch.object(writes, "transact_write", careless):
        assert scenario(api) is is_guarded


@pytest.mark.parametrize("is_guarded", [True, False])
def test_who_waits_is_not_overtaken_even_where_a_seat_is_free_for_a_moment(is_guarded: bool, api: Api) -> None:
    """No call makes that happen, but a person at the tables may."""
    event = api.event(capacity=2)
    ada, bela, cleo, dora = api.users(4)

    def make_room_by_hand() -> None:
        for user in (bela, cleo, dora):
            api.register(event, user)
        Seats.key(event).update([Seats.capacity.set(9)])

    instead: dict[str, Any] = {} if is_guarded else {"nobody_waits": always}
    careless = patch.multiple(guards, **instead) if instead else nullcontext()
    by_the_log = patch.object(trim, "is_calm", lambda *_: False)
    with careless, by_the_log, right_before_step(COMMIT, make_room_by_hand):
        answer = api.register(event, ada).json()
    assert (answer["status"], answer["waitlistPosition"]) == (("waitlisted", 2) if is_guarded else ("registered", None))


@pytest.mark.parametrize("is_guarded", [True, False])
def test_who_moved_up_by_themselves_did_so_before_an_edit_let_everybody_in(is_guarded: bool, api: Api) -> None:
    event = api.event(capacity=1)
    ada, bela, cleo = api.users(3)
    for user in (ada, bela, cleo):
        api.register(event, user)
    careless = patch.object(event_guards, "everybody_fits", lambda seats, free: Seats.waiting.between(1, free))
    with nullcontext() if is_guarded else careless, right_before(WRITE, lambda: api.leave(event, ada)):
        api.patch(f"/events/{event}", {"capacity": 5})
    times = [api.get(f"/events/{event}/registrations/{user}").json()["promotedAt"] for user in (bela, cleo)]
    assert (times[0] < times[1]) is is_guarded


def test_a_fence_makes_no_seats_of_nothing() -> None:
    assert run_steps(commit.fence(Seats("nothing", Seats.ITEM, incarnation="x"), "ada")) is None
    assert Seats.find("nothing") is None


def test_an_event_is_not_deleted_while_something_of_it_is_not_applied(api: Api) -> None:
    """A process died after it had committed a leaving: its item is removed everywhere before the event is."""
    event, ada = api.event(), api.user()
    api.register(event, ada)
    cut_off_leaving(event, ada)
    assert api.delete(f"/events/{event}").status_code == 204
    assert list(RegistrationItem.scan()) == []


@pytest.mark.parametrize("is_guarded", [True, False])
def test_the_seats_stay_short_and_crashed_processes_make_room(
    is_guarded: bool, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three processes crash between commit and apply. The log has room for three entries."""
    event, users = api.event(capacity=9), api.users(4)
    if not is_guarded:
        monkeypatch.setattr(guards, "has_room", lambda *_: guards.is_open())
        monkeypatch.setattr(trim, "is_full", lambda _: False)
    for user in users[:3]:
        cut_off_joining(event, user)
    Clock().install(monkeypatch)
    monkeypatch.setattr(trim, "room", lambda _: 3)
    monkeypatch.setattr(trim, "is_calm", lambda *_: False)
    assert api.register(event, users[3]).status_code == 201
    seats = Seats.find(event)
    assert seats
    assert (len(seats.committed) <= 3) is is_guarded
    assert [row["userId"] for row in api.get(f"/events/{event}/registrations").json()] == users


@pytest.mark.parametrize("is_guarded", [True, False])
def test_the_seats_stay_short_where_they_fill_up_right_before_a_commit(
    is_guarded: bool, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the last slot of the log after the read, and crashes."""
    event, users = api.event(capacity=9), api.users(4)
    for user in users[:2]:
        cut_off_joining(event, user)
    Clock().install(monkeypatch)
    monkeypatch.setattr(trim, "room", lambda _: 3)
    monkeypatch.setattr(trim, "is_calm", lambda *_: False)
    if not is_guarded:
        monkeypatch.setattr(guards, "has_room", lambda *_: guards.is_open())
    with right_before_step(COMMIT, lambda: cut_off_joining(event, users[2])):
        assert api.register(event, users[3]).status_code == 201
    seats = Seats.find(event)
    assert seats
    assert (len(seats.committed) <= 3) is is_guarded


@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("step", [AT_ONCE, APPLY])
def test_a_user_who_is_deleted_meanwhile_has_no_seat(step: str, is_guarded: bool, api: Api) -> None:
    event, ada = api.event(), api.user()
    careless: dict[str, Any] = {} if is_guarded else {"is_user_of": always}
    with (
        patch.multiple(guards, **careless) if careless else nullcontext(),
        patch.object(trim, "is_calm", lambda *_: step == AT_ONCE),
        right_before_step(step, lambda: User(ada).delete()),
    ):
        answer = api.register(event, ada)
    counted = api.get(f"/events/{event}").json()["registeredCount"]
    expected = (404, 0) if is_guarded else (201, 1)
    assert (answer.status_code, counted) == expected


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_check_in_right_before_a_leaving_is_applied_is_not_counted_any_more(is_guarded: bool, api: Api) -> None:
    event, ada = api.event(), api.user()
    api.register(event, ada)
    inside = CheckIns(event, CheckIns.name(Seats.get(event).incarnation))

    def check_in() -> None:
        row = UserRegistration(*UserRegistration.key_of(event, ada))
        row.update([UserRegistration.checked_in_at.set("2083-04-01T00:00:00.000000Z")])
        inside.update([CheckIns.people.add(1)])

    careless: dict[str, Any] = {} if is_guarded else {"is_annotated_as": always}
    with (
        patch.multiple(guards, **careless) if careless else nullcontext(),
        right_before_step(APPLY, check_in),
    ):
        assert api.leave(event, ada).status_code == 200
    inside.refresh(consistent_read=True)
    assert (inside.people == 0) is is_guarded


@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("edge", ["ends_at", "closes_at"])
def test_a_seat_is_not_taken_after_the_window_closed(edge: str, is_guarded: bool, api: Api) -> None:
    event, ada = api.event(), api.user()
    guard = "has_not_ended" if edge == "ends_at" else "is_in_window"
    careless: dict[str, Any] = {} if is_guarded else {guard: always}

    def close() -> None:
        Seats.key(event).update([getattr(Seats, edge).set(1)])

    with (
        patch.multiple(guards, **careless) if careless else nullcontext(),
        patch.object(trim, "is_calm", lambda *_: False),
        right_before_step(COMMIT, close),
    ):
        if is_guarded:
            with pytest.raises(RegistrationClosed):
                seating.register(event, ada, scope=EVERYTHING)
        else:
            assert seating.register(event, ada, scope=EVERYTHING).status == "registered"


@pytest.mark.parametrize("guard", ["exits_are", "exits_are_counted_by"])
@pytest.mark.parametrize("is_guarded", [True, False])
def test_exits_are_counted_right_while_the_ranges_become_wider(
    guard: str, is_guarded: bool, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two leave the queue at once, and one of them counts all exits in wider ranges."""
    monkeypatch.setattr(queue, "MOST_RANGES", 2)
    event = api.event(capacity=0)
    Seats.key(event).update([Seats.exit_width.set(10)])
    users = [f"user-{number:04}" for number in range(60)]
    queue_up(event, users)
    for number in (1, 15):
        api.leave(event, users[number])
    first, second = (40, 4) if guard == "exits_are" else (16, 40)
    careless: dict[str, Any] = {} if is_guarded else {guard: lambda *_: always()}
    with (
        patch.multiple(event_guards, **careless) if careless else nullcontext(),
        patch.object(trim, "is_calm", lambda *_: False),
        right_before_step(COMMIT, lambda: api.leave(event, users[second])),
    ):
        api.leave(event, users[first])
    seats = Seats.find(event)
    assert seats
    assert ("exits" not in audited(event)) is is_guarded


SHOWN_ELSEWHERE = {
    *("has_room", "nobody_waits", "is_user_of", "has_not_ended", "exits_are", "exits_are_counted_by"),
    *("is_in_window", "is_incarnation", "counts_are", "is_annotated_as"),
}
"""In the tests above, and in tests/events/test_ownership.py."""


def test_every_guard_has_its_case() -> None:
    written = {
        name
        for module in (guards, event_guards)
        for name, one in inspect.getmembers(module, lambda member: inspect.isfunction(inspect.unwrap(member)))
        if inspect.getmodule(one) is module and not name.startswith("_")
    }
    assert {case.guard for case in CASES.values()} | SHOWN_ELSEWHERE == written
