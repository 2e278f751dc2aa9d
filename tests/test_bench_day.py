"""The simulated day runs the rules, depends on nothing but its seed, and its arithmetic adds up."""

import pytest

from tests.bench import day, figures
from tests.bench.day import Day, Part, Sale


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SALES": 2, "SEATS": 3, "ASKERS": 8, "LAMBDAS": 4}.items():
        monkeypatch.setattr(day, name, value)
    monkeypatch.setattr(Day, "_made", [])


def sales(seed: int) -> Sale:
    simulated = Day(seed)
    with simulated.staged():
        return simulated.sales()


@pytest.mark.usefixtures("small")
def test_the_sales_sell_every_seat_and_every_seed_is_a_day_of_its_own() -> None:
    first, again, other = sales(1), sales(1), sales(2)
    assert first.answers == {"registered": 6, "waitlisted": 10}
    assert (first.waits, first.last_seat) == (again.waits, again.last_seat)
    assert first.waits != other.waits
    assert 0 < first.busiest <= 4


@pytest.mark.usefixtures("small")
def test_a_sample_of_the_day_has_a_cost_for_every_kind_of_request() -> None:
    simulated = Day(1)
    with simulated.staged():
        parts = simulated.sampled(1_000_000)
    assert parts.keys() == day.PER_DAY.keys()
    assert all(part.calls >= 1 and part.seconds > 0 for part in parts.values())
    assert parts["read"].writes == 0 < parts["register"].writes
    published = figures.published()
    assert (parts["register"].calls, parts["leave"].calls) == tuple(
        published[call]["calls"] for call in ("register", "leave")
    )


def test_the_day_is_its_parts_times_their_number() -> None:
    part = Part(requests=1, calls=2, writes=3, reads=4, seconds=0.5)
    text = day.of_day(dict.fromkeys(day.PER_DAY, part), index_writes=1, index_reads=2)
    most = sum(day.PER_DAY.values()) * day.PEAK
    assert f"at peak: {most:,.0f} requests, {most / 2:,.0f} Lambdas at work, {3 * most:,.0f} write units" in text
    reads = 2 * day.PER_DAY["list"] * day.PEAK
    assert f"{reads:,.0f} of 3,000 read units of a status's partition" in text
