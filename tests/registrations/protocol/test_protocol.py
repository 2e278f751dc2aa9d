"""The protocol of docs/protocol.md, searched through: every order of the steps of requests that are made at once.

What is found here is a flaw of the protocol, not of the code; the code has its own tests. Three users and one event,
because an event shares no item with another one: what happens to two events at once is what happens to each.
"""

from dataclasses import replace

import pytest

from tests.registrations.protocol.scenarios import CRASH, EACH, LATE, LOST, TOGETHER, TORN, at_once
from tests.registrations.protocol.search import Faults, Scenario, Search

# Requests.
U, V, W = "uvw"
REGISTER_U, REGISTER_V, REGISTER_W = (("register", user) for user in (U, V, W))
LEAVE_U, LEAVE_V, LEAVE_W = (("leave", user) for user in (U, V, W))
LOOK_U, LOOK_V, LOOK_W = (("look", user) for user in (U, V, W))
EVENT, SWEEP = ("event",), ("sweep",)


def resize(capacity: int, *, is_open: bool = True, waitlist: bool = True) -> tuple[object, ...]:
    return "edit", capacity, is_open, waitlist


def expect_right(search: Search, scenario: Scenario) -> None:
    found = search.run(scenario)
    assert found.broken is None, "\n".join((found.broken, str(scenario), *found.trace))


def test_whatever_two_ask_at_once_is_answered_right() -> None:
    search = Search()
    for scenario in at_once(2):
        expect_right(search, scenario)


CHOSEN = [
    Scenario(1, (REGISTER_U, REGISTER_V)),
    Scenario(1, (REGISTER_U, REGISTER_V), waitlist=False),
    Scenario(1, (REGISTER_U, LEAVE_U)),
    Scenario(1, (REGISTER_U, LEAVE_U), seated=U),
    Scenario(1, (REGISTER_V, LEAVE_U), seated=U, waitlist=False),
    Scenario(1, (LEAVE_U, LEAVE_V), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, LOOK_U), seated=U, waiting=V),
    Scenario(1, (LEAVE_V, LOOK_V), seated=U, waiting=V),
    Scenario(1, (LEAVE_U, LOOK_V), seated=U, waiting=V),
    Scenario(1, (LEAVE_V, LOOK_W), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_V, resize(2)), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, resize(2)), seated=U, waiting=V + W),
    Scenario(1, (REGISTER_W, resize(3)), seated=U, waiting=V),
    Scenario(1, (resize(2), resize(0)), seated=U, waiting=V),
    Scenario(1, (resize(2), EVENT), seated=U, waiting=V),
    Scenario(1, (LEAVE_U, SWEEP), seated=U, waiting=V),
]


@pytest.mark.parametrize("faults", EACH, ids=["a death", "a lost answer", "a late copy", "items one by one"])
def test_one_thing_that_goes_wrong_harms_nobody(faults: Faults) -> None:
    search = Search()
    for scenario in CHOSEN:
        expect_right(search, replace(scenario, faults=faults))


CROWDED = [
    Scenario(0, (REGISTER_U, REGISTER_V), room=1),
    Scenario(1, (REGISTER_U, LEAVE_V), seated=V, waitlist=False, room=1),
    Scenario(1, (LEAVE_U, LEAVE_V), seated=U, waiting=V + W, room=1),
    Scenario(1, (LEAVE_U, LOOK_V), seated=U, waiting=V, room=1),
]


@pytest.mark.parametrize("faults", EACH, ids=["a death", "a lost answer", "a late copy", "items one by one"])
def test_whoever_finds_no_room_makes_it_and_harms_nobody(faults: Faults) -> None:
    search = Search()
    for scenario in CROWDED:
        expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
def test_a_crowd_of_three_with_room_for_one_harms_nobody() -> None:
    search = Search()
    for asked in ((REGISTER_U, REGISTER_V, REGISTER_W), (LEAVE_U, REGISTER_V, REGISTER_W)):
        seated = U if LEAVE_U in asked else ""
        for faults in (Faults(), CRASH):
            expect_right(search, Scenario(1, asked, seated=seated, room=1, faults=faults))
    for scenario in CROWDED:
        for faults in TOGETHER:
            expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
