"""An exhaustive search of the protocol in docs/protocol.md: every order of the steps of concurrent requests.

The service's own code runs on a store in memory. Three users and one event are enough, because two events share no
item.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any
from unittest.mock import patch

import pytest
from pynamodb.expressions.operand import Path

from events.ledger import guards as ledger_guards
from eventsite.dynamodb import idempotency
from eventsite.dynamodb.steps import Check
from registrations.seating import forget, guards, operations, trim
from tests.registrations.protocol.programs import Forgetful
from tests.registrations.protocol.scenarios import CRASH, EACH, LATE, LOST, TOGETHER, TORN, at_once
from tests.registrations.protocol.search import Faults, Scenario, Search
from users.models import User

U, V, W = "uvw"
REGISTER_U, REGISTER_V, REGISTER_W = (("register", user) for user in (U, V, W))
LEAVE_U, LEAVE_V, LEAVE_W = (("leave", user) for user in (U, V, W))
LOOK_U, LOOK_V, LOOK_W = (("look", user) for user in (U, V, W))
SWEEP = ("sweep",)


def resize(capacity: int, *, is_open: bool = True, waitlist: bool = True) -> tuple[object, ...]:
    """Return an edit of the settings of the seats."""
    return "edit", capacity, is_open, waitlist


def expect_right(search: Search, scenario: Scenario) -> None:
    """Search a scenario in which one transaction is attempted first, and one in which the log is used at once.

    They are the same if no request joins, or if the scenario prevents the transaction anyway.
    """
    joins = any(kind in ("register", "tidy", "keyed", "late") for kind, *_ in scenario.requests)
    for one in (scenario, replace(scenario, at_once=False)) if joins and scenario.at_once else (scenario,):
        found = search.run(one)
        assert found.broken is None, "\n".join((found.broken, str(one), *found.trace))


@pytest.fixture(autouse=True, scope="module")
def alone() -> Iterator[None]:
    """Stop the clock of the idempotency keys, and take the memory from this process."""
    with patch.object(idempotency, "time") as clock, patch.object(operations, "MEMORY", Forgetful()):
        clock.time.return_value = 1_780_000_000.0
        yield


CHOSEN = [
    Scenario(1, (REGISTER_U, REGISTER_V)),
    Scenario(1, (REGISTER_U, REGISTER_V), waitlist=False),
    Scenario(1, (REGISTER_U, REGISTER_U)),
    Scenario(1, (REGISTER_U, LEAVE_U), seated=U),
    Scenario(1, (REGISTER_V, LEAVE_U), seated=U, waitlist=False),
    Scenario(1, (LEAVE_U, LEAVE_V), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, LOOK_U), seated=U, waiting=V),
    Scenario(1, (LEAVE_U, LOOK_V), seated=U, waiting=V),
    Scenario(1, (LEAVE_V, LOOK_W), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_V, resize(2)), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, resize(2)), seated=U, waiting=V + W),
    Scenario(1, (REGISTER_W, resize(3)), seated=U, waiting=V),
    Scenario(1, (resize(2), resize(0)), seated=U, waiting=V),
    Scenario(1, (LEAVE_U, SWEEP), seated=U, waiting=V),
    Scenario(1, (REGISTER_U, LOOK_U), past=U),
]


KEYED_U, KEYED_V = (("keyed", user, "key") for user in (U, V))
ERASE_U, REPLACE, CHECK_IN_U, CHECK_IN_V = ("erase", U), ("replace",), ("check in", U), ("check in", V)
DROP, DROP_EMPTY, MAKE, TIDY_U = ("drop", True), ("drop", False), ("make",), ("tidy", U)
LATE_U, LATE_V = (("late", user) for user in (U, V))
CROWD = "abcdefghi"
"""Enough users to fill the commit log."""

FURTHER = [
    Scenario(1, (KEYED_V, KEYED_V), seated=U, waitlist=False, at_once=False),
    Scenario(1, (KEYED_U, REGISTER_U)),
    Scenario(1, (KEYED_U, LEAVE_U)),
    Scenario(1, (KEYED_V, REPLACE), seated=U, waitlist=False),
    Scenario(1, (REGISTER_U, REPLACE)),
    Scenario(1, (LEAVE_U, REPLACE), seated=U, waiting=V),
    Scenario(1, (LOOK_U, REPLACE), seated=U),
    Scenario(1, (resize(2), REPLACE), seated=U, waiting=V),
    Scenario(1, (REPLACE, REPLACE), seated=U),
    Scenario(1, (TIDY_U, DROP, MAKE), past=U),
    Scenario(1, (LEAVE_U, DROP, MAKE), seated=U),
    Scenario(1, (LEAVE_U, DROP_EMPTY, MAKE), seated=U),
    Scenario(1, (TIDY_U, REGISTER_V, LEAVE_W), seated=W, past=U),
    Scenario(1, (REGISTER_U, ERASE_U)),
    Scenario(1, (LEAVE_U, ERASE_U), seated=U, waiting=V),
    Scenario(1, (REGISTER_W, ERASE_U), seated=U, waiting=V),
    Scenario(1, (ERASE_U, REPLACE), seated=U, waiting=V),
    Scenario(1, (CHECK_IN_U, LEAVE_U), seated=U, waiting=V),
    Scenario(1, (CHECK_IN_V, LEAVE_U), seated=U, waiting=V),
    Scenario(1, (CHECK_IN_U, CHECK_IN_U), seated=U),
    Scenario(1, (CHECK_IN_U, ERASE_U), seated=U),
    Scenario(1, (CHECK_IN_U, REPLACE), seated=U),
    Scenario(1, (LATE_U, ("window", False)), closes=True),
    Scenario(1, (LATE_U, ("window", True))),
    Scenario(1, (LATE_U, REGISTER_V), closes=True),
]
"""Keyed requests, deletion of an event or a user, check-in, and the window with clocks that differ."""

LONG = [
    Scenario(1, (KEYED_U, KEYED_U)),
    Scenario(1, (REGISTER_U, ERASE_U), past=U),
    Scenario(1, (ERASE_U, ERASE_U), seated=U),
    Scenario(1, (LATE_V, LEAVE_U, ("window", True)), seated=U),
    Scenario(1, (REGISTER_V, LEAVE_U), seated=U, crowd=CROWD),
]
"""The same with more states, and the admission queue."""


CREATE_U = ("create", U)
AGAIN = [
    Scenario(1, (SWEEP, REGISTER_U), then=(ERASE_U, CREATE_U)),
    Scenario(1, (SWEEP, REGISTER_U), then=(ERASE_U, CREATE_U, REGISTER_U)),
    Scenario(1, (REGISTER_U, ERASE_U), then=(CREATE_U, LOOK_U)),
    Scenario(1, (REGISTER_U, ERASE_U), then=(CREATE_U, REGISTER_U)),
    Scenario(1, (REGISTER_U, ERASE_U), past=U, then=(CREATE_U, REGISTER_U)),
    Scenario(1, (REGISTER_U, ERASE_U), seated=V, then=(CREATE_U, REGISTER_U)),
    Scenario(1, (LEAVE_U, ERASE_U), seated=U, waiting=V, then=(CREATE_U, REGISTER_U)),
]
"""A request that stalls, while its user is deleted and created again."""


@pytest.mark.parametrize(
    "faults",
    [Faults(), TORN, *(pytest.param(one, marks=pytest.mark.slow) for one in (*EACH[:3], *TOGETHER, Faults(torn=2)))],
    ids=str,
)
def test_a_user_who_is_created_again_has_no_earlier_seat(faults: Faults) -> None:
    """Each seat is of one registration, and at rest no user has one by an operation from before the creation.

    A request that is still executed may join for the user who was created again.
    """
    search = Search(tokens=True)
    for scenario in AGAIN:
        expect_right(search, replace(scenario, faults=faults))


def test_a_registration_that_is_just_being_deleted_is_not_built_upon() -> None:
    torn = replace(AGAIN[3], faults=Faults(torn=2))
    expect_right(Search(tokens=True), torn)
    with patch("registrations.seating.register._expect_unchanged", lambda *_: iter(())):
        assert Search(tokens=True).run(torn).broken


def test_a_registration_is_not_applied_for_a_later_user_of_the_same_id() -> None:
    with patch.object(guards, "is_user_of", lambda _: User.user_id.exists()):
        assert Search(tokens=True).run(AGAIN[0]).broken


def test_a_registration_is_deleted_only_while_its_user_is_gone() -> None:
    always = User.user_id.exists() | User.user_id.does_not_exist()
    with patch.object(forget, "Check", lambda record, _: Check(record, always)):
        assert Search(tokens=True).run(replace(AGAIN[0], faults=CRASH, at_once=False)).broken


def test_keys_deletions_check_in_and_the_window_are_right() -> None:
    search = Search()
    for scenario in FURTHER:
        expect_right(search, scenario)


def test_no_seat_stays_with_a_deleted_user_whose_registration_crashed() -> None:
    expect_right(Search(), Scenario(2, (REGISTER_U, ERASE_U), at_once=False, faults=CRASH))


@pytest.mark.parametrize(
    ("faults", "meanwhile"), [(Faults(), REGISTER_V), (CRASH, REGISTER_V), (CRASH, LEAVE_V)], ids=str
)
def test_a_delayed_registration_of_a_deleted_user_harms_nobody(faults: Faults, meanwhile: tuple[Any, ...]) -> None:
    three = (REGISTER_U, ERASE_U, meanwhile)
    scenario = Scenario(1, three, seated=V if meanwhile == LEAVE_V else "", at_once=False, faults=faults)
    with patch.object(trim, "LONGEST_REQUEST", -1):  # the others apply all committed operations
        expect_right(Search(), scenario)


def test_requests_in_the_admission_queue_are_answered_right() -> None:
    expect_right(Search(), Scenario(1, (REGISTER_U, REGISTER_V), crowd=CROWD, at_once=False))


@pytest.mark.slow
@pytest.mark.parametrize("faults", [Faults(), *EACH], ids=str)
def test_longer_scenarios_are_answered_right(faults: Faults) -> None:
    search = Search(tokens=True)
    for scenario in LONG:
        expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
@pytest.mark.parametrize("faults", EACH, ids=str)
def test_one_fault_harms_neither_keys_nor_deletions(faults: Faults) -> None:
    search = Search(tokens=True)  # else a copy of a transaction may write a registration that was deleted since
    for scenario in FURTHER:
        expect_right(search, replace(scenario, faults=faults))


@pytest.mark.parametrize(
    ("faults", "chosen"),
    [
        pytest.param(CRASH, CHOSEN[1::4], id="a crash"),
        pytest.param(CRASH, CHOSEN, id="a crash, all scenarios", marks=pytest.mark.slow),
        pytest.param(LOST, CHOSEN[::4], id="a lost answer"),
        pytest.param(LOST, CHOSEN, id="a lost answer, all scenarios", marks=pytest.mark.slow),
        pytest.param(LATE, CHOSEN[::6], id="a late copy"),
        pytest.param(LATE, CHOSEN, id="a late copy, all scenarios", marks=pytest.mark.slow),
    ],
)
def test_one_fault_harms_nobody(faults: Faults, chosen: list[Scenario]) -> None:
    search = Search()
    for scenario in chosen:
        expect_right(search, replace(scenario, faults=faults))


def test_a_transaction_that_appears_item_by_item_harms_nobody() -> None:
    search = Search()
    for scenario in (CHOSEN[0], CHOSEN[6], CHOSEN[14]):
        expect_right(search, replace(scenario, faults=TORN))


@pytest.mark.slow
def test_all_pairs_of_requests_are_answered_right() -> None:
    search = Search()
    for scenario in at_once(2):
        expect_right(search, scenario)


@pytest.mark.slow
@pytest.mark.parametrize("faults", [TORN, *TOGETHER], ids=str)
def test_two_faults_harm_nobody(faults: Faults) -> None:
    search = Search()
    for scenario in CHOSEN:
        expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
@pytest.mark.parametrize("faults", EACH, ids=str)
def test_one_fault_harms_nobody_in_any_pair(faults: Faults) -> None:
    search = Search()
    for scenario in at_once(2):
        expect_right(search, replace(scenario, faults=faults))


def test_a_leaving_whose_answer_was_lost_names_who_got_the_seat_also_after_the_next_leaving() -> None:
    expect_right(Search(), Scenario(2, (REGISTER_V, LEAVE_V, LEAVE_V), seated=U + V, waiting=W, faults=LATE))


@pytest.mark.parametrize("drop", [DROP, DROP_EMPTY])
def test_a_leaving_that_may_have_been_executed_before_the_event_was_deleted_is_not_denied(drop: Any) -> None:
    expect_right(Search(), Scenario(1, (LEAVE_U, drop, MAKE), seated=U, faults=LOST))


SHARE = 61
"""Of the 7,441 triples, each 61st is searched: a prime number meets all kinds of requests and events."""

THREE = [
    Scenario(1, (REGISTER_U, REGISTER_V, LEAVE_V), waitlist=False),
    Scenario(1, (LEAVE_U, LEAVE_V, LEAVE_W), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, REGISTER_U, SWEEP), seated=U),
    Scenario(1, (LEAVE_U, LOOK_U, SWEEP), seated=U),
    Scenario(0, (REGISTER_V, LEAVE_U, resize(2)), seated=U),
]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", THREE, ids=lambda scenario: str(THREE.index(scenario)))
def test_three_requests_at_once_are_answered_right(scenario: Scenario) -> None:
    search = Search()
    for faults in (Faults(), *EACH):
        expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
@pytest.mark.parametrize("faults", [Faults(), *EACH], ids=str)
def test_a_share_of_the_triples_of_requests_is_answered_right(faults: Faults) -> None:
    search = Search()
    for scenario in islice(at_once(3), 0, None, SHARE):
        expect_right(search, replace(scenario, faults=faults))


BREACHES = [
    ("is_epoch", Scenario(2, (REGISTER_U, REGISTER_U), at_once=False)),
    ("has_free_seat", Scenario(1, (REGISTER_U, REGISTER_V), at_once=False)),
    ("nobody_waits", Scenario(1, (REGISTER_V, LEAVE_U, resize(2)), seated=U, waiting=W, at_once=False)),
    ("waitlist_is_on", Scenario(1, (REGISTER_V, resize(1, waitlist=False)), seated=U, at_once=False)),
    ("must_wait", Scenario(0, (REGISTER_U, resize(1)), at_once=False)),
    ("is_open", Scenario(1, (REGISTER_U, resize(1, is_open=False)), at_once=False)),
    ("waits", Scenario(0, (LEAVE_U, resize(1)), waiting=U)),
    ("goes_to_nobody", Scenario(1, (REGISTER_V, LEAVE_U), seated=U)),
    ("goes_to_the_queue", Scenario(1, (LEAVE_U, resize(1, is_open=False)), seated=U, waiting=V)),
    ("head_is", Scenario(1, (LEAVE_U, LEAVE_V), seated=U, waiting=V + W)),
    ("is_unchanged", Scenario(1, (REGISTER_U, LEAVE_U, SWEEP), at_once=False)),
    ("is_next_ticket", Scenario(2, (REGISTER_U, REGISTER_V))),
    ("nothing_to_promote", Scenario(0, (REGISTER_U, resize(1)))),
    ("these_are_next", Scenario(1, (LEAVE_V, resize(2)), seated=U, waiting=V + W)),
    ("everybody_fits", Scenario(0, (REGISTER_V, resize(1)), waiting=U)),
    ("is_unedited", Scenario(1, (resize(2), resize(0)), seated=U)),
]


each_breach = pytest.mark.parametrize(("guard", "scenario"), BREACHES, ids=[guard for guard, _ in BREACHES])


@pytest.mark.slow
@each_breach
def test_with_this_condition_nothing_breaks(guard: str, scenario: Scenario) -> None:
    expect_right(Search(), scenario)


@each_breach
def test_without_this_condition_something_breaks(guard: str, scenario: Scenario) -> None:
    module = guards if hasattr(guards, guard) else ledger_guards
    with patch.object(module, guard, lambda *_, **__: Path("nothing").does_not_exist()):
        assert Search().run(scenario).broken
