"""/docs works at the first click, and /redoc complains of nothing."""

from typing import Any

import pytest

from tests.api import Api
from tests.signing_in import olivia

WELL = {200, 201, 204, 404}


def execute_all(page: Any) -> dict[str, int]:
    """Press Execute in every unchanged form. Returns: the status of each answer."""
    page.wait_for_selector(".opblock")
    found = {}
    for block in page.locator(".opblock").all():
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        with page.expect_response(lambda answer: "/static/" not in answer.url) as answer:
            block.get_by_role("button", name="Execute").click()
        found[block.locator(".opblock-summary-control").inner_text().replace("\n", " ")] = answer.value.status
        block.locator(".opblock-summary-control").click()
    return found


def test_every_execute_of_an_unchanged_form_works(person: Any, api: Api) -> None:
    page = person().open("/docs")
    statuses = execute_all(page)
    assert len(statuses) > 20
    assert {call: status for call, status in statuses.items() if status not in WELL} == {}


def test_a_session_is_good_for_trying_things_out(signing_in: str, person: Any) -> None:
    organizer = person()
    organizer.open("/events")
    organizer.log_in("olivia", signing_in)
    page = organizer.open("/docs")
    page.wait_for_selector(".opblock")
    block = page.locator("#operations-events-createEvent")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/events") as answer:
        block.get_by_role("button", name="Execute").click()
    assert (answer.value.status, answer.value.json()["organizerId"]) == (201, olivia().sub)


def test_the_reference_asks_nobody_else(person: Any) -> None:
    reader = person()
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url))
    page = reader.open("/redoc")
    page.wait_for_selector("h1")
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((reader.service, "data:", "blob:"))] == []


@pytest.mark.parametrize(
    ("path", "title", "ready"),
    [("/docs", "API – eventsite", ".opblock"), ("/redoc", "Reference – eventsite", "h1")],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_readable_and_lead_back(person: Any, path: str, title: str, ready: str, scheme: str) -> None:
    reader = person(color_scheme=scheme)
    page = reader.open(path)
    page.wait_for_selector(ready)
    page.wait_for_load_state("networkidle")
    assert page.title() == title
    assert page.evaluate("[...document.images].filter(one => one.checkVisibility() && !one.naturalWidth).length") == 0
    assert [one for one in reader.violations() if one.startswith(("color-contrast", "image-alt"))] == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "light")
    reader.follow("← Back to the events")
    assert reader.heading() == "Events"
