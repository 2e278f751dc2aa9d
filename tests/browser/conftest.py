"""A real browser: Debian's Chromium, driven by Playwright, on the service in this process."""

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from eventsite.local import user_pool
from tests.api import EVENT, Api
from tests.browser.person import Person
from tests.signing_in import adam, alice, olivia

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = Path(__file__).parent
WITHOUT = "Chromium is not installed (Debian: apt-get install chromium)."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests in this folder need a browser."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=WITHOUT))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def service(tables: None) -> Iterator[str]:
    """The URL of the service, as it is set when this is first asked for."""
    from eventsite.web.wsgi import Application

    logging.getLogger("django.server").setLevel("ERROR")
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.daemon_threads = True
    server.set_app(Application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def person(chromium: Any, service: str) -> Iterator[Any]:
    """Makes people at a browser of their own: ``person()``, ``person(width=390, color_scheme="dark")``."""
    made: list[Person] = []

    def make(**options: Any) -> Person:
        made.append(Person(chromium, service, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def signing_in(cognito: None) -> str:
    """Turn sign-in on for Alice, Olivia (an organizer) and Adam (an admin). Returns: their password."""
    alice(), olivia(), adam()
    return user_pool.PASSWORD


def make_season(api: Api) -> None:
    """A few events of every kind, and people who have seats, wait and left."""
    for user in ("carol", "dave", "erin", "frank"):
        api.user(user)
    api.event(eventId="party", title="Spring party", startTime="19:00", endTime="22:00", timeZone="Europe/Berlin")
    for user in ("carol", "dave", "erin", "frank"):
        api.register("party", user)
    api.leave("party", "carol")
    api.event(eventId="cinema", title="Open-air cinema", status="cancelled", date="2083-05-01")
    api.event(eventId="market", title="Autumn market", status="completed", date="2020-10-03")
    api.event(eventId="talk", title="Donaudampfschifffahrt" * 9, status="draft", location="W" * 150)
    for number in range(12):
        api.event(title=f"Evening {number}", date=f"2083-06-{number + 1:02}")


assert EVENT["capacity"] == 2, "the season counts on two seats"