@pytest.mark.parametrize("faults", EACH, ids=["a death", "a lost answer", "a late copy", "items one by one"])
def test_one_thing_that_goes_wrong_harms_nobody_whatever_two_ask(faults: Faults) -> None:
    search = Search()
    for scenario in at_once(2):
        one, other = scenario.requests
        if (
            one != other or len(scenario.seated + scenario.waiting) < 2
        ):  # the rest is the same, and takes half of the time
            expect_right(search, replace(scenario, faults=faults))


@pytest.mark.slow
def test_two_different_things_that_go_wrong_harm_nobody() -> None:
    search = Search()
    for scenario in CHOSEN:
        for faults in TOGETHER:
            expect_right(search, replace(scenario, faults=faults))


THREE = [
    Scenario(1, (REGISTER_U, REGISTER_V, REGISTER_W)),
    Scenario(2, (REGISTER_U, REGISTER_V, REGISTER_W), waitlist=False),
    Scenario(1, (REGISTER_U, REGISTER_V, LEAVE_V), waitlist=False),
    Scenario(1, (REGISTER_U, REGISTER_U, LEAVE_U), seated=U, waitlist=False),
    Scenario(1, (LEAVE_U, LEAVE_V, LEAVE_W), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, LEAVE_V, SWEEP), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, REGISTER_U, SWEEP), seated=U),
    Scenario(1, (LEAVE_U, LOOK_U, SWEEP), seated=U),
    Scenario(1, (LEAVE_V, LOOK_V, resize(3)), seated=U, waiting=V + W),
    Scenario(1, (LEAVE_U, LEAVE_V, resize(2)), seated=U, waiting=V + W),
    Scenario(1, (REGISTER_W, LEAVE_V, resize(2)), seated=U, waiting=V),
    Scenario(1, (REGISTER_W, LEAVE_U, LEAVE_V), seated=U, waiting=V),
    Scenario(2, (REGISTER_W, LEAVE_U, LEAVE_V), seated=U + V),
    Scenario(0, (REGISTER_V, LEAVE_U, resize(2)), seated=U),
]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", THREE, ids=lambda scenario: str(THREE.index(scenario)))
def test_whatever_three_ask_at_once_is_answered_right(scenario: Scenario) -> None:
    search = Search()
    for faults in (Faults(), CRASH, TORN):
        expect_right(search, replace(scenario, faults=faults))


