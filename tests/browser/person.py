"""Somebody at a browser: opens pages, clicks, types, and notices what goes wrong."""

import re
from contextlib import nullcontext
from typing import Any

from axe_playwright_python.base import AXE_FILE_PATH
from django.conf import settings

from eventsite.auth import refresh_cookie

AXE = AXE_FILE_PATH.read_text()
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
WIDTHS = (390, 1280)  # pixels; a phone, and a desk

LEAVES = """element => {
  const link = element.closest("a[href]"), form = element.form;
  if (link) return !(link.hash && link.href.split("#")[0] === location.href.split("#")[0]);
  return Boolean(form) && element.type === "submit" && (form.noValidate || form.checkValidity());
}"""
"""Whether a click on an element leads to another page: a link does, and the button of a form that may be sent."""


class Person:
    """One browser context of its own, with one tab."""

    def __init__(self, chromium: Any, service: str, *, width: int = 1280, **options: Any) -> None:
        self.service = service
        options.setdefault("reduced_motion", "reduce")  # a button that changes its color has no contrast of its own
        self.context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=service, **options)
        self.context.set_default_timeout(30_000)
        self.complaints: list[str] = []
        """What the browser logged as an error: policy violations, failed scripts, missing files."""
        self.page = self.context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: Any) -> None:
        """A refused form is an error to the browser only."""
        if message.type == "error" and not re.search(r"status of 4(04|09|12|22|01|03)", message.text):
            self.complaints.append(message.text)

    def close(self) -> None:
        """Leave, and fail if an error went unseen."""
        self.context.close()
        assert self.complaints == []

    def open(self, path: str) -> Any:
        """Go to a page."""
        self.page.goto(path)
        return self.page

    def log_in(self, name: str, password: str) -> Any:
        """Log in through the hosted UI."""
        self.press(self.page.get_by_role("link", name=re.compile("^Log in")).first)
        self.fill_in(name, password)
        return self.page

    def fill_in(self, name: str, password: str) -> None:
        """Fill in the form of the hosted UI."""
        self.page.locator("input[name=username]").fill(name)
        self.page.locator("input[name=password]").fill(password)
        self.press(self.page.locator("[type=submit]").first)

    def fill_in_if_asked(self, name: str, password: str) -> None:
        """Fill in the form of the hosted UI, unless its own session led back at once."""
        if "127.0.0.1" in self.page.url:
            self.fill_in(name, password)

    def lose_session(self) -> None:
        """Delete the cookies of the session, and of what would renew it."""
        for name in (settings.SESSION_COOKIE_NAME, refresh_cookie.COOKIE):
            self.context.clear_cookies(name=name)

    def press(self, element: Any) -> None:
        """Click an element, and wait until the page that it leads to is complete.

        Playwright's click waits only for a navigation that has begun when the click is over, and only for its start.
        """
        with self.page.expect_navigation() if element.evaluate(LEAVES) else nullcontext():
            element.click()

    def click(self, name: str, role: str = "button") -> Any:
        """Click what has this name."""
        self.press(self.page.get_by_role(role, name=name, exact=True))
        return self.page

    def follow(self, name: str) -> Any:
        """Click a link."""
        return self.click(name, "link")

    def go(self, name: str) -> Any:
        """Click an entry of the navigation."""
        self.press(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))
        return self.page

    def heading(self) -> str:
        """What the page is called."""
        return str(self.page.locator("h1").inner_text())

    def message(self) -> str:
        """The message on the page."""
        return str(self.page.get_by_role("status").inner_text())

    def violations(self, rules: dict[str, Any] = RULES) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
        return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]

    def faults(self, rules: dict[str, Any] = RULES) -> list[str]:
        """Return the faults of the page as it is: those that axe-core finds, and a page wider than the window."""
        wide = ["wider than the window"] if self.overflows() else []
        return [f"{self.page.url}: {fault}" for fault in self.violations(rules) + wide]

    def faults_in_all_looks(self) -> list[str]:
        """Return the faults of the page at two widths, in the light and in the dark, and in print.

        The style sheet changes nothing but colors in the dark, so only these are looked at there.
        """
        found = []
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            for scheme, rules in (("dark", COLORS), ("light", RULES)):
                self.page.emulate_media(color_scheme=scheme)
                found += [f"{scheme}, {width}: {fault}" for fault in self.faults(rules)]
        for scheme, rules in (("dark", COLORS), ("light", RULES)):
            self.page.emulate_media(media="print", color_scheme=scheme)
            found += [f"print, {scheme}: {fault}" for fault in self.violations(rules)]
        self.page.emulate_media(media="screen")
        return found

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
