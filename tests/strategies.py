"""Values for Hypothesis: what the contract allows in each field, and what it does not."""

import string
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from events.models import STATUSES
from eventsite.text.visible import SEEN
from eventsite.web.fields import time_zones

ID_CHARACTERS = string.ascii_letters + string.digits + "_-"


def texts(longest: int) -> st.SearchStrategy[str]:
    """Any Unicode text of 1 to `longest` characters, some of them visible."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\u202d\u202e")
    return st.text(characters, min_size=1, max_size=longest).filter(SEEN.search)


def ids() -> st.SearchStrategy[str]:
    """Ids as clients may choose them."""
    return st.text(ID_CHARACTERS, min_size=1, max_size=128)


def any_case(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One of the words, in any mix of upper and lower case."""
    return st.sampled_from(words).flatmap(
        lambda word: st.lists(st.booleans(), min_size=len(word), max_size=len(word)).map(
            lambda upper: "".join(c.upper() if up else c for c, up in zip(word, upper, strict=True))
        )
    )


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": texts(200),
    "description": texts(2000),
    "date": st.dates(min_value=date(1, 1, 1)).map(date.isoformat),
    "location": texts(200),
    "capacity": st.integers(0, 100_000),
    "organizer": texts(200),
    "status": any_case(STATUSES),
}
SWITCHES = {"waitlistEnabled": st.booleans()}


def clock_times() -> st.SearchStrategy[str]:
    """Times of day as HH:MM."""
    return st.times().map(lambda time: f"{time:%H:%M}")


def times() -> st.SearchStrategy[dict[str, Any]]:
    """The times of an event: all of them, all but the end, or none."""
    zones = st.sampled_from(sorted(time_zones()))
    both = st.fixed_dictionaries(
        {"startTime": clock_times(), "timeZone": zones}, optional={"endTime": clock_times() | st.none()}
    )
    return both | st.just({"startTime": None, "endTime": None, "timeZone": None}) | st.just({})


def moments() -> st.SearchStrategy[str]:
    """Moments as events keep them, in UTC to the second."""
    return st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(
        lambda moment: moment.replace(microsecond=0).isoformat() + "Z"
    )


WINDOW: dict[str, st.SearchStrategy[Any]] = {
    "endDate": st.dates(min_value=date(1, 1, 1)).map(date.isoformat) | st.none(),
    "registrationOpensAt": moments() | st.none(),
    "registrationClosesAt": moments() | st.none(),
}


def is_possible(event: dict[str, Any]) -> bool:
    """Whether an event may take place at its times, and people may sign up in its window."""
    if (event.get("endDate") or event["date"]) < event["date"]:
        return False
    opens, closes = event.get("registrationOpensAt"), event.get("registrationClosesAt")
    if opens and closes and closes <= opens:
        return False
    start, end, zone = (event.get(name) for name in ("startTime", "endTime", "timeZone"))
    if not (start and zone):
        return True
    if end and end < start and event.get("endDate") == event["date"]:
        return False
    last = date.fromisoformat(event.get("endDate") or event["date"])
    if end and end < start and not event.get("endDate") and last < date.max:
        last += timedelta(days=1)
    hours = [(date.fromisoformat(event["date"]), start), *([(last, end)] if end else [])]
    return all(is_shown(datetime.combine(day, time.fromisoformat(hour)), ZoneInfo(zone)) for day, hour in hours)


def is_shown(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks ever show a time: there and back again it is the same."""
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
    except OverflowError:
        return True


# Null is none of them: it counts as not sent.
NOT_JSON_TEXTS: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=3)),
    st.just({}),
)
BLANK = st.text(" \t\r\n\u3000", max_size=5)
SURROGATES = st.characters(categories=["Cs"])


def wrong_texts(longest: int) -> st.SearchStrategy[Any]:
    """Values that no text field takes. Some refuse blank text too."""
    too_long = st.integers(longest + 1, longest + 50).map(lambda size: "x" * size)
    return NOT_JSON_TEXTS | too_long | SURROGATES | st.just("a\0b")


WRONG_MOMENTS = st.sampled_from(
    [
        "",
        "now",
        "2083-01-31",
        "2083-01-31T10:00:00",
        "2083-01-31T10:00Z",
        "2083-02-30T10:00:00Z",
        "2083-01-31T24:00:00Z",
        "2083-01-31T23:59:60Z",
        "2083-01-31T10:00:00+1:00",
        "2083-01-31T10:00:00+24:00",
        "2083-01-31 10:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "２０27-01-31T10:00:00Z",
        "2083-01-31T10:00:00Z\n",
    ]
)
WRONG: dict[str, st.SearchStrategy[Any]] = {
    "title": wrong_texts(200) | BLANK,
    "description": wrong_texts(2000),
    "location": wrong_texts(200) | BLANK,
    "organizer": wrong_texts(200) | BLANK,
    "date": NOT_JSON_TEXTS
    | st.sampled_from(
        [
            "2024-02-30",
            "0000-00-00",
            "2024-1-1",
            "２０２４-01-01",
            "2024-01-01T00:00:00Z",
            "20240101",
            "2024-W01-1",
            "tomorrow",
            "",
            "2023-02-29",
            "2024-01-01\n",
        ]
    ),
    "capacity": st.one_of(
        st.booleans(),
        st.text(max_size=5),
        st.just("5"),
        st.just([]),
        st.just({}),
        st.integers(max_value=-1),
        st.integers(min_value=100_001),
        st.just(10**40),
        st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer()),
    ),
    "status": NOT_JSON_TEXTS | st.text(max_size=12).filter(lambda text: text.lower() not in STATUSES),
    "waitlistEnabled": st.sampled_from(["true", "yes", 0, 1, "", [], {}]),
    "hasWaitlist": st.sampled_from(["false", "no", 0, 1, "", [], {}]),
    "endDate": NOT_JSON_TEXTS | st.sampled_from(["2024-02-30", "2024-1-1", "", "2024-01-01T00:00:00Z"]),
    "registrationOpensAt": NOT_JSON_TEXTS | WRONG_MOMENTS,
    "registrationClosesAt": NOT_JSON_TEXTS | WRONG_MOMENTS,
    "eventId": NOT_JSON_TEXTS
    | st.sampled_from(["", " ", "a b", "a/b", "ü", "a\n", "#", "x" * 129, "x" * 3000, "..", "a%2Fb"]),
}


def events(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that create an event."""
    required = {name: values for name, values in FIELDS.items() if name not in fixed}
    bodies = st.fixed_dictionaries(required, optional=SWITCHES | WINDOW)
    return st.tuples(bodies, times()).map(lambda parts: parts[0] | parts[1] | fixed).filter(is_possible)


def changes() -> st.SearchStrategy[dict[str, Any]]:
    """Bodies that change at least one field of an event."""
    bodies = st.fixed_dictionaries({}, optional=FIELDS | SWITCHES | WINDOW)
    return st.tuples(bodies, times()).map(lambda parts: parts[0] | parts[1]).filter(bool)
