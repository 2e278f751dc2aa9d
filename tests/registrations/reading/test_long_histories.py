"""Lists among many promotions and registrations of the past: right, and at the cost of their page."""

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from events.ledger import promotions, queue
from events.ledger.models import Promotion, Seats
from eventsite.dynamodb.retries import Conflict
from eventsite.dynamodb.steps import Query
from tests.api import Api
from tests.metering import Meter
from tests.registrations.scenes import lay, moment


def times(seats: Seats, stored: list[int], tickets: list[int]) -> tuple[dict[int, str | None], int]:
    """When some tickets were promoted, by promotions that begin with the stored tickets, and the number of queries."""
    steps, queries = promotions.times_of(seats, tickets), 0
    try:
        step = next(steps)
        while True:
            assert isinstance(step, Query) and step.newest
            low, high = step.between
            keys = {queue.promotion_key(seats, first)[1]: first for first in stored}
            firsts = [first for key, first in keys.items() if low <= key <= high][-step.newest :]
            queries += 1
            step = steps.send([Promotion("e", "", first=first, at=moment(first)) for first in reversed(firsts)])
    except StopIteration as end:
        return end.value, queries


GAPS = st.lists(st.integers(1, 40), min_size=1, max_size=80)


@given(gaps=GAPS, picks=st.lists(st.integers(1, 4000), min_size=1, max_size=30, unique=True))
@example(gaps=[1] * 3000, picks=[1, 2999])
def test_each_ticket_has_the_time_of_the_last_promotion_up_to_it(gaps: list[int], picks: list[int]) -> None:
    stored = list(accumulate(gaps))
    seats = Seats("e", "seats", incarnation="i", moved=stored[-1])
    tickets = sorted(picks)
    found, queries = times(seats, stored, tickets)
    for ticket in tickets:
        before = [first for first in stored if first <= ticket]
        assert found[ticket] == (moment(before[-1]) if before else None)
    assert queries <= len(tickets) + 1
    assert 2**queries <= 4 * max(1, len(stored))


@pytest.mark.parametrize("stored", [[], [5]])
def test_a_promotion_that_is_not_visible_yet_is_read_again(stored: list[int]) -> None:
    seats = Seats("e", "seats", incarnation="i", moved=7)
    with pytest.raises(Conflict):
        times(seats, stored, [8])


def test_a_page_of_promoted_people_costs_the_same_however_many_were_promoted_before(api: Api, meter: Meter) -> None:
    event = api.event(capacity=4)
    users = api.users(100)
    for user in users:
        api.register(event, user)
    costs = []
    for leaving in users[:12], users[12:96]:
        for user in leaving:
            api.leave(event, user)
        meter.reset()
        page = api.get(f"/events/{event}/registrations?status=registered").json()
        costs.append((len(meter.calls), meter.units))
        assert len([one for one in page if one["promotedAt"]]) == 4
    assert costs[0] == costs[1]


@pytest.mark.parametrize("status", ["registered", "cancelled"])
def test_a_page_of_a_user_costs_the_same_however_many_registrations_follow(api: Api, meter: Meter, status: str) -> None:
    user = api.user()
    seated, cancelled = ([user], []) if status == "registered" else ([], [user])
    costs = []
    for numbers in range(10), range(10, 150):
        for number in numbers:
            lay(f"event-{number:03}", capacity=5, seated=seated, cancelled=cancelled)
        meter.reset()
        page = api.get(f"/users/{user}/registrations?status={status}&limit=5").json()
        assert [one["event"]["eventId"] for one in page] == [f"event-{number:03}" for number in range(5)]
        costs.append((len(meter.calls), meter.units))
    assert costs[0] == costs[1]


def test_one_active_registration_is_found_behind_many_of_the_past_in_few_calls(api: Api, meter: Meter) -> None:
    user = api.user()
    for number in range(150):
        lay(f"event-{number:03}", capacity=5, cancelled=[user])
    lay("last", capacity=5, seated=[user])
    meter.reset()
    (found,) = api.get(f"/users/{user}/registrations?limit=1").json()
    assert found["event"]["eventId"] == "last"
    assert meter.calls.count("Query") <= 8


@pytest.mark.parametrize(("status", "others"), [("waitlisted", "seated"), ("registered", "waiting")])
def test_pages_of_one_status_are_full_although_others_come_first(api: Api, status: str, others: str) -> None:
    user = api.user()
    waiting, seated = ([user], []) if others == "waiting" else ([], [user])
    for number in range(5):
        lay(f"event-{number:03}", capacity=5, waiting=waiting, seated=seated)
    for number in range(3):
        lay(f"last-{number}", capacity=5, waiting=seated, seated=waiting)
    pages = [api.get(f"/users/{user}/registrations?status={status}&limit=2")]
    while link := pages[-1].headers.get("Link"):
        pages.append(api.get(link.partition(">")[0].removeprefix("<")))
    found = [[one["event"]["eventId"] for one in page.json()] for page in pages]
    assert found == [["last-0", "last-1"], ["last-2"]]


def test_one_place_in_a_queue_is_on_the_first_page_behind_many_seats(api: Api) -> None:
    user = api.user()
    for number in range(30):
        lay(f"event-{number:03}", capacity=5, seated=[user])
    lay("last", capacity=0, waiting=[user])
    (found,) = api.get(f"/users/{user}/waitlists?limit=1").json()
    assert (found["event"]["eventId"], found["registration"]["waitlistPosition"]) == ("last", 1)
