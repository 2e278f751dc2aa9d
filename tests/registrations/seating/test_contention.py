"""A hot event: every registration needs the same item, which takes a thousand written units a second.

In virtual time, so the figures are those of the service and of DynamoDB's physics, not of this machine.
"""

import pytest

from tests.bench.contention import Result, measure
from tests.bench.doors import open_doors


@pytest.mark.parametrize(
    ("joins", "least"), [(False, 450), pytest.param(True, 400, marks=pytest.mark.slow)], ids=["seats", "joins"]
)
def test_32_clients_get_hundreds_of_answers_a_second_and_99_percent_of_them_within_300_ms(
    joins: bool, least: int
) -> None:
    run = measure(32, seconds=0.6, joins=joins)
    assert run.refused == 0
    assert run.per_second >= least, run
    assert run.within(0.99) <= 0.3, run
    assert run.each(run.costs.writes) <= 9, run


def expect_no_collapse(run: Result) -> None:
    assert run.refused == 0, run
    assert run.per_second >= 300, run
    assert run.seconds[-1] <= 10, run
    assert run.each(run.costs.writes) <= 9.5, run


@pytest.mark.slow
def test_with_128_clients_it_is_no_slower_and_none_has_to_wait_long() -> None:
    expect_no_collapse(run := measure(128, seconds=1.3))
    assert run.seconds[-1] <= 1.5, run


@pytest.mark.slow
@pytest.mark.parametrize("joins", [False, True], ids=["seats", "joins"])
@pytest.mark.parametrize("clients", [256, 1000])
def test_a_crowd_burns_nothing_out(clients: int, joins: bool) -> None:
    expect_no_collapse(measure(clients, joins=joins))


def test_one_who_registers_alone_makes_two_calls_for_ten_units() -> None:
    run = measure(1, seconds=1)
    assert run.each(run.costs.calls) <= 2, run
    assert run.each(run.costs.writes) + run.each(run.costs.reads) <= 10, run


def test_crashed_processes_keep_no_other_request_waiting() -> None:
    run = measure(32, seconds=0.6, dying=0.3)
    assert run.answers["killed"]
    assert run.refused == 0
    assert run.seconds[-1] <= 0.35, run  # who has applied a crashed process's entry has room at once


@pytest.mark.slow
def test_leaving_is_as_fast() -> None:
    run = measure(32, seconds=0.3, leavers=300)
    assert set(run.answers) == {"left"}
    assert run.per_second >= 400, run


def test_an_opening_admits_in_the_order_of_arrival() -> None:
    opening = open_doors(20, seats=10, every=15)
    assert opening.answers == {"registered": 10, "waitlisted": 10}
    assert opening.displaced[-1] <= 1
    assert opening.early_calls <= opening.early + 2 * 20, "one call each, after the first request of each process"


def test_the_figures_are_the_same_each_time() -> None:
    assert str(measure(8, seconds=0.5)) == str(measure(8, seconds=0.5))
