"""The seats stay short, whatever the length of the ids, the number of exits or the age of the event."""

import uuid
from typing import Any

import pytest

from events.ledger import log, operations, queue
from events.ledger.models import Seats
from registrations.seating import trim
from tests.api import Api
from tests.capacity import WRITE_BLOCK, size_of
from tests.registrations.cutting import cut_off_joining, cut_off_leaving

MANY = 999_999


def seats_with(event_id: str, organizer: str) -> Seats:
    """Seats whose counters are all high."""
    seats = Seats(event_id, Seats.ITEM, incarnation="i" * 12, status="published", organizer_id=organizer)
    counters = ("registered", "waiting", "tickets", "seated_through", "moved", "waitlist_exits", "left", "now_serving")
    for name in (*counters, "capacity", "settings", "exit_width", "exits_from"):
        setattr(seats, name, MANY)
    seats.open = seats.waitlist_enabled = True
    seats.opens_at = seats.closes_at = seats.ends_at = 1_899_999_999
    seats.edited_at = 1_899_999_999_999_999
    seats.exit_counts = {str(number): MANY for number in range(queue.MOST_RANGES)}
    seats.epochs = [9_999] * len(seats.epochs)
    seats.by = operations.actor(str(uuid.uuid4()), "another")
    return seats


@pytest.mark.parametrize("organizer", [0, 1, 36, 128])
@pytest.mark.parametrize(("user", "has_intent"), [(1, True), (24, False), (24, True), (36, True), (128, True)])
@pytest.mark.parametrize("kind", ["join", "wait", "hand on"])
def test_a_full_log_fits_into_the_kilobyte_of_one_write_unit(
    organizer: int, user: int, has_intent: bool, kind: str
) -> None:
    value = {"join": MANY, "wait": -MANY, "hand on": log.leaving(log.HAND, MANY, MANY)}[kind]
    operation = operations.new_id("2026-11-29T10:00:00.000000Z", 7)
    has_intent = has_intent and (kind != "hand on" or user > operations.LONGEST_PLAIN_TOKEN)
    for length in range(1, 129):
        seats = seats_with("e" * length, "o" * organizer)
        users = [f"{number:x}".rjust(user, "u") for number in range(trim.room(seats))]
        names = [log.name_of(operation, user, "abcdef", with_intent=has_intent) for user in users]
        seats.log_entries = dict.fromkeys(names, value)
        assert len(seats.committed) >= 4
        assert size_of(seats.to_dynamodb_dict()) <= WRITE_BLOCK


def test_a_million_exits_are_counted_in_a_few_ranges() -> None:
    seats = seats_with("e", "o")
    seats.exit_counts, seats.seated_through, seats.exit_width, seats.exits_from = {}, 0, queue.NARROWEST, 0
    for ticket in range(1, 1_000_000, 499):
        actions, _ = queue.counting(seats, ticket)
        counts = dict(seats.exits)
        if len(actions) == 1:
            counts[ticket // seats.width] = counts.get(ticket // seats.width, 0) + 1
            seats.exit_counts = {str(number): count for number, count in counts.items()}
        else:
            written: list[Any] = [action.values[1] for action in actions]
            counts_written, width, _ = (one.value for one in written)
            seats.exit_counts = {number: int(count["N"]) for number, count in counts_written["M"].items()}
            seats.exit_width = int(width["N"])
        assert len(seats.exits) <= queue.MOST_RANGES
    assert sum(seats.exits.values()) == len(range(1, 1_000_000, 499))


def test_a_user_who_left_and_comes_again_is_not_listed_twice_before_it_is_applied(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    api.leave(event, user)
    cut_off_joining(event, user)
    path = f"/events/{event}/registrations"
    assert [row["userId"] for row in api.get(path).json()] == [user]
    assert api.get(f"{path}?status=cancelled").json() == []


def test_a_leaving_that_is_not_applied_is_listed_as_cancelled_only(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    cut_off_leaving(event, user)
    path = f"/events/{event}/registrations"
    assert api.get(path).json() == []
    assert [row["userId"] for row in api.get(f"{path}?status=cancelled").json()] == [user]


def test_a_users_own_list_lacks_a_joining_that_is_not_applied_until_the_next_request(api: Api) -> None:
    event, user = api.event(), api.user()
    cut_off_joining(event, user)
    mine = f"/users/{user}/registrations"
    assert api.get(mine).json() == []
    assert api.get(f"/events/{event}/registrations/{user}").json()["status"] == "registered"
    assert api.register(event, user).status_code == 409
    assert [row["event"]["eventId"] for row in api.get(mine).json()] == [event]


def test_answers_and_long_ids_survive_a_crash_after_the_commit(api: Api) -> None:
    event, user = api.event(), api.user("u" * 100)
    cut_off_joining(event, user, answers={"q1": "vegan"})
    shown = api.get(f"/events/{event}/registrations").json()
    assert [row["userId"] for row in shown] == [user]
    assert api.leave(event, user).status_code == 200
    assert [row["userId"] for row in api.get(f"/events/{event}/registrations?status=cancelled").json()] == [user]


def test_leaving_an_event_that_is_gone_answers_that_there_is_no_registration(api: Api) -> None:
    answer = api.leave("nothing", api.user())
    assert (answer.status_code, answer.json()["code"]) == (404, "registration_not_found")
