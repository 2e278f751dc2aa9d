"""An event's registrations and waitlist as CSV: RFC 4180, whole, and harmless in a spreadsheet."""

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsite.web import collect_pages, sheets
from tests.api import Api, next_page, problem
from tests.signing_in import As, oscar

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The first characters of a cell that may be executed."""
HEADER = (
    "registrationId,eventId,userId,name,email,status,registeredAt,promotedAt,cancelledAt,waitlistPosition,checkedInAt"
)


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


@pytest.fixture
def party(api: Api) -> str:
    """An event with one seat, which alice has. Bob waits."""
    event = api.event(eventId="party", capacity=1)
    for name in ("Alice", "Bob"):
        api.post("/users", {"userId": name.lower(), "name": name, "email": f"{name}@example.com"})
        api.register(event, name.lower())
    return event


@pytest.mark.parametrize("asking", [{"path": "?format=csv"}, {"path": "", "accept": "text/csv"}])
def test_each_registration_is_a_line(api: Api, party: str, asking: dict[str, str]) -> None:
    headers = {name: value for name, value in asking.items() if name != "path"}
    answer = api.get(f"/events/{party}/registrations{asking['path']}", **headers)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="party-registrations.csv"'
    lines = answer.content.decode().split("\r\n")
    assert (lines[0], len(lines), lines[-1]) == (HEADER, 4, "")
    as_json = api.get(f"/events/{party}/registrations?expand=user").json()
    flat = [{**entry, **entry["user"]} for entry in as_json]
    reported = [{name: "" if entry[name] is None else str(entry[name]) for name in HEADER.split(",")} for entry in flat]
    assert rows(answer) == reported


def test_the_waitlist_is_a_sheet_too(api: Api, party: str) -> None:
    answer = api.get(f"/events/{party}/waitlist?format=csv")
    (bob,) = rows(answer)
    assert (bob["userId"], bob["name"], bob["waitlistPosition"]) == ("bob", "Bob", "1")
    assert "party-waitlist.csv" in answer.headers["Content-Disposition"]


def test_a_filter_applies_to_the_sheet(api: Api, party: str) -> None:
    assert [row["userId"] for row in rows(api.get(f"/events/{party}/registrations?format=csv&status=registered"))] == [
        "alice"
    ]


def test_a_mark_for_spreadsheets_is_there_on_request(api: Api, party: str) -> None:
    path = f"/events/{party}/registrations?format=csv"
    assert api.get(f"{path}&bom=true").content == b"\xef\xbb\xbf" + api.get(path).content
    assert problem(api.get(f"{path}&bom=perhaps")) == (422, "validation_error")


def test_the_separator_is_a_choice(api: Api, party: str) -> None:
    path = f"/events/{party}/registrations?format=csv"
    with_commas, with_semicolons = (
        list(csv.reader(io.StringIO(api.get(f"{path}&separator={asked}").content.decode()), delimiter=sign))
        for asked, sign in (("%2C", ","), ("%3B", ";"))
    )
    assert with_commas == with_semicolons == list(csv.reader(io.StringIO(api.get(path).content.decode())))


@pytest.mark.parametrize("asked", ["%09", "%7C", ",,", ",%3B", "a", "comma"])
def test_another_separator_is_refused(api: Api, party: str, asked: str) -> None:
    answer = api.get(f"/events/{party}/registrations?format=csv&separator={asked}")
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == ["separator"]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", '=HYPERLINK("http://x","y")']
)
def test_no_cell_is_a_formula(api: Api, name: str) -> None:
    api.post("/users", {"userId": "-mallory", "name": name})
    api.register(api.event(eventId="party"), "-mallory")
    (row,) = rows(api.get("/events/party/registrations?format=csv"))
    behind_breaks = re.sub(r"^([\t\r\n])", r"\1'", name)
    assert (row["name"], row["userId"]) == (f"'{behind_breaks}", "'-mallory")


@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_sheet_holds_the_text_that_was_sent(cells: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(sheets.lines([cells]).decode(), newline=""))
    assert list(map(sheets.unmarked, read)) == cells
    assert not any(cell.startswith(FORMULA) for cell in read)


LIKE_A_FORMULA = st.text(st.sampled_from("=+-@'\" \t\r\n;,|\u00a0\u2028\uff1da1"))


@given(cell=LIKE_A_FORMULA)
def test_no_part_of_a_cell_is_a_formula_wherever_a_spreadsheet_cuts_it(cell: str) -> None:
    marked = sheets.marked(cell)
    assert sheets.unmarked(marked) == cell
    for part in re.split(r"[;,|\t\r\n\u2028]", marked):
        assert not re.match(r"""["\s]*[=+\-@\uff1d]""", part), (cell, marked)


