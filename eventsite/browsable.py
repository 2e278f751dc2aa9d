"""The service's own pages: the front page, and the state of the service."""

from typing import Any

from eventsite.pages import page as pages
from eventsite.pages.page import Page


class HomePage(Page, routes=["root"]):
    """The front page: the first entry of the navigation."""

    def elsewhere(self) -> str:
        return next((link.url for link in pages.navigation_links(self)), "")


class HealthPage(Page, routes=["health"]):
    name = "Health"

    def context(self, data: Any) -> dict[str, Any]:
        tables = {f"Table of {name}": state for name, state in data["tables"].items()}
        return {"data": {"Status": data["status"], "Version": data["version"], **tables}}
