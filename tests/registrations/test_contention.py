"""A hot event: every transaction needs the same item, and DynamoDB refuses all but one at a time.

The engine holds keys for 10 ms, so no order of execution whatever admits more than 100 people a second. Whatever
else this machine does can only slow the service down, so the best of three runs counts.
"""

from collections.abc import Iterator

import pytest

from eventsite.dynamodb import tables
from tests.bench.contention import HOLD_SECONDS, Result, measure
from tests.engines import conflicting_engine, running_engine, served_by

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def slow_transactions() -> Iterator[None]:
    with running_engine() as engine, conflicting_engine(engine, HOLD_SECONDS) as url, served_by(url):
        tables.create_missing()
        yield


def best_of_three(clients: int, *, joins: bool = False) -> Result:
    runs = [measure(clients, seconds=4, joins=joins) for _ in range(3)]
    assert [run.refused for run in runs] == [0, 0, 0]
    return max(runs, key=lambda run: run.per_second)


def test_32_clients_get_60_seats_a_second_and_99_percent_of_them_within_3_seconds() -> None:
    best = best_of_three(32)
    assert best.per_second >= 60, best
    assert best.within(0.99) <= 3, best
    assert best.attempts <= 10, best


def test_16_clients_join_the_queue_nearly_half_as_fast_as_serial_execution() -> None:
    """With many more, it is the one client process that runs out of processor time."""
    best = best_of_three(16, joins=True)
    assert best.per_second >= 45, best
    assert best.within(0.99) <= 4, best


def test_a_crowd_of_64_is_served_without_a_refusal() -> None:
    best = best_of_three(64)
    assert best.per_second >= 50, best
    assert best.within(0.99) <= 6, best
