"""A cursor is good for its caller and its list, and can be read by no client."""

import itertools
from base64 import urlsafe_b64decode
from string import ascii_letters, digits
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import EVENT, next_page, problem
from tests.signing_in import As, adam, alice, olivia, oscar, person

pytestmark = pytest.mark.usefixtures("cognito")

DRAFT = "a-secret-draft"


def cursor_of(caller: As, path: str) -> str:
    link = next_page(caller.get(path))
    return parse_qs(urlsplit(link).query)["cursor"][0]


@pytest.fixture
def events() -> None:
    admin = As(adam().access)
    for event_id, day, status in ((DRAFT, "2083-01-01", "draft"), ("open", "2083-01-02", "active")):
        admin.post("/events", EVENT | {"eventId": event_id, "date": day, "status": status})


@pytest.mark.usefixtures("events")
def test_it_is_good_for_nobody_else() -> None:
    callers = [As(who and who.access) for who in (None, alice(), olivia(), oscar(), adam(), person("anna", "Admins"))]
    for giver, taker in itertools.permutations(callers, 2):
        if next_page(giver.get("/events?limit=1")):
            answer = taker.get(f"/events?limit=1&cursor={cursor_of(giver, '/events?limit=1')}")
            assert problem(answer) == (422, "invalid_cursor")
    admin = callers[4]
    again = admin.get(f"/events?limit=1&cursor={cursor_of(admin, '/events?limit=1')}")
    assert [event["eventId"] for event in again.json()] == ["open"]


JUNK = ["!!!!", "====", "=", "A", " ", "+", "/", "%00", "\n", "é", ".", "~"]


@pytest.mark.usefixtures("events")
@given(junk=st.sampled_from(JUNK) | st.text(max_size=4), place=st.integers(0, 400), replaces=st.booleans())
def test_it_is_good_only_as_it_was_given(junk: str, place: int, replaces: bool) -> None:
    admin = As(adam().access)
    cursor = cursor_of(admin, "/events?limit=1")
    place %= len(cursor) + 1
    changed = cursor[:place] + junk + cursor[place + len(junk) * replaces :]
    if changed != cursor:
        answer = admin.get(f"/events?{urlencode({'limit': 1, 'cursor': changed.encode(errors='replace')})}")
        assert answer.status_code == 422, changed


@pytest.mark.usefixtures("events")
def test_it_has_one_spelling() -> None:
    """The last character of base64 may carry bits that mean nothing. `+` and `/` are not in this alphabet."""
    admin = As(adam().access)
    cursor = cursor_of(admin, "/events?limit=1")
    last = [cursor[:-1] + other for other in ascii_letters + digits + "-_" if other != cursor[-1]]
    for changed in [*last, cursor.replace("-", "+"), cursor.replace("_", "/"), cursor + "==", cursor + "!" * 4]:
        if changed != cursor:
            answer = admin.get(f"/events?{urlencode({'limit': 1, 'cursor': changed})}")
            assert problem(answer) == (422, "invalid_cursor")


@pytest.mark.usefixtures("events")
def test_it_names_nothing() -> None:
    sealed = urlsafe_b64decode(cursor_of(As(adam().access), "/events?limit=1") + "==")
    for secret in (DRAFT, "2083", "draft"):
        assert secret.encode() not in sealed


def test_not_even_the_length_of_an_id_shows() -> None:
    lengths = set()
    for size in (1, 5, 20, 40):
        admin = As(adam().access)
        admin.post("/events", EVENT | {"eventId": "x" * size, "date": f"2083-01-{min(size, 28):02}"})
    admin.post("/events", EVENT | {"eventId": "last", "date": "2084-01-01"})
    path = "/events?limit=1"
    while path:
        answer = admin.get(path)
        path = next_page(answer)
        lengths |= {len(value) for value in parse_qs(urlsplit(path).query).get("cursor", [])}
    assert len(lengths) == 1


@pytest.mark.usefixtures("events")
def test_it_stays_the_same_while_the_page_does() -> None:
    admin = As(adam().access)
    assert cursor_of(admin, "/events?limit=1") == cursor_of(admin, "/events?limit=1")
