"""Lists while the items of a registration appear one by one: no entry is missing or made up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api import Api
from tests.registrations.conftest import WEATHER
from tests.torn import Torn

pytestmark = pytest.mark.torn


@pytest.fixture(autouse=True)
def slowly(torn_engine: Torn) -> Iterator[None]:
    """Every transaction is torn, for long enough to be looked at."""
    torn_engine.set(torn=1.0, shortest=0.0, longest=0.03)
    yield
    torn_engine.set(**WEATHER)


def test_who_joins_and_leaves_is_in_the_list_exactly_while_the_event_counts_them(api: Api) -> None:
    event = api.event(capacity=0)
    users = api.users(9)
    answers: list[int] = []

    def come_and_go() -> None:
        for user in users:
            answers.append(api.register(event, user).status_code)
        for user in users[::3]:
            answers.append(api.leave(event, user).status_code)

    looking, seen = Api(), []

    def counted() -> int:
        return int(looking.get(f"/events/{event}").json()["waitlistCount"])

    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(come_and_go)
        while not moving.done():
            known, before = len(answers), counted()
            positions = [row["waitlistPosition"] for row in looking.get(f"/events/{event}/registrations").json()]
            assert positions == list(range(1, len(positions) + 1))
            # One call at most was under way meanwhile, so the same count means that nothing changed.
            seen += [(before, len(positions))] if counted() == before and len(answers) == known else []
        moving.result()
    assert answers == [201] * 9 + [200] * 3
    assert seen
    assert all(waiting == shown for waiting, shown in seen), seen


def test_a_list_waits_for_what_takes_long_to_appear(api: Api, torn_engine: Torn) -> None:
    """The items of a transaction appear one after the other, and many looks fit in between."""
    torn_engine.set(torn=1.0, shortest=0.0, longest=0.6)
    event, users = api.event(capacity=9), api.users(6)
    looking, seen = Api(), []
    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(lambda: [api.register(event, user).status_code for user in users])
        while not moving.done():
            seen.append(looking.get(f"/events/{event}/registrations").status_code)
    assert (set(moving.result()), set(seen)) == ({201}, {200})
