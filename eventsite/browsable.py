"""The service's own pages: where to start, and whether it is well."""

from typing import Any

from eventsite.pages import page as pages
from eventsite.pages.page import Link, Page, Seen


@pages.navigation(90)
def documentation(seen: Seen) -> Link:
    """The documentation for developers."""
    return Link("API", pages.url("docs"), about="The documentation for developers, to try out.")


@pages.page("root")
class HomePage(Page):
    """Where to start."""

    template = "eventsite/pages/home.html"
    name = "Events, seats and waitlists"

    def context(self, data: Any) -> dict[str, Any]:
        """Return the links of the page."""
        more = [Link("Reference", pages.url("redoc"), about="The same documentation, to read.")]
        more.append(Link("Health", pages.url("health"), about="Whether the service can do its work."))
        return {"entries": [*pages.ways(self), *more]}


@pages.page("health")
class HealthPage(Page):
    """Whether the service can do its work."""

    name = "Health"

    def context(self, data: Any) -> dict[str, Any]:
        """Return the state of each table."""
        tables = {f"Table of {name}": state for name, state in data["tables"].items()}
        return {"data": {"Status": data["status"], "Version": data["version"], **tables}}
