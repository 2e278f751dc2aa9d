"""Deleting an event: only when nobody is left, and without a trace."""

from contextlib import nullcontext
from unittest.mock import patch

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import QueryError

from events.ledger import guards
from events.ledger.models import Seats
from eventsite.dynamodb.steps import run
from eventsite.errors import Unavailable
from registrations import seating
from registrations.models import EventTicket, RegistrationItem
from registrations.seating import ends
from tests.api import Api, problem
from tests.metering import Meter
from tests.registrations.interleaving import WRITE, right_before

pytestmark = pytest.mark.two_engines


def test_an_empty_event_can_be_deleted(api: Api) -> None:
    event = api.event()
    assert api.delete(f"/events/{event}", if_match='"1"').status_code == 204
    assert problem(api.get(f"/events/{event}")) == (404, "event_not_found")
    assert problem(api.delete(f"/events/{event}")) == (404, "event_not_found")
    assert api.get("/events").json() == []


@pytest.mark.parametrize("capacity", [1, 0], ids=["registered", "waiting"])
def test_an_event_with_people_cannot_be_deleted(api: Api, capacity: int) -> None:
    event, user = api.event(capacity=capacity), api.user()
    api.register(event, user)
    assert problem(api.delete(f"/events/{event}")) == (409, "event_has_registrations")
    api.leave(event, user)
    assert api.delete(f"/events/{event}").status_code == 204


def test_the_history_goes_with_the_event(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    api.leave(event, user)
    assert api.delete(f"/events/{event}").status_code == 204
    assert list(RegistrationItem.scan()) == []
    assert api.get(f"/users/{user}/registrations?status=cancelled").json() == []


def test_an_event_with_people_ends_with_their_registrations_when_asked(api: Api) -> None:
    event = api.event(eventId="party", capacity=1)
    users = api.users(3)
    for user in users:
        api.register(event, user)
    api.leave(event, users[0])
    assert problem(api.delete(f"/events/{event}")) == (409, "event_has_registrations")
    assert problem(api.delete(f"/events/{event}?registrations=keep")) == (422, "validation_error")
    assert problem(api.delete(f"/events/{event}?registrations=cancel", if_match='"9"')) == (412, "precondition_failed")
    assert api.delete(f"/events/{event}?registrations=cancel", if_match='"1"').status_code == 204
    for user in users:
        assert api.get(f"/users/{user}/registrations").json() == []
        assert api.get(f"/users/{user}/registrations?status=cancelled").json() == []
    assert problem(api.delete(f"/events/{event}?registrations=cancel")) == (404, "event_not_found")
    api.event(eventId="party")
    assert api.get("/events/party/registrations").json() == []
    assert api.register("party", users[1]).status_code == 201


@pytest.mark.parametrize("status", ["draft", "completed"])
def test_people_of_an_event_that_is_closed_go_with_it_too(api: Api, status: str) -> None:
    event, users = api.event(capacity=1), api.users(2)
    for user in users:
        api.register(event, user)
    api.patch(f"/events/{event}", {"status": status})
    assert api.delete(f"/events/{event}?registrations=cancel").status_code == 204
    assert [api.get(f"/users/{user}/registrations").json() for user in users] == [[], []]


def test_an_empty_event_may_be_deleted_that_way_too(api: Api) -> None:
    assert api.delete(f"/events/{api.event()}?registrations=cancel").status_code == 204


def test_an_event_that_nobody_joined_is_deleted_in_two_calls(api: Api, meter: Meter) -> None:
    event = api.event()
    meter.reset()
    assert api.delete(f"/events/{event}").status_code == 204
    assert meter.calls == ["Query", "TransactWriteItems"]


@pytest.mark.parametrize("is_guarded", [True, False])
def test_people_who_come_and_go_during_the_deletion_leave_no_line_only_with_its_guard(
    is_guarded: bool, api: Api
) -> None:
    event, ada = api.event(), api.user()
    seats = Seats.get(event)

    def come_and_go() -> None:
        api.register(event, ada)
        api.leave(event, ada)
        run(seating.drain(Seats.get(event, consistent_read=True)))

    careless = patch.object(guards, "has_nobody", lambda _: Seats.registered == 0)
    with nullcontext() if is_guarded else careless, right_before(WRITE, come_and_go):
        assert api.delete(f"/events/{event}").status_code == 204
    lines = list(EventTicket.in_order(event, seats.incarnation, limit=10))
    assert bool(lines) is not is_guarded


REFUSED = ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "Query")


@pytest.mark.parametrize("error", [REFUSED, BotoCoreError(), QueryError("refused"), Unavailable()], ids=repr)
def test_what_fails_after_the_event_is_deleted_is_left_to_the_audit(error: Exception) -> None:
    with patch.object(ends, "_first_lines", side_effect=error):
        seating.forget_event("event", "incarnation")
