"""A hot event: every registration needs the same item, and DynamoDB refuses all but one transaction at a time.

In virtual time, so the figures are those of the service and of DynamoDB's physics, not of this machine. Transactions
hold their items for 10 ms, so no order of execution whatever admits more than 100 people a second by them.
"""

import pytest

from tests.bench.contention import measure


def test_32_clients_get_75_seats_a_second_and_99_percent_of_them_within_2_seconds() -> None:
    run = measure(32, seconds=2)
    assert run.refused == 0
    assert run.per_second >= 75, run
    assert run.within(0.99) <= 2, run


def test_the_figures_are_the_same_each_time() -> None:
    assert str(measure(8, seconds=1)) == str(measure(8, seconds=1))


@pytest.mark.slow
def test_32_clients_join_the_queue_more_than_half_as_fast_as_serial_execution() -> None:
    run = measure(32, seconds=5, joins=True)
    assert run.refused == 0
    assert run.per_second >= 55, run
    assert run.within(0.99) <= 4, run


@pytest.mark.slow
def test_a_crowd_of_64_burns_units_and_is_served_without_a_refusal() -> None:
    """The losers' attempts count against the item's 1,000 units a second."""
    run = measure(64, seconds=5)
    assert run.refused == 0
    assert run.per_second >= 50, run
    assert run.within(0.99) <= 6, run