BREACHES = [
    # The lock
    ("a lock is taken only where there is none", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("a lock is passed on only by its holder", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("only the lock that was seen is broken", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("a lock whose answer was lost is not used", Scenario(0, (REGISTER_U, LEAVE_U), faults=LATE)),
    ("who is registered does not register again", Scenario(1, (REGISTER_U, LEAVE_U), seated=U)),
    pytest.param(
        "who leaves still has the ticket that was seen",
        Scenario(1, (LEAVE_U, LEAVE_U, REGISTER_U), seated=U),
        marks=pytest.mark.slow,
    ),
    # The commit
    ("the generation is read before the lock", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("a commit meets the generation it was planned in", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("a fence moves the generation", Scenario(0, (REGISTER_U, REGISTER_U))),
    ("a commit is made once", Scenario(0, (REGISTER_U, REGISTER_U), faults=LOST)),
    ("a commit finds room, or makes it", Scenario(0, (REGISTER_U, REGISTER_V), room=1)),
    ("what makes room is settled", Scenario(1, (REGISTER_U, REGISTER_V), room=1, faults=CRASH)),
    ("a seat is taken while the event is open", Scenario(1, (REGISTER_U, resize(1, is_open=False)))),
    ("a seat is taken while one is free", Scenario(1, (REGISTER_U, REGISTER_V))),
    ("the queue is joined while the event is open", Scenario(0, (REGISTER_U, resize(0, is_open=False)))),
    ("the queue is joined while there is one", Scenario(1, (REGISTER_V, resize(1, waitlist=False)), seated=U)),
    ("the queue is joined while there is no seat", Scenario(0, (REGISTER_U, resize(1)))),
    ("the queue is left while one waits", Scenario(0, (LEAVE_U, resize(1)), waiting=U)),
    ("a seat stays free while it goes to nobody", Scenario(1, (REGISTER_V, LEAVE_U), seated=U)),
    (
        "a seat is handed on while the event is open",
        Scenario(1, (LEAVE_U, resize(1, is_open=False)), seated=U, waiting=V),
    ),
    ("a seat is handed on while there are enough", Scenario(1, (LEAVE_U, resize(0)), seated=U, waiting=V)),
    ("the head of the queue has not been served", Scenario(1, (LEAVE_U, resize(2)), seated=U, waiting=V + W)),
    ("the head of the queue has not left", Scenario(1, (LEAVE_U, LEAVE_V), seated=U, waiting=V + W)),
    (
        "the tickets that quit are as many as were counted",
        Scenario(1, (LEAVE_V, LEAVE_U, SWEEP), seated=U, waiting=V + W, faults=TORN),
    ),
    # After the commit
    ("a row is settled only while its lock is there", Scenario(0, (REGISTER_U, LEAVE_U), waiting=U)),
    ("a in_doubt commit is fenced before it is settled", Scenario(0, (REGISTER_U, LEAVE_U), faults=LATE)),
    pytest.param(
        "a in_doubt commit is fenced before a refusal",
        Scenario(1, (REGISTER_U, REGISTER_V, LEAVE_V), waitlist=False, faults=LATE),
        marks=pytest.mark.slow,
    ),
    ("traces are looked for in one moment", Scenario(1, (REGISTER_U, LEAVE_U), faults=Faults(late=1, torn=1))),
    ("an earlier leaving is looked for in one moment", Scenario(0, (REGISTER_U, LEAVE_U), waiting=U, faults=TORN)),
    pytest.param(
        "nobody has left since it was seen that the user had not",
        Scenario(1, (REGISTER_U, REGISTER_U, LEAVE_U, SWEEP)),
        marks=pytest.mark.slow,
    ),
    ("a helper fences before it settles", Scenario(0, (REGISTER_U, SWEEP), faults=LOST)),
    ("what is cleared is settled", Scenario(1, (REGISTER_U, SWEEP), faults=CRASH)),
    ("what is cleared is settled as a whole", Scenario(1, (LEAVE_U, REGISTER_U, SWEEP), seated=U, faults=TORN)),
    # Looking, and refusing by a look
    ("a locked row is read again", Scenario(1, (LEAVE_U, LOOK_U, SWEEP), seated=U)),
    ("what is missing is looked for in one moment", Scenario(1, (LEAVE_U, LOOK_U), seated=U, faults=TORN)),
    ("who has quit has no seat", Scenario(1, (LEAVE_V, LOOK_V, resize(2)), seated=U, waiting=V)),
    ("both halves are of the same settings", Scenario(0, (resize(1), EVENT))),
    (
        "nobody comes or goes during a refusal",
        Scenario(1, (REGISTER_U, REGISTER_U, LEAVE_U), seated=U, waitlist=False),
    ),
    (
        "what is refused under the lock is refused by seats that were read after it",
        Scenario(1, (REGISTER_U, LEAVE_U), seated=U, waitlist=False),
    ),
    # Edits
    ("an edit meets the version it was planned for", Scenario(1, (resize(2), resize(0)), seated=U)),
    ("an edit promotes whoever is due", Scenario(0, (REGISTER_U, resize(1)))),
    ("an edit promotes as many as fit", Scenario(0, (LEAVE_U, resize(2)), seated=U, waiting=V + W)),
    ("an edit promotes from where the queue stands", Scenario(1, (LEAVE_U, resize(2)), seated=U, waiting=V + W)),
    ("an edit counts who left the queue", Scenario(1, (LEAVE_V, resize(2)), seated=U, waiting=V + W)),
    ("an edit that promotes all promotes who came last", Scenario(0, (REGISTER_V, resize(2)), waiting=U)),
]


@pytest.mark.parametrize(("condition", "scenario"), BREACHES)
def test_without_this_condition_something_breaks(condition: str, scenario: Scenario) -> None:
    assert Search(frozenset({condition})).run(scenario).broken, condition


def test_every_condition_has_its_breach() -> None:
    """The names in the two modules and those in the table are the same."""
    import re
    from pathlib import Path

    source = "".join((Path(__file__).parent / name).read_text() for name in ("items.py", "steps.py"))
    demanded = re.findall(r'demand\(\s*"([^"]+)"', source)
    left_out = re.findall(r'"([^"]+)"\s+(?:not )?in (?:self|rules)\.without', source)
    named = re.findall(r'^AFTER_LOCK = "([^"]+)"', source, re.MULTILINE)
    shown = {case.values[0] if hasattr(case, "values") else case[0] for case in BREACHES}
    assert {*demanded, *left_out, *named} == shown
