"""The checks of a soak find what cannot be, and nothing else: on calls made by hand."""

from typing import Any

import pytest

from tests.registrations.auditing import Stored
from tests.soak import verdict
from tests.soak.load import CUT_OFF, Call

EMPTY = Stored(None, None, (), (), (), ())


def joined(start: float, end: float, status: str = "registered", *, number: int = 1, place: int | None = None) -> Call:
    """A registration under way from start to end."""
    return Call("register", "fixed-0", "ada", start, end, 201, row(status, number=number, place=place))


def row(status: str, *, number: int = 1, place: int | None = None, user: str = "ada", at: str = "noon") -> Any:
    told = {"registrationId": str(number), "eventId": "fixed-0", "userId": user, "registeredAt": at}
    return told | {"status": status, "waitlistPosition": place}


def left(start: float, end: float, status: int = 200) -> Call:
    code = {"code": "registration_not_found"} if status == 404 else {}
    return Call("leave", "fixed-0", "ada", start, end, status, {"promotedUser": None} | code)


def place(start: float, end: float, told: Any) -> Call:
    return Call("place", "fixed-0", "ada", start, end, 200, told)


def refused(start: float, end: float, code: str = "already_registered") -> Call:
    return Call("register", "fixed-0", "ada", start, end, 409, {"status": 409, "code": code})


@pytest.mark.parametrize(
    ("wrong", "calls"),
    [
        (False, [joined(0, 1), refused(2, 3)]),
        (True, [joined(0, 1), left(2, 3, 404)]),
        (True, [joined(0, 1), joined(2, 3, number=2)]),
        (False, [joined(0, 1), left(2, 5), joined(4, 6, number=2)]),
        (False, [joined(0, 1), left(2, 3, CUT_OFF), joined(4, 6, number=2)]),
        (True, [joined(0, 1), left(2, 3), refused(4, 5)]),
        (False, [joined(0, 1), left(2, 3), place(4, 5, row("cancelled"))]),
        (True, [joined(0, 1), left(2, 3), place(4, 5, row("registered"))]),
        (True, [joined(0, 1), place(2, 3, row("registered", number=2))]),
    ],
)
def test_answers_must_agree_with_the_last_change_before_them(wrong: bool, calls: list[Call]) -> None:
    found = list(verdict.of_registrations([*calls, left(8, 9, CUT_OFF)], {"fixed-0": EMPTY}))
    assert bool(found) == wrong, found


def test_what_was_answered_must_be_there_in_the_end() -> None:
    assert list(verdict.of_registrations([joined(0, 1)], {"fixed-0": EMPTY}))
    assert not list(verdict.of_registrations([joined(0, 1), left(2, 3)], {"fixed-0": EMPTY}))


@pytest.mark.parametrize(
    ("wrong", "later"),
    [
        (False, row("waitlisted", place=2)),
        (False, row("registered")),
        (False, row("cancelled")),
        (True, row("waitlisted", place=4)),
        (True, row("registered", at="later")),
    ],
)
def test_a_place_never_gets_worse_and_a_time_stays(wrong: bool, later: Any) -> None:
    told = verdict.seen([place(0, 1, row("waitlisted", place=3)), place(2, 3, later)])
    assert bool(list(verdict.of_queues(list(told)))) == wrong


def test_nobody_is_seen_waiting_once_somebody_behind_has_a_seat() -> None:
    calls = [place(0, 1, row("registered", number=2)), place(2, 3, row("waitlisted", number=1, place=1))]
    told = list(verdict.seen(calls))
    assert list(verdict.of_overtaking(told, {"1": 1, "2": 2}))
    assert not list(verdict.of_overtaking(told, {"1": 2, "2": 1}))


@pytest.mark.parametrize(
    "call",
    [
        Call("place", "fixed-0", "ada", 0, 1, 500, {"code": "internal_error"}),
        Call("place", "fixed-0", "ada", 0, 1, 404, {"code": "event_not_found"}),
        Call("people", "fixed-0", "", 0, 1, 200, [row("waitlisted", place=2)]),
        Call("people", "fixed-0", "", 0, 1, 200, [row("registered", user=str(number)) for number in range(6)]),
        Call("people", "resized-0", "", 0, 1, 200, [row("registered"), row("registered")]),
        Call("event", "fixed-0", "", 0, 1, 200, {"registeredCount": 6}),
        Call("keyed", "fixed-0", "ada", 0, 1, 201, row("registered"), again=[[201, row("registered", number=2)]]),
    ],
)
def test_an_answer_may_be_wrong_by_itself(call: Call) -> None:
    assert list(verdict.of_answers([call]))


def edited(start: float, end: float, sent: str, shown: str = "", *, event: str = "fixed-0", status: int = 200) -> Call:
    return Call("edit", event, "", start, end, status, {"title": shown or sent}, {"title": sent})


@pytest.mark.parametrize(
    ("wrong", "other"),
    [
        (False, edited(1, 3, "Other")),
        (False, edited(-2, -1, "Other", status=CUT_OFF)),
        (True, edited(-2, -1, "Other")),
        (True, edited(3, 4, "Other")),
        (True, edited(1, 3, "Third")),
        (True, edited(1, 3, "Other", event="fixed-1")),
    ],
)
def test_an_edit_shows_what_it_sent_or_what_another_one_sent_meanwhile(wrong: bool, other: Call) -> None:
    assert bool(list(verdict.of_edits([edited(0, 2, "Sent", "Other"), other]))) == wrong
