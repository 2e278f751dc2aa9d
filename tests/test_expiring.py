"""No test and no example stops working on some day, because its event is over then."""

import re
from datetime import date

import pytest

from tests.api import EVENT
from tests.tour import ROOT

YEARS = 10  # an example that is nearer than this will be over before anyone looks at it again
EXAMPLES = ("README.md", "docs/clients.md", "docs/coming-from.md", "events/schema.py")
DAY = re.compile(r'"?date"?: "(\d{4})-\d\d-\d\d"')


@pytest.fixture(autouse=True)
def tables() -> None:
    """Make no tables: these tests only read files."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_events_of_examples_are_far_away(name: str) -> None:
    years = [int(year) for year in DAY.findall((ROOT / name).read_text())]
    assert years and min(years) > date.today().year + YEARS


def test_the_event_of_the_tests_is_far_away() -> None:
    assert date.fromisoformat(str(EVENT["date"])).year > date.today().year + YEARS
