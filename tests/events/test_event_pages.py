"""The list and the pages of events: moments with their zone, empty lists, and buttons that can be used."""

from datetime import datetime
from unittest.mock import patch

import pytest

from events.browsable.wording import CLOSED, NOT_OPEN, OPEN, sign_up
from eventsite import clock
from eventsite.text import humanize
from tests.api import Api
from tests.pages import Browser, Page
from tests.signing_in import As, adam, alice, olivia, oscar


@pytest.fixture
def organizer(cognito: None) -> Browser:
    return Browser(token=olivia().access)


def text(page: Page) -> str:
    return " ".join(page.text.split())


@pytest.mark.parametrize(
    ("zone", "shown"),
    [({}, "2082, 10:00 UTC"), ({"startTime": "19:00", "timeZone": "Europe/Berlin"}, "2082, 11:00 (in")],
)
def test_a_moment_of_another_year_and_without_a_zone_is_clear(api: Api, zone: dict[str, str], shown: str) -> None:
    event = api.event(registrationOpensAt="2082-12-01T10:00:00Z", **zone)
    for path in (f"/events/{event}", "/events"):
        assert f"Opens Tue 1 Dec {shown}".removesuffix(" (in") in text(Browser().open(path))
    assert f"Opens Tue 1 Dec {shown}" in text(Browser().open(f"/events/{event}"))


def test_a_moment_of_this_year_has_no_year() -> None:
    now = datetime.fromisoformat("2026-11-30T12:00:00Z")
    assert humanize.local_moment("2026-12-04T10:00:00Z", None, now) == "Fri 4 Dec, 10:00 UTC"
    assert humanize.wait(20_454 * humanize.DAY) == "in 20,454 days"


def test_an_empty_list_is_that_of_its_tab(organizer: Browser) -> None:
    sentences = {
        "": "No upcoming events.",
        "?when=past": "No past events.",
        "?organizerId=me": "You have no events yet.",
        "?status=draft": "There are no drafts.",
        "?q=zzz": "No event matches.",
        "?when=week": "No event matches.",
        "?organizerId=me&when=week": "No event matches.",
        "?status=cancelled": "No event matches.",
    }
    for query, sentence in sentences.items():
        assert sentence in organizer.open(f"/events{query}").text, query


def test_the_filters_are_folded_unless_one_is_chosen(organizer: Browser) -> None:
    tabs = ("", "?organizerId=me", "?status=draft", "?when=past")
    for query in (*tabs, "?from=2083-01-01"):
        page = organizer.open(f"/events{query}")
        assert ('<details class="filters" open>' in page.html) is (query not in tabs), query
        assert ("Show all upcoming events" in page.links) is (query not in tabs), query


def test_a_search_stays_among_the_own_events(organizer: Browser) -> None:
    As(oscar().access).event(title="Oscar's choir")
    As(olivia().access).event(title="Choir")
    page = organizer.open("/events?organizerId=me")
    page = organizer.send(next(form for form in page.forms if "q" in form.fields), q="choir")
    assert "Choir" in page.links and "Oscar's choir" not in page.links


def test_the_own_events_begin_with_the_latest(organizer: Browser) -> None:
    for day in ("2020-01-01", "2083-01-01"):
        As(olivia().access).event(title=f"On {day}", date=day)
    page = organizer.open("/events?organizerId=me")
    assert [label for label in page.links if label.startswith("On ")] == ["On 2083-01-01", "On 2020-01-01"]


def test_a_past_event_is_not_cancelled(organizer: Browser) -> None:
    event = As(olivia().access).event()
    assert "Cancel event" in organizer.open(f"/events/{event}").text
    As(olivia().access).patch(f"/events/{event}", {"date": "2020-01-01"})
    page = organizer.open(f"/events/{event}")
    assert "Cancel event" not in page.text and "Duplicate" in page.text