@pytest.mark.parametrize("cell", ["x;=1+1", "x\n=1+1", "x\t=1+1", "x,@SUM(A1)", "\u00a0=1", 'x;"=1', "a; -1"])
def test_the_start_of_another_cell_is_marked_too(cell: str) -> None:
    assert "'" in sheets.marked(cell)


@pytest.mark.parametrize("cell", ["2083-04-01", "a-b", "a=b", "it's", "a, b; c", "x@example.org", "18:00+02:00"])
def test_a_text_that_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert sheets.marked(cell) == cell


@pytest.mark.parametrize("cell", ["'@home", "''=1", "x;'=1", "'", "'home"])
def test_only_our_own_mark_is_taken_off(cell: str) -> None:
    assert sheets.unmarked(sheets.marked(cell)) == cell


@pytest.fixture
def crowd(api: Api) -> list[str]:
    """Who is registered for the party, and then who waits."""
    api.event(eventId="party", capacity=5)
    users = api.users(12)
    for user in users:
        api.register("party", user)
    return users


def test_all_pages_are_in_one_sheet(api: Api, crowd: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registrations.views.MAX_LIMIT", 5)
    answer = api.get("/events/party/registrations?format=csv")
    assert [row["userId"] for row in rows(answer)] == crowd
    assert [row["waitlistPosition"] for row in rows(answer)] == [""] * 5 + list("1234567")
    assert "Link" not in answer.headers


def test_a_limit_is_heeded_and_the_link_leads_on(api: Api, crowd: list[str]) -> None:
    answer = api.get("/events/party/registrations?format=csv&limit=7")
    rest = api.get(next_page(answer))
    assert [row["userId"] for page in (answer, rest) for row in rows(page)] == crowd
    assert "Link" not in rest.headers


@pytest.mark.parametrize("page", [2, 1000], ids=["several pages", "a page that is too long"])
def test_what_one_answer_cannot_hold_is_behind_the_link(
    api: Api, crowd: list[str], monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("registrations.views.MAX_LIMIT", page)
    monkeypatch.setattr(collect_pages, "MAX_BYTES", 1000)
    path, found = "/events/party/registrations?format=csv", []
    while path:
        answer = api.get(path)
        assert len(answer.content) < 1100
        found += [row["userId"] for row in rows(answer)]
        path = next_page(answer)
    assert found == crowd


def test_a_sheet_ends_where_the_time_does(api: Api, crowd: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registrations.views.MAX_LIMIT", 5)
    monkeypatch.setattr(collect_pages, "RESERVED_SECONDS", 1000.0)
    answer = api.get("/events/party/registrations?format=csv")
    assert [row["userId"] for row in rows(answer)] == crowd[:5]
    assert next_page(answer)


def test_nobody_is_a_sheet_of_a_header(api: Api) -> None:
    assert api.get(f"/events/{api.event()}/waitlist?format=csv").content.decode() == f"{HEADER}\r\n"


@pytest.mark.parametrize("path", ["/events/nothing/registrations", "/events/nothing/waitlist"])
def test_what_goes_wrong_is_a_problem_document(api: Api, path: str) -> None:
    assert problem(api.get(path, accept="text/csv")) == (404, "event_not_found")
    assert problem(api.get(f"{path}?format=csv&limit=0")) == (422, "validation_error")


@pytest.mark.parametrize("path", ["/events", "/users", "/events/party/registrations/alice", "/"])
def test_nothing_else_is_a_sheet(api: Api, path: str) -> None:
    assert problem(api.get(f"{path}?format=csv")) == (406, "not_acceptable")
    assert problem(api.get(path, accept="text/csv")) == (406, "not_acceptable")


@pytest.mark.usefixtures("cognito")
def test_a_sheet_is_for_the_organizer_alone() -> None:
    event = As(oscar().access).event()
    assert problem(As(None).get(f"/events/{event}/registrations?format=csv")) == (401, "not_authenticated")
    assert As(oscar().access).get(f"/events/{event}/registrations?format=csv").status_code == 200
