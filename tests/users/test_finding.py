"""Finding people: by the beginning of any of their names, and by their e-mail address."""

import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests import strategies
from tests.api import Api, problem
from tests.metering import Meter
from tests.registrations.interleaving import WRITE, right_before
from tests.signing_in import As, adam, alice, olivia
from users import index, services
from users.models import User

PEOPLE = {
    "ana": "Ana María García López",
    "bo": "Bo Garcia",
    "elise": "Élise O’Brien-Søndergaard",
    "gabor": "GÁBOR Straße",
    "star": "⭐",
}


@pytest.fixture
def people(api: Api) -> None:
    for user_id, name in PEOPLE.items():
        assert (
            api.post("/users", {"userId": user_id, "name": name, "email": f"{user_id}@example.com"}).status_code == 201
        )


def found(api: Api, name: str, **query: Any) -> list[str]:
    more = "".join(f"&{key}={value}" for key, value in query.items())
    return [user["userId"] for user in api.walk(f"/users?name={quote(name)}{more}")]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("sought", "ids"),
    [
        ("garcia", ["bo", "ana"]),
        ("GARCÍA L", ["ana"]),
        ("gar", ["bo", "ana"]),
        ("ga", ["gabor", "bo", "ana"]),
        ("mari", ["ana"]),
        ("ana maria", ["ana"]),
        ("obrien", ["elise"]),
        ("o'b", ["elise"]),
        ("sonder", ["elise"]),
        ("elise", ["elise"]),
        ("strasse", ["gabor"]),
        ("⭐", ["star"]),
        ("arcia", []),
        ("zoe", []),
    ],
)
def test_people_are_found_by_the_beginning_of_any_of_their_names(api: Api, sought: str, ids: list[str]) -> None:
    assert found(api, sought) == ids
    assert found(api, sought, limit=1) == ids


@pytest.mark.usefixtures("people")
def test_people_are_found_by_their_exact_address(api: Api) -> None:
    assert [user["userId"] for user in api.get("/users?email=BO@Example.com").json()] == ["bo"]
    assert api.get("/users?email=o@example.com").json() == []
    assert api.get("/users?email=bo@example.com&name=garcia").json()[0]["userId"] == "bo"
    assert api.get("/users?email=bo@example.com&name=lopez").json() == []


def test_several_people_may_share_an_address(api: Api) -> None:
    for name in ("ada", "bea"):
        api.post("/users", {"userId": name, "name": name, "email": "family@example.com"})
    assert [user["userId"] for user in api.get("/users?email=family@example.com").json()] == ["ada", "bea"]


@pytest.mark.parametrize(
    ("query", "field"), [("name=%20", "name"), (f"name={'x' * 201}", "name"), ("email=bo", "email")]
)
def test_what_no_one_can_be_called_is_refused(api: Api, query: str, field: str) -> None:
    answer = api.get(f"/users?{query}")
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.usefixtures("people")
def test_a_cursor_belongs_to_its_search(api: Api) -> None:
    link = api.get("/users?name=gar&limit=1").headers["Link"]
    cursor = link.partition("cursor=")[2].partition(">")[0]
    assert api.get(f"/users?name=gar&cursor={cursor}").status_code == 200
    assert problem(api.get(f"/users?name=gab&cursor={cursor}")) == (422, "invalid_cursor")


@pytest.mark.parametrize("others", [0, 400])
def test_finding_costs_what_its_page_costs(api: Api, meter: Meter, others: int) -> None:
    crowd = [
        User(f"crowd-{n:04}", name=f"Gabi {n} Crowd", created_at="2027-01-01T00:00:00.000000Z") for n in range(others)
    ]
    with User.batch_write() as users, index.Entry.batch_write() as entries:
        for user in crowd:
            users.save(user)
            for key in index.entries_of(user):
                entries.save(index.Entry(*key))
    for number in range(10):
        api.post("/users", {"name": f"Aaron {number} Wanted", "email": "wanted@example.com"})
    for query in ("name=aaron", "name=wanted", "email=wanted@example.com", "name=aaron&limit=5"):
        meter.reset()
        assert len(api.get(f"/users?{query}").json()) in (5, 10)
        assert (meter.calls, meter.units <= 7) == (["Query", "BatchGetItem"], True), (query, meter.units)


def test_the_later_of_two_edits_at_the_same_time_is_stored_and_found(api: Api) -> None:
    api.post("/users", {"userId": "ann", "name": "Ann"})
    with right_before(WRITE, lambda: api.put("/users/ann", {"name": "Bea"})):
        assert api.put("/users/ann", {"name": "Cleo"}).json()["name"] == "Cleo"
    assert [found(api, name) for name in ("Ann", "Bea", "Cleo")] == [[], [], ["ann"]]


