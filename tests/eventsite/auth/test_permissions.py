"""Who may do what: the contract's table, every call of it, for every role, on one's own, another's and nothing."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from events import editing, services
from eventsite.auth.permissions import (
    CHANGE_EVENT,
    CHANGE_USER,
    CREATE_EVENT,
    CREATE_USER,
    FIND_USER,
    LIST_REGISTRATIONS,
    LIST_USERS,
    OWN_EVENT,
    READ_DRAFT,
    READ_USER,
    REGISTER,
    SEE_EVENTS,
    TABLE,
    Reach,
)
from eventsite.auth.scope import EVERYTHING
from registrations import seating
from tests.api import EVENT, problem
from tests.signing_in import As, Person, adam, alice, olivia, oscar
from users import services as users
from users.models import User

CONTRACT = """
list and read events that are not drafts       | yes | yes        | yes                              | yes
read a draft                                   | –   | –          | own events                       | yes
create an event                                | –   | –          | yes                              | yes
change an event, message its people, check in  | –   | –          | own events                       | yes
delete an event, change its co-organizers      | –   | –          | as their owner                   | yes
create a user                                  | –   | oneself    | oneself                          | yes
read a user, their registrations and waitlists | –   | oneself    | oneself                          | yes
change or delete a user                        | –   | oneself    | oneself                          | yes
list users                                     | –   | –          | –                                | yes
find a user by exact e-mail                    | –   | –          | yes                              | yes
register, unregister                           | –   | oneself    | oneself; anyone for own events   | yes
list an event's registrations and waitlist     | –   | –          | own events                       | yes
"""

ROLES: dict[str, Callable[[], Person | None]] = {
    "anonymous": lambda: None,
    "signed in": alice,
    "Organizers": olivia,
    "Admins": adam,
}
PEOPLE = pytest.mark.parametrize("role", ROLES)
MISSING = "no-such-thing"
FIELDS = {"title", "description", "date", "location", "capacity", "organizer"}

pytestmark = pytest.mark.usefixtures("cognito")


def reach(call: str, role: str) -> Reach:
    return TABLE[call][list(ROLES).index(role)]


def caller(role: str) -> As:
    person = ROLES[role]()
    return As(person.access if person else None)


class Target(NamedTuple):
    """An event, seen by a person: whether it is theirs, a draft, and there."""

    event_id: str
    own: bool
    """Whether they are its owner or a co-organizer."""
    draft: bool
    exists: bool = True
    owner: bool = False


_ids = itertools.count(1)


def make_event(owner: str, status: str = "published", organizers: tuple[str, ...] = ()) -> str:
    fields = {name: EVENT[name] for name in FIELDS} | {"status": status, "event_id": f"event-{next(_ids)}"}
    fields["organizers"] = list(organizers)
    return str(services.create(fields, organizer_id=owner).event.event_id)


def targets(role: str) -> Iterator[Target]:
    """Create events of the caller, of another organizer and of both, published and draft."""
    person = ROLES[role]()
    for status in ("published", "draft"):
        if person:  # a former organizer may still own events
            yield Target(make_event(person.sub, status), own=True, draft=status == "draft", owner=True)
            yield Target(make_event(oscar().sub, status, ("erin", person.sub)), own=True, draft=status == "draft")
        yield Target(make_event(oscar().sub, status), own=False, draft=status == "draft")
    yield Target(MISSING, own=False, draft=False, exists=False)


def make_user(user_id: str) -> str:
    users.create(name="Somebody", user_id=user_id)
    return user_id


def sees(role: str, target: Target) -> bool:
    """Whether the event is there, for all that this role may know."""
    drafts = reach(READ_DRAFT, role)
    hidden = target.draft and (drafts is Reach.NONE or (drafts is Reach.OWN and not target.own))
    return target.exists and not hidden


def within(granted: Reach, target: Target) -> bool:
    """Return whether a permission reaches this event."""
    if granted is Reach.OWNER:
        return target.owner
    return granted is Reach.ALL or (target.own and granted in (Reach.OWN, Reach.ONESELF_OR_OWN))


def test_the_table_is_the_contracts() -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in CONTRACT.strip().splitlines()]
    assert {call: [cell.value for cell in cells] for call, cells in TABLE.items()} == {row[0]: row[1:] for row in rows}


@PEOPLE
def test_reading_an_event(role: str) -> None:
    for target in targets(role):
        answer = caller(role).get(f"/events/{target.event_id}")
        assert answer.status_code == (200 if sees(role, target) else 404), target


CALLS_ON_AN_EVENT = [
    (CHANGE_EVENT, "PUT", "", {"title": "New"}, 200, "event_not_found"),
    (CHANGE_EVENT, "PATCH", "", {"status": "cancelled"}, 200, "event_not_found"),
    (CHANGE_EVENT, "PATCH", "", {"status": "draft"}, 200, "event_not_found"),
    (OWN_EVENT, "PATCH", "", {"organizers": ["erin", "frank"]}, 200, "event_not_found"),
    (OWN_EVENT, "DELETE", "", None, 204, "event_not_found"),
    (LIST_REGISTRATIONS, "GET", "/registrations", None, 200, "event_not_found"),
    (LIST_REGISTRATIONS, "GET", "/waitlist", None, 200, "event_not_found"),
    (LIST_REGISTRATIONS, "GET", "/history", None, 200, "event_not_found"),
    (CHANGE_EVENT, "POST", "/messages", {"subject": "A", "text": "B", "to": "everybody"}, 202, "event_not_found"),
    (CHANGE_EVENT, "PUT", "/registrations/erin/check-in", None, 404, "event_not_found"),
    (CHANGE_EVENT, "DELETE", "/registrations/erin/check-in", None, 404, "event_not_found"),
]


@PEOPLE
@pytest.mark.parametrize(("call", "method", "path", "body", "success", "code"), CALLS_ON_AN_EVENT)
def test_calls_on_an_event(role: str, call: str, method: str, path: str, body: Any, success: int, code: str) -> None:
    for target in targets(role):
        answer = caller(role).call(method, f"/events/{target.event_id}{path}", body)
        if role == "anonymous":
            assert problem(answer) == (401, "not_authenticated"), target
        elif not sees(role, target):
            assert problem(answer) == (404, code), target
        elif not within(reach(call, role), target):
            assert problem(answer) == (403, "permission_denied"), target
        else:
            assert answer.status_code == success, target


@PEOPLE
def test_creating_an_event(role: str) -> None:
    answer = caller(role).post("/events", EVENT)
    if role == "anonymous":
        assert problem(answer) == (401, "not_authenticated")
    elif reach(CREATE_EVENT, role) is Reach.NONE:
        assert problem(answer) == (403, "permission_denied")
    else:
        person = ROLES[role]()
        assert person
        assert (answer.status_code, answer.json()["organizerId"]) == (201, person.sub)


@PEOPLE
@pytest.mark.parametrize("path", ["registrations", "register"])
def test_registering_oneself(role: str, path: str) -> None:
    person = ROLES[role]()
    user_id = make_user(person.sub) if person else "nobody"
    for target, body in itertools.product(targets(role), ({}, {"userId": user_id})):
        answer = caller(role).post(f"/events/{target.event_id}/{path}", body)
        if role == "anonymous":
            assert problem(answer) == (401, "not_authenticated"), target
        elif not sees(role, target):
            assert problem(answer) == (404, "event_not_found"), target
        elif target.draft:
            assert problem(answer) == (409, "registration_closed"), target
        elif answer.status_code == 409:  # the second body, after the first one
            assert body, target
        else:
            assert (answer.status_code, answer.json()["userId"]) == (201, user_id), target


@PEOPLE
@pytest.mark.parametrize("path", ["registrations", "register"])
def test_registering_another(role: str, path: str) -> None:
    other = make_user("erin")
    for target, user_id in itertools.product(targets(role), (other, MISSING)):
        answer = caller(role).post(f"/events/{target.event_id}/{path}", {"userId": user_id})
        if role == "anonymous":
            assert problem(answer) == (401, "not_authenticated"), target
        elif not sees(role, target):
            assert problem(answer) == (404, "event_not_found"), target
        elif not within(reach(REGISTER, role), target):
            assert problem(answer) == (403, "permission_denied"), target
        elif user_id == MISSING:
            assert problem(answer) == (404, "user_not_found") if not target.draft else 409, target
        else:
            assert answer.status_code == (409 if target.draft else 201), target


def register_all(event_id: str, users: list[str]) -> None:
    """Register users for an event of any status. Skip an event that does not exist."""
    if event_id == MISSING:
        return
    status = services.read(event_id, scope=EVERYTHING).event.status
    editing.edit(event_id, {"status": "active", "capacity": 9}, scope=EVERYTHING)
    for user_id in users:
        seating.register(event_id, user_id, scope=EVERYTHING)
    editing.edit(event_id, {"status": status}, scope=EVERYTHING)


@PEOPLE
@pytest.mark.parametrize("path", ["registrations", "register"])
def test_unregistering_oneself(role: str, path: str) -> None:
    """Leaving is always possible, even where the event has become a draft."""
    person = ROLES[role]()
    user_id = make_user(person.sub) if person else make_user("nobody")
    for target in targets(role):
        register_all(target.event_id, [user_id])
        answer = caller(role).delete(f"/events/{target.event_id}/{path}/{user_id}")
        if role == "anonymous":
            assert problem(answer) == (401, "not_authenticated"), target
        elif target.exists:
            assert answer.status_code == 200, target
        else:
            assert problem(answer) == (404, "registration_not_found"), target


@PEOPLE
@pytest.mark.parametrize("path", ["registrations", "register"])
def test_unregistering_another(role: str, path: str) -> None:
    """Where one may not, it makes no difference whether the other is registered."""
    other = make_user("erin")
    for target, user_id in itertools.product(targets(role), (other, MISSING)):
        if user_id == other:
            register_all(target.event_id, [other])
        answer = caller(role).delete(f"/events/{target.event_id}/{path}/{user_id}")
        if role == "anonymous":
            assert problem(answer) == (401, "not_authenticated"), target
        elif not sees(role, target):
            assert problem(answer) == (404, "registration_not_found"), target
        elif not within(reach(REGISTER, role), target):
            assert problem(answer) == (403, "permission_denied"), target
        elif user_id == MISSING:
            assert problem(answer) == (404, "registration_not_found"), target
        else:
            assert answer.status_code == 200, target


@PEOPLE
def test_reading_a_registration(role: str) -> None:
    person, other = ROLES[role](), make_user("erin")
    me = make_user(person.sub) if person else make_user("nobody")
    for target in targets(role):
        register_all(target.event_id, [me, other])
        for user_id in (me, other, MISSING):
            answer = caller(role).get(f"/events/{target.event_id}/registrations/{user_id}")
            may = user_id == me or within(reach(LIST_REGISTRATIONS, role), target)
            if role == "anonymous":
                assert problem(answer) == (401, "not_authenticated"), target
            elif may and target.exists and user_id != MISSING:
                assert answer.status_code == 200, target
            else:
                assert problem(answer) == (404, "registration_not_found"), target


@PEOPLE
def test_creating_a_user(role: str) -> None:
    person = ROLES[role]()
    another = caller(role).post("/users", {"userId": "erin", "name": "Erin"})
    if not person:
        assert problem(another) == (401, "not_authenticated")
        return
    if reach(CREATE_USER, role) is Reach.ALL:
        assert another.status_code == 201
    else:
        assert problem(another) == (403, "permission_denied")
        nameless = caller(role).post("/users", {"name": "Me"})
        assert (nameless.status_code, nameless.json()["userId"]) == (201, person.sub)
        assert problem(caller(role).post("/users", {"name": "Me"})) == (409, "user_exists")
        User.get(person.sub).delete()
    oneself = caller(role).post("/users", {"userId": person.sub, "name": "Me"})
    assert (oneself.status_code, oneself.json()["userId"]) == (201, person.sub)


@PEOPLE
@pytest.mark.parametrize("path", ["", "/registrations", "/waitlists"])
def test_reading_a_user(role: str, path: str) -> None:
    person, other = ROLES[role](), make_user("erin")
    me = make_user(person.sub) if person else None
    for user_id in filter(None, (me, other, MISSING)):
        answer = caller(role).get(f"/users/{user_id}{path}")
        may = user_id == me or reach(READ_USER, role) is Reach.ALL
        if not person:
            assert problem(answer) == (401, "not_authenticated")
        elif may and user_id != MISSING:
            assert answer.status_code == 200, user_id
        else:
            assert problem(answer) == (404, "user_not_found"), user_id


@PEOPLE
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_changing_a_user(role: str, method: str) -> None:
    person, other = ROLES[role](), make_user("erin")
    me = make_user(person.sub) if person else None
    for user_id in filter(None, (me, other, MISSING)):
        answer = caller(role).call(method, f"/users/{user_id}", {"name": "New"})
        may = user_id == me or reach(CHANGE_USER, role) is Reach.ALL
        if not person:
            assert problem(answer) == (401, "not_authenticated")
        elif may and user_id != MISSING:
            assert (answer.status_code, answer.json()["name"]) == (200, "New")
        else:
            assert problem(answer) == (404, "user_not_found"), user_id


@PEOPLE
def test_listing_users(role: str) -> None:
    answer = caller(role).get("/users")
    if role == "anonymous":
        assert problem(answer) == (401, "not_authenticated")
    else:
        assert answer.status_code == (200 if reach(LIST_USERS, role) is Reach.ALL else 403)


@PEOPLE
def test_finding_a_user_by_exact_address(role: str) -> None:
    answer = caller(role).get("/users?email=erin@example.com")
    if role == "anonymous":
        assert problem(answer) == (401, "not_authenticated")
    else:
        assert answer.status_code == (200 if reach(FIND_USER, role) is Reach.ALL else 403)


def is_of(organizer: str | None, role: str, target: Target) -> bool:
    """Whether an event is in the list of an organizer: of oneself, with those that one runs with others."""
    if organizer == "me":
        return target.owner or (target.own and reach(READ_DRAFT, role) is not Reach.NONE)
    return organizer is None or not target.owner


@PEOPLE
@pytest.mark.parametrize("asked", ["", "status=draft", "status=draft,published"])
def test_listing_events(role: str, asked: str) -> None:
    there = [target for target in targets(role) if target.exists]
    assert reach(SEE_EVENTS, role) is Reach.ALL
    for organizer, limit in itertools.product((None, "me", oscar().sub), (1, 100)):
        path = f"/events?{asked}&limit={limit}" + (f"&organizerId={organizer}" if organizer else "")
        if organizer == "me" and role == "anonymous":
            assert problem(caller(role).get(path)) == (401, "not_authenticated")
            continue
        found = [event["eventId"] for event in caller(role).walk(path)]
        assert sorted(found) == sorted(
            target.event_id
            for target in there
            if sees(role, target) and (target.draft or asked != "status=draft") and is_of(organizer, role, target)
        ), path


@PEOPLE
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_draft_that_may_not_be_seen_is_as_one_that_does_not_exist(role: str, method: str) -> None:
    paths = ["", "/registrations", "/waitlist", "/registrations/erin", "/register/erin"]
    hidden = make_event(oscar().sub, "draft")
    make_user("erin")
    register_all(hidden, ["erin"])
    if role == "Admins":
        return  # nothing is hidden
    for path in paths:
        asked = [f"/events/{event}{path}" for event in (hidden, MISSING)]
        answers = [caller(role).call(method, url, {"title": "x"}, x_correlation_id="same") for url in asked]
        told = [(answer.status_code, answer.json() | {"instance": None}) for answer in answers]
        headers = [{k: v for k, v in answer.headers.items() if k != "Content-Length"} for answer in answers]
        assert told[0] == told[1], path
        assert headers[0] == headers[1], path


def test_a_users_registrations_leave_out_events_that_have_become_drafts() -> None:
    user_id = make_user(alice().sub)
    kept, hidden = make_event(oscar().sub), make_event(oscar().sub)
    register_all(kept, [user_id])
    register_all(hidden, [user_id])
    editing.edit(hidden, {"status": "draft"}, scope=EVERYTHING)
    found = As(alice().access).get(f"/users/{user_id}/registrations").json()
    assert [entry["event"]["eventId"] for entry in found] == [kept]
    assert len(As(adam().access).get(f"/users/{user_id}/registrations").json()) == 2


def test_an_id_token_grants_the_same_as_an_access_token() -> None:
    assert As(olivia().id).post("/events", EVENT).json()["organizerId"] == olivia().sub


def test_the_same_idempotency_key_of_two_people_is_two_keys() -> None:
    made = [As(person.access).post("/events", EVENT, idempotency_key="k").json() for person in (olivia(), oscar())]
    again = As(olivia().access).post("/events", EVENT, idempotency_key="k").json()
    assert made[0]["eventId"] != made[1]["eventId"]
    assert again == made[0]


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/redoc", "/schema", "/events"])
def test_what_needs_no_sign_in(path: str) -> None:
    assert As(None).get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/events", "/events/nothing", "/users", "/events/nothing/registrations", "/docs", "/redoc", "/schema"]
)
def test_options_tell_everybody_what_there_is(path: str) -> None:
    answer = As(None).call("OPTIONS", path)
    assert answer.status_code == 200
    assert {"GET", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))
