"""Several servers, many clients, one event: after every race the tables add up."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from eventsite import clock
from tests.api import Api
from tests.registrations.auditing import audit, stored
from tests.servers import Remote, serving
from users.models import User

pytestmark = pytest.mark.torn

SERVERS, CLIENTS = 3, 24


@pytest.fixture(scope="module")
def remote(engine: str) -> Iterator[Remote]:
    """The service, as several processes."""
    with serving(SERVERS) as clients:
        yield clients


def crowd(count: int) -> list[str]:
    """Put a number of users straight into the table."""
    names = [f"guest-{number:04}" for number in range(count)]
    with User.batch_write() as users:
        for name in names:
            users.save(User(name, name=name, created_at=clock.now()))
    return names


@pytest.mark.parametrize(
    ("users", "seats", "clients"), [(120, 20, CLIENTS), pytest.param(600, 100, 48, marks=pytest.mark.slow)]
)
def test_few_seats_for_many_users_are_all_taken_and_everybody_else_has_one_place_in_the_queue(
    users: int, seats: int, clients: int, api: Api, remote: Remote
) -> None:
    event, guests = api.event(capacity=seats), crowd(users)
    replies = remote.at_once([partial(remote.register, event, guest) for guest in guests], clients=clients)
    assert Counter(reply.word for reply in replies) == {"registered": seats, "waitlisted": users - seats}
    assert audit(event) == []
    places = {reply.document["userId"]: reply.document["waitlistPosition"] for reply in replies}
    queue = stored(event).having("waitlisted")
    assert [places[guest] for guest in queue] == list(range(1, users - seats + 1))


def test_without_a_waitlist_the_others_are_refused(api: Api, remote: Remote) -> None:
    event, guests = api.event(capacity=20, waitlistEnabled=False), crowd(100)
    replies = remote.at_once([partial(remote.register, event, guest) for guest in guests], clients=CLIENTS)
    assert Counter(reply.word for reply in replies) == {"registered": 20, "event_full": 80}
    assert audit(event) == []


def test_twenty_leave_while_twenty_join(api: Api, remote: Remote) -> None:
    event, guests = api.event(capacity=20), crowd(60)
    for guest in guests[:40]:
        api.register(event, guest)
    leaving, joining = guests[:20], guests[40:]
    calls = [
        call
        for one, other in zip(leaving, joining, strict=True)
        for call in (partial(remote.leave, event, one), partial(remote.register, event, other))
    ]
    replies = remote.at_once(calls, clients=CLIENTS)
    assert Counter(reply.word for reply in replies) == {"200": 20, "waitlisted": 20}
    assert audit(event) == []
    promoted = [reply.document["promotedUser"] for reply in replies[::2]]
    assert sorted(promoted) == guests[20:40]
    assert stored(event).having("registered") == tuple(guests[20:40])
    assert set(stored(event).having("waitlisted")) == set(joining)


def test_one_user_asking_twenty_times_gets_one_seat(api: Api, remote: Remote) -> None:
    event, guest = api.event(capacity=5), api.user()
    replies = remote.at_once([partial(remote.register, event, guest)] * 20, clients=20)
    assert Counter(reply.word for reply in replies) == {"registered": 1, "already_registered": 19}
    assert audit(event) == []


def test_one_request_sent_twenty_times_has_one_answer(api: Api, remote: Remote) -> None:
    event, guest = api.event(capacity=1, waitlistEnabled=False), api.user()
    path = f"/events/{event}/registrations"
    call = partial(remote.call, "POST", path, {"userId": guest}, idempotency_key="once")
    replies = remote.at_once([call] * 20, clients=20)
    assert [reply.status for reply in replies] == [201] * 20
    assert all(reply == replies[0] for reply in replies)
    assert audit(event) == []


def test_resizing_while_people_come_and_go(api: Api, remote: Remote) -> None:
    event, guests = api.event(capacity=10), crowd(90)
    for guest in guests[:40]:
        api.register(event, guest)
    calls = []
    for number in range(30):
        calls += [partial(remote.leave, event, guests[number]), partial(remote.register, event, guests[40 + number])]
        if number % 3 == 0:
            calls.append(partial(remote.resize, event, (5, 25, 12, 40, 1)[number // 3 % 5]))
    replies = remote.at_once(calls, clients=CLIENTS)
    assert {reply.word for reply in replies} <= {"200", "registered", "waitlisted", "published"}
    assert audit(event, shrunk=True) == []
    assert len(stored(event).having("cancelled")) == 30
    remote.resize(event, 200)
    assert len(stored(event).having("registered")) == 40
    assert audit(event) == []


def test_an_event_is_deleted_while_people_register(api: Api, remote: Remote) -> None:
    for attempt in range(10):
        event, guests = api.event(capacity=3), crowd(8)
        calls = [partial(remote.register, event, guest) for guest in guests]
        calls.insert(attempt % 4, partial(remote.call, "DELETE", f"/events/{event}"))
        deleted, *joined = sorted(remote.at_once(calls, clients=9), key=lambda reply: reply.status not in (204, 409))
        assert deleted.word in ("204", "event_has_registrations")
        expected = {"event_not_found"} if deleted.status == 204 else {"registered", "waitlisted"}
        assert {reply.word for reply in joined} == expected
        assert audit(event) == []
