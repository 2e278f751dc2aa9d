"""Lists of events: filtered, in order, page by page, each event once."""

import multiprocessing
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import listing, services, whole
from events.models import STATUSES, EventItem
from eventsite.dynamodb.client import Client, Wire
from tests.api import EVENT, Api, next_page, problem
from tests.children import SECONDS

DAYS = [f"2083-0{month}-0{day}" for month in (1, 2) for day in (1, 2, 3)]
STOCKS = st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(DAYS)), max_size=14)


def stock(events: list[tuple[str, str]], organizer_id: str | None = None) -> list[dict[str, Any]]:
    """Make the table hold exactly these events (status and date), and return them in the order of lists."""
    with EventItem.batch_write() as batch:
        for half in list(EventItem.scan()):
            batch.delete(half)
    with EventItem.batch_write() as batch:
        for number, (status, day) in enumerate(events):
            fields = EVENT | {"status": status, "date": day, "event_id": f"e-{number * 7 % 11:02}-{number}"}
            for half in services.compose(fields, organizer_id):
                batch.save(half)
    listed = [
        {"eventId": f"e-{number * 7 % 11:02}-{number}", "status": status, "date": day}
        for number, (status, day) in enumerate(events)
    ]
    return sorted(listed, key=lambda event: (event["date"], event["eventId"]))


def brief(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: event[name] for name in ("eventId", "status", "date")} for event in events]


@given(events=STOCKS, statuses=st.sets(st.sampled_from(STATUSES), min_size=1), comma=st.booleans())
def test_a_status_filter_returns_exactly_the_matching_events(
    api: Api, events: list[tuple[str, str]], statuses: set[str], comma: bool
) -> None:
    stocked = stock(events)
    pairs = [("status", ",".join(statuses).upper())] if comma else [("status", status) for status in statuses]
    answer = api.get(f"/events?{urlencode(pairs)}")
    assert brief(answer.json()) == [event for event in stocked if event["status"] in statuses]


@given(
    events=STOCKS,
    limit=st.integers(1, 5),
    order=st.sampled_from(["asc", "desc"]),
    bounds=st.tuples(st.none() | st.sampled_from(DAYS), st.none() | st.sampled_from(DAYS)),
    statuses=st.none() | st.sets(st.sampled_from(STATUSES), min_size=1),
)
def test_cursors_give_every_event_once_and_in_order(
    api: Api,
    events: list[tuple[str, str]],
    limit: int,
    order: str,
    bounds: tuple[str | None, str | None],
    statuses: set[str] | None,
) -> None:
    stocked = stock(events)
    first, last = bounds
    query = {"limit": str(limit), "order": order}
    query |= {"from": first} if first else {}
    query |= {"to": last} if last else {}
    query |= {"status": ",".join(statuses)} if statuses else {}
    wanted = [event for event in stocked if (first or "0") <= event["date"] <= (last or "9")]
    wanted = [event for event in wanted if statuses is None or event["status"] in statuses]
    found = brief(api.walk(f"/events?{urlencode(query)}"))
    assert found == (wanted if order == "asc" else wanted[::-1])


def test_the_last_page_has_no_link_even_when_it_is_full(api: Api) -> None:
    stock([("active", "2083-01-01")] * 4)
    first = api.get("/events?limit=2")
    assert (len(first.json()), bool(next_page(first))) == (2, True)
    second = api.get(next_page(first))
    assert (len(second.json()), "Link" in second.headers) == (2, False)


def test_events_made_or_moved_behind_the_cursor_are_not_seen_twice(api: Api) -> None:
    stock([("active", day) for day in DAYS])
    first = api.get("/events?limit=3")
    api.event(eventId="early", date="2026-01-01")
    api.patch("/events/" + first.json()[0]["eventId"], {"status": "completed"})
    rest = api.walk(next_page(first))
    assert [event["date"] for event in first.json() + rest] == DAYS


def test_an_organizers_events_are_listed_by_status_and_date(api: Api) -> None:
    stocked = stock([("draft", "2083-01-02"), ("active", "2083-01-03"), ("active", "2083-01-01")], "olga")
    api.event(eventId="somebody-elses")
    assert brief(api.get("/events?organizerId=olga").json()) == stocked
    assert brief(api.get("/events?organizerId=olga&status=active").json()) == [stocked[0], stocked[2]]
    assert api.get("/events?organizerId=nobody").json() == []


