"""`?expand=user`: who the people of an event are, for those who may see its lists."""

import pytest

from tests.api import Api, problem
from tests.metering import Meter
from tests.signing_in import As, adam, olivia, oscar
from users.models import User


def test_entries_say_who_it_is_only_when_asked(api: Api) -> None:
    event = api.event(capacity=1)
    for name in ("Alice", "Bob"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name}@example.com"})
        api.register(event, name.lower())
    plain = api.get(f"/events/{event}/registrations").json()
    assert all("user" not in entry for entry in plain)
    people = [{"userId": name.lower(), "name": name, "email": f"{name}@example.com"} for name in ("Alice", "Bob")]
    expanded = api.get(f"/events/{event}/registrations?expand=user").json()
    assert expanded == [entry | {"user": person} for entry, person in zip(plain, people, strict=True)]
    assert api.get(f"/events/{event}/waitlist?expand=user").json() == expanded[1:]


def test_every_page_is_expanded(api: Api) -> None:
    event, users = api.event(capacity=9), api.users(5)
    for user in users:
        api.register(event, user)
    found = api.walk(f"/events/{event}/registrations?expand=user&limit=2")
    assert [entry["user"]["userId"] for entry in found] == users


def test_somebody_who_is_gone_has_no_name(api: Api) -> None:
    event, user = api.event(), api.user()
    api.register(event, user)
    User(user).delete()
    (entry,) = api.get(f"/events/{event}/registrations?expand=user").json()
    assert entry["user"] == {"userId": user, "name": None, "email": None}


@pytest.mark.parametrize("asked", ["event", "user,event", "USERS"])
def test_nothing_else_can_be_expanded(api: Api, asked: str) -> None:
    assert problem(api.get(f"/events/{api.event()}/waitlist?expand={asked}")) == (422, "validation_error")


def test_names_cost_one_read_more(api: Api, meter: Meter) -> None:
    event = api.event(capacity=20)
    for user in api.users(20):
        api.register(event, user)
    meter.reset()
    api.get(f"/events/{event}/registrations")
    calls = len(meter.calls)
    meter.reset()
    assert len(api.get(f"/events/{event}/registrations?expand=user").json()) == 20
    assert len(meter.calls) == calls + 1


@pytest.mark.usefixtures("cognito")
def test_only_the_organizer_and_admins_see_addresses() -> None:
    admin, organizer, other = As(adam().access), As(oscar().access), As(olivia().access)
    event = organizer.event()
    admin.post("/users", {"userId": "alice", "name": "Alice", "email": "alice@example.com"})
    admin.register(event, "alice")
    for path in ("registrations", "waitlist"):
        assert problem(other.get(f"/events/{event}/{path}?expand=user")) == (403, "permission_denied")
        assert problem(As(None).get(f"/events/{event}/{path}?expand=user")) == (401, "not_authenticated")
    for who in (admin, organizer):
        (entry,) = who.get(f"/events/{event}/registrations?expand=user").json()
        assert entry["user"]["email"] == "alice@example.com"
