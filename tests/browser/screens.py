"""Takes the pictures of README.md: ``python -m tests.browser.screens http://localhost:8000`` with a season loaded.

Takes: the address of an open service that has an event with a queue, by its id.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.tour import ROOT

SCREENS = ROOT / "docs" / "screens"
PICTURES = {
    "events": ("/events", 1200, 800, "light"),
    "event": ("/events/{event}", 1200, 900, "light"),
    "new": ("/events?copy={event}#new", 1200, 900, "light"),
    "registrations": ("/events/{event}/registrations", 1200, 800, "dark"),
    "phone": ("/events/{event}", 390, 800, "dark"),
    "door": ("/events/{event}/registrations?print=yes&sort=name", 1200, 800, "light"),
}
"""The path, the size of the window and the colours of each."""
OF_ATTENDEES = {"phone"}
"""The pictures that show what an attendee sees."""


def main(service: str, event: str) -> None:
    """Take all of them."""
    SCREENS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (path, width, height, scheme) in PICTURES.items():
            appearance: Any = {"color_scheme": scheme}
            page = browser.new_page(viewport={"width": width, "height": height}, **appearance)
            if name in OF_ATTENDEES:
                page.goto(f"{service}/events")
                page.get_by_role("button", name="Act as an attendee").click()
                page.get_by_role("button", name="Leave this role").wait_for()
            page.goto(service + path.format(event=event))
            page.screenshot(path=Path(SCREENS, f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
