"""Co-organizers, and events that are in no public list."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.models import STATUSES, EventItem
from tests.api import EVENT, Api, problem
from tests.events.composing import items_of
from tests.metering import Meter
from tests.signing_in import As, adam, alice, olivia, oscar

LISTS = ("/events", "/events?status=published", "/events?status=published,draft&order=desc")


def ids(api: Api, path: str) -> list[str]:
    return [event["eventId"] for event in api.walk(path)]


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("path", LISTS)
def test_an_unlisted_event_is_in_its_organizers_and_admins_lists_only(path: str) -> None:
    owner, helper, admin = As(oscar().access), As(olivia().access), As(adam().access)
    event = owner.event(unlisted=True, organizers=[olivia().sub])
    for caller in (owner, helper, admin):
        assert ids(caller, path) == [event], caller
    joint = "&" if "?" in path else "?"
    for caller in (owner, helper):
        assert ids(caller, f"{path}{joint}organizerId=me") == [event]
    for caller in (As(None), As(alice().access)):
        assert ids(caller, path) == ids(caller, f"{path}{joint}organizerId={oscar().sub}") == []
        assert caller.get(f"/events/{event}").status_code == 200
    assert As(alice().access).post(f"/events/{event}/registrations", {}).status_code == 201
    assert ids(admin, f"{path}{joint}organizerId={olivia().sub}") == [event]


@pytest.mark.usefixtures("cognito")
@pytest.mark.parametrize("limit", [1, 100])
def test_a_co_organizer_finds_an_event_in_the_list_of_its_owner(limit: int) -> None:
    owner, helper, admin = As(oscar().access), As(olivia().access), As(adam().access)
    common = {"organizers": [olivia().sub]}
    shared = [owner.event(**common, **changes) for changes in ({"unlisted": True}, {"status": "draft"}, {})]
    theirs, listed = admin.event(**common), owner.event()
    owner.event(unlisted=True)
    path = f"/events?limit={limit}&organizerId={oscar().sub}"
    assert sorted(ids(helper, path)) == sorted([*shared, listed])
    assert sorted(ids(helper, "/events")) == sorted([*shared, listed, theirs])
    assert ids(helper, f"{path}&status=draft") == [shared[1]]
    assert ids(As(alice().access), path) == ids(As(None), path) == sorted([shared[2], listed])


@pytest.mark.usefixtures("cognito")
def test_the_reserved_word_for_oneself_is_no_co_organizer(api: Api) -> None:
    owner = As(oscar().access)
    event = owner.event()
    for answer in (
        owner.post("/events", EVENT | {"organizers": ["me"]}),
        owner.patch(f"/events/{event}", {"organizers": ["olga", "me"]}),
    ):
        assert problem(answer) == (422, "validation_error")
        (error,) = answer.json()["errors"]
        assert (error["field"].partition(".")[0], error["code"]) == ("organizers", "reserved")


@pytest.mark.usefixtures("cognito")
def test_an_event_is_in_each_organizers_list_and_once() -> None:
    owner, helper = As(oscar().access), As(olivia().access)
    event = owner.event(organizers=[olivia().sub])
    own = helper.event(date="2083-05-01")
    assert ids(owner, "/events?organizerId=me") == [event]
    assert ids(helper, "/events?organizerId=me") == ids(helper, "/events?organizerId=me&limit=1") == [event, own]
    assert ids(helper, "/events") == ids(As(None), "/events?limit=1") == [event, own]
    assert ids(As(None), f"/events?organizerId={olivia().sub}") == [own]
    assert owner.patch(f"/events/{event}", {"organizers": []}).status_code == 200
    assert ids(helper, "/events?organizerId=me") == [own]


@pytest.mark.usefixtures("cognito")
def test_the_co_organizers_are_shown_to_organizers_and_admins_only() -> None:
    owner, helper = As(oscar().access), As(olivia().access)
    event = owner.event(organizers=[olivia().sub])
    inside, outside = (owner, helper, As(adam().access)), (As(None), As(alice().access))
    for caller in (owner, helper, As(alice().access)):
        assert caller.post(f"/events/{event}/registrations", {}).status_code == 201
        found = [caller.get(f"/users/me/{held}").json() for held in ("registrations", "registrations?limit=1")]
        shown = None if caller is not owner and caller is not helper else [olivia().sub]
        assert [one["event"].get("organizers") for entries in found for one in entries] == [shown, shown]
    of_alice = As(adam().access).get(f"/users/{alice().sub}/registrations").json()
    assert [one["event"].get("organizers") for one in of_alice] == [[olivia().sub]]
    for caller, sees in [*((one, True) for one in inside), *((one, False) for one in outside)]:
        for found in (caller.get(f"/events/{event}").json(), caller.get("/events").json()[0]):
            assert found.get("organizers") == ([olivia().sub] if sees else None)


@pytest.mark.usefixtures("cognito")
def test_only_the_owner_changes_the_list_and_deletes_the_event() -> None:
    owner, helper = As(oscar().access), As(olivia().access)
    event = owner.event(organizers=[olivia().sub])
    read = helper.get(f"/events/{event}").json()
    assert helper.put(f"/events/{event}", read | {"title": "Another"}).status_code == 200
    for organizers in ([], [olivia().sub, "erin"], None):
        assert problem(helper.patch(f"/events/{event}", {"organizers": organizers})) == (403, "permission_denied")
    assert problem(helper.delete(f"/events/{event}")) == (403, "permission_denied")
    assert owner.patch(f"/events/{event}", {"organizers": None}).json()["organizers"] == []
    assert problem(helper.patch(f"/events/{event}", {"title": "Third"})) == (403, "permission_denied")
    assert owner.delete(f"/events/{event}").status_code == 204


@pytest.mark.parametrize("organizers", [["a b"], [1], "erin", {"a": 1}, [f"user-{n}" for n in range(21)], [None]])
def test_organizers_that_are_no_list_of_ids_are_refused(api: Api, organizers: Any) -> None:
    answer = api.post("/events", EVENT | {"organizers": organizers})
    assert problem(answer) == (422, "validation_error")
    assert {error["field"].partition(".")[0] for error in answer.json()["errors"]} == {"organizers"}


def test_each_co_organizer_is_kept_once(api: Api) -> None:
    assert api.get(f"/events/{api.event(organizers=['b', 'a', 'b'])}").json()["organizers"] == ["b", "a"]


@pytest.mark.parametrize("others", [0, 300])
def test_a_list_costs_what_its_page_costs(api: Api, meter: Meter, others: int) -> None:
    """However many unlisted events there are, a list without them reads none of them."""
    with EventItem.batch_write() as batch:
        for number in range(others):
            for item in items_of(EVENT | {"event_id": f"hidden-{number:03}", "unlisted": True}, "owner"):
                batch.save(item)
    for number in range(3):
        api.event(eventId=f"mine-{number}", organizers=["me-too"], date=f"2083-06-0{number + 1}")
    meter.reset()
    assert len(api.get("/events?organizerId=me-too&status=published").json()) == 3
    assert (meter.calls, meter.units <= 6) == (["Query", "Query", "BatchGetItem"], True)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "unlisted": st.booleans(),
        "status": st.sampled_from(STATUSES),
        "date": st.sampled_from(["2083-01-01", "2083-02-02"]),
        "organizers": st.lists(st.sampled_from(["ada", "bea", "cleo"]), max_size=3, unique=True),
    },
).filter(bool)


def places() -> Iterator[tuple[str, str, str]]:
    """Where private places stand."""
    for item in EventItem.scan():
        if str(item.item).startswith("view#"):
            yield item.event_id, str(item.status), str(item.organizer_status)


@given(body=CHANGES, edits=st.lists(CHANGES, max_size=4), deletes=st.booleans())
def test_the_lists_follow_whatever_happens_to_an_event(
    api: Api, body: dict[str, Any], edits: list[dict[str, Any]], deletes: bool
) -> None:
    event = api.post("/events", EVENT | body).json()
    path = f"/events/{event['eventId']}"
    for edit in edits:
        event = api.patch(path, edit).json()
    if deletes:
        api.delete(path)
    wanted: set[str] = set() if deletes else {*event["organizers"], *(["*"] if event["unlisted"] else [])}
    assert set(places()) == {(event["eventId"], f"private#{one}", f"{one}#{event['status']}#private") for one in wanted}
    for status in STATUSES:
        there = not deletes and status == event["status"]
        assert (event["eventId"] in ids(api, f"/events?status={status}")) is there
        for one in ("ada", "bea", "cleo"):
            found = event["eventId"] in ids(api, f"/events?status={status}&organizerId={one}")
            assert found is (there and one in event["organizers"])
    api.delete(path)