def test_a_co_organizer_has_no_button_to_delete_the_event(organizer: Browser) -> None:
    oscars = As(oscar().access)
    event = oscars.event(unlisted=True)
    oscars.patch(f"/events/{event}", {"organizers": [olivia().sub]})
    owners = Browser(token=oscar().access)
    page = owners.open(f"/events/{event}")
    delete = next(form for form in page.forms if "Delete" in form.buttons)
    assert "Unlisted" in page.text.partition("Edit")[0]
    page = organizer.open(f"/events/{event}")
    assert "Save" in page.text and "Delete" not in page.text
    page = organizer.send(delete)
    assert page.status == 403 and "cannot be undone" not in page.text
    assert "cannot be undone" in owners.send(delete).text


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"endDate": "2083-03-01"}, {"endDate": "The last day cannot be before the first one."}),
        (
            {"registrationOpensAt": "2083-01-01T10:00", "registrationClosesAt": "2082-01-01T10:00"},
            {"registrationClosesAt": "Sign-up has to close after it opens."},
        ),
        (
            {"registrationOpensAt": "2083-03-28T02:30", "startTime": "19:00", "timeZone": "Europe/Berlin"},
            {
                "registrationOpensAt": "Clocks go forward and skip this time: "
                "there is no 02:30 on 2083-03-28 in Europe/Berlin."
            },
        ),
        ({"date": "2083-02-30"}, {"date": "Choose a date."}),
        ({"date": ""}, {"date": "Choose a date."}),
        ({"capacity": "many"}, {"capacity": "Enter a number."}),
        ({"startTime": "19:00"}, {"timeZone": "Enter a start time and a time zone."}),
        ({"title": ""}, {"title": "Please fill this in."}),
    ],
)
def test_a_wrong_value_is_explained_by_its_reason(api: Api, typed: dict[str, str], errors: dict[str, str]) -> None:
    browser = Browser()
    filled = {"title": "Party", "date": "2083-04-01", "location": "Garden", "capacity": "2", "organizer": "Club"}
    page = browser.send(browser.open("/events").form("POST"), **(filled | typed))
    assert page.form("POST").errors == errors


def test_a_draft_is_seen_by_more_than_one(organizer: Browser) -> None:
    oscars = As(oscar().access)
    event = oscars.event(status="draft")
    oscars.patch(f"/events/{event}", {"organizers": [olivia().sub]})
    sentence = "Only its organizers and admins see this draft."
    assert sentence in organizer.open(f"/events/{event}").text
    assert sentence in Browser(token=adam().access).open(f"/events/{event}").text
    assert Browser(token=alice().access).open(f"/events/{event}").status == 404


def test_a_number_out_of_range_is_refused_by_the_browser(api: Api) -> None:
    page = Browser().open("/events")
    filters = page.html.partition('class="filters"')[2].partition("<form")[2].partition(">")[0]
    assert "novalidate" not in filters
    assert "Earliest first" in page.text
    assert Browser().open("/nope").text.count("There is nothing here") == 2  # the title and the heading


def test_an_event_that_was_deleted_meanwhile_does_not_exist_any_more(api: Api) -> None:
    event, browser = api.event(), Browser()
    form = browser.open(f"/events/{event}").form("PUT")
    api.delete(f"/events/{event}")
    page = browser.send(form, title="Summer party")
    assert "This event does not exist any more." in page.text and page.form("PUT").fields["title"] == "Summer party"


def test_a_lost_page_of_a_list_is_no_cursor(api: Api) -> None:
    page = Browser().open("/events?cursor=x")
    assert "Start again from its beginning." in page.text and "cursor" not in page.text


@pytest.mark.parametrize(
    ("now", "state"), [("09:59:59.999999", NOT_OPEN), ("10:00:00.000000", OPEN), ("10:00:00.400000", OPEN)]
)
def test_sign_up_opens_and_closes_at_the_very_second(now: str, state: str) -> None:
    event = {"status": "published", "date": "2083-04-01", "capacity": 1, "registeredCount": 0, "waitlistCount": 0}
    with patch.object(clock, "now", lambda: f"2083-01-01T{now}Z"):
        assert sign_up(event | {"registrationOpensAt": "2083-01-01T10:00:00Z"}) == state
        closed = OPEN if state == NOT_OPEN else CLOSED
        assert sign_up(event | {"registrationClosesAt": "2083-01-01T10:00:00Z"}) == closed


@pytest.mark.parametrize("sought", ["fete", "FÊTE", "dete", "d’été", "malmo"])
def test_an_event_is_found_without_accents(api: Api, sought: str) -> None:
    api.event(title="Fête d’été", location="Malmö")
    api.event(title="Other")
    page = Browser().open(f"/events?q={sought}")
    assert "Fête d’été" in page.links and "Other" not in page.links