def test_a_forked_process_lists_over_connections_of_its_own(api: Api) -> None:
    event = api.event()
    api.get("/events")  # which leaves a connection for each stream
    forking = multiprocessing.get_context("fork")
    listed = forking.Queue()
    child = forking.Process(target=lambda: listed.put([event["eventId"] for event in Api().get("/events").json()]))
    child.start()
    assert listed.get(timeout=SECONDS) == [event]
    child.join(SECONDS)
    assert child.exitcode == 0


def test_an_index_that_lags_shows_no_event_where_it_is_not_any_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The descriptions of a page come from an index that lags, its seats from the table."""
    moved, closed, grown, gone, still = [api.event(title=title, status="active", capacity=1) for title in "abcde"]
    lagging = [event.serialize() for event in EventItem.by_status.query("active")]
    api.patch(f"/events/{moved}", {"date": "2084-01-01", "capacity": 2})
    api.patch(f"/events/{closed}", {"status": "completed"})
    api.patch(f"/events/{grown}", {"title": "Grown", "capacity": 9})
    api.delete(f"/events/{gone}")
    monkeypatch.setattr(listing, "query_pages", lambda *pages: [(lagging, None)] * len(pages))
    listed = {
        event["eventId"]: (event["title"], event["capacity"]) for event in api.get("/events?status=active").json()
    }
    assert listed == {grown: ("Grown", 9), still: ("e", 1)}


def test_an_event_that_is_too_new_for_eventually_consistent_reads_is_listed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place shows it. The rest is read again."""
    short, long = api.event(date="2083-01-05"), api.event(date="2083-01-01", endDate="2083-01-31")
    monkeypatch.setattr(whole, "batch_get", lambda *keys, **_: [None] * len(keys))
    assert [event["eventId"] for event in api.get("/events?from=2083-01-04").json()] == [long, short]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=open", "status"),
        ("status=active,open", "status"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=１０", "limit"),
        ("limit=1e2", "limit"),
        ("from=2024-02-30", "from"),
        ("to=2024-1-1", "to"),
        ("order=up", "order"),
        (f"organizerId={'x' * 3000}", "organizerId"),
        ("organizerId=%00", "organizerId"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, query: str, field: str) -> None:
    answer = api.get(f"/events?{quote(query, safe='=%,&')}")
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_all_wrong_parameters_are_named_at_once(api: Api) -> None:
    answer = api.get("/events?limit=0&from=x&to=y&order=z&status=w")
    assert {error["field"] for error in answer.json()["errors"]} == {"limit", "from", "to", "order", "status"}


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "%00", "%ff", "x" * 3999, "eyJhIjoxfQ:1aaaaa:bbbbbbbb", "🎉"])
def test_a_damaged_cursor_is_refused(api: Api, cursor: str) -> None:
    assert problem(api.get(f"/events?cursor={quote(cursor, safe='%')}"))[0] == 422


def test_a_cursor_belongs_to_the_query_it_came_from(api: Api) -> None:
    stock([("active", day) for day in DAYS])
    cursor = next_page(api.get("/events?limit=2&status=active")).partition("cursor=")[2]
    assert api.get(f"/events?status=active&limit=5&cursor={cursor}").status_code == 200
    for path in ("/events", "/events?status=draft", "/events?status=active&order=desc", "/users"):
        joint = "&" if "?" in path else "?"
        assert problem(api.get(f"{path}{joint}cursor={cursor}")) == (422, "invalid_cursor")
    assert problem(api.get(f"/events?status=active&cursor={cursor[:-1]}")) == (422, "invalid_cursor")


def test_all_streams_of_a_list_are_asked_before_the_first_one_answers(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in STATUSES:
        api.event(status=status)
    order: list[str] = []

    def noted(owner: type, name: str) -> None:
        original = getattr(owner, name)

        def note(*args: Any) -> Any:
            order.append(name)
            return original(*args)

        monkeypatch.setattr(owner, name, note)

    noted(Client, "_send")
    noted(Wire, "receive")
    assert len(api.get("/events").json()) == len(STATUSES)
    streams = len(STATUSES) + 1  # the admins' own list, of unlisted events, is among them
    assert order == ["_send"] * streams + ["receive"] * streams + ["_send", "receive"]  # the last call reads the seats