def test_users_of_an_earlier_release_are_indexed_by_a_command(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    for user_id in ("ada", "bea"):
        User(user_id, name=f"{user_id} Old", email="old@example.com", created_at="2027-01-01T00:00:00.000000Z").save()
    assert found(api, "old") == []
    for _ in range(2):
        call_command("index_users")
        assert capsys.readouterr().out == "Indexed 2 users.\n"
        assert found(api, "old") == index.by_address("old@example.com") == ["ada", "bea"]


def test_a_user_without_a_name_is_reported_and_the_others_are_indexed(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    for user_id in ("ada", "bea", "cleo"):
        User(user_id, name="Old", created_at="2027-01-01T00:00:00.000000Z").save()
    User.named("bea").update([User.name.remove()])
    with pytest.raises(CommandError, match="1 user has no name") as failed:
        call_command("index_users")
    output = capsys.readouterr()
    assert (failed.value.returncode, output.out) == (1, "Indexed 2 users.\n")
    assert "bea" in output.err
    assert found(api, "old") == ["ada", "cleo"]


def plain(text: str) -> str:
    """The letters of a text, by another way than the index takes."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if c.isascii())


def everyone_called(sought: str, *, limit: int) -> list[str]:
    """The ids of all pages of a search."""
    ids, after = index.by_name(sought, limit=limit, after=None)
    while after is not None:
        more, after = index.by_name(sought, limit=limit, after=after)
        ids += more
    return ids


WORDS = st.sampled_from(["Ana", "Ánna", "anton", "Bo", "BORIS", "Zoë", "an"])
NAMES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
ADDRESSES = st.none() | st.sampled_from(["a@example.com", "A@example.com", "b@example.com"])


class Directory(RuleBasedStateMachine):
    """People come, are renamed and go: a search finds exactly those who are there, each once."""

    ids = Bundle("ids")

    @initialize()
    def start(self) -> None:
        for user in list(User.scan()):
            services.delete(user.user_id)
        self.there: dict[str, tuple[str, str | None]] = {}

    @rule(target=ids, name=NAMES, email=ADDRESSES)
    def create(self, name: str, email: str | None) -> str:
        user = services.create(name=name, email=email)
        self.there[user.user_id] = name, email
        return str(user.user_id)

    @rule(user_id=ids, name=st.none() | NAMES, email=ADDRESSES, changes_email=st.booleans())
    def edit(self, user_id: str, name: str | None, email: str | None, changes_email: bool) -> None:
        changes = ({"name": name} if name else {}) | ({"email": email} if changes_email else {}) | {"notify": False}
        if user_id in self.there:
            user = services.edit(user_id, changes)
            self.there[user_id] = user.name, user.email

    @rule(user_id=ids)
    def delete(self, user_id: str) -> None:
        if self.there.pop(user_id, None):
            services.delete(user_id)

    @invariant()
    def finds_exactly_those_who_are_there(self) -> None:
        for sought in ("an", "bo", "zoe", "anna"):
            wanted = {
                one
                for one, (name, _) in self.there.items()
                if any(plain(word).startswith(sought) for word in name.split())
            }
            ids = []
            after = None
            while True:
                page, after = index.by_name(sought, limit=2, after=after)
                ids += page
                if after is None:
                    break
            assert sorted(ids) == sorted(wanted)
        for address in ("a@example.com", "b@example.com"):
            wanted = {one for one, (_, email) in self.there.items() if email and email.lower() == address}
            assert set(index.by_address(address)) == wanted


FEW, MANY = settings(max_examples=3, stateful_step_count=15), settings(max_examples=30, stateful_step_count=40)


@pytest.mark.parametrize("size", [FEW, pytest.param(MANY, marks=pytest.mark.slow)], ids=["few", "many"])
def test_the_index_follows_whatever_happens_to_people(size: settings) -> None:
    run_state_machine_as_test(Directory, settings=size)


@example(name=" ".join("abcdefghijklmnop"))  # more names than are indexed
@given(name=strategies.texts(200))
def test_everyone_is_found_by_their_whole_name(api: Api, name: str) -> None:
    user = api.post("/users", {"name": name}).json()
    assert user["userId"] in everyone_called(name, limit=100)


@pytest.mark.usefixtures("cognito")
def test_admins_find_anyone_and_organizers_by_exact_address_only() -> None:
    services.create(name="Bo Garcia", email="bo@example.com", user_id="bo", email_verified=True)
    services.create(name="Mallory", email="bo@example.com", user_id="mallory")  # who did not follow the mailed link
    for query in ("name=bo", "email=bo@example.com", "limit=5"):
        assert As(adam().access).get(f"/users?{query}").status_code == 200
        assert problem(As(alice().access).get(f"/users?{query}")) == (403, "permission_denied")
        assert problem(As(None).get(f"/users?{query}")) == (401, "not_authenticated")
    organizer = As(olivia().access)
    assert organizer.get("/users?email=bo@example.com").json() == [
        {"userId": "bo", "name": "Bo Garcia", "email": "bo@example.com"}
    ]
    for query in ("name=bo", "limit=5", "email=bo@example.com&name=b"):
        assert problem(organizer.get(f"/users?{query}")) == (403, "permission_denied"), query


@pytest.mark.parametrize("query", ["q=zzz", "name=zzz", "email=zzz@example.org"])
def test_a_page_reports_that_no_one_matches_whichever_parameter_asked(api: Api, query: str) -> None:
    api.user()
    shown = api.get(f"/users?{query}", accept="text/html").content.decode()
    assert f"Nobody matches “{query.partition('=')[2]}”." in shown
